"""Exports a dataset with pixelrl, reads it with Minari and LeRobot, imports it again, and compares all arrays.

    PIXELRL_PYTHON=PYTHON python exchange.py PROGRAM FOLDER

PYTHON needs minari, h5py, pillow and lerobot. FOLDER must not exist.
"""

import os
import subprocess
import sys

import numpy

program, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
os.makedirs(folder)
os.chdir(folder)


def pixelrl(*words):
    subprocess.run([program, *words], check=True, stdout=subprocess.DEVNULL)


def array(dataset, name):
    return numpy.load(f"{dataset}/{name}.npy")


pixelrl("collect", "--env", "catch", "--collect-steps", "200", "--out", "catch")
pixelrl("collect", "--env", "cartpole-swingup", "--collect-steps", "200", "--collect-episode-steps", "60", "--out", "cartpole")
for data in ("catch", "cartpole"):
    pixelrl("export", data, "--lerobot", f"{data}-lerobot")
    pixelrl("export", data, "--minari", f"{data}-v0")

    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    read = LeRobotDataset("local/read", root=f"{data}-lerobot")
    frames, states = array(data, "frames"), array(data, "states")
    assert len(read) == len(frames)
    for row in range(len(read)):
        item = read[row]
        picture = (255 * item["observation.image"].numpy().transpose(1, 2, 0)).round().astype(numpy.uint8)
        assert (picture == frames[row]).all()
        assert numpy.allclose(item["observation.state"].numpy(), states[row], atol=1e-6)

    for library, path in (("lerobot", f"{data}-lerobot"), ("minari", f"{data}-v0")):
        back = f"{data}-from-{library}"
        pixelrl("import", f"{library}:{path}", "--out", back)
        for name in ("frames", "actions", "rewards", "discounts", "episodes"):
            ours, theirs = array(data, name), array(back, name)
            assert ours.shape == theirs.shape, (library, name, ours.shape, theirs.shape)
            assert numpy.allclose(ours, theirs, atol=1e-6), (library, name)
        print(f"{data}, {library}: {len(frames)} frames are equal")
