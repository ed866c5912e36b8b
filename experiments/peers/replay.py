"""Samples a batch with histories from a full replay buffer of latents in NumPy by fancy indexing, each latent stored once."""

import argparse

import numpy

from serve import serve

LATENT, FRAMES, ACTIONS = 32, 3, 2

parser = argparse.ArgumentParser()
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--capacity", type=int, default=1_000_000)
arguments = parser.parse_args()

random = numpy.random.default_rng(1)
capacity = arguments.capacity
latents = random.standard_normal((capacity, LATENT), dtype=numpy.float32)
actions = numpy.full((capacity, 1), 0.5, numpy.float32)
rewards, discounts = numpy.ones((2, capacity, 1), numpy.float32)
# The first slot of each slot's episode, for episodes of 1000 steps.
starts = numpy.arange(capacity) // 1001 * 1001
starts_transition = numpy.arange(capacity) % 1001 != 1000


def observation(slots):
    frames = [latents[numpy.maximum(slots - age, starts[slots])] for age in range(FRAMES)]
    differences = [2 * (newer - older) for newer, older in zip(frames, frames[1:])]
    taken = [numpy.where((slots - age >= starts[slots])[:, None], actions[slots - age], 0) for age in range(1, ACTIONS + 1)]
    return numpy.concatenate([frames[0], *differences, *taken], axis=1)


def sample():
    slots = random.integers(0, capacity - 1, arguments.batch)
    while not (valid := starts_transition[slots]).all():
        slots[~valid] = random.integers(0, capacity - 1, (~valid).sum())
    return observation(slots), actions[slots], rewards[slots], discounts[slots], observation(slots + 1)


serve(sample)
