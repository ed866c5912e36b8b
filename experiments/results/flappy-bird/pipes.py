#!/usr/bin/env python3
"""Counts the pipes of each episode of a run's evaluations: .venv/bin/python pipes.py RUN [RUN ...]

A frame gives 0.1, a frame in which a pipe is passed 1 and the last one of a crash -1. An episode of `frames` frames with
the return R passed (R - 0.1 frames + 1.1 crashes) / 0.9 pipes, fewer by 2/3 for each frame at the top, which gives -0.5.
"""
import pathlib
import sys

import numpy

LIMIT = 2400


def pipes(score, frames):
    return max(0, int((score - 0.1 * frames + 1.1 * (frames < LIMIT)) / 0.9 + 0.01))


for run in sys.argv[1:]:
    record = numpy.load(pathlib.Path(run) / "evaluations.npz")
    for step, scores, lengths in zip(record["timesteps"], record["results"], record["ep_lengths"]):
        counts = sorted(pipes(*pair) for pair in zip(scores, lengths))
        print(f"{run} after {step} frames: median {numpy.median(counts):g}, of {' '.join(map(str, counts))}")
