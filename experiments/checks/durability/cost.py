"""Measures memory after 100,000 and 1,000,000 steps, and the time and bytes of a checkpoint of a large replay buffer.

    python3 experiments/checks/durability/cost.py .build/release/pixelrl

Memory: two trainings of `catch` from its state, one ten times as long, with a replay buffer that is full in both.
Checkpoints: `catch` with half a million latents in a buffer for a million, with a checkpoint every 20,000 steps. Parts that
did not change since the last checkpoint are linked, not written.
"""

import argparse
import json
import os
import pathlib
import subprocess
import tempfile

COMMON = (
    "train --env catch --observe state --json --hidden 32 --batch 32 --seed-updates 10 --updates-per-step 0.02 "
    "--evaluation-episodes 2"
)


def run(program, flags, folder):
    out = pathlib.Path(folder) / "run"
    words = [program, *COMMON.split(), *flags.split(), "--out", str(out)]
    lines = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    summary = json.loads(lines[-1])
    parts = sorted(path.stat().st_size for path in sorted((out / "checkpoints").iterdir())[-1].iterdir())
    return {
        "env_steps": summary["env_steps"], "peak_mb": round(summary["peak_mb"], 1), "seconds": round(summary["seconds"], 2),
        "checkpoints": summary["checkpoints"], "last_checkpoint_mb": round(sum(parts) / 1e6, 2),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--out", help="a JSON file to write")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    program = str(pathlib.Path(arguments.program).resolve())
    cases = {
        "memory, 100,000 steps": "--env-steps 100000 --replay 50000 --checkpoint-every 20000 --evaluate-every 20000",
        "memory, 1,000,000 steps": "--env-steps 1000000 --replay 50000 --checkpoint-every 20000 --evaluate-every 20000",
        "checkpoints of a growing buffer": "--env-steps 500000 --replay 1000000 --checkpoint-every 20000 --evaluate-every 0",
        "the same without checkpoints": "--env-steps 500000 --replay 1000000 --checkpoint-every 0 --evaluate-every 0",
    }
    result = {}
    for name, flags in cases.items():
        with tempfile.TemporaryDirectory() as folder:
            result[name] = run(program, flags, folder)
        print(name, result[name], flush=True)
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
