#!/usr/bin/env python3
"""Compares the frames of the software renderer with those of MuJoCo's own renderer.

    python3 experiments/checks/rendering/compare.py .build/release/pixelrl --out runs/rendering

Each task is played at random from seed 0, twice with the same states, at 84 and 256 pixels, in the full style (shadows,
reflections, 4 samples per pixel) and in the bare one. The folder gets TASK-SIZE.png (the full style above, the bare one
below: software, MuJoCo's, four times the difference), sheet.png of all tasks at 84 pixels, table.md and likeness.json.

PSNR: 10 log10(255² / mean squared difference of all channels), in dB. SSIM: Wang 2004, eq. 13, of the luminance (ITU-R
BT.601), in windows within the image, weighted by a Gaussian of deviation 1.5 and 11 pixels wide, K1 = 0.01 and
K2 = 0.03; the mean over windows. Both are means over the compared frames.
Needs: pip install numpy pillow; the program built with the traits MuJoCo and OneDNN, and an OpenGL.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
from PIL import Image

TASKS = [
    "acrobot-swingup", "ball-in-cup-catch", "cheetah-run", "finger-spin", "finger-turn-easy", "fish-swim", "hopper-hop",
    "humanoid-walk", "manipulator-bring-ball", "mujoco-cartpole-swingup", "point-mass-easy", "quadruped-walk",
    "reacher-easy", "swimmer-6", "walker-walk",
]
STYLES = {"full": [], "bare": ["--no-shadows", "--no-reflections", "--antialiasing", "1"]}
SIZES = [84, 256]
# Agent steps after the start.
FRAMES = [0, 10, 20]


def draw(program, task, renderer, size, style):
    """Returns a renderer's frames [F, H, W, 3] of the task's first states."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            program, "render", task, "--frames", str(FRAMES[-1] + 1), "--seed", "0", "--size", str(size),
            "--renderer", renderer, *STYLES[style], "--out", f"{folder}/frames"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return np.stack([np.asarray(Image.open(f"{folder}/frames/frame-{i:05}.png").convert("RGB")) for i in FRAMES])


def psnr(a, b):
    error = np.mean((a.astype(float) - b) ** 2)
    return float("inf") if error == 0 else 10 * np.log10(255**2 / error)


def ssim(a, b):
    x, y = (picture.astype(float) @ [0.299, 0.587, 0.114] for picture in (a, b))
    kernel = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    kernel /= kernel.sum()

    def blur(image):
        for axis in (0, 1):
            windows = np.lib.stride_tricks.sliding_window_view(image, 11, axis)
            image = windows @ kernel
        return image

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    index = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return float(np.mean(index / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))))


def row(ours, theirs):
    """Returns the software frame, MuJoCo's frame and four times their difference, side by side."""
    difference = np.clip(4 * np.abs(ours.astype(int) - theirs), 0, 255).astype(np.uint8)
    return np.concatenate([ours, theirs, difference], axis=1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the pixelrl program")
    parser.add_argument("--out", required=True, type=pathlib.Path, help="the folder to write into")
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    results, sheet = [], []
    for task in arguments.tasks:
        for size in SIZES:
            rows = []
            for style in STYLES:
                ours, theirs = (draw(arguments.program, task, name, size, style) for name in ("software", "gl"))
                figures = {
                    "psnr": float(np.mean([min(psnr(a, b), 99) for a, b in zip(ours, theirs)])),
                    "ssim": float(np.mean([ssim(a, b) for a, b in zip(ours, theirs)]))}
                results.append({"task": task, "size": size, "look": style, **figures})
                print(f"{task:24} {size:4} {style}  PSNR {figures['psnr']:5.1f} dB  SSIM {figures['ssim']:.3f}", flush=True)
                rows.append(row(ours[-1], theirs[-1]))
            Image.fromarray(np.concatenate(rows)).save(arguments.out / f"{task}-{size}.png")
            if size == SIZES[0]:
                sheet.append(rows[0])
    write_sheet(sheet, arguments.out / "sheet.png")
    (arguments.out / "likeness.json").write_text(json.dumps(results, indent=1) + "\n")
    (arguments.out / "table.md").write_text(table(results, arguments.tasks))


def write_sheet(rows, path, columns=2):
    blank = np.zeros_like(rows[0])
    rows = rows + [blank] * (-len(rows) % columns)
    lines = [np.concatenate(rows[i : i + columns], axis=1) for i in range(0, len(rows), columns)]
    Image.fromarray(np.concatenate(lines)).save(path, optimize=True)


def table(results, tasks):
    kinds = [(style, size) for style in STYLES for size in SIZES]
    lines = ["| task | " + " | ".join(f"{style}, {size} px" for style, size in kinds) + " |", "|---" * (1 + len(kinds)) + "|"]
    found = {(r["task"], r["look"], r["size"]): r for r in results}
    for task in tasks:
        cells = [found[task, style, size] for style, size in kinds]
        lines.append(f"| {task} | " + " | ".join(f"{c['psnr']:.1f} dB, {c['ssim']:.3f}" for c in cells) + " |")
    means = [[found[task, style, size] for task in tasks] for style, size in kinds]
    cells = [f"{np.mean([c['psnr'] for c in m]):.1f} dB, {np.mean([c['ssim'] for c in m]):.3f}" for m in means]
    lines.append("| mean | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
