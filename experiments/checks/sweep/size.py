"""Measures what a sweep costs: planning and status of 1,000 points, and a point beside the bare program.

    python3 experiments/checks/sweep/size.py .build/release/pixelrl

The run is a short training of `catch` from the true state. The bare program runs the same settings files, one after the
other. `--runs` of the points are run each way, in turns of ten, so that other work on the machine disturbs both alike.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

PLAN = """
environments: [catch]
seeds: 0-{last}
settings:
  {{observe: state, env-steps: 2680, replay: 3000, hidden: 8, batch: 4, seed-updates: 5, updates-per-step: 0.2,
   evaluation-episodes: 1}}
"""


def seconds(words):
    start = time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--out", help="a JSON file to write")
    arguments = parser.parse_args()
    program = str(pathlib.Path(arguments.program).resolve())
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        plan, sweep = folder / "plan.yaml", folder / "sweep"
        plan.write_text(PLAN.format(last=arguments.points - 1))
        result = {"points": arguments.points, "runs": arguments.runs}
        result["plan_seconds"] = seconds([program, "sweep", "plan", str(plan), "--out", str(sweep)])
        result["status_waiting_seconds"] = seconds([program, "sweep", "status", str(sweep)])
        bare, swept = [], []
        for first in range(0, arguments.runs, 10):
            indices = range(first, min(first + 10, arguments.runs))
            start = time.perf_counter()
            for index in indices:
                settings, out = sweep / f"points/{index:05}.yaml", folder / f"bare/{index}"
                seconds([program, "train", "--config", str(settings), "--out", str(out), "--resume", "auto"])
            bare.append((time.perf_counter() - start) / len(indices))
            chosen = f"{indices[0]}-{indices[-1]}"
            swept.append(seconds([program, "sweep", "run", str(sweep), "--indices", chosen]) / len(indices))
        result["status_seconds"] = seconds([program, "sweep", "status", str(sweep)])
        result["table_seconds"] = seconds([program, "sweep", "table", str(sweep)])
        result["bare_seconds_a_run"] = statistics.median(bare)
        result["sweep_seconds_a_run"] = statistics.median(swept)
        # Of neighbouring turns, so that a slow phase of the machine counts in neither.
        ratios = [b / a for a, b in zip(bare, swept)]
        result["overhead_percent"] = 100 * (statistics.median(ratios) - 1)
    result = {key: round(value, 4) for key, value in result.items()}
    print(json.dumps(result))
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
