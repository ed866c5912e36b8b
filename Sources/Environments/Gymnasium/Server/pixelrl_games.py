"""Creates and steps any Gymnasium environment."""

import importlib
import re
import struct
import sys
import zlib

from pixelrl_pictures import PictureError, image_in, is_image, picture, shape_of
from pixelrl_spaces import Refusal, action_space, fitted, flattening, is_true, leaves, one_number


def install(package):
    return f"run '{sys.executable} -m pip install {package}'"


def imported(module, package):
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name in (None, module.partition(".")[0]):
            reason = f"{sys.executable} has no {package}"
        else:
            reason, package = f"{sys.executable} has {package}, but not its dependency {error.name}", error.name
        raise Refusal("world", f"{reason}: {install(package)}") from error


# Packages that register environments when they are imported, by the start of a name without its module.
REGISTERED_BY = {
    "ALE/": ("ale_py", "ale-py"),
    "MiniGrid-": ("minigrid", "minigrid"),
    "BabyAI-": ("minigrid", "minigrid"),
}


def without_module(name):
    """`ALE/Pong-v5` of `ale_py:ALE/Pong-v5`."""
    return name.rpartition(":")[2]


def gymnasium_for(name):
    """Imports gymnasium and the package that registers the environment. Returns gymnasium."""
    gymnasium = imported("gymnasium", "gymnasium")
    # Before 1.0, an environment without a time limit would end after one step.
    version = getattr(gymnasium, "__version__", "1")
    if int(version.split(".")[0]) < 1:
        advice = install('"gymnasium>=1"')
        raise Refusal("world", f"{sys.executable} has gymnasium {version}: {advice}")
    for prefix, (module, package) in REGISTERED_BY.items():
        if without_module(name).startswith(prefix):
            module = imported(module, package)
            if prefix == "ALE/":
                gymnasium.register_envs(module)
    if ":" in name:
        module = name.partition(":")[0]
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module.partition(".")[0]:
                raise Refusal("world", f"{error}: {install(error.name)}") from error
            raise Refusal(
                "input", f"there is no Python module '{module}': start pixelrl in its folder, or add it to PYTHONPATH"
            ) from error
    return gymnasium


def specification_of(gymnasium, name):
    """Returns the spec of an environment. Without a version, it is the newest, as in `gymnasium.make`."""
    # Unlike `make`, `spec` does not accept a module prefix. The module is already imported.
    name = without_module(name)
    try:
        from gymnasium.envs.registration import find_highest_version, get_env_id, parse_env_id

        namespace, base, version = parse_env_id(name)
        newest = find_highest_version(namespace, base) if version is None else None
        name = name if newest is None else get_env_id(namespace, base, newest)
    except ImportError:
        pass
    return gymnasium.spec(name)


def refuse_older_atari(gymnasium, name, specification):
    """Refuses `PongNoFrameskip-v4` and the like, which are `ALE/Pong-v5` with other arguments, and would be played without
    Atari's protocol."""
    game = re.sub(r"(-ram)?(Deterministic|NoFrameskip)?(-v[04])?$", "", without_module(name))
    newest = f"ALE/{game}-v5"
    if str(specification.entry_point).startswith("ale_py") and newest in gymnasium.registry:
        raise Refusal("input", f"{name} is an older name of the game: use gym:{newest}")


def make(gymnasium, name, options):
    """Creates the environment without a time limit."""
    if "max_episode_steps" in options or "render_mode" in options:
        raise Refusal("input", "leave out max_episode_steps and render_mode: use --time-limit; pixelrl sets the render_mode")
    try:
        return gymnasium.make(name, render_mode="rgb_array", max_episode_steps=-1, **options)
    except (TypeError, AssertionError, ValueError, NotImplementedError):
        # Environments that cannot render may still have images as observations.
        try:
            return gymnasium.make(name, max_episode_steps=-1, **options)
        except TypeError as error:
            raise Refusal("input", str(error)) from error


# The names under which environments report the currently valid actions.
MASKS = ("action_mask", "action_masks")


