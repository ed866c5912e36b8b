"""Runs a sweep on a Slurm cluster of this one machine, preempts its tasks, and compares it with an undisturbed sweep.

    sudo python3 experiments/cluster/slurm.py .build/release/pixelrl --install

`--install` installs Debian's slurm-wlm. The script starts munge, the controller and the daemon of one node on loopback,
without systemd and control groups, with all their files in a temporary folder; it submits the arrays of
`pixelrl sweep emit slurm`, and at the end stops what it has started. What a machine without systemd needs:

- munged as the user munge, with a folder for its socket and a key;
- processes tracked by their parents (proctrack/linuxproc) instead of control groups;
- `cred_expire` of a few seconds: a requeued task waits that long before it starts again, by default two minutes;
- `RequeueExit=75`: a task that was interrupted is requeued. Tasks are preempted in two ways: `scontrol requeue`, and
  SIGTERM to the batch script. With `--cancel`, Slurm does not requeue tasks, and the array is submitted again.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

PLAN = """
title: preemptions
environments: [catch]
seeds: 0-9
settings:
  {{observe: state, env-steps: {steps}, replay: 4000, hidden: 32, batch: 16, evaluate-every: 1000, evaluation-episodes: 2,
   checkpoint-every: 500}}
"""
CONFIGURATION = """
ClusterName=one
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation={folder}/controller
SlurmdSpoolDir={folder}/node
SlurmctldPidFile={folder}/controller.pid
SlurmdPidFile={folder}/node.pid
SlurmctldLogFile={folder}/controller.log
SlurmdLogFile={folder}/node.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=100000
ReturnToService=2
MaxArraySize=1001
JobRequeue={requeue}
{requeue_exit}
KillWait=20
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
FILES = ["metrics.jsonl", "agent.safetensors"]


class Cluster:
    """Munge, slurmctld and slurmd with their files in a folder."""

    def __init__(self, folder, cores, cancels):
        self.folder, self.processes = folder, []
        for name in ["munge", "controller", "node"]:
            (folder / name).mkdir()
        shutil.chown(folder / "munge", "munge", "munge")
        self.socket = folder / "munge/socket"
        key = folder / "munge/key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        shutil.chown(key, "munge", "munge")
        configuration = folder / "slurm.conf"
        configuration.write_text(CONFIGURATION.format(
            host=socket.gethostname().split(".")[0], folder=folder, cores=cores, requeue=0 if cancels else 1,
            requeue_exit="" if cancels else "RequeueExit=75"))
        os.environ["SLURM_CONF"] = str(configuration)
        self.start("runuser", "-u", "munge", "--", "munged", "--foreground", "--force", f"--key-file={key}",
                   f"--socket={self.socket}", f"--pid-file={folder}/munge/pid", f"--log-file={folder}/munge/log",
                   f"--seed-file={folder}/munge/seed")
        self.wait(self.socket.exists, "munge has no socket")
        self.start("slurmctld", "-D", "-f", str(configuration))
        self.wait(lambda: subprocess.run(["scontrol", "ping"], capture_output=True, text=True).stdout.count("UP"),
                  "the controller does not answer")
        self.start("slurmd", "-D", "-f", str(configuration), "-N", socket.gethostname().split(".")[0])
        self.wait(lambda: output("sinfo", "-h", "-o", "%t").strip().startswith(("idle", "mix", "alloc")),
                  "the node is not idle")

    def start(self, *words):
        log = open(self.folder / f"{len(self.processes)}.out", "w")
        self.processes.append(subprocess.Popen(words, stdout=log, stderr=log))

    def wait(self, holds, what):
        for _ in range(300):
            if holds():
                return
            time.sleep(0.1)
        self.stop()
        logs = [path.read_text()[-2000:] for path in sorted(self.folder.glob("*.out")) + sorted(self.folder.glob("*.log"))]
        raise SystemExit("\n".join([what] + logs))

    def stop(self):
        subprocess.run(["scancel", "--quiet", "--user=root"], capture_output=True)
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def output(*words):
    return subprocess.run(words, capture_output=True, text=True).stdout


