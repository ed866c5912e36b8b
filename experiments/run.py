#!/usr/bin/env python3
"""Runs an experiment and writes its table: python3 experiments/run.py experiments/results/NAME/definition.json

A definition is a list of arms. An arm is a training, with or without a pretraining, that is run once for each seed:

    {"title": "...", "seeds": 5, "threads": 2, "jobs": 1,
     "arms": [{"name": "keypoint", "pretrain": ["--env", "catch"], "train": ["--env", "catch"]}]}

"seeds" is a count (5 means 0 to 4) or a list; an arm may have its own. An arm without "pretrain" has no pretraining
(--observe state, or an encoder that starts from random weights). Arms can share an autoencoder, pretrained once a
seed: {"autoencoders": {"catch": ["--env", "catch"]}, "arms": [{"name": "...", "autoencoder": "catch", ...}]}.
"jobs" is the number of runs at the same time. With "inspect": true the state probe is repeated after the training. With
"cpu_seconds": true the table has CPU seconds of the training instead of wall-clock seconds.

The script writes results.json (the last JSON line of every command) and table.md beside the definition after each run.
Runs are written below runs/, which is not committed. Runs that results.json already has are skipped, unless --fresh is
given. The script needs only Python and the release build.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("PIXELRL", str(ROOT / ".build/release/pixelrl"))


def call(arguments, threads):
    """Runs the program and returns the JSON object of its last line, with the wall-clock and CPU seconds it took."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [PROGRAM, *arguments, "--json"], stdout=output, stderr=errors, cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0), errors.seek(0)
        if process.returncode != 0:
            sys.exit(f"pixelrl {' '.join(arguments)}\n{errors.read()[-2000:]}")
        return json.loads(output.read().splitlines()[-1]) | {
            "process_seconds": time.monotonic() - start, "cpu_seconds": usage.ru_utime + usage.ru_stime}


def pretrain(definition, name, arguments, seed, folder):
    flags = ["--seed", str(seed), "--why", f"{definition['title']}: {name}", "--out", str(folder / f"{name}-{seed}-ae")]
    return call(["pretrain-ae", *arguments, *flags], definition.get("threads", 2))


def run_seed(definition, arm, seed, folder, autoencoder=None):
    result = {"arm": arm["name"], "seed": seed}
    if "pretrain" in arm:
        result["pretrain"] = pretrain(definition, arm["name"], arm["pretrain"], seed, folder)
        autoencoder = result["pretrain"]["autoencoder"]
    chosen = ["--autoencoder", autoencoder] if autoencoder else []
    flags = ["--seed", str(seed), "--why", f"{definition['title']}: {arm['name']}"]
    result["train"] = call(
        ["train", *arm["train"], *chosen, *flags, "--out", str(folder / f"{arm['name']}-{seed}")],
        definition.get("threads", 2))
    if definition.get("inspect") and result["train"]["observe"] != "state":
        inspected = call(
            ["inspect", result["train"]["run"], "--episodes", "1", "--frames", "3"], definition.get("threads", 2))
        result["train"]["probe"] = inspected["probe"]["r2"]
    result["seconds"] = sum(result[part]["process_seconds"] for part in ("pretrain", "train") if part in result)
    print(arm["name"], seed, round(result["train"]["return_mean"], 1), f"{result['seconds']:.0f} s", flush=True)
    return result


def shared_autoencoder(definition, name, seed, folder, results):
    """The folder of a seed's autoencoder: the one in `results` if its files still exist, else a new pretraining."""
    held = [r for r in results if r.get("autoencoder") == name and r["seed"] == seed]
    if held and (ROOT / held[0]["pretrain"]["autoencoder"]).exists():
        return held[0]["pretrain"]["autoencoder"]
    made = pretrain(definition, name, definition["autoencoders"][name], seed, folder)
    results[:] = [r for r in results if r not in held] + [{"autoencoder": name, "seed": seed, "pretrain": made}]
    print(f"autoencoder {name}", seed, f"{made['process_seconds']:.0f} s", flush=True)
    return made["autoencoder"]


NOT_POSITIONS = ("velocity", "speed", "touch")


def least_position(probe):
    """The least R² of all positions and angles of the state; velocities and touch sensors do not count."""
    return min(r2 for name, r2 in probe.items() if r2 is not None and not any(word in name for word in NOT_POSITIONS))


