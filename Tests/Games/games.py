"""Environments for tests, based on the minimal gymnasium package in this folder."""

import array
import math
import os
import random
import signal
import subprocess
import threading
import time

import gymnasium


class Numbers:
    """A stand-in for a NumPy array, with what the server uses: a shape, a buffer and conversion to lists."""

    def __new__(cls, *numbers):
        return memoryview(array.array("d", numbers))


def note(name):
    """Appends the ID of this process to a file, if the current folder is that of a test."""
    if os.path.exists("games.py"):
        with open(name, "a") as file:
            file.write(f"{os.getpid()}\n")


class Lamp:
    """A lamp on a rail with eleven positions that moves left (0) and right (1). The reward is 3 in the middle.

    Further actions, if `actions` is larger: 2 makes the observation depend on unseeded randomness, 3 costs a life, 4
    terminates and 5 truncates the episode. `event` happens only once, at step `at` of a process; a file records that it
    happened. A step takes up to `pause` microseconds.
    """

    def __init__(self, render_mode=None, actions=2, event="", at=0, pause=0):
        self.render_mode = render_mode
        self.action_space = gymnasium.spaces.Discrete(actions)
        self.observation_space = gymnasium.spaces.Box(Numbers(-1, -1, 0), Numbers(1, 1, 1), (3,), "float64")
        self.event, self.at, self.steps, self.chance, self.pause = event, at, 0, 0.0, pause
        note("pids")

    def reset(self, seed=None):
        if seed is not None:
            self.random = random.Random(seed)
        self.position, self.speed, self.lives = self.random.randrange(11), 0, 3
        self.chance = self.random.random()
        return self.observe(), {}

    def step(self, action):
        self.steps += 1
        if self.pause:
            time.sleep(random.random() * self.pause / 1e6)
        reversed_ = self.random.random() < 0.2
        self.speed = (1 if action == 1 else -1) * (-1 if reversed_ else 1)
        self.position = min(max(self.position + self.speed, 0), 10)
        if action == 2:
            self.chance = random.SystemRandom().random()
        self.lives -= action == 3
        observation, reward = self.observe(), float(self.position == 5) * 3
        if self.event and self.steps == self.at and not os.path.exists("happened"):
            open("happened", "w").close()
            observation = self.fail(observation)
            reward = {"nan": math.nan, "array": [reward], "word": "much"}.get(self.event, reward)
        info = {"lives": self.lives} | ({"action_mask": [1, 0]} if self.event == "mask" else {})
        return observation, reward, action == 4, action == 5, info

    def observe(self):
        return Numbers(self.position / 5 - 1, self.speed, self.chance)

    def fail(self, observation):
        if self.event == "error":
            raise ValueError("the lamp is broken")
        if self.event in ("exit", "fork"):
            print("the lamp goes out")
            if self.event == "fork" and os.fork() == 0:
                note("children")
                time.sleep(100)
            os._exit(3)
        if self.event == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.event == "hang":
            time.sleep(1000)
        if self.event == "garbage":
            threading.Thread(target=lambda: [os.write(3, b"garbage") for _ in range(10**9)], daemon=True).start()
            time.sleep(1000)
        if self.event == "observation":
            return Numbers(0, math.inf, 0)
        if self.event == "shape":
            return Numbers(0, 0)
        if self.event == "picture":
            self.render = lambda: memoryview(bytes(4 * 4 * 3)).cast("B", (4, 4, 3))
        return observation

    def render(self):
        height, width = 20, 44
        picture = bytearray(height * width * 3)
        for row in range(4, 16):
            start = (row * width + 4 * self.position) * 3
            picture[start : start + 12] = bytes([255, 200, 40]) * 4
        return memoryview(bytes(picture)).cast("B", (height, width, 3))

    def close(self):
        pass


class Fuse(Lamp):
    """A lamp that fails at step `at` of each process."""

    def step(self, action):
        if self.steps + 1 == self.at:
            raise ValueError("the fuse has blown")
        return super().step(action)


class Dud(Lamp):
    """A lamp that fails `times` times from episode `at` on, which a file counts over all processes."""

    def __init__(self, render_mode=None, at=0, times=1):
        super().__init__(render_mode)
        self.failures = range(at, at + times)

    def reset(self, seed=None):
        if seed:  # a process resets itself with 0 when it starts
            note("resets")
        if seed and os.path.exists("resets"):
            with open("resets") as file:
                if len(file.readlines()) in self.failures:
                    raise ValueError("the lamp does not light")
        return super().reset(seed)


class Mortal(Lamp):
    """A lamp that reports its lives at a reset too."""

    def reset(self, seed=None):
        observation, _ = super().reset(seed)
        return observation, {"lives": self.lives}


class Odd(Lamp):
    """A lamp with an action space that pixelrl does not support."""

    def __init__(self, render_mode=None, kind="dict"):
        super().__init__(render_mode)
        spaces = gymnasium.spaces
        self.action_space = {
            "dict": spaces.Dict({"left": 0, "right": 0}),
            "box": spaces.Box(Numbers(-math.inf), Numbers(math.inf), (1,), "float64"),
            "whole": spaces.Box(Numbers(-(2.0**63)), Numbers(2.0**63), (1,), "int64"),
            "none": spaces.Box(Numbers(), Numbers(), (0,), "float64"),
            "huge": spaces.Discrete(2**40),
        }[kind]


