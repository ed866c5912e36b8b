"""Sends signals to small trainings at random moments, and counts their exit codes: 75 each time.

    python3 experiments/checks/durability/signals.py .build/release/pixelrl --times 100

Covers each instruction set of the matrix library (DNNL_MAX_CPU_ISA), each signal, and one and two threads. A signal is sent
at a random moment within `--seconds` after the run directory exists.
"""

import argparse
import collections
import concurrent.futures
import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

TRAINING = "train --env catch --observe state --env-steps 2000000 --evaluation-episodes 2 --evaluate-every 2000".split()


def trial(program, folder, isa, name, threads, wait):
    """The exit code of one run, and whether it printed how to resume and has a checkpoint (none before the agent learns)."""
    environment = os.environ | {"DNNL_MAX_CPU_ISA": isa}
    words = [program, *TRAINING, "--threads", str(threads), "--out", str(folder)]
    process = subprocess.Popen(
        words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not (folder / "lock").exists() and process.poll() is None:
        time.sleep(0.005)
    time.sleep(wait)
    process.send_signal(getattr(signal, name))
    try:
        _, errors = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "hangs", False
    saved = "with: pixelrl train --resume" in errors and any((folder / "checkpoints").glob("checkpoint-*"))
    if process.returncode != 75:
        print(isa, name, threads, round(wait, 3), process.returncode, errors.strip().splitlines()[-1:], flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    return process.returncode, saved


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--times", type=int, default=100, help="signals of each kind")
    parser.add_argument("--seconds", type=float, default=2, help="the latest moment of a signal")
    parser.add_argument("--isa", nargs="+", default=["AVX512_CORE", "AVX2", "SSE41"])
    parser.add_argument("--signals", nargs="+", default=["SIGTERM", "SIGUSR1", "SIGINT"])
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--jobs", type=int, default=2, help="runs at the same time")
    parser.add_argument("--out", help="a file for the table")
    arguments = parser.parse_args()
    dice, rows = random.Random(0), []
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for isa, name, threads in itertools.product(arguments.isa, arguments.signals, arguments.threads):
            waits = [arguments.seconds * dice.random() for _ in range(arguments.times)]
            folders = [pathlib.Path(scratch) / f"{isa}-{name}-{threads}-{i}" for i in range(arguments.times)]
            outcomes = list(pool.map(lambda f, w: trial(arguments.program, f, isa, name, threads, w), folders, waits))
            codes = collections.Counter(str(code) for code, _ in outcomes)
            rows.append({"isa": isa, "signal": name, "threads": threads, "times": arguments.times,
                         "exit_codes": dict(codes), "with_checkpoint": sum(saved for _, saved in outcomes)})
            print(json.dumps(rows[-1]), flush=True)
    if arguments.out:
        pathlib.Path(arguments.out).write_text("[\n" + ",\n".join("  " + json.dumps(row) for row in rows) + "\n]\n")
    wrong = sum(count for row in rows for code, count in row["exit_codes"].items() if code != "75")
    if wrong:
        raise SystemExit(f"{wrong} of {sum(row['times'] for row in rows)} runs did not exit with 75: see the lines above")


if __name__ == "__main__":
    main()
