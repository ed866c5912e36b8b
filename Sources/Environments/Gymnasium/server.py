"""Plays one Gymnasium environment for pixelrl, which starts this as `python -c SERVER NAME OPTIONS`.

Requests lie in shared memory (file descriptor 4), each with what comes of it in a place of its own: `r` reset, `s` step, `p`
picture. There are several places, which are used in turns, so that steps can be told before those ahead of them are taken;
after the end of an episode they do nothing until it is reset. The answer is `.`, or `!` and a line of JSON on a socket (file
descriptor 3) that says what went wrong. The first answer, before anything is asked, is a line of JSON with all that does
not change.

    byte   0  six words of the doorbell, uint32: see Doorbell
          64  the places, each a multiple of 64 bytes long:
              0  int32 repeats, int32 mode (1 gray, 3 colours), int64 seed, int32 no-ops, int32 wants picture,
                 int32 request                                                                     asked
             32  float64 reward, int32 steps, terminated, truncated, life lost, uint32 digest,
                 int32 channels of the picture that is there, int32 answer                         answered
             72  float64 action [A], float64 observation [S], uint8 picture [H, W, channels]

The digest is a running checksum of what the episode gave: an episode that is played again must end on the same.
"""

import ctypes
import faulthandler
import importlib
import json
import mmap
import os
import random
import select
import signal
import socket
import struct
import sys
import threading
import time
import zlib

FIRST_PLACE = 64
PLACE_HEADER = 72
# As many as fit, up to sixteen: a machine may have little memory to share.
MOST_PLACES, SHARED_MEMORY = 16, 4 << 20
# An interrupt or the end of a job is the parent's to handle: it may want to write a checkpoint, and closes the socket.
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(number, signal.SIG_IGN)


