"""pixelrl's environments for Gymnasium. This single file needs gymnasium, NumPy and the program `pixelrl`.

    import gymnasium, pixelrl_gymnasium
    env = gymnasium.make("pixelrl/cartpole-swingup-v0", size=84)

The program is the argument `program`, else the environment variable PIXELRL, else the one that a wheel has installed with
this Python, else `pixelrl` on the path. Each environment runs in its own process, `pixelrl serve`. Settings of the episode
are the flags of `pixelrl serve`, with underscores: `action_repeat=2, sticky_actions=0.25, flicker=0.1`. With
`observe="latent", autoencoder="runs/..."` an observation is what pixelrl's own agents get: the latents of the last frames,
and the last actions.

The process ends with its environment, closed or not. A keyboard interrupt does not reach it, and is delayed while a request
waits for its answer. Copied and unpickled environments are new environments with the same arguments, and must be reset.
"""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sysconfig
import threading
import weakref

import gymnasium
import numpy

__all__ = ["PixelRL", "environments", "register"]


class PixelRL(gymnasium.Env):
    """One of the environments that `pixelrl envs` lists.

    Parameters: `environment`, such as "cartpole-swingup"; `observe`, "pixels" for frames uint8 [height, width, channels],
    "state" for the true state as float64, or "latent" for latents of `autoencoder`, a folder of `pixelrl pretrain-ae`, as
    float32 (also: `history_frames`, `history_actions`, `difference_scale`, as in `pixelrl train`); `render_mode`,
    "rgb_array"; all others are flags of `pixelrl serve`. An episode that reaches its time limit is truncated, as in
    gymnasium.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 25}

    def __init__(self, environment="cartpole-swingup", observe="pixels", render_mode=None, program=None, **settings):
        if observe not in ("pixels", "state", "latent"):
            raise ValueError(f"observe takes 'pixels', 'state' or 'latent', not {observe!r}")
        if (observe == "latent") != ("autoencoder" in settings):
            raise ValueError("observe='latent' and autoencoder='FOLDER' belong together: give both or neither")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"render_mode takes None or 'rgb_array', not {render_mode!r}")
        self.render_mode, self.observe = render_mode, observe
        self._arguments = dict(
            environment=environment, observe=observe, render_mode=render_mode, program=program, **settings
        )
        self._frame = None
        self._begin(_command(environment, program, settings))
        facts = self._receive()
        self._shape = facts["height"], facts["width"], facts["channels"]
        if observe == "pixels":
            self.observation_space = gymnasium.spaces.Box(0, 255, self._shape, numpy.uint8)
        elif observe == "latent":
            self.observation_space = gymnasium.spaces.Box(-numpy.inf, numpy.inf, (facts["latent"],), numpy.float32)
        else:
            count = len(facts["observation"])
            self.observation_space = gymnasium.spaces.Box(-numpy.inf, numpy.inf, (count,), numpy.float64)
        if "count" in facts:
            self.action_space = gymnasium.spaces.Discrete(facts["count"])
        else:
            low, high = (numpy.array(facts[side], numpy.float32) for side in ("low", "high"))
            self.action_space = gymnasium.spaces.Box(low, high, dtype=numpy.float32)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        # Without a seed, one is drawn from the generator, so that the first seed determines all episodes.
        # Gymnasium allows any size of seed, pixelrl 63 bits.
        drawn = int(self.np_random.integers(2**63)) if seed is None else int(seed) % 2**63
        return self._observation(self._ask(op="reset", seed=drawn)), {}

    def step(self, action):
        numbers = numpy.asarray(action, numpy.float64).reshape(-1).tolist()
        answer = self._ask(op="step", action=numbers)
        ending = answer["ending"]
        return (
            self._observation(answer),
            float(answer["reward"]),
            ending == "terminated",
            ending in ("truncated", "failed"),
            {"steps": answer["steps"]},
        )

    def render(self):
        if self.render_mode is None:
            return None
        frame = self._frame if self._frame is not None else self._picture(self._ask(op="frame"))
        return numpy.repeat(frame, 3, axis=2) if frame.shape[2] == 1 else frame.copy()

    def close(self):
        self._end()

    def __reduce__(self):
        return functools.partial(type(self), **self._arguments), (), {"spec": self.spec}

    def _begin(self, command):
        # In a new session, a keyboard interrupt does not reach the process.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        # Called once: by close(), with the last reference, or when Python exits.
        self._end = weakref.finalize(self, _end, self._process)

    def _observation(self, answer):
        self._frame = self._picture(answer)
        if self.observe == "state":
            return numpy.array(answer["observation"], numpy.float64)
        if self.observe == "latent":
            return numpy.array(answer["latent"], numpy.float32)
        return self._frame.copy()

    def _picture(self, answer):
        """The frame in an answer, or None if it has none."""
        if not answer["picture"]:
            return None
        return numpy.frombuffer(answer["picture"], numpy.uint8).reshape(self._shape)

    def _ask(self, **request):
        if not self._end.alive:
            raise RuntimeError("the environment is closed: create a new one")
        # Frames are sent with every step only if they are the observation.
        request["frame"] = self.observe == "pixels" or request["op"] == "frame"
        with _interrupts_later():
            try:
                self._process.stdin.write(json.dumps(request).encode() + b"\n")
                self._process.stdin.flush()
            except OSError:
                pass  # _receive raises a better error
            try:
                return self._receive()
            except ValueError:
                raise  # the request was wrong
            except BaseException:
                self._end()  # part of an answer may be unread
                raise

    def _receive(self):
        """Returns an answer, with the bytes of its frame as `picture`."""
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"pixelrl ended with exit code {self._process.wait()}: see its standard error")
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        answer["picture"] = self._process.stdout.read(answer.get("bytes", 0))
        return answer


def _command(environment, program, settings):
    command = [_path(program), "serve", environment]
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            command.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            command += [f"--{flag}", str(value)]
    return command


def _path(program):
    """Returns the path of the program."""
    installed = os.path.join(sysconfig.get_path("scripts"), "pixelrl")
    return program or os.environ.get("PIXELRL") or (installed if os.access(installed, os.X_OK) else "pixelrl")


def _end(process):
    """Ends a process by closing its standard input."""
    with contextlib.suppress(OSError):
        process.stdin.close()
    process.stdout.close()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _interrupts_later():
    """Delays a keyboard interrupt: otherwise an unread answer would be mistaken for the next one. A second interrupt is not
    delayed."""
    former = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(former):
        yield
        return
    delayed = []

    def note(number, frame):
        signal.signal(number, former)
        delayed.append((number, frame))

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
    if delayed:
        former(*delayed[0])


def environments(program=None):
    """Returns the names of all environments of the program."""
    command = [_path(program), "serve", "--list"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def register(program=None):
    """Registers every environment of the program with gymnasium as `pixelrl/NAME-v0`."""
    for name in environments(program):
        gymnasium.register(
            f"pixelrl/{name}-v0",
            entry_point="pixelrl_gymnasium:PixelRL",
            kwargs={"environment": name} | ({"program": program} if program else {}),
        )


try:
    register()
except (OSError, subprocess.CalledProcessError):
    pass  # no program yet: call register("path/to/pixelrl")