class Levers:
    """A bounded box of actions. The observation is the action that was received."""

    def __init__(self, render_mode=None, kind="int64"):
        low, high = Numbers(0, -2 if kind != "bool" else 0, 1), Numbers(1, 1, 1)
        self.action_space = gymnasium.spaces.Box(low, high, (3,), kind)
        self.observation_space = gymnasium.spaces.Box(low, high, (3,), "float64")

    def reset(self, seed=None):
        return Numbers(0, 0, 1), {}

    def step(self, action):
        return Numbers(*action), 0, False, False, {}

    def close(self):
        pass


class Household(Lamp):
    """A lamp that starts a program and two processes. One of these leaves the process group and ignores SIGTERM."""

    def __init__(self, render_mode=None, **arguments):
        super().__init__(render_mode, **arguments)
        program = subprocess.Popen(["sleep", "100"])
        subprocess.run(["sh", "-c", "grep -E 'SigIgn|SigBlk' /proc/self/status > signals"])
        with open("children", "a") as file:
            file.write(f"{program.pid}\n")
        if os.fork() == 0:
            note("children")
            time.sleep(100)
            os._exit(0)
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            note("children")
            time.sleep(100)
            os._exit(0)

    def close(self):
        note("closed")


class Painting(Lamp):
    """Renders pictures as NumPy arrays of many types and shapes, with gray level 51 if the type can represent it."""

    def __init__(self, render_mode=None, kind=""):
        import numpy

        self.pictures = {
            "bytes": numpy.full((20, 24, 3), 51, numpy.uint8),
            "flipped": numpy.full((20, 24, 3), 51, numpy.uint8)[::-1],
            "floats": numpy.full((20, 24, 3), 0.2),
            "gray": numpy.full((20, 24), 0.2, numpy.float32),
            "alpha": numpy.full((20, 24, 4), 51, numpy.uint8),
            "first": numpy.full((3, 20, 24), 51, numpy.uint8),
            "whole": numpy.full((20, 24, 3), 51),
            "list": [numpy.zeros((20, 24, 3), numpy.uint8), numpy.full((20, 24, 3), 51, numpy.uint8)],
            "rows": numpy.full((20, 24, 3), 51).tolist(),
            "bool": numpy.ones((20, 24), bool),
            "none": None,
            "words": numpy.full((20, 24, 3), 51, numpy.uint16),
            "bright": numpy.full((20, 24, 3), 51.0),
            "nan": numpy.full((20, 24, 3), numpy.nan),
            "line": numpy.zeros(9, numpy.uint8),
            "five": numpy.zeros((20, 24, 5), numpy.uint8),
        }
        super().__init__(render_mode)
        self.kind = kind

    def render(self):
        return self.pictures[self.kind]


class Switches:
    """Several choices at once. The observation is the action that was received."""

    def __init__(self, render_mode=None, kind="binary", count=3):
        self.action_space = gymnasium.spaces.MultiBinary(count)
        if kind == "discrete":
            sizes, starts = (memoryview(array.array("q", numbers)) for numbers in ([2, 3, 4], [0, 5, -1]))
            self.action_space = gymnasium.spaces.MultiDiscrete(sizes, starts)
        self.observation_space = gymnasium.spaces.Box(Numbers(0, 0, 0), Numbers(9, 9, 9), (3,), "float64")

    def reset(self, seed=None):
        return Numbers(0, 0, 0), {}

    def step(self, action):
        return Numbers(*(float(x) for x in action)), 0, False, False, {}

    def close(self):
        pass


class Screen:
    """An image observation: each row is brighter than the one above. In RGB, green is a third of red."""

    def __init__(self, render_mode=None, channels=0, height=30, width=50):
        self.shape = (height, width, channels) if channels else (height, width)
        self.action_space = gymnasium.spaces.Discrete(2)
        self.observation_space = gymnasium.spaces.Box(0, 255, self.shape, "uint8")

    def reset(self, seed=None):
        return self.observe(), {}

    def step(self, action):
        return self.observe(), 0, False, False, {}

    def observe(self):
        pixel = {3: lambda row: [6 * row, 2 * row, 0]}.get(self.shape[-1], lambda row: [6 * row])
        rows = [bytes(pixel(row)) * self.shape[1] for row in range(self.shape[0])]
        return memoryview(b"".join(rows)).cast("B", self.shape)

    def close(self):
        pass


gymnasium.register("Lamp-v0", Lamp, max_episode_steps=40)
gymnasium.register("Fuse-v0", Fuse, max_episode_steps=40)
gymnasium.register("Dud-v0", Dud, max_episode_steps=40)
gymnasium.register("Mortal-v0", Mortal, max_episode_steps=40)
gymnasium.register("Odd-v0", Odd)
gymnasium.register("Levers-v0", Levers)
gymnasium.register("Household-v0", Household, max_episode_steps=40)
gymnasium.register("Painting-v0", Painting)
gymnasium.register("Switches-v0", Switches)
gymnasium.register("Screen-v0", Screen)
