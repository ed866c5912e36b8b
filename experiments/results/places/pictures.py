#!/usr/bin/env python3
"""Puts reconstructions at the first and the last evaluation of each place side by side (needs Pillow):

    python3 experiments/results/places/pictures.py runs/places

Takes the second row of each picture of `cartpole-swingup`, seed 10, and writes reconstructions.png here.
"""
import json
import pathlib
import sys

from PIL import Image, ImageDraw

PLACES = ["frozen", "rounds", "bursts", "parallel", "finetune", "joint"]
ROW = slice(215, 415)

folder = pathlib.Path(sys.argv[1])
runs = {
    point["arm"]: folder / "runs" / f"{point['index']:05}-{point['hash']}"
    for point in json.loads((folder / "sweep.json").read_text())["points"]
    if (point["command"], point["environment"], point["seed"]) == ("train", "cartpole-swingup", 10)}
strips = []
for place in PLACES:
    pictures = sorted(runs[place].glob("reconstructions-*.png"))
    for path in (pictures[0], pictures[-1]):
        picture = Image.open(path).convert("RGB")
        label = f"{place}, step {int(path.stem.split('-')[-1]):,}"
        strip = Image.new("RGB", (1063, 220), (24, 24, 30))
        strip.paste(picture.crop((picture.width - 1004, ROW.start, picture.width, ROW.stop)), (59, 18))
        ImageDraw.Draw(strip).text((62, 2), f"{label}: frame, keypoints, target, reconstruction, error", fill=(255, 255, 255))
        strips.append(strip.crop((55, 0, 1063, 220)).resize((504, 110), Image.LANCZOS))
# A place a row: the first evaluation on the left, the last on the right.
sheet = Image.new("RGB", (1020, 110 * (len(strips) // 2)), (24, 24, 30))
for i, strip in enumerate(strips):
    sheet.paste(strip, (516 * (i % 2), 110 * (i // 2)))
sheet.save(pathlib.Path(__file__).parent / "reconstructions.png", optimize=True)
