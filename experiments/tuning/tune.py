#!/usr/bin/env python3
"""Tunes SAC on the true state of cartpole-swingup, with Optuna and successive halving; see README.md here.

Optuna suggests a batch of trials, which is a sweep: an arm for each trial, three seeds. Then the better half is lengthened,
twice. A trial's value is the IQM of its returns over the seeds; those that end early are pruned.
"""
import json
import pathlib
import subprocess
import sys

import optuna

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / ".build/release/pixelrl"
STEPS = [25_000, 30_000, 40_000]  # simulator steps; the first 20,000 are random play
BATCHES, TRIALS = 2, 6
SETTINGS = {"observe": "state", "env-steps": STEPS[0], "evaluate-every": 2500, "evaluation-episodes": 10, "threads": 1}
PLAN = {"environments": ["cartpole-swingup"], "seeds": "0-2", "settings": SETTINGS}
SPACE = {
    "learning-rate": optuna.distributions.FloatDistribution(1e-4, 1e-2, log=True),
    "initial-temperature": optuna.distributions.FloatDistribution(0.01, 1, log=True),
    "updates-per-step": optuna.distributions.CategoricalDistribution([0.5, 1, 2]),
    "return-steps": optuna.distributions.CategoricalDistribution([1, 3]),
}


def pixelrl(*words):
    subprocess.run([PROGRAM, *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def values(sweep):
    """The value of each arm of a sweep, from the summaries of its runs as they are now."""
    pixelrl("sweep", "table", sweep)
    return {row["arm"]: row["iqm"]["value"] for row in json.loads((sweep / "table.json").read_text())["rows"]}


(folder := pathlib.Path(sys.argv[1])).mkdir(parents=True)
study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=0))
study.enqueue_trial({"learning-rate": 1e-3, "initial-temperature": 0.1, "updates-per-step": 1, "return-steps": 1})  # the defaults
for batch in range(BATCHES):
    trials = {f"trial {trial.number}": trial for trial in (study.ask(SPACE) for _ in range(TRIALS))}
    arms = {name: {key: f"{value:.4g}" for key, value in trial.params.items()} for name, trial in trials.items()}
    plan, sweep = folder / f"batch-{batch}.yaml", folder / f"batch-{batch}"
    plan.write_text(json.dumps({**PLAN, "arms": arms}, indent=1))  # JSON is YAML
    pixelrl("sweep", "plan", plan, "--out", sweep)
    pixelrl("sweep", "run", sweep)
    points = json.loads((sweep / "sweep.json").read_text())["points"]
    for steps, longer in zip(STEPS, STEPS[1:] + [None]):
        value = values(sweep)
        ranking = sorted(trials, key=value.get, reverse=True)
        for rank, name in enumerate(ranking):
            trials[name].report(value[name], steps)
            if not longer or rank >= len(ranking) / 2:
                study.tell(trials.pop(name), *([value[name]] if not longer else [None, optuna.trial.TrialState.PRUNED]))
                print(name, arms[name], f"{value[name]:.0f} after {steps} steps", flush=True)
        for point in (point for point in points if point["arm"] in trials):
            pixelrl("train", "--resume", sweep / "runs" / f"{point['index']:05}-{point['hash']}", "--env-steps", longer)
axes = optuna.visualization.matplotlib.plot_intermediate_values(study)
axes.set(title="cartpole-swingup, true state: IQM of three seeds", xlabel="simulator steps", ylabel="return")
axes.figure.savefig(folder / "trials.png", dpi=100, bbox_inches="tight")
