"""Runs one Gymnasium environment for pixelrl, which starts this process with the environment's name and options.

Requests are in shared memory (file descriptor 4): `r` reset, `s` step, `p` picture. Each request has a slot (a "place" in
the code) that also holds its result. Several slots are used in turn, so that steps can be requested before earlier ones
are finished. After the end of an episode, steps do nothing until the next reset. The answer is `.`, or `!` and a line of
JSON with the error on a socket (file descriptor 3). Before any request, the process sends a line of JSON with the fixed
properties of the environment. The parent then allocates the memory and sends a byte.

    byte   0  six words of the signal, uint32: see SharedSignal
          64  the slots, each a multiple of 64 bytes long:
              0  int32 repeats, int32 mode (1 gray, 3 RGB), int64 seed, int32 no-ops, int32 draw a picture,
                 int32 request                                                                     request
             32  float64 reward, int32 steps, terminated, truncated, life lost, uint32 digest,
                 int32 channels of the picture, 0 if none, int32 answer, int32 has a mask          result
             72  float64 action [A], float64 observation [S], uint8 picture [H, W, channels]

The digest is a running checksum of the episode's results. A replayed episode must have the same one. A mask reports the
currently valid actions.
"""

import faulthandler
import json
import mmap
import os
import socket
import struct
import threading
import time
import traceback

from pixelrl_games import install, load
from pixelrl_spaces import Refusal
from pixelrl_supervision import leave, split

FIRST_PLACE = 64
PLACE_HEADER = 72
# The maximum number of slots, and the memory that they may take: some machines have little shared memory.
MOST_PLACES, SHARED_MEMORY = 16, 4 << 20


class Service:
    """Answers the requests of the parent."""

    def __init__(self, game, memory):
        self.game = game
        self.memory = memory
        self.place_size, self.place_count = self.places(game)
        self.is_over = False
        self.action_format = struct.Struct(f"<{game.action_count}d")
        self.observation_format = struct.Struct(f"<{game.count}d")
        self.asked = struct.Struct("<iiqiii")
        self.answered = struct.Struct("<diiiiIiii")

    @staticmethod
    def places(game):
        """Returns the size and number of slots: a power of two, since the request counter wraps around."""
        height, width, channels = game.frame_shape
        size = PLACE_HEADER + 8 * (game.action_count + game.count) + height * width * channels
        size, count = (size + 63) // 64 * 64, MOST_PLACES
        while count > 2 and count * size > SHARED_MEMORY:
            count //= 2
        return size, count

    @classmethod
    def size(cls, game):
        size, count = cls.places(game)
        return FIRST_PLACE + size * count

    def place(self, number):
        """Returns the offset of the slot of a request."""
        return FIRST_PLACE + number % self.place_count * self.place_size

    def answer(self, number):
        game, memory, place = self.game, self.memory, self.place(number)
        action = place + PLACE_HEADER
        observation = action + self.action_format.size
        repeats, mode, seed, no_ops, draws, request = self.asked.unpack_from(memory, place)
        outcome = 0.0, 0, False, False, False
        if request == ord("r"):
            game.reset(seed, no_ops)
            self.is_over = False
        elif request == ord("s"):
            if not self.is_over:
                outcome = game.hold(self.action_format.unpack_from(memory, action), repeats, mode)
                self.is_over = outcome[2] or outcome[3]
        elif request != ord("p"):
            raise ValueError(f"unknown request {request}")
        channels = game.paint(memory, observation + self.observation_format.size, mode) if draws else 0
        self.observation_format.pack_into(memory, observation, *game.numbers())
        self.conclude(number, *outcome, game.digest, channels, ord("."), game.has_mask)

    def refuse(self, number):
        self.conclude(number, 0.0, 0, False, False, False, 0, 0, ord("!"), False)

    def conclude(self, number, *outcome):
        self.answered.pack_into(self.memory, self.place(number) + 32, *outcome)


