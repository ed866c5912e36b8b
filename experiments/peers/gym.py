"""Pong in N Python processes without a client: the peer of 'workloads gym'. See serve.py for the protocol.

A process does the same work as pixelrl's server (Sources/Environments/Gymnasium/Server), without the exchange. With
--wrapper 1 it uses Gymnasium's AtariPreprocessing, which needs OpenCV. An iteration is one agent step in each process, as
fast as possible.
"""

import argparse
import mmap
import multiprocessing
import os
import random
import struct
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--processes", type=int, default=1)
parser.add_argument("--wrapper", type=int, default=0)
parser.add_argument("--env", default="ALE/Pong-v5")
options = parser.parse_args()


def served():
    """Steps as pixelrl's server does, into memory that no client reads."""
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../Sources/Environments/Gymnasium/Server"))
    import pixelrl_service as server

    game = server.load(options.env, {})
    memory = mmap.mmap(-1, server.Service.size(game))
    service = server.Service(game, memory)

    place = service.place(0)

    def ask(request, seed=0, no_ops=0):
        service.asked.pack_into(memory, place, 4, 1, seed, no_ops, 1, ord(request))
        service.answer(0)

    def reset(seed):
        ask("r", seed, random.randrange(31))

    def step(action):
        struct.pack_into("<d", memory, place + server.PLACE_HEADER, action)
        ask("s")
        return struct.unpack_from("<i", memory, place + 44)[0]

    return reset, step, game.actions["count"]


def wrapped():
    """Steps with Gymnasium's own preprocessing."""
    import ale_py
    import gymnasium

    gymnasium.register_envs(ale_py)
    environment = gymnasium.make(options.env, frameskip=1)
    environment = gymnasium.wrappers.AtariPreprocessing(environment, noop_max=30, frame_skip=4, screen_size=84)

    def step(action):
        _, _, terminated, truncated, _ = environment.step(action)
        return terminated or truncated

    return lambda seed: environment.reset(seed=seed), step, int(environment.action_space.n)


def work(connection, seed):
    reset, step, count = wrapped() if options.wrapper else served()
    choose = random.Random(seed).randrange
    reset(seed)
    connection.send("ready")
    while steps := connection.recv():
        start = time.perf_counter()
        for _ in range(steps):
            if step(choose(count)):
                seed += 1
                reset(seed)
        connection.send(time.perf_counter() - start)


def main():
    context = multiprocessing.get_context("spawn")
    connections = []
    for i in range(options.processes):
        ours, theirs = context.Pipe()
        context.Process(target=work, args=(theirs, i), daemon=True).start()
        theirs.close()
        connections.append(ours)
    for connection in connections:
        connection.recv()
    print("ready 0", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[0] == "end":
            break
        count = int(words[1])
        start = time.perf_counter()
        for connection in connections:
            connection.send(count)
        for connection in connections:
            connection.recv()
        print("time", 1000 * (time.perf_counter() - start) / count, flush=True)
    for connection in connections:
        connection.send(0)
    print("end 0 0 0", flush=True)


if __name__ == "__main__":
    main()
