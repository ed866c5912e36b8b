"""Writes the image of a given file as PNG with Pillow."""

import argparse
import io

from PIL import Image

from serve import serve

parser = argparse.ArgumentParser()
parser.add_argument("--picture", required=True)
picture = Image.open(parser.parse_args().picture).convert("RGB")


def write():
    picture.save(io.BytesIO(), "PNG")


serve(write)