def facts(game):
    return {
        "actions": game.actions,
        "observation": game.names or game.count,
        "height": game.frame_shape[0],
        "width": game.frame_shape[1],
        "channels": game.frame_shape[2],
        "places": Service.places(game)[1],
        "time_limit": game.time_limit,
        "repeats": game.repeats,
        "atari": game.is_atari,
        "undrawn": game.undrawn or "",
    }


class SharedSignal:
    """Lets two processes wake each other: through words in shared memory, or through a byte on the socket if one sleeps.

    word 0  the number of requests                        written by Swift
         1  the number of answers                         written by Python
         2  not 0: Python sleeps and needs a byte         written by Python
         3  not 0: Swift sleeps and needs a byte          written by Swift
         4  whether both may spin                         written by Swift
         5  the number of answers that Swift waits for    written by Swift

    Sleeping and waking up takes a large part of the time that many environments need for a step. If there is a CPU core
    for each process, a waiting side therefore spins for a short time before it sleeps, and yields the core while it does.
    If spinning fails, the next waits sleep at once: 16 of them at first, then twice as many each time.
    """

    SPIN_TIME = 400_000  # nanoseconds
    LEAST_PENALTY, MOST_PENALTY = 16, 4096

    def __init__(self, wake, memory):
        self.wake = wake
        self.words = memoryview(memory)[:24].cast("I")
        self.received = 0  # requests
        self.sleeps, self.penalty = 0, self.LEAST_PENALTY
        self.fence = threading.Lock()
        self.fence.acquire()

    def order(self):
        """A memory barrier: earlier reads and writes are not moved past it."""
        self.fence.release()
        self.fence.acquire()

    def listen(self):
        """Waits for the next request. Returns False if the parent is gone."""
        words, received = self.words, self.received
        if words[0] == received:
            if self.sleeps:
                self.sleeps -= 1
            elif words[4]:
                self.spin()
        if words[0] == received:
            words[2] = 1
            self.order()
            while words[0] == received:
                if not self.wake.recv(1):
                    return False
            words[2] = 0
        self.received = received + 1 & 0xFFFFFFFF
        self.order()
        return True

    def spin(self):
        """Spins until there is a request or the spin time is over."""
        words, received, now = self.words, self.received, time.perf_counter_ns
        end = now() + self.SPIN_TIME
        while now() < end:
            if words[0] != received:
                self.penalty = self.LEAST_PENALTY
                return
            os.sched_yield()
        self.sleeps, self.penalty = self.penalty, min(2 * self.penalty, self.MOST_PENALTY)

    def answer(self, is_last=False):
        words = self.words
        self.order()
        words[1] = self.received
        self.order()
        if words[3] and (is_last or not (self.received - words[5]) & 0x80000000):
            self.wake.sendall(b"\0")


def serve(name, options):
    wake = socket.socket(fileno=3)
    os.set_inheritable(3, False)
    split(wake)
    faulthandler.enable()

    def say(value):
        wake.sendall(json.dumps(value).encode() + b"\n")

    def say_error(error):
        traceback.print_exc()
        say({"error": "crash", "message": f"{type(error).__name__}: {error}"})

    try:
        game = load(name, json.loads(options))
    except Refusal as refusal:
        return say({"error": refusal.kind, "message": str(refusal)})
    except ModuleNotFoundError as error:
        return say({"error": "world", "message": f"{error}: {install(error.name)}"})
    except Exception as error:
        return say_error(error)
    try:
        say(facts(game))
        if wake.recv(1):
            answer(game, wake, say_error)
    except OSError:
        pass  # the parent is gone
    finally:
        game.environment.close()


def answer(game, wake, say_error):
    """Answers requests until there are no more or one fails."""
    memory = mmap.mmap(4, Service.size(game))
    os.close(4)
    service, signal = Service(game, memory), SharedSignal(wake, memory)
    while signal.listen():
        try:
            service.answer(signal.received)
        except Exception as error:
            service.refuse(signal.received)
            signal.answer(is_last=True)
            return say_error(error)
        signal.answer()


def main(name, options):
    try:
        serve(name, options)
    except Exception:
        traceback.print_exc()
    leave()
