"""Kills small runs with SIGKILL at random moments until they finish, and compares them with an uninterrupted run.

    python3 experiments/checks/durability/kill.py .build/release/pixelrl --kills 1000
    python3 experiments/checks/durability/kill.py .build/release/pixelrl --kills 200 --only joint bursts

The kills are divided among the commands below: `train` from the true state, `pretrain-ae`, and trainings whose encoder
continues to learn. Each run is one command with `--resume auto` that is started again and again. A run is lost if the command
itself fails; it differs if one byte of metrics.jsonl or of the weights differs.
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

# The pretraining of trainings that start from a pretrained encoder.
PRETRAINING = (
    "pretrain-ae --env catch --size 16 --collect-steps 200 --ae-steps 50 --ae-batch 8 --keypoints 4 --filters 8 "
    "--probe-steps 10 --probe-frames 300"
)
FROM_FRAMES = (
    "train --env catch --env-steps 3600 --replay 4000 --hidden 16 --batch 8 --seed-updates 20 --updates-per-step 0.2 "
    "--evaluate-every 200 --evaluation-episodes 2 --checkpoint-every 50"
)
WEIGHTS = ["metrics.jsonl", "agent.safetensors", "autoencoder.safetensors"]
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
    "joint": (f"{FROM_FRAMES} --size 16 --keypoints 4 --filters 8 --encoder joint", WEIGHTS),
    "bursts": (
        f"{FROM_FRAMES} --size 16 --encoder bursts --autoencoder PRETRAINING --retrain-rounds 0 --retrain-every 200 --retrain-steps 20",
        WEIGHTS,
    ),
}


def start(program, command, out):
    words = [program, *command.split(), "--out", str(out), "--resume", "auto"]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def contents(folder, names):
    return [(folder / name).read_bytes() for name in names]


def prepared(program, command, folder):
    """Runs the pretraining that a command needs, and returns the command with its folder."""
    if "PRETRAINING" not in command:
        return command
    out = folder / "pretraining"
    subprocess.run([program, *PRETRAINING.split(), "--out", str(out)], check=True, capture_output=True)
    return command.replace("PRETRAINING", str(out))


def attack(program, name, kills, folder, dice):
    command, names = COMMANDS[name]
    command = prepared(program, command, folder)
    began = time.monotonic()
    process = start(program, command, folder / "whole")
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    whole, expected = time.monotonic() - began, contents(folder / "whole", names)
    counts = {"runs": 0, "kills": 0, "lost": 0, "different": 0, "resumed": 0, "seconds_whole": round(whole, 2)}
    while counts["kills"] < kills:
        run = folder / f"run-{counts['runs']}"
        while True:
            process = start(program, command, run)
            try:
                # Often early, when folders and files are created; sometimes late enough for the run to finish.
                process.wait(timeout=dice.random() ** 2 * whole * 1.2)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            _, errors = process.communicate()
            if process.returncode == 0:
                break
            if process.returncode != -signal.SIGKILL:
                counts["lost"] += 1
                print(f"{run}: exit code {process.returncode}: {errors}", flush=True)
                break
            counts["kills"] += 1
        counts["runs"] += 1
        if process.returncode == 0:
            counts["different"] += contents(run, names) != expected
            counts["resumed"] += (run / "resumes.jsonl").exists()
        shutil.rmtree(run)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--only", nargs="*", choices=list(COMMANDS), default=list(COMMANDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", help="a JSON file to write")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    program, dice = str(pathlib.Path(arguments.program).resolve()), random.Random(arguments.seed)
    result = {}
    for name in arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            result[name] = attack(program, name, arguments.kills // len(arguments.only), pathlib.Path(folder), dice)
        print(name, result[name], flush=True)
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(result, indent=2) + "\n")
    raise SystemExit(any(counts["lost"] or counts["different"] for counts in result.values()))


if __name__ == "__main__":
    main()
