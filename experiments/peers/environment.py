"""One step of Gymnasium's Pendulum-v1 and its frame, resized to 84x84 RGB."""

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import gymnasium  # noqa: E402
import numpy  # noqa: E402
from PIL import Image  # noqa: E402

from serve import serve  # noqa: E402

environment = gymnasium.make("Pendulum-v1", render_mode="rgb_array")
environment.reset(seed=1)


def step():
    _, _, terminated, truncated, _ = environment.step(environment.action_space.sample())
    if terminated or truncated:
        environment.reset()
    picture = Image.fromarray(environment.render())
    return numpy.asarray(picture.resize((84, 84), Image.Resampling.BILINEAR))


serve(step)