def contents(sweep):
    return {run.name: [(run / name).read_bytes() for name in FILES] for run in sorted((sweep / "runs").iterdir())}


def tasks():
    """The array index, the state and the name of each task in the queue."""
    lines = output("squeue", "-h", "-r", "-o", "%K %T %i").splitlines()
    return [line.split() for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--install", action="store_true", help="install slurm-wlm first")
    parser.add_argument("--preemptions", type=int, default=5, help="of each point")
    parser.add_argument("--steps", type=int, default=60000, help="env steps of a point")
    parser.add_argument("--cancel", action="store_true", help="Slurm requeues nothing: submit again instead")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=float, default=1200, help="seconds until the script gives up")
    parser.add_argument("--out", help="a JSON file to write")
    arguments = parser.parse_args()
    if arguments.install:
        subprocess.run(["apt-get", "install", "-y", "-q", "slurm-wlm", "munge"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    if shutil.which("slurmctld") is None:
        sys.exit("slurmctld is missing: add --install, or apt-get install slurm-wlm")
    program, dice = str(pathlib.Path(arguments.program).resolve()), random.Random(0)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)  # munge has its own user

    def plan(name):
        words = [program, "sweep", "plan", str(folder / "plan.yaml"), "--out", str(folder / name)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        return folder / name

    (folder / "plan.yaml").write_text(PLAN.format(steps=arguments.steps))
    whole, sweep = plan("whole"), plan("sweep")
    start = time.monotonic()
    jobs = min(arguments.cores, 10)
    subprocess.run([program, "sweep", "run", str(whole), "--jobs", str(jobs)], check=True, stdout=subprocess.DEVNULL)
    undisturbed = time.monotonic() - start
    subprocess.run([program, "sweep", "emit", "slurm", str(sweep)], check=True, stdout=subprocess.DEVNULL)
    (folder / "cluster").mkdir()
    cluster = Cluster(folder / "cluster", arguments.cores, arguments.cancel)
    counts, begun, submissions = collections.Counter(), {}, 0
    try:
        start = time.monotonic()
        while time.monotonic() - start < arguments.limit:
            queue = tasks()
            if not queue:
                if len(list(sweep.glob("runs/*/summary.json"))) == 10:
                    break
                subprocess.run(["sh", str(sweep / "submit.sh")], check=True, stdout=subprocess.DEVNULL)
                submissions += 1
            running = {int(index): task for index, state, task in queue if state == "RUNNING"}
            for index in list(begun):
                if index not in running:
                    del begun[index]
            for index, task in running.items():
                begun.setdefault(index, time.monotonic() + dice.uniform(0.3, 2))
                worker = list(sweep.glob(f"locks/{index:05}-*"))
                if time.monotonic() < begun[index] or not worker or not worker[0].stat().st_size:
                    continue
                if counts[index] < arguments.preemptions:
                    counts[index] += 1
                    del begun[index]
                    is_term = arguments.cancel or counts[index] % 2 == 0
                    words = ["scancel", "--batch", "--signal=TERM", task] if is_term else ["scontrol", "requeue", task]
                    subprocess.run(words, check=False)
            time.sleep(0.2)
        else:
            print(output("squeue"), output(program, "sweep", "status", str(sweep)), file=sys.stderr)
    finally:
        cluster.stop()
    got, expected = contents(sweep), contents(whole)
    result = {
        "slurm": output("sinfo", "--version").strip(), "points": len(expected), "env_steps": arguments.steps,
        "requeued_by_slurm": not arguments.cancel, "submissions": submissions,
        "preemptions": [counts[index] for index in range(10)],
        "resumed": sum((sweep / "runs" / name / "resumes.jsonl").exists() for name in got),
        "different": sum(got.get(name) != files for name, files in expected.items()),
        "seconds_undisturbed": round(undisturbed, 1), "seconds": round(time.monotonic() - start, 1),
    }
    print(json.dumps(result))
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(result, indent=2) + "\n")
    if result["different"] == 0:
        shutil.rmtree(folder)
    raise SystemExit(result["different"] > 0)


if __name__ == "__main__":
    main()
