"""A game of the Arcade Learning Environment, frame by frame."""

import random
import struct
import zlib

from pixelrl_games import Game
from pixelrl_spaces import Refusal, action_space

# Addresses of the visible state in a game's 128 bytes of RAM (Anand 2019, Atari Annotated RAM Interface).
ADDRESSES = {
    "pong": {"player-y": 51, "enemy-y": 50, "ball-x": 49, "ball-y": 54},
    "breakout": {"player-x": 72, "ball-x": 99, "ball-y": 101},
}
# The frames of half an hour (Bellemare 2013).
TIME_LIMIT = 108_000


def checked(options):
    """Checks the arguments that are handled here instead of in the emulator. Raises Refusal."""

    def check(key, is_good, taken):
        value = options.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or not is_good(value)):
            raise Refusal("input", f"{key} takes {taken}, not {value}")

    check("frameskip", lambda value: value in range(1, 1001), "a whole number from 1 to 1000")
    check("repeat_action_probability", lambda value: 0 <= value <= 1, "a number from 0 to 1")
    check("max_num_frames_per_episode", lambda value: value == int(value) and value >= 0, "a whole number of at least 0")
    return options


class Atari(Game):
    """An Atari game with sticky actions on every frame (Machado 2018). Its picture is the maximum of the last two frames
    (Mnih 2015)."""

    def __init__(self, gymnasium, name, specification, options):
        import numpy

        arguments = {**specification.kwargs, **checked(options)}
        # The emulator runs one frame at a time without sticky actions. Frame skip and sticky actions are handled here.
        options = {**options, "frameskip": 1, "repeat_action_probability": 0.0, "max_num_frames_per_episode": None}
        try:
            environment = gymnasium.make(name, **options)
        except TypeError as error:
            raise Refusal("input", str(error)) from error
        self.numpy = numpy
        self.environment = environment
        core = environment.unwrapped
        self.emulator = core.ale
        self.actions, _ = action_space(gymnasium.spaces, environment.action_space)
        if "count" not in self.actions:
            # The emulator's numbered actions, which `hold` chooses from, are others.
            raise Refusal("input", f"pixelrl plays {name} with discrete actions: leave out continuous")
        self.choices = list(core._action_set)
        self.stickiness = float(arguments.get("repeat_action_probability", 0.0))
        self.time_limit = int(arguments.get("max_num_frames_per_episode") or TIME_LIMIT)
        self.repeats = int(arguments["frameskip"]) if isinstance(arguments.get("frameskip"), (int, float)) else 4
        self.is_atari, self.has_mask, self.undrawn = True, False, None
        environment.reset(seed=0)
        addresses = ADDRESSES.get(arguments.get("game"), {f"ram-{i}": i for i in range(128)})
        self.names, self.count = list(addresses), len(addresses)
        self.addresses = list(addresses.values())
        self.frame_shape = (*self.emulator.getScreenDims(), 3)
        height, width, _ = self.frame_shape
        self.before = {1: numpy.zeros((height, width), numpy.uint8), 3: numpy.zeros((height, width, 3), numpy.uint8)}
        self.now = {mode: screen.copy() for mode, screen in self.before.items()}
        self.reset(0, 0)

    def reset(self, seed, no_ops):
        # The seed determines the sticky actions. The emulator always starts in the same state: its own seed takes effect
        # only when the game is loaded again, which takes 90 ms.
        self.emulator.reset_game()
        self.random = random.Random(seed)
        self.last, self.digest = self.choices[0], 0
        self.has_before = False
        for _ in range(no_ops):
            self.emulator.act(self.choices[0])
            if self.emulator.game_over(with_truncation=False):
                self.emulator.reset_game()
        self.mix(0.0)

    def hold(self, numbers, repeats, mode):
        emulator, action = self.emulator, self.choices[int(numbers[0])]
        lives, total, taken = emulator.lives(), 0, 0
        self.has_before = False
        while True:
            if taken == repeats - 1:
                self.shoot(mode, self.before[mode])
                self.has_before = True
            if not self.stickiness or self.random.random() >= self.stickiness:
                self.last = action
            total += emulator.act(self.last)
            taken += 1
            over = emulator.game_over(with_truncation=False)
            if over or taken == repeats:
                break
        self.mix(float(total))
        return float(total), taken, over, False, emulator.lives() < lives

    def shoot(self, mode, canvas):
        (self.emulator.getScreenGrayscale if mode == 1 else self.emulator.getScreenRGB)(canvas)

    def mix(self, reward):
        self.memory = self.emulator.getRAM()
        self.digest = zlib.crc32(self.memory, zlib.crc32(struct.pack("<d", reward), self.digest))

    def numbers(self):
        memory = self.memory
        return [memory[address] / 127.5 - 1 for address in self.addresses]

    def paint(self, memory, at, mode):
        height, width, _ = self.frame_shape
        shape = self.now[mode].shape
        canvas = self.numpy.frombuffer(memory, self.numpy.uint8, height * width * mode, at).reshape(shape)
        if self.has_before:
            self.shoot(mode, self.now[mode])
            self.numpy.maximum(self.before[mode], self.now[mode], out=canvas)
        else:
            self.shoot(mode, canvas)
        return mode
