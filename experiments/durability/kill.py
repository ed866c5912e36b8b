"""Kills small runs with SIGKILL at random moments until they finish, and compares what they leave with an uninterrupted run.

    python3 experiments/durability/kill.py .build/release/pixelrl --kills 1000

Half of the kills hit `train`, half `pretrain-ae`; each run is one command with `--resume auto`, queued again and again. A run
is lost if the command fails by itself; its metrics differ if one byte of metrics.jsonl or of the weights does.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

COMMANDS = {
    "train": (
        "train --env catch --observe state --env-steps 3600 --replay 4000 --hidden 32 --batch 16 --seed-updates 100 "
        "--updates-per-step 0.5 --evaluate-every 400 --evaluation-episodes 2 --checkpoint-every 100",
        ["metrics.jsonl", "agent.safetensors"],
    ),
    "pretrain-ae": (
        "pretrain-ae --env catch --size 16 --collect-steps 200 --ae-steps 150 --ae-batch 8 --keypoints 4 --filters 8 "
        "--probe-steps 30 --probe-frames 300 --checkpoint-every 15",
        ["metrics.jsonl", "autoencoder.safetensors"],
    ),
}


def start(program, command, out):
    words = [program, *command.split(), "--out", str(out), "--resume", "auto"]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def contents(folder, names):
    return [(folder / name).read_bytes() for name in names]


def attack(program, name, kills, folder, dice):
    command, names = COMMANDS[name]
    began = time.monotonic()
    process = start(program, command, folder / "whole")
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    whole, expected = time.monotonic() - began, contents(folder / "whole", names)
    told = {"runs": 0, "kills": 0, "lost": 0, "different": 0, "resumed": 0, "seconds_whole": round(whole, 2)}
    while told["kills"] < kills:
        run = folder / f"run-{told['runs']}"
        while True:
            process = start(program, command, run)
            try:
                # Often early, where folders and files are made; long enough to reach the end at times.
                process.wait(timeout=dice.random() ** 2 * whole * 1.2)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            _, errors = process.communicate()
            if process.returncode == 0:
                break
            if process.returncode != -signal.SIGKILL:
                told["lost"] += 1
                print(f"{run}: exit code {process.returncode}: {errors}", flush=True)
                break
            told["kills"] += 1
        told["runs"] += 1
        if process.returncode == 0:
            told["different"] += contents(run, names) != expected
            told["resumed"] += (run / "resumes.jsonl").exists()
        shutil.rmtree(run)
    return told


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", help="a JSON file to write")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    program, dice = str(pathlib.Path(arguments.program).resolve()), random.Random(arguments.seed)
    result = {}
    for name in COMMANDS:
        with tempfile.TemporaryDirectory() as folder:
            result[name] = attack(program, name, arguments.kills // len(COMMANDS), pathlib.Path(folder), dice)
        print(name, result[name], flush=True)
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(result, indent=2) + "\n")
    raise SystemExit(any(told["lost"] or told["different"] for told in result.values()))


if __name__ == "__main__":
    main()
