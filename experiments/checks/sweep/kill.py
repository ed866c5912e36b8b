"""Kills the workers of a sweep and the sweep itself with SIGKILL, and compares the runs with those of an undisturbed sweep.

    python3 experiments/checks/sweep/kill.py .build/release/pixelrl --kills 100
    python3 experiments/checks/sweep/kill.py .build/release/pixelrl --kills 100 --engine parallel

The sweep is started again after each kill, until all its points are done; then a new one begins, until there were as many
kills as asked for. A run differs if one byte of metrics.jsonl or of the weights differs. With --engine parallel, the
workers are started by the script of `pixelrl sweep emit parallel`.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

PLAN = """
title: kills
environments: [catch]
seeds: 0-3
settings:
  replay: 4000
  hidden: 16
  batch: 8
  seed-updates: 20
  updates-per-step: 0.2
  evaluate-every: 400
  evaluation-episodes: 2
  checkpoint-every: 50
  env-steps: 3600
  size: 16
autoencoders:
  shared:
    {collect-steps: 200, ae-steps: 50, ae-batch: 8, keypoints: 4, filters: 8, probe-steps: 10, probe-frames: 300, seed: 0}
arms:
  state: {observe: state}
  latents: {autoencoder: shared}
"""
FILES = ["metrics.jsonl", "agent.safetensors", "autoencoder.safetensors"]


def contents(sweep):
    return {
        run.name: [(run / name).read_bytes() for name in FILES if (run / name).exists()]
        for run in sorted((sweep / "runs").iterdir())
    }


def start(program, sweep, engine):
    words = [program, "sweep", "run", str(sweep), "--jobs", "2"] if engine == "jobs" else ["sh", str(sweep / "parallel.sh")]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def workers(program, sweep):
    """The processes that run one point of this sweep."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:4] == [program.encode(), b"sweep", b"run", str(sweep).encode()] and b"--index" in words:
            found.append(int(folder.name))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--engine", choices=["jobs", "parallel"], default="jobs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", help="a JSON file to write")
    arguments = parser.parse_args()
    dice, program = random.Random(arguments.seed), str(pathlib.Path(arguments.program).resolve())
    counts = {"engine": arguments.engine, "sweeps": 0, "runs": 0, "kills_of_workers": 0, "kills_of_sweeps": 0, "different": 0}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "plan.yaml").write_text(PLAN)

        def plan(name):
            words = [program, "sweep", "plan", str(folder / "plan.yaml"), "--out", str(folder / name)]
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            words = [program, "sweep", "emit", "parallel", str(folder / name), "--at-once", "2"]
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            return folder / name

        whole = plan("whole")
        assert start(program, whole, "jobs").wait() == 0
        expected = contents(whole)
        while counts["kills_of_workers"] + counts["kills_of_sweeps"] < arguments.kills:
            sweep = plan(f"sweep-{counts['sweeps']}")
            for attempt in range(1000):
                process = start(program, sweep, arguments.engine)
                end = time.monotonic() + dice.uniform(0.1, 1 + 0.05 * attempt)
                while process.poll() is None and time.monotonic() < end:
                    time.sleep(dice.uniform(0.01, 0.4))
                    running = workers(program, sweep)
                    if running and dice.random() < 0.5:
                        with contextlib.suppress(ProcessLookupError):
                            os.kill(dice.choice(running), signal.SIGKILL)
                            counts["kills_of_workers"] += 1
                if process.poll() is None:
                    if dice.random() < 0.7:
                        os.kill(process.pid, signal.SIGKILL)
                        counts["kills_of_sweeps"] += 1
                    process.wait()
                if process.returncode == 0:
                    break
            counts["sweeps"] += 1
            counts["runs"] += len(expected)
            got = contents(sweep)
            counts["different"] += sum(got.get(name) != files for name, files in expected.items())
            shutil.rmtree(sweep)
    print(json.dumps(counts))
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(counts, indent=2) + "\n")
    raise SystemExit(counts["different"] > 0)


if __name__ == "__main__":
    main()
