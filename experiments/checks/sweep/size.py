"""Measures what a sweep costs: planning and status of 1,000 points, and a point beside the bare program.

    python3 experiments/checks/sweep/size.py .build/release/pixelrl

The run is a short training of `catch` from the true state. The bare program runs the same settings files, one after the
other. `--runs` of the points are run each way, in turns of ten, so that other work on the machine disturbs both alike. CPU
seconds are less disturbed than seconds. For the last status, all other points get a copy of the first run's files.
"""

import argparse
import json
import pathlib
import resource
import shutil
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


def cpu_seconds():
    """Of all processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def fill(sweep):
    """Gives each point without a run the files of the first run."""
    points = json.loads((sweep / "sweep.json").read_text())["points"]
    first = sweep / f"runs/{points[0]['index']:05}-{points[0]['hash']}"
    for point in points:
        run = sweep / f"runs/{point['index']:05}-{point['hash']}"
        if not run.exists():
            run.mkdir()
            for name in ["run.json", "summary.json", "metrics.jsonl"]:
                shutil.copy(first / name, run / name)


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
        bare, swept, cpu_bare, cpu_swept = [], [], [], []
        for first in range(0, arguments.runs, 10):
            indices = range(first, min(first + 10, arguments.runs))
            start, cpu = time.perf_counter(), cpu_seconds()
            for index in indices:
                settings, out = sweep / f"points/{index:05}.yaml", folder / f"bare/{index}"
                seconds([program, "train", "--config", str(settings), "--out", str(out), "--resume", "auto"])
            bare.append((time.perf_counter() - start) / len(indices))
            cpu_bare.append((cpu_seconds() - cpu) / len(indices))
            cpu = cpu_seconds()
            chosen = f"{indices[0]}-{indices[-1]}"
            swept.append(seconds([program, "sweep", "run", str(sweep), "--indices", chosen]) / len(indices))
            cpu_swept.append((cpu_seconds() - cpu) / len(indices))
        fill(sweep)
        result["status_done_seconds"] = seconds([program, "sweep", "status", str(sweep)])
        result["table_seconds"] = seconds([program, "sweep", "table", str(sweep)])
        result["bare_seconds_a_run"] = statistics.median(bare)
        result["sweep_seconds_a_run"] = statistics.median(swept)
        result["bare_cpu_seconds_a_run"] = statistics.median(cpu_bare)
        result["sweep_cpu_seconds_a_run"] = statistics.median(cpu_swept)
        # Of neighbouring turns, so that a slow phase of the machine counts in neither.
        for name, a, b in [("overhead_percent", bare, swept), ("cpu_overhead_percent", cpu_bare, cpu_swept)]:
            result[name] = 100 * (statistics.median(y / x for x, y in zip(a, b)) - 1)
    result = {key: round(value, 4) for key, value in result.items()}
    print(json.dumps(result))
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
