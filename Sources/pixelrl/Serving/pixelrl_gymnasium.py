"""pixelrl's environments for Gymnasium: one file, which needs gymnasium and NumPy, and the program `pixelrl`.

    import gymnasium, pixelrl_gymnasium
    env = gymnasium.make("pixelrl/cartpole-swingup-v0", size=84)

The program is the argument `program`, else what PIXELRL names, else `pixelrl` on the path. Each environment is played by
a process of its own, `pixelrl serve`, which ends with it. Settings of the episode are the flags of `pixelrl serve`, with
underscores: `action_repeat=2, sticky_actions=0.25, flicker=0.1`.

The process ends with its environment, closed or not. An interrupt from the keyboard does not reach it, and does not come
between a question to it and its answer. Copies, and what is unpickled, are environments of their own, made with the same
arguments and not yet reset.
"""

import contextlib
import functools
import json
import os
import signal
import subprocess
import threading
import weakref

import gymnasium
import numpy

__all__ = ["PixelRL", "environments", "register"]


class PixelRL(gymnasium.Env):
    """One of the environments that `pixelrl envs` lists.

    Parameters: `environment`, such as "cartpole-swingup"; `observe`, "pixels" for frames uint8 [size, size, channels] or
    "state" for the true state as float64; `render_mode`, "rgb_array"; further ones are flags of `pixelrl serve`. An episode
    that its time limit ends is truncated, as gymnasium has it.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 25}

    def __init__(self, environment="cartpole-swingup", observe="pixels", render_mode=None, program=None, **settings):
        if observe not in ("pixels", "state"):
            raise ValueError(f"observe takes 'pixels' or 'state', not {observe!r}")
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
        # Without a seed the next one is drawn, so that a first seed fixes all episodes.
        drawn = int(self.np_random.integers(2**63)) if seed is None else int(seed)
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
        # In a session of its own, an interrupt from the keyboard does not reach it.
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        # Called once: by close(), with the last reference, or as Python ends.
        self._end = weakref.finalize(self, _end, self._process)

    def _observation(self, answer):
        self._frame = self._picture(answer)
        if self.observe == "state":
            return numpy.array(answer["observation"], numpy.float64)
        return self._frame.copy()

    def _picture(self, answer):
        """The picture that came with an answer; None where none did."""
        if not answer["picture"]:
            return None
        return numpy.frombuffer(answer["picture"], numpy.uint8).reshape(self._shape)

    def _ask(self, **request):
        if not self._end.alive:
            raise RuntimeError("the environment is closed: make another")
        # Frames are sent with every step only where they are what is observed.
        request["frame"] = self.observe == "pixels" or request["op"] == "frame"
        with _interrupts_later():
            try:
                self._process.stdin.write(json.dumps(request).encode() + b"\n")
                self._process.stdin.flush()
            except OSError:
                pass  # its last words are more telling
            try:
                return self._receive()
            except ValueError:
                raise  # our mistake
            except BaseException:
                self._end()  # half an answer may be left
                raise

    def _receive(self):
        """An answer, with the bytes of its picture as `picture`."""
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"pixelrl ended with exit code {self._process.wait()}; its standard error says why")
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        answer["picture"] = self._process.stdout.read(answer.get("bytes", 0))
        return answer


def _command(environment, program, settings):
    command = [program or os.environ.get("PIXELRL", "pixelrl"), "serve", environment]
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            command.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            command += [f"--{flag}", str(value)]
    return command


def _end(process):
    """Lets a process end, which it does with its input."""
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
    """Puts off an interrupt from the keyboard: an answer that nobody has read would be taken for the next. A second one is
    not put off."""
    former = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(former):
        yield
        return
    came = []

    def note(number, frame):
        signal.signal(number, former)
        came.append((number, frame))

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
    if came:
        former(*came[0])


def environments(program=None):
    """The names of all environments of the program."""
    command = [program or os.environ.get("PIXELRL", "pixelrl"), "serve", "--list"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def register(program=None):
    """Makes `pixelrl/NAME-v0` known to gymnasium for every environment of the program."""
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