class Refusal(Exception):
    """The environment cannot be played: `kind` is `missing` (something to install) or `input` (something to type)."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def install(package):
    return f"{sys.executable} -m pip install {package}"


def imported(module, package):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name in (None, module.partition(".")[0]):
            reason = f"{sys.executable} has no {package}"
        else:
            reason, package = f"{sys.executable} has {package}, but not {error.name}", error.name
        raise Refusal("missing", f"{reason}: {install(package)}") from error


# Packages that have to be imported before their environments are known.
REGISTERED_BY = {
    "ALE/": ("ale_py", "ale-py"),
    "MiniGrid-": ("minigrid", "minigrid"),
    "BabyAI-": ("minigrid", "minigrid"),
}


def make(name, options):
    """The environment, without a time limit of its own, and its specification."""
    gymnasium = imported("gymnasium", "gymnasium")
    # Before 1.0 every step of an environment without a time limit would be its last.
    version = getattr(gymnasium, "__version__", "1")
    if int(version.split(".")[0]) < 1:
        raise Refusal("missing", f"{sys.executable} has gymnasium {version}: {install('gymnasium>=1')}")
    for prefix, (module, package) in REGISTERED_BY.items():
        if name.startswith(prefix):
            module = imported(module, package)
            if prefix == "ALE/":
                gymnasium.register_envs(module)
    if ":" in name:
        module = name.partition(":")[0]
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module.partition(".")[0]:
                raise Refusal("missing", f"{error}: {install(error.name)}") from error
            raise Refusal(
                "input", f"there is no Python module '{module}': start pixelrl in its folder, or name that in PYTHONPATH"
            ) from error
    try:
        # The module is imported: `spec` knows no such names, unlike `make`.
        specification = gymnasium.spec(name.rpartition(":")[2])
        if name.startswith("ALE/"):
            return make_atari(gymnasium, name, options, specification), specification
        try:
            environment = gymnasium.make(name, render_mode="rgb_array", max_episode_steps=-1, **options)
        except (TypeError, AssertionError, ValueError, NotImplementedError):
            # Those that draw nothing may still show images as observations.
            try:
                environment = gymnasium.make(name, max_episode_steps=-1, **options)
            except TypeError as error:
                raise Refusal("input", str(error)) from error
        return environment, specification
    except gymnasium.error.DependencyNotInstalled as error:
        raise Refusal("missing", f"{error} (in {sys.executable})") from error
    except (gymnasium.error.UnregisteredEnv, gymnasium.error.Error) as error:
        raise Refusal("input", str(error)) from error


def make_atari(gymnasium, name, options, specification):
    # One frame at a time, without sticky actions: both are done here.
    options = {**options, "frameskip": 1, "repeat_action_probability": 0.0, "max_num_frames_per_episode": None}
    return gymnasium.make(name, **options)


# MARK: - Spaces


def action_space(gymnasium, space):
    """What the parent is told of the actions, and what turns its numbers into one."""
    spaces = gymnasium.spaces
    if isinstance(space, spaces.Discrete):
        start = int(space.start)
        return {"count": int(space.n)}, lambda numbers: start + int(numbers[0])
    if isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary)):
        return product_space(space, isinstance(space, spaces.MultiBinary))
    if isinstance(space, spaces.Box):
        low, high = flat_numbers(space.low), flat_numbers(space.high)
        if not all(abs(x) < 1e30 for x in low + high):
            raise Refusal(
                "input",
                f"its actions {space} have no bounds: register it with gymnasium.wrappers.RescaleAction around it, or "
                "give its action space finite ones",
            )
        return {"low": low, "high": high}, boxed(space)
    raise Refusal(
        "input",
        f"its actions {space} are neither Discrete, MultiDiscrete, MultiBinary nor Box: pixelrl cannot choose such",
    )


CHOICES = 4096


def product_space(space, is_binary):
    """Several discrete actions at once as one, a number whose digits they are, the first the lowest."""
    radices, starts = [2] * flat_count(space.shape), None
    if not is_binary:
        radices = [int(n) for n in flat_numbers(space.nvec)]
        # Gymnasium 1.0 has none.
        starts = getattr(space, "start", None)
    starts = [0] * len(radices) if starts is None else [int(x) for x in flat_numbers(starts)]
    count = 1
    for radix in radices:
        count *= radix
    if count > CHOICES:
        raise Refusal(
            "input",
            f"its actions {space} make {count} choices together, more than the {CHOICES} that pixelrl takes: register it "
            "with gymnasium.wrappers.TransformAction around it, which makes fewer of them, or gives it a Box of thresholds",
        )
    made = boxed(space)

    def chosen(numbers):
        index, digits = int(numbers[0]), []
        for radix, start in zip(radices, starts):
            index, digit = divmod(index, radix)
            digits.append(start + digit)
        return made(digits)

    return {"count": count}, chosen


def boxed(space):
    """What turns a list of numbers into an array of a space."""
    try:
        import numpy
    except ImportError:
        return list
    if numpy.issubdtype(space.dtype, numpy.integer):
        return lambda numbers: numpy.rint(numbers).astype(space.dtype).reshape(space.shape)
    return lambda numbers: numpy.array(numbers, space.dtype).reshape(space.shape)


def flat_count(shape):
    count = 1
    for side in shape:
        count *= int(side)
    return count


def flat_numbers(array):
    """The numbers of anything that has a shape."""
    return [float(x) for x in (array if len(array.shape) == 1 else array.ravel()).tolist()]


def is_image(gymnasium, space):
    """Rows of pixels, gray or in colours, large enough to be a picture and not a map of cells."""
    if not isinstance(space, gymnasium.spaces.Box) or "uint8" not in str(space.dtype):
        return False
    shape = space.shape
    channels = 1 if len(shape) == 2 else shape[2] if len(shape) == 3 else 0
    return channels in (1, 3) and min(shape[:2]) >= 16


# MARK: - Environments


class Game:
    """Any Gymnasium environment."""

    def __init__(self, gymnasium, environment, specification):
        self.environment = environment
        self.space = environment.observation_space
        self.shows_images = is_image(gymnasium, self.space)
        self.flatten = self.flattening(gymnasium)
        self.actions, self.decode = action_space(gymnasium, environment.action_space)
        self.time_limit = specification.max_episode_steps
        self.repeats = 1
        self.is_atari = False
        self.digest = 0
        observation, _ = environment.reset(seed=0)
        self.take(observation)
        count = 0 if self.flatten is None else len(self.flatten(observation))
        self.names = [f"observation-{i}" for i in range(count)]
        frame = self.frame()
        self.frame_shape = (0, 0, 0) if frame is None else shape_of(frame)

    def flattening(self, gymnasium):
        """What turns an observation into numbers; None where it is an image alone, or has no fixed length."""
        if self.shows_images:
            return None
        if isinstance(self.space, gymnasium.spaces.Box):
            return flat_numbers
        try:
            from gymnasium.spaces import flatdim, flatten

            if 0 < flatdim(self.space) <= 4096:
                return lambda observation: flat_numbers(flatten(self.space, observation))
        except (ImportError, NotImplementedError, ValueError, TypeError):
            pass  # such as texts
        return None

    def take(self, observation):
        wanted = getattr(self.space, "shape", None)
        if wanted is not None and hasattr(self.space, "low"):
            shape = getattr(observation, "shape", None)
            if shape is None or tuple(shape) != tuple(wanted):
                raise ValueError(f"an observation of shape {shape} where its space says {tuple(wanted)}")
        self.observation = observation

    def reset(self, seed, no_ops):
        observation, _ = self.environment.reset(seed=seed)
        self.digest, self.lives = 0, 0
        self.take(observation)
        for _ in range(no_ops):
            _, _, terminated, truncated, _ = self.step(self.decode([0.0] * self.action_count))
            if terminated or truncated:
                observation, _ = self.environment.reset()
                self.take(observation)
        self.mix(self.observation, 0.0)

    @property
    def action_count(self):
        return 1 if "count" in self.actions else len(self.actions["low"])

    def step(self, action):
        observation, reward, terminated, truncated, info = self.environment.step(action)
        self.take(observation)
        return observation, float(reward), bool(terminated), bool(truncated), info

    def hold(self, numbers, repeats, mode):
        action, total, taken, lost = self.decode(numbers), 0.0, 0, False
        while True:
            observation, reward, terminated, truncated, info = self.step(action)
            total += reward
            taken += 1
            lives = info.get("lives", 0)
            lost = lost or lives < self.lives
            self.lives = lives
            if terminated or truncated or taken == repeats:
                break
        self.mix(observation, total)
        return total, taken, terminated, truncated, lost

    def mix(self, observation, reward):
        """Adds a moment to the episode's checksum: of an image, some of its bytes."""
        self.digest = zlib.crc32(struct.pack("<d", reward), self.digest)
        for leaf in leaves(observation):
            if self.shows_images and hasattr(leaf, "ravel"):
                leaf = leaf.ravel()[:: max(1, leaf.size // 1024)]
            data = leaf.tobytes() if hasattr(leaf, "tobytes") else repr(leaf).encode()
            self.digest = zlib.crc32(data, self.digest)

    def numbers(self):
        return [] if self.flatten is None else self.flatten(self.observation)

    def frame(self):
        """The picture of now, [H, W, channels] or [H, W]; None where there is none."""
        if self.shows_images:
            return self.observation
        if getattr(self.environment, "render_mode", None) != "rgb_array":
            return None
        return self.environment.render()

    def paint(self, memory, at, mode):
        """Puts the picture into memory. Returns its channels."""
        frame = self.frame()
        if frame is None:
            return 0
        shape = shape_of(frame)
        if shape != self.frame_shape:
            raise ValueError(f"a picture of shape {shape} where the first had {self.frame_shape}")
        if hasattr(frame, "flags") and not frame.flags["C_CONTIGUOUS"]:
            frame = frame.copy()
        data = memoryview(frame).cast("B")
        memory[at : at + len(data)] = data
        return shape[2]


def shape_of(frame):
    shape = tuple(int(side) for side in frame.shape)
    if len(shape) == 2:
        shape += (1,)
    if len(shape) != 3 or shape[2] not in (1, 3) or memoryview(frame).itemsize != 1:
        raise ValueError(f"a picture of shape {tuple(frame.shape)} with {memoryview(frame).itemsize} bytes a number")
    return shape


def leaves(value):
    if isinstance(value, dict):
        for key in sorted(value):
            yield from leaves(value[key])
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from leaves(part)
    else:
        yield value


# Where a game keeps what one sees, in its 128 bytes of memory (Anand 2019, Atari Annotated RAM Interface).
ADDRESSES = {
    "pong": {"player-y": 51, "enemy-y": 50, "ball-x": 49, "ball-y": 54},
    "breakout": {"player-x": 72, "ball-x": 99, "ball-y": 101},
}


class Atari(Game):
    """A game of the Arcade Learning Environment, frame by frame: sticky actions on every frame (Machado 2018), the
    picture is the maximum of the last two frames (Mnih 2015)."""

    def __init__(self, gymnasium, environment, specification, options):
        import numpy

        self.numpy = numpy
        self.environment = environment
        core = environment.unwrapped
        self.emulator = core.ale
        self.actions, _ = action_space(gymnasium, environment.action_space)
        self.choices = list(core._action_set)
        arguments = {**specification.kwargs, **options}
        self.stickiness = float(arguments.get("repeat_action_probability", 0.0))
        self.time_limit = arguments.get("max_num_frames_per_episode") or 108_000
        self.repeats = arguments["frameskip"] if isinstance(arguments.get("frameskip"), int) else 4
        self.is_atari = True
        environment.reset(seed=0)
        addresses = ADDRESSES.get(arguments.get("game"), {f"ram-{i}": i for i in range(128)})
        self.names = list(addresses)
        self.addresses = list(addresses.values())
        self.frame_shape = (*self.emulator.getScreenDims(), 3)
        height, width, _ = self.frame_shape
        self.before = {1: numpy.zeros((height, width), numpy.uint8), 3: numpy.zeros((height, width, 3), numpy.uint8)}
        self.now = {mode: screen.copy() for mode, screen in self.before.items()}
        self.reset(0, 0)

    def reset(self, seed, no_ops):
        # The seed decides what sticks; the emulator itself starts the same each time. Its own seed would take hold only
        # as the game is loaded again, 90 ms.
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


def load(name, options):
    """Raises Refusal."""
    environment, specification = make(name, options)
    gymnasium = sys.modules["gymnasium"]
    try:
        if name.startswith("ALE/"):
            return Atari(gymnasium, environment, specification, options)
        return Game(gymnasium, environment, specification)
    except gymnasium.error.DependencyNotInstalled as error:  # such as pygame, on the first picture
        raise Refusal("missing", f"{error} (in {sys.executable})") from error


# MARK: - The parent


class Service:
    """Answers one parent."""

    def __init__(self, game, memory):
        self.game = game
        self.memory = memory
        self.place_size, self.place_count = self.places(game)
        self.is_over = False
        self.wanted = struct.Struct(f"<{game.action_count}d")
        self.seen = struct.Struct(f"<{len(game.names)}d")
        self.asked = struct.Struct("<iiqiii")
        self.answered = struct.Struct("<diiiiIii")

    @staticmethod
    def places(game):
        """How long they are, and how many there are: a power of two, so that they go round where the count does."""
        height, width, channels = game.frame_shape
        size = PLACE_HEADER + 8 * (game.action_count + len(game.names)) + height * width * channels
        size, count = (size + 63) // 64 * 64, MOST_PLACES
        while count > 2 and count * size > SHARED_MEMORY:
            count //= 2
        return size, count

    @classmethod
    def size(cls, game):
        size, count = cls.places(game)
        return FIRST_PLACE + size * count

    def place(self, number):
        """Where the request of a number lies."""
        return FIRST_PLACE + number % self.place_count * self.place_size

    def answer(self, number):
        game, memory, place = self.game, self.memory, self.place(number)
        action = place + PLACE_HEADER
        observation = action + self.wanted.size
        repeats, mode, seed, no_ops, is_looked_at, request = self.asked.unpack_from(memory, place)
        outcome = 0.0, 0, False, False, False
        if request == ord("r"):
            game.reset(seed, no_ops)
            self.is_over = False
        elif request == ord("s"):
            if not self.is_over:
                outcome = game.hold(self.wanted.unpack_from(memory, action), repeats, mode)
                self.is_over = outcome[2] or outcome[3]
        elif request != ord("p"):
            raise ValueError(f"there is no request {request}")
        channels = game.paint(memory, observation + self.seen.size, mode) if is_looked_at else 0
        self.seen.pack_into(memory, observation, *game.numbers())
        self.conclude(number, *outcome, game.digest, channels, ord("."))

    def refuse(self, number):
        self.conclude(number, 0.0, 0, False, False, False, 0, 0, ord("!"))

    def conclude(self, number, *outcome):
        self.answered.pack_into(self.memory, self.place(number) + 32, *outcome)


def facts(game):
    return {
        "actions": game.actions,
        "observation": game.names,
        "height": game.frame_shape[0],
        "width": game.frame_shape[1],
        "channels": game.frame_shape[2],
        "places": Service.places(game)[1],
        "time_limit": game.time_limit,
        "repeats": game.repeats,
        "atari": game.is_atari,
    }


class Doorbell:
    """How two processes wake each other: words in shared memory, and a byte on the socket for who sleeps.

    word 0  the count of requests                       written there
         1  the count of answers                        written here
         2  not 0: sleeps, and wants a byte             of here
         3  the same                                    of there
         4  whether there is a processor for each       written there
         5  the count of answers that is waited for     written there

    To sleep and be woken takes a good part of the time of a step of many environments. So who waits looks at the word for a
    moment first, where there is a processor for each, and lets others have the processor meanwhile. Where that is in vain,
    the next waits sleep at once: 16, then twice as many each time.
    """

    MOMENT = 400_000  # nanoseconds
    LEAST_PENALTY, MOST_PENALTY = 16, 4096

    def __init__(self, wake, memory):
        self.wake = wake
        self.words = memoryview(memory)[:24].cast("I")
        self.heard = 0  # requests
        self.sleeps, self.penalty = 0, self.LEAST_PENALTY
        self.fence = threading.Lock()
        self.fence.acquire()

    def order(self):
        """Keeps the processor from moving what is read or written before beyond what comes after."""
        self.fence.release()
        self.fence.acquire()

    def listen(self):
        """Waits for the next request; False where the parent is gone."""
        words, heard = self.words, self.heard
        if words[0] == heard:
            if self.sleeps:
                self.sleeps -= 1
            elif words[4]:
                self.look()
        if words[0] == heard:
            words[2] = 1
            self.order()
            while words[0] == heard:
                if not self.wake.recv(1):
                    return False
            words[2] = 0
        self.heard = heard + 1 & 0xFFFFFFFF
        self.order()
        return True

    def look(self):
        """Looks for a request for a moment."""
        words, heard, now = self.words, self.heard, time.perf_counter_ns
        end = now() + self.MOMENT
        while now() < end:
            if words[0] != heard:
                self.penalty = self.LEAST_PENALTY
                return
            os.sched_yield()
        self.sleeps, self.penalty = self.penalty, min(2 * self.penalty, self.MOST_PENALTY)

    def answer(self, is_last=False):
        words = self.words
        self.order()
        words[1] = self.heard
        self.order()
        if words[3] and (is_last or not (self.heard - words[5]) & 0x80000000):
            self.wake.sendall(b"\0")


def end_with_parent(wake):
    """Ends this process when the parent is gone, whatever it is doing."""
    poll = select.poll()
    poll.register(wake.fileno(), 0)  # the other side's end is always told
    poll.poll()
    time.sleep(2)  # for the environment to close itself
    os._exit(0)


def serve(name, options):
    faulthandler.enable()
    wake = socket.socket(fileno=3)
    if os.environ.get("PIXELRL_PARENT_THREAD") == "main" and sys.platform == "linux":
        # The kernel means the thread that started us, which must live as long as the parent.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    threading.Thread(target=end_with_parent, args=(wake,), daemon=True).start()

    def say(value):
        wake.sendall(json.dumps(value).encode() + b"\n")

    try:
        game = load(name, json.loads(options))
    except Refusal as refusal:
        return say({"error": refusal.kind, "message": str(refusal)})
    except ModuleNotFoundError as error:
        return say({"error": "missing", "message": f"{error}: {install(error.name)}"})
    except Exception as error:
        import traceback

        traceback.print_exc()
        return say({"error": "crash", "message": f"{type(error).__name__}: {error}"})
    os.ftruncate(4, Service.size(game))
    memory = mmap.mmap(4, Service.size(game))
    service, doorbell = Service(game, memory), Doorbell(wake, memory)
    say(facts(game))
    try:
        while doorbell.listen():
            try:
                service.answer(doorbell.heard)
            except Exception as error:
                import traceback

                traceback.print_exc()
                service.refuse(doorbell.heard)
                doorbell.answer(is_last=True)
                return say({"error": "crash", "message": f"{type(error).__name__}: {error}"})
            doorbell.answer()
    except OSError:
        pass  # the parent is gone
    game.environment.close()


if __name__ == "__main__":
    # Another's pipe that was held open here would never end for who reads it.
    os.closerange(5, 65536)
    serve(sys.argv[1], sys.argv[2])
