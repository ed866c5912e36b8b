"""Agent steps per second of Pong in 1, 2 and 4 Python processes: through pixelrl, and in Python without a client.

    PIXELRL_PYTHON=PYTHON python3 experiments/peers/throughput.py .build/release/Workloads > throughput.json

'pixelrl' is random play, whose actions are known in advance, as when frames are collected; 'pixelrl, one action' sends each
action after the frame before it has arrived, as an agent does. The sides take turns of --steps agent steps; the ratio is the
median over --rounds. 'pixelrl bench --only gym' does the same in short turns. The output also has the CPU time of an agent
step, in microseconds, of a side and all its child processes: on a busy machine it is more reliable than wall-clock time.
"""

import argparse
import json
import os
import statistics
import subprocess

parser = argparse.ArgumentParser()
parser.add_argument("workloads")
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--rounds", type=int, default=9)
options = parser.parse_args()
peer = [
    os.environ.get("PIXELRL_PYTHON", "python3"),
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "gym.py"),
]


def family(pid):
    """Returns the IDs of a process and all its descendants."""
    with open(f"/proc/{pid}/task/{pid}/children") as children:
        return [pid] + [one for child in children.read().split() for one in family(int(child))]


def processor_time(pid):
    """Returns the CPU time of all threads of a process, in microseconds."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat") as times:
            total += int(times.read().split()[0])
    return total / 1000


class Side:
    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.rates, self.costs = [], []
        self.process.stdout.readline()
        self.family = family(self.process.pid)

    def run(self, steps, processes):
        before = sum(map(processor_time, self.family))
        self.process.stdin.write(f"run {steps}\n")
        self.process.stdin.flush()
        milliseconds = float(self.process.stdout.readline().split()[1])
        cost = sum(map(processor_time, self.family)) - before
        return 1000 * processes / milliseconds, cost / steps / processes


results = []
for processes in (1, 2, 4):
    count = ["--processes", str(processes)]
    sides = {
        "pixelrl": Side([options.workloads, "gym", *count]),
        "pixelrl, one action": Side([options.workloads, "gym", "--ahead", "1", *count]),
        "python alone": Side([*peer, *count]),
        "AtariPreprocessing alone": Side([*peer, "--wrapper", "1", *count]),
    }
    for side in sides.values():
        side.run(200, processes)
    for _ in range(options.rounds):
        for side in sides.values():
            rate, cost = side.run(options.steps, processes)
            side.rates.append(rate)
            side.costs.append(cost)
    ours = sides["pixelrl"]
    result = {"processes": processes, "load": round(os.getloadavg()[0], 1)}
    for name, side in sides.items():
        result[name] = round(statistics.median(side.rates))
        result[f"processor time of {name}"] = round(statistics.median(side.costs))
        if side is not ours:
            result[f"ratio to {name}"] = round(statistics.median(a / b for a, b in zip(ours.rates, side.rates)), 3)
            result[f"ratio of processor time, {name}"] = round(
                statistics.median(b / a for a, b in zip(ours.costs, side.costs)), 3)
        side.process.stdin.close()
        side.process.wait()
    results.append(result)
print(json.dumps({"steps": options.steps, "rounds": options.rounds, "results": results}, indent=2))
