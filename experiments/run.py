#!/usr/bin/env python3
"""Runs an experiment and writes its table: python3 experiments/run.py experiments/NAME/definition.json

A definition lists arms; each arm is a pretraining (or none) and a training, run for every seed from a standing start:

    {"title": "...", "seeds": 5, "threads": 2, "jobs": 1,
     "arms": [{"name": "keypoint", "pretrain": ["--env", "catch"], "train": ["--env", "catch"]}]}

"seeds" is how many there are, from 0 on, or a list of them; an arm may have its own. An arm without "pretrain" has none
(--observe state, or a place that starts from random weights). Arms that share an autoencoder name it, and each seed's is
pretrained once: {"autoencoders": {"catch": ["--env", "catch"]}, "arms": [{"name": "...", "autoencoder": "catch", ...}]}.
Beside the definition it writes results.json (the last JSON line of every command) and table.md, after each run. Runs are
kept below runs/ and are not committed. With "inspect": true, each run's state probe is made anew from the encoder as the
training left it. "jobs" runs go side by side; "cpu_seconds": true puts the processor's seconds of the training into the
table in place of the clock's, which other programs on the machine move. --seed N runs that seed alone. What results.json
already holds is kept; --fresh runs it again. Needs nothing but Python and the release build.
"""
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
    """Runs the program; gives the JSON object of its last line, and the seconds of the whole process."""
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
        looked = call(["inspect", result["train"]["run"], "--episodes", "1", "--frames", "3"], definition.get("threads", 2))
        result["train"]["probe"] = looked["probe"]["r2"]
    result["seconds"] = sum(result[part]["process_seconds"] for part in ("pretrain", "train") if part in result)
    print(arm["name"], seed, round(result["train"]["return_mean"], 1), f"{result['seconds']:.0f} s", flush=True)
    return result


def shared_autoencoder(definition, name, seed, folder, results):
    """A seed's autoencoder by its name: that of the results if its files are still there, else pretrained."""
    held = [r for r in results if r.get("autoencoder") == name and r["seed"] == seed]
    if held and (ROOT / held[0]["pretrain"]["autoencoder"]).exists():
        return held[0]["pretrain"]["autoencoder"]
    made = pretrain(definition, name, definition["autoencoders"][name], seed, folder)
    results[:] = [r for r in results if r not in held] + [{"autoencoder": name, "seed": seed, "pretrain": made}]
    print(f"autoencoder {name}", seed, f"{made['process_seconds']:.0f} s", flush=True)
    return made["autoencoder"]


def table(definition, results):
    cpu = definition.get("cpu_seconds", False)
    lines = [
        f"# {definition['title']}", "", definition.get("note", ""), "",
        "| arm | return, mean of the last three evaluations, a seed each | median | best evaluation, median "
        f"| env steps | {'processor seconds of the training' if cpu else 'seconds'}, median | smallest R² of the state probe, median |", "|---|---|---|---|---|---|---|"]
    for arm in definition["arms"]:
        rows = sorted((r for r in results if r.get("arm") == arm["name"]), key=lambda r: r["seed"])
        returns = [r["train"]["return_mean"] for r in rows]
        probes = [min(v for v in r["train"]["probe"].values() if v is not None) for r in rows if r["train"]["probe"]]
        lines.append(
            f"| {arm['name']} | {', '.join(shown(x) for x in returns)} | {shown(statistics.median(returns))} "
            f"| {shown(statistics.median(r['train']['return_best'] for r in rows))} "
            f"| {max(r['train']['env_steps'] for r in rows):,} "
            f"| {statistics.median(r['train']['cpu_seconds'] if cpu else r['seconds'] for r in rows):.0f} "
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
    done = {(r.get("arm"), r["seed"]) for r in results}
    order = [None] + [arm["name"] for arm in definition["arms"]]  # autoencoders first

    def keep(result):
        results.append(result)
        results.sort(key=lambda r: (order.index(r.get("arm")) if r.get("arm") in order else len(order), r["seed"]))
        written.write_text("[\n" + ",\n".join(json.dumps(r) for r in results) + "\n]\n")

    # What several arms share comes first; then seed after seed, as many runs side by side as the definition says.
    missing = []
    for arm in definition["arms"]:
        wanted = arm.get("seeds", definition["seeds"])
        wanted = list(range(wanted)) if isinstance(wanted, int) else wanted
        if "--seed" in sys.argv:
            wanted = [seed for seed in wanted if seed == int(sys.argv[sys.argv.index("--seed") + 1])]
        missing += [(arm, seed) for seed in wanted if (arm["name"], seed) not in done]
    missing.sort(key=lambda run: run[1])
    shared = {
        (name, seed): shared_autoencoder(definition, name, seed, folder, results)
        for name, seed in sorted({(arm["autoencoder"], seed) for arm, seed in missing if "autoencoder" in arm})}
    with concurrent.futures.ThreadPoolExecutor(definition.get("jobs", 1)) as pool:
        runs = [
            pool.submit(run_seed, definition, arm, seed, folder, shared.get((arm.get("autoencoder"), seed)))
            for arm, seed in missing]
        for run in concurrent.futures.as_completed(runs):
            keep(run.result())
    named = {r.get("arm") for r in results}
    partial = {**definition, "arms": [a for a in definition["arms"] if a["name"] in named]}
    (path.parent / "table.md").write_text(table(partial, results))
    print((path.parent / "table.md").read_text())


if __name__ == "__main__":
    main()