def table(definition, results):
    """The table of all arms that have results, as Markdown."""
    arms = {arm["name"]: [] for arm in definition["arms"]}
    for result in sorted(results, key=lambda r: r["seed"]):
        if result.get("arm") in arms:
            arms[result["arm"]].append(result)
    arms = {name: rows for name, rows in arms.items() if rows}
    averaged = {min(3, len(r["train"]["evaluations"])) for rows in arms.values() for r in rows}
    evaluations = "the only evaluation" if averaged == {1} else "the mean of the last three evaluations"
    explanation = f"A return is {evaluations}."
    if any(r["train"]["probe"] for rows in arms.values() for r in rows):
        explanation += (
            " R² is that of the state probe on held-out frames: the least of all positions and angles, without "
            "velocities and touch sensors.")
    cpu = definition.get("cpu_seconds", False)
    seconds = "CPU seconds of the training" if cpu else "seconds"
    lines = [
        f"# {definition['title']}", "", definition.get("note", ""), "", explanation, "",
        f"| arm | return of each seed | median | mean | best evaluation, median | env steps | {seconds}, median "
        "| least R² of a position, each seed |", "|---|---|---|---|---|---|---|---|"]
    for name, rows in arms.items():
        returns = [r["train"]["return_mean"] for r in rows]
        probes = [least_position(r["train"]["probe"]) for r in rows if r["train"]["probe"]]
        lines.append(
            f"| {name} | {', '.join(shown(x) for x in returns)} | {shown(statistics.median(returns))} "
            f"| {shown(statistics.mean(returns))} "
            f"| {shown(statistics.median(r['train']['return_best'] for r in rows))} "
            f"| {max(r['train']['env_steps'] for r in rows):,} "
            f"| {statistics.median(r['train']['cpu_seconds'] if cpu else r['seconds'] for r in rows):.0f} "
            f"| {', '.join(f'{r2:.3f}' for r2 in probes)} |")
    return "\n".join(lines) + "\n"


def shown(value):
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("definition", type=pathlib.Path, help="a definition.json")
    parser.add_argument("--seed", type=int, help="run this seed only")
    parser.add_argument("--fresh", action="store_true", help="ignore existing results: run everything again")
    parser.add_argument("--table", action="store_true", help="only write table.md from results.json; run nothing")
    arguments = parser.parse_args()
    path = arguments.definition
    definition = json.loads(path.read_text())
    written = path.parent / "results.json"
    results = json.loads(written.read_text()) if written.exists() and not arguments.fresh else []
    if not arguments.table:
        run_all(definition, path.parent, written, results, arguments.seed)
    (path.parent / "table.md").write_text(table(definition, results))
    print((path.parent / "table.md").read_text())


def run_all(definition, home, written, results, seed):
    """Runs what `results` lacks, adds to it, and writes it after each run."""
    folder = pathlib.Path("runs") / f"{home.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    (ROOT / folder).mkdir(parents=True)
    done = {(r.get("arm"), r["seed"]) for r in results}
    order = [None] + [arm["name"] for arm in definition["arms"]]  # autoencoders first

    def keep(result):
        results.append(result)
        results.sort(key=lambda r: (order.index(r.get("arm")) if r.get("arm") in order else len(order), r["seed"]))
        written.write_text("[\n" + ",\n".join(json.dumps(r) for r in results) + "\n]\n")
        (home / "table.md").write_text(table(definition, results))

    # Shared autoencoders first; then seed by seed, "jobs" runs at the same time.
    missing = []
    for arm in definition["arms"]:
        seeds = arm.get("seeds", definition["seeds"])
        seeds = list(range(seeds)) if isinstance(seeds, int) else seeds
        if seed is not None:
            seeds = [s for s in seeds if s == seed]
        missing += [(arm, s) for s in seeds if (arm["name"], s) not in done]
    missing.sort(key=lambda run: run[1])
    shared = {
        (name, s): shared_autoencoder(definition, name, s, folder, results)
        for name, s in sorted({(arm["autoencoder"], s) for arm, s in missing if "autoencoder" in arm})}
    with concurrent.futures.ThreadPoolExecutor(definition.get("jobs", 1)) as pool:
        runs = [
            pool.submit(run_seed, definition, arm, s, folder, shared.get((arm.get("autoencoder"), s)))
            for arm, s in missing]
        for run in concurrent.futures.as_completed(runs):
            keep(run.result())


if __name__ == "__main__":
    main()
