"""Checks the Kubernetes manifest of a sweep against the official schema of a Job, which the package has for each version:

    pip install kubernetes-validate
    python3 experiments/checks/sweep/manifest.py .build/release/pixelrl --out experiments/checks/sweep/results/manifest.json

Strict: a field that the schema does not have is an error. A wrong manifest must be refused, so that the check checks something.
"""
import argparse
import copy
import json
import pathlib
import subprocess
import tempfile

import kubernetes_validate
import yaml

PLAN = "environments: [catch]\nseeds: 0-2\nsettings: {observe: state}\n"
VERSIONS = ["1.31", "1.33", kubernetes_validate.latest_version()]


def manifest(program, *flags):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder)
        (path / "plan.yaml").write_text(PLAN)
        for words in (["plan", path / "plan.yaml", "--out", path / "sweep"], ["emit", "kubernetes", path / "sweep", *flags]):
            subprocess.run([program, "sweep", *words], check=True, stdout=subprocess.DEVNULL)
        return yaml.safe_load((path / "sweep/kubernetes.yaml").read_text())


def is_valid(job, version):
    try:
        kubernetes_validate.validate(job, version, strict=True)
        return True
    except kubernetes_validate.ValidationError as error:
        print(f"{version}: {error.message}")
        return False


parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--out", type=pathlib.Path)
arguments = parser.parse_args()
jobs = [manifest(arguments.program), manifest(arguments.program, "--per-task", "2", "--jobs", "2", "--at-once", "1")]
valid = {version: all([is_valid(job, version) for job in jobs]) for version in VERSIONS}
wrong = copy.deepcopy(jobs[0])
wrong["spec"]["podFailurePolicy"]["rules"][0]["onExitCodes"]["valeus"] = [1]
refused = not is_valid(wrong, VERSIONS[-1])
text = json.dumps({"manifests": len(jobs), "valid": valid, "a wrong one is refused": refused})
print(text)
if arguments.out:
    arguments.out.write_text(text + "\n")
raise SystemExit(0 if all(valid.values()) and refused else 1)
