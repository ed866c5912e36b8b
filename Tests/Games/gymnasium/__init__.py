"""As much of Gymnasium's interface as pixelrl's server asks for, without NumPy: its tests then need nothing but Python."""

import importlib
from types import SimpleNamespace

registry = {}


class Error(Exception):
    pass


error = SimpleNamespace(
    Error=Error,
    UnregisteredEnv=type("UnregisteredEnv", (Error,), {}),
    DependencyNotInstalled=type("DependencyNotInstalled", (Error,), {}),
)


class Discrete:
    def __init__(self, n, start=0):
        self.n, self.start, self.shape = n, start, ()


class Box:
    def __init__(self, low, high, shape, dtype):
        self.low, self.high, self.shape, self.dtype = low, high, shape, dtype


class Dict:
    def __init__(self, parts):
        self.parts = parts

    def __repr__(self):
        return f"Dict({', '.join(self.parts)})"


spaces = SimpleNamespace(
    Discrete=Discrete, Box=Box, Dict=Dict, MultiDiscrete=type("MultiDiscrete", (), {}),
    MultiBinary=type("MultiBinary", (), {}),
)


def register(id, entry_point, max_episode_steps=None):
    registry[id] = SimpleNamespace(entry_point=entry_point, max_episode_steps=max_episode_steps, kwargs={})


def spec(name):
    module, _, id = name.rpartition(":")
    if module:
        importlib.import_module(module)
    if id not in registry:
        raise error.UnregisteredEnv(f"Environment `{id}` doesn't exist.")
    return registry[id]


def make(name, render_mode=None, max_episode_steps=None, **arguments):
    return spec(name).entry_point(render_mode=render_mode, **arguments)
