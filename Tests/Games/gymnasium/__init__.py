"""The part of Gymnasium's interface that pixelrl's server uses, without NumPy, so that its tests need only Python."""

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


class MultiDiscrete:
    def __init__(self, nvec, start):
        self.nvec, self.start, self.shape, self.dtype = nvec, start, nvec.shape, "int64"

    def __repr__(self):
        return f"MultiDiscrete({self.nvec.tolist()})"


class MultiBinary:
    def __init__(self, n):
        self.n, self.shape, self.dtype = n, (n,), "int8"

    def __repr__(self):
        return f"MultiBinary({self.n})"


spaces = SimpleNamespace(
    Discrete=Discrete, Box=Box, Dict=Dict, MultiDiscrete=MultiDiscrete, MultiBinary=MultiBinary
)


def register(id, entry_point, max_episode_steps=None):
    registry[id] = SimpleNamespace(entry_point=entry_point, max_episode_steps=max_episode_steps, kwargs={})


def spec(name):
    """Returns the spec for a name without a module, like the real function."""
    if name not in registry:
        raise error.UnregisteredEnv(f"Environment `{name}` doesn't exist.")
    return registry[name]


def make(name, render_mode=None, max_episode_steps=None, **arguments):
    module, _, id = name.rpartition(":")
    if module:
        importlib.import_module(module)
    return spec(id).entry_point(render_mode=render_mode, **arguments)
