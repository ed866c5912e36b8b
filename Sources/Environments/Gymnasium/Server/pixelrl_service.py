"""Plays one Gymnasium environment for pixelrl, which starts it with the environment's name and options.

Requests lie in shared memory (file descriptor 4), each with what comes of it in a place of its own: `r` reset, `s` step, `p`
picture. There are several places, which are used in turns, so that steps can be told before those ahead of them are taken;
after the end of an episode they do nothing until it is reset. The answer is `.`, or `!` and a line of JSON on a socket (file
descriptor 3) that says what went wrong. The first answer, before anything is asked, is a line of JSON with all that does
not change; the parent then makes the memory, and says so with a byte.

    byte   0  six words of the signal, uint32: see SharedSignal
          64  the places, each a multiple of 64 bytes long:
              0  int32 repeats, int32 mode (1 gray, 3 colours), int64 seed, int32 no-ops, int32 wants picture,
                 int32 request                                                                     asked
             32  float64 reward, int32 steps, terminated, truncated, life lost, uint32 digest,
                 int32 channels of the picture that is there, int32 answer, int32 has a mask       answered
             72  float64 action [A], float64 observation [S], uint8 picture [H, W, channels]

The digest is a running checksum of what the episode gave: an episode that is played again must end on the same. A mask says
which actions are taken at the moment.
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
# As many as fit, up to sixteen: a machine may have little memory to share.
MOST_PLACES, SHARED_MEMORY = 16, 4 << 20


class Service:
    """Answers one parent."""

    def __init__(self, game, memory):
        self.game = game
        self.memory = memory
        self.place_size, self.place_count = self.places(game)
        self.is_over = False
        self.wanted = struct.Struct(f"<{game.action_count}d")
        self.seen = struct.Struct(f"<{game.count}d")
        self.asked = struct.Struct("<iiqiii")
        self.answered = struct.Struct("<diiiiIiii")

    @staticmethod
    def places(game):
        """How long they are, and how many there are: a power of two, so that they go round where the count does."""
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
    """Answers requests until there are no more, or one goes wrong."""
    memory = mmap.mmap(4, Service.size(game))
    os.close(4)
    service, signal = Service(game, memory), SharedSignal(wake, memory)
    while signal.listen():
        try:
            service.answer(signal.heard)
        except Exception as error:
            service.refuse(signal.heard)
            signal.answer(is_last=True)
            return say_error(error)
        signal.answer()


def main(name, options):
    try:
        serve(name, options)
    except Exception:
        traceback.print_exc()
    leave()
