"""Agent steps a second of Pong in 1, 2 and 4 Python processes: through pixelrl, and in Python where nobody listens.

    PIXELRL_PYTHON=PYTHON python3 throughput.py ../../.build/release/Contender > throughput.json

The three sides take turns of --steps agent steps; the ratio is the median over --rounds. 'pixelrl bench --only gym' does the
same in short turns.
"""

import argparse
import json
import os
import statistics
import subprocess

parser = argparse.ArgumentParser()
parser.add_argument("contender")
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--rounds", type=int, default=9)
options = parser.parse_args()
peer = [
    os.environ.get("PIXELRL_PYTHON", "python3"),
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "../benchmarks/gym.py"),
]


class Side:
    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.rates = []
        self.process.stdout.readline()

    def run(self, steps, processes):
        self.process.stdin.write(f"run {steps}\n")
        self.process.stdin.flush()
        milliseconds = float(self.process.stdout.readline().split()[1])
        return 1000 * processes / milliseconds


results = []
for processes in (1, 2, 4):
    count = ["--processes", str(processes)]
    sides = {
        "pixelrl": Side([options.contender, "gym", *count]),
        "python alone": Side([*peer, *count]),
        "AtariPreprocessing alone": Side([*peer, "--wrapper", "1", *count]),
    }
    for side in sides.values():
        side.run(200, processes)
    for _ in range(options.rounds):
        for side in sides.values():
            side.rates.append(side.run(options.steps, processes))
    ours = sides["pixelrl"].rates
    result = {"processes": processes}
    for name, side in sides.items():
        result[name] = round(statistics.median(side.rates))
        if side.rates is not ours:
            result[f"ratio to {name}"] = round(statistics.median(a / b for a, b in zip(ours, side.rates)), 3)
        side.process.stdin.close()
        side.process.wait()
    results.append(result)
print(json.dumps({"steps": options.steps, "rounds": options.rounds, "results": results}, indent=2))
