#!/usr/bin/env python3
"""Runs an experiment and writes its table: python3 experiments/run.py experiments/NAME/definition.json

A definition lists arms; each arm is a pretraining (or none) and a training, run for every seed from a standing start:

    {"title": "...", "seeds": 5, "threads": 2, "jobs": 1,
     "arms": [{"name": "keypoint", "pretrain": ["--env", "catch"], "train": ["--env", "catch"]}]}

An arm without "pretrain" has none (--observe state). Beside the definition it writes results.json (the last JSON line of every command) and table.md. Runs are kept below runs/ and
are not committed. Arms that results.json already holds are kept; --fresh runs them again. Needs nothing but Python and the release build.
"""
import concurrent.futures
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("PIXELRL", str(ROOT / ".build/release/pixelrl"))


def call(arguments, threads):
    """Runs the program; gives the JSON object of its last line, and the seconds of the whole process."""
    start = time.monotonic()
    done = subprocess.run(
        [PROGRAM, *arguments, "--json"], capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    if done.returncode != 0:
        sys.exit(f"pixelrl {' '.join(arguments)}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1]) | {"process_seconds": time.monotonic() - start}


def run_seed(definition, arm, seed, folder):
    threads = definition.get("threads", 2)
    result = {"arm": arm["name"], "seed": seed}
    flags = ["--seed", str(seed), "--why", f"{definition['title']}: {arm['name']}"]
    if "pretrain" in arm:
        result["pretrain"] = call(
            ["pretrain-ae", *arm["pretrain"], *flags, "--out", str(folder / f"{arm['name']}-{seed}-ae")], threads)
        autoencoder = result["pretrain"]["autoencoder"]
    else:
        autoencoder = None
    chosen = ["--autoencoder", autoencoder] if autoencoder else []
    result["train"] = call(
        ["train", *arm["train"], *chosen, *flags, "--out", str(folder / f"{arm['name']}-{seed}")], threads)
    result["seconds"] = sum(result[part]["process_seconds"] for part in ("pretrain", "train") if part in result)
    print(arm["name"], seed, round(result["train"]["return_mean"], 1), f"{result['seconds']:.0f} s", flush=True)
    return result


def table(definition, results):
    lines = [
        f"# {definition['title']}", "", definition.get("note", ""), "",
        "| arm | return, mean of the last three evaluations, a seed each | median | best evaluation, median "
        "| env steps | median seconds | smallest R² of the state probe, median |", "|---|---|---|---|---|---|---|"]
    for arm in definition["arms"]:
        rows = [r for r in results if r["arm"] == arm["name"]]
        returns = [r["train"]["return_mean"] for r in rows]
        probes = [min(v for v in r["train"]["probe"].values() if v is not None) for r in rows if r["train"]["probe"]]
        lines.append(
            f"| {arm['name']} | {', '.join(shown(x) for x in returns)} | {shown(statistics.median(returns))} "
            f"| {shown(statistics.median(r['train']['return_best'] for r in rows))} "
            f"| {max(r['train']['env_steps'] for r in rows):,} "
            f"| {statistics.median(r['seconds'] for r in rows):.0f} "
            f"| {f'{statistics.median(probes):.3f}' if probes else ''} |")
    return "\n".join(lines) + "\n"


def shown(value):
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2f}"


def main():
    path = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else sys.exit(__doc__))
    definition = json.loads(path.read_text())
    folder = pathlib.Path("runs") / f"{path.parent.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    (ROOT / folder).mkdir(parents=True)
    written = path.parent / "results.json"
    results = json.loads(written.read_text()) if written.exists() and "--fresh" not in sys.argv else []
    # Arms one after the other, seeds side by side if the definition says so.
    for arm in definition["arms"]:
        if sum(r["arm"] == arm["name"] for r in results) == definition["seeds"]:
            continue
        with concurrent.futures.ThreadPoolExecutor(definition.get("jobs", 1)) as pool:
            results += pool.map(lambda seed: run_seed(definition, arm, seed, folder), range(definition["seeds"]))
        written.write_text(json.dumps(results, indent=1) + "\n")
    done = {r["arm"] for r in results}
    partial = {**definition, "arms": [a for a in definition["arms"] if a["name"] in done]}
    (path.parent / "table.md").write_text(table(partial, results))
    print((path.parent / "table.md").read_text())


if __name__ == "__main__":
    main()
