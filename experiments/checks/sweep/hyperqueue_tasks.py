"""Runs the script that 'sweep emit hyperqueue' writes with a HyperQueue server and worker on this machine:

    pip install hyperqueue
    python3 experiments/checks/sweep/hyperqueue_tasks.py .build/release/pixelrl --out experiments/checks/sweep/results/hyperqueue.json

The Python package has the server and the worker, but not the command line program. So a stand-in for 'hq' records the words
that the script calls it with, and the same tasks are submitted through the package: their numbers, CPUs and command. The sweep
has trainings that share an autoencoder, one of which fails. It runs twice, and then everything that is done must be the
same to the bit as by 'sweep run'.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig
from hyperqueue.ffi.protocol import ResourceRequest

PLAN = """
environments: [catch]
seeds: 0-1
settings: {size: 32, time-limit: 80}
autoencoders:
  small: {ae-steps: 2, ae-batch: 2, probe-steps: 2, probe-frames: 300, filters: 4, keypoints: 2, collect-steps: 60, seed: 0}
arms:
  latents:
    {autoencoder: small, env-steps: 900, updates-per-step: 0.1, seed-updates: 1, evaluation-episodes: 1,
     evaluate-every: 200, hidden: 8, batch: 8, replay: 5000}
  wrong: {autoencoder: missing/folder, seeds: [0]}
"""


def script_words(script):
    """The words that a script calls 'hq' with."""
    with tempfile.TemporaryDirectory() as folder:
        stand_in = pathlib.Path(folder, "hq")
        stand_in.write_text('#!/bin/sh\nfor word in "$@"; do printf "%s\\0" "$word"; done\n')
        stand_in.chmod(0o755)
        path = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"}
        return subprocess.run(["sh", script], env=path, check=True, capture_output=True, text=True).stdout.split("\0")[:-1]


def submit(client, words, folder):
    """Submits what `hq submit` would, and returns the numbers of the tasks that failed."""
    command = words[words.index("--") + 1:]
    options = dict(zip(words[1:words.index("--"):2], words[2:words.index("--"):2]))
    assert words[0] == "submit" and set(options) == {"--name", "--array", "--cpus", "--crash-limit"}, words
    job = Job(max_fails=None, name=options["--name"])
    for part in options["--array"].split(","):
        first, _, last = part.partition("-")
        for number in range(int(first), int(last or first) + 1):
            # The package numbers the tasks of a job itself, so the number of the array is given by its name.
            job.program(
                command, env={"HQ_TASK_ID": str(number)}, name=str(number), cwd=folder,
                resources=ResourceRequest(cpus=int(options["--cpus"])))
    submitted = client.submit(job)
    client.wait_for_jobs([submitted], raise_on_error=False)
    return sorted(int(job.task_by_id(task).label) for task in client.get_failed_tasks(submitted))


def results(sweep):
    return {
        (path.parent.name, path.name): path.read_bytes()
        for name in ("metrics.jsonl", "agent.safetensors") for path in sweep.glob(f"runs/*/{name}")}


parser = argparse.ArgumentParser()
parser.add_argument("program", type=pathlib.Path)
parser.add_argument("--out", type=pathlib.Path)
arguments = parser.parse_args()
program = arguments.program.resolve()
with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "plan.yaml").write_text(PLAN)

    def pixelrl(*words, check=True):
        return subprocess.run([program, "sweep", *words], cwd=folder, check=check, capture_output=True, text=True).stdout

    for sweep in ("local", "tasks"):
        pixelrl("plan", "plan.yaml", "--out", sweep)
    pixelrl("run", "local", check=False)
    pixelrl("emit", "hyperqueue", "tasks")
    words = script_words(folder / "tasks/hyperqueue.sh")
    with LocalCluster(worker_config=WorkerConfig(cores=2)) as cluster:
        failed = [submit(cluster.client(), words, folder) for _ in range(2)]
    status = pixelrl("status", "tasks").splitlines()[-1]
    same = results(folder / "local") == results(folder / "tasks") and len(results(folder / "tasks")) == 5
text = json.dumps({"words": words[:words.index("--")], "failed tasks": failed, "status": status, "same to the bit": same})
print(text)
if arguments.out:
    arguments.out.write_text(text + "\n")
# The first time, a task whose autoencoder another one makes ends with 75, which HyperQueue shows as failed.
raise SystemExit(0 if same and failed[1] == [3] else 1)
