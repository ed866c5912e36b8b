"""Makes every system call that writes fail, one at a time, and checks what is left.

    python3 experiments/checks/durability/faults.py .build/release/pixelrl
    python3 experiments/checks/durability/faults.py .build/release/pixelrl --command joint --limit 40

A small training with checkpoints is resumed under strace, which makes the Nth call of one kind fail with ENOSPC or EIO,
for N = 1, 2, 3, ... until there is no such call. After each failure the earlier checkpoints must be intact, the error must
be one line that names a path, and the resumed run must have the same metrics as an undisturbed one.
"""

import argparse
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from kill import prepared

SETTINGS = (
    "train --env catch --hidden 8 --batch 8 --seed-updates 10 --updates-per-step 0.2 --evaluate-every 100 "
    "--evaluation-episodes 1 --checkpoint-every 50 --keep-checkpoints 1"
)
COMMANDS = {
    "state": f"{SETTINGS} --observe state --env-steps 2700 --replay 4000",
    "joint": f"{SETTINGS} --encoder joint --size 16 --keypoints 4 --filters 8 --env-steps 2700 --replay 4000",
    "bursts": (
        f"{SETTINGS} --size 16 --encoder bursts --autoencoder PRETRAINING --retrain-rounds 0 --retrain-every 100 --retrain-steps 5 "
        "--env-steps 2700 --replay 4000"
    ),
}
CALLS = ["write", "pwrite64", "fsync", "renameat", "openat", "linkat", "ftruncate", "mkdirat", "unlinkat"]


def run(program, command, out, prefix=(), limit=60):
    words = [*prefix, program, *command.split(), "--out", str(out), "--resume", "auto"]
    return subprocess.run(words, capture_output=True, text=True, timeout=limit)


def copy(source, target):
    """Copies a folder and keeps the hard links between checkpoints."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def checkpoints(folder):
    return sorted(path.name for path in (folder / "checkpoints").glob("checkpoint-*"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--command", choices=list(COMMANDS), default="state")
    parser.add_argument("--calls", nargs="*", default=CALLS)
    parser.add_argument("--errors", nargs="*", default=["ENOSPC", "EIO"])
    parser.add_argument("--limit", type=int, default=10**9, help="the most faults of each kind")
    parser.add_argument("--out", help="a JSON file to write")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    program = str(pathlib.Path(arguments.program).resolve())
    result, faults = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        command = prepared(program, COMMANDS[arguments.command], folder)
        whole = run(program, command, folder / "whole")
        assert whole.returncode == 0, whole.stderr
        expected = (folder / "whole/metrics.jsonl").read_bytes()
        # A run that was interrupted after its last checkpoint but one.
        copy(folder / "whole", folder / "cut")
        (folder / "cut/summary.json").unlink()
        for name in checkpoints(folder / "cut")[-1:]:
            shutil.rmtree(folder / "cut/checkpoints" / name)
        before = checkpoints(folder / "cut")
        assert before, "the run has only one checkpoint, so nothing is left to resume from"
        for call in arguments.calls:
            for error in arguments.errors:
                counts = {"faults": 0, "stopped": 0, "survived": 0, "lost": 0, "different": 0, "unclear": 0}
                for number in itertools.count(1):
                    if counts["faults"] == arguments.limit:
                        break
                    attempt, log = folder / "try", folder / "strace.log"
                    copy(folder / "cut", attempt)
                    inject = f"inject={call}:error={error}:when={number}"
                    strace = ["strace", "-f", "-y", "-qq", "-o", str(log), "-e", f"trace={call}", "-e", inject]
                    end = run(program, command, attempt, strace)
                    hit = [line for line in log.read_text().splitlines() if "INJECTED" in line]
                    if not hit:
                        shutil.rmtree(attempt)
                        break
                    if str(attempt) not in hit[0]:
                        # Not a file of the run, but for example one of the dynamic loader.
                        shutil.rmtree(attempt)
                        continue
                    counts["faults"] += 1
                    if end.returncode == 0:
                        counts["survived"] += 1
                    else:
                        counts["stopped"] += 1
                        lines = [line for line in end.stderr.splitlines() if line.startswith("pixelrl: ")]
                        if not lines or ": " not in lines[-1][9:]:
                            counts["unclear"] += 1
                            print(call, error, number, end.returncode, end.stderr[-300:], flush=True)
                        if end.returncode < 0 or end.returncode > 128:
                            counts["unclear"] += 1
                            print(call, error, number, "crashed", end.returncode, flush=True)
                        kept = checkpoints(attempt)
                        if not kept or max(kept) < max(before):
                            counts["lost"] += 1
                            print(call, error, number, "kept", kept, flush=True)
                    again = run(program, command, attempt)
                    if again.returncode != 0 or (attempt / "metrics.jsonl").read_bytes() != expected:
                        counts["different"] += 1
                        print(call, error, number, "then", again.returncode, again.stderr[-300:], flush=True)
                    shutil.rmtree(attempt)
                result[f"{call} {error}"] = counts
                faults += counts["lost"] + counts["different"] + counts["unclear"]
                print(call, error, counts, flush=True)
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(result, indent=2) + "\n")
    raise SystemExit(faults > 0)


if __name__ == "__main__":
    main()