class Game:
    """Any Gymnasium environment."""

    def __init__(self, spaces, environment, specification):
        self.environment = environment
        self.spaces, self.space = spaces, environment.observation_space
        self.actions, self.decode = action_space(spaces, environment.action_space)
        limit = specification.max_episode_steps
        self.time_limit = limit if isinstance(limit, int) and limit > 0 else None
        self.repeats = 1
        self.is_atari = False
        self.digest = 0
        self.has_mask = any(
            name in (getattr(self.space, "spaces", None) or ()) or hasattr(unwrapped(environment), name) for name in MASKS
        )
        self.begin(seed=0)
        self.flatten = flattening(spaces, self.space)
        self.shows_images, self.undrawn = False, None
        frame = self.first_frame()
        self.names = None
        self.count = len(self.numbers())
        self.frame_shape = (0, 0, 0) if frame is None else shape_of(frame)

    def first_frame(self):
        """Finds out how to get pictures. Returns the first one, or None if there are none."""
        self.image = None
        if is_image(self.spaces, self.space):
            self.image = lambda observation: observation
        elif getattr(self.environment, "render_mode", None) != "rgb_array":
            self.undrawn = "it has no render_mode 'rgb_array'"
        elif self.environment.render() is None:
            self.undrawn = "its render() returns None"
        if self.undrawn:
            self.image = image_in(self.spaces, self.space)
            if self.image is None:
                return None
            self.undrawn = None
        if self.image and self.image(self.observation) is self.observation:
            # Pixels are not used as a state.
            self.shows_images, self.flatten = True, None
        return self.frame()

    def begin(self, **arguments):
        answer = self.environment.reset(**arguments)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise ValueError("reset() does not return (observation, info)")
        observation, info = answer
        self.lives = 0
        self.take(observation, info)

    def take(self, observation, info):
        info = info or {}
        self.lives = info.get("lives", self.lives)
        self.observation = fitted(self.spaces, self.space, observation)
        self.has_mask = self.has_mask or any(name in info for name in MASKS)

    def reset(self, seed, no_ops):
        self.begin(seed=seed)
        self.digest = 0
        for _ in range(no_ops):
            _, terminated, truncated = self.step(self.decode([0.0] * self.action_count))
            if terminated or truncated:
                self.begin()
        self.mix(0.0)

    @property
    def action_count(self):
        return 1 if "count" in self.actions else len(self.actions["low"])

    def step(self, action):
        answer = self.environment.step(action)
        if not isinstance(answer, tuple) or len(answer) != 5:
            raise ValueError("step() does not return (observation, reward, terminated, truncated, info)")
        observation, reward, terminated, truncated, info = answer
        self.take(observation, info)
        reward = one_number(reward, "the reward")
        terminated, truncated = is_true(terminated, "terminated"), is_true(truncated, "truncated")
        return reward, terminated, truncated

    def hold(self, numbers, repeats, mode):
        action, total, taken, lost = self.decode(numbers), 0.0, 0, False
        while True:
            lives = self.lives
            reward, terminated, truncated = self.step(action)
            total += reward
            taken += 1
            lost = lost or self.lives < lives
            if terminated or truncated or taken == repeats:
                break
        self.mix(total)
        return total, taken, terminated, truncated, lost

    def mix(self, reward):
        """Adds the current step to the episode's checksum. Images add only some of their bytes."""
        self.digest = zlib.crc32(struct.pack("<d", reward), self.digest)
        for leaf in leaves(self.observation):
            if self.shows_images and hasattr(leaf, "ravel"):
                leaf = leaf.ravel()[:: max(1, leaf.size // 1024)]
            data = leaf.tobytes() if hasattr(leaf, "tobytes") else repr(leaf).encode()
            self.digest = zlib.crc32(data, self.digest)

    def numbers(self):
        return [] if self.flatten is None else self.flatten(self.observation)

    def frame(self):
        """Returns the current picture, [H, W, channels] or [H, W]."""
        return picture(self.image(self.observation) if self.image else self.environment.render())

    def paint(self, memory, at, mode):
        """Writes the current picture to memory. Returns its number of channels, or 0 if there are no pictures."""
        if self.undrawn:
            return 0
        frame = self.frame()
        shape = shape_of(frame)
        if shape != self.frame_shape:
            raise ValueError(f"a picture has shape {shape}, but the first had {self.frame_shape}")
        if hasattr(frame, "flags") and not frame.flags["C_CONTIGUOUS"]:
            frame = frame.copy()
        data = memoryview(frame).cast("B")
        memory[at : at + len(data)] = data
        return shape[2]


def unwrapped(environment):
    return getattr(environment, "unwrapped", environment)


def load(name, options):
    """Creates the environment with the given name. Raises Refusal."""
    gymnasium = gymnasium_for(name)
    try:
        specification = specification_of(gymnasium, name)
        if without_module(name).startswith("ALE/"):
            from pixelrl_atari import Atari

            return Atari(gymnasium, name, specification, options)
        refuse_older_atari(gymnasium, name, specification)
        return Game(gymnasium.spaces, make(gymnasium, name, options), specification)
    except PictureError as error:
        raise Refusal("world", str(error)) from error
    except gymnasium.error.DependencyNotInstalled as error:  # such as pygame, on the first picture
        raise Refusal("world", f"{error} (in {sys.executable})") from error
    except (gymnasium.error.UnregisteredEnv, gymnasium.error.Error) as error:
        raise Refusal("input", str(error)) from error
