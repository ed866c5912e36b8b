"""Attacks a run directory and the server of `pixelrl watch`, and counts the outcomes.

    python3 experiments/checks/durability/attacks.py .build/release/pixelrl --forgeries 700 --out FILE.json

- links: each name in a run directory is replaced by a link to a file or folder outside it. Then the run is resumed, or
  `inspect` reads it. Nothing outside may change.
- own files: a user's files and folders in `inspection/` and beside it must remain.
- flips: one byte of each part of each checkpoint is changed. The run must end as it would have, or stop with exit code 1 and
  unchanged metrics.
- forgeries: the structure of a checkpoint's states is changed and all checksums are corrected. The run must continue or stop
  with exit code 1, and never trap or hang.
- watch: endless lines, idle connections, too many connections, few descriptors, pipes. A browser must be answered meanwhile.
"""

import argparse
import copy
import hashlib
import http.client
import json
import math
import os
import pathlib
import plistlib
import random
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time

COMMON = (
    "--observe state --hidden 8 --batch 8 --seed-updates 5 --updates-per-step 0.2 --evaluation-episodes 1 "
    "--evaluate-every 60 --checkpoint-every 20 --keep-checkpoints 2 --explore-chance 0.2"
)
RUNS = {
    "double-dqn": f"train --env catch --agent double-dqn --replay 3000 --env-steps 2680 {COMMON}",
    "rainbow": f"train --env catch --agent rainbow --replay 3000 --env-steps 2680 {COMMON}",
    "sac": (
        "train --env cartpole-swingup --agent sac --environments 2 --observe state --hidden 8 --batch 8 --seed-updates 5 "
        "--updates-per-step 0.2 --evaluation-episodes 1 --replay 3000 --env-steps 20400 --checkpoint-every 150 "
        "--time-limit 100 --explore-chance 0.2 --keep-checkpoints 2"
    ),
    "pretrain-ae": (
        "pretrain-ae --env catch --size 16 --collect-steps 200 --ae-steps 40 --ae-batch 8 --keypoints 4 --filters 8 "
        "--probe-steps 10 --probe-frames 300 --checkpoint-every 15 --frame-sampling error"
    ),
}
FLIPPED = f"train --env catch --replay 3000 --env-steps 2680 {COMMON}"


def run(program, *words, limit=60, **options):
    try:
        return subprocess.run([program, *map(str, words)], capture_output=True, text=True, timeout=limit, **options)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, None, "", "no end")


def made(program, command, folder):
    """Makes a run that looks as if it was killed after its last checkpoint but one."""
    end = run(program, *command.split(), "--out", folder)
    assert end.returncode == 0, end.stderr
    (folder / "summary.json").unlink()
    whole = sorted((folder / "checkpoints").iterdir())
    if len(whole) > 1:
        shutil.rmtree(whole[-1])
    return folder


def copied(source, target):
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    return target


def contents(folder):
    """The names and bytes of everything below a folder; links are not followed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = "link"
        else:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    return found


def outcome(counts, end, what):
    """Counts how a command ended."""
    if end.returncode is None:
        key = "hung"
    elif end.returncode < 0 or end.returncode > 128:
        key = "trapped"
    else:
        key = {0: "went on", 1: "refused", 64: "refused"}.get(end.returncode, "other")
    counts[key] += 1
    if key in ("hung", "trapped", "other"):
        print(what, key, end.returncode, end.stderr[-300:], flush=True)


def fresh(*keys):
    return {key: 0 for key in ("tried", "went on", "refused", "trapped", "hung", "other", *keys)}


# Links


def links(program, folder):
    counts = fresh("outside changed")
    command = RUNS["double-dqn"]
    source = made(program, command, folder / "run")
    for words in (["inspect"], ["eval"], ["report"]):
        run(program, *words, source)
    names = [str(path.relative_to(source)) for path in sorted(source.rglob("*"))]
    names += ["x.partial", "dataset.77.partial", ".curve.png.77-0.partial", "failure.json", "resumes.jsonl"]
    names += ["checkpoints/.partial-77", "checkpoints/.removed-1", "checkpoints/checkpoint-999999", "inspection/new.png"]
    for name in names:
        for kind in ("file", "folder"):
            for words in (["train", "--resume"], ["inspect"], ["eval"], ["report"]):
                if words[0] in ("eval", "report") and not name.startswith((words[0], "evaluations")):
                    continue
                attempt, outside = copied(source, folder / "try"), folder / "outside"
                (outside / "deep").mkdir(parents=True)
                for file in ("precious", "inspection.json", "values.png", "deep/precious", "manifest.json"):
                    (outside / file).write_text("mine\n" * 1000)
                before, path = contents(outside), attempt / name
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.exists():
                    path.unlink()
                path.symlink_to(outside / "precious" if kind == "file" else outside)
                counts["tried"] += 1
                outcome(counts, run(program, *words, attempt), f"{name} -> {kind}, {words}")
                if contents(outside) != before:
                    counts["outside changed"] += 1
                    print(name, kind, words, "changed files outside", flush=True)
                shutil.rmtree(attempt)
                shutil.rmtree(outside)
    return counts


def own_files(program, folder):
    counts = fresh("lost")
    source = made(program, RUNS["double-dqn"], folder / "run")
    for inspected_before in (False, True):
        for words in (["inspect"], ["train", "--resume"]):
            attempt = copied(source, folder / "try")
            if inspected_before:
                run(program, "inspect", attempt)
            mine = [attempt / "inspection" / name for name in ("notes.txt", "mine/notes.txt", "mine.png")]
            mine += [attempt / name for name in ("notes.partial", "mine/notes.txt", "checkpoints/notes.txt")]
            for path in mine:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("mine")
            counts["tried"] += 1
            outcome(counts, run(program, *words, attempt), words)
            counts["lost"] += sum(not path.exists() or path.read_text() != "mine" for path in mine)
            if words == ["inspect"]:
                outcome(counts, run(program, "train", "--resume", attempt), "resume after inspect")
                counts["tried"] += 1
            shutil.rmtree(attempt)
    attempt = copied(source, folder / "try")
    (attempt / "inspection").mkdir()
    (attempt / "inspection/values.png").write_text("mine")
    counts["tried"] += 1
    outcome(counts, run(program, "inspect", attempt), "own image")
    counts["lost"] += (attempt / "inspection/values.png").read_text() != "mine"
    return counts


# Bytes


def flips(program, folder):
    counts = fresh("different", "cut")
    whole = folder / "whole"
    assert run(program, *FLIPPED.split(), "--out", whole).returncode == 0
    expected = (whole / "metrics.jsonl").read_bytes()
    source = made(program, FLIPPED, folder / "run")
    dice = random.Random(1)
    parts = [path.relative_to(source) for path in sorted((source / "checkpoints").rglob("*")) if path.is_file()]
    for part in parts:
        attempt = copied(source, folder / "try")
        flip(attempt / part, dice)
        end = run(program, "train", "--resume", attempt)
        counts["tried"] += 1
        outcome(counts, end, part)
        if end.returncode != 0 or (attempt / "metrics.jsonl").read_bytes() != expected:
            counts["different"] += 1
            print(part, "lost the run", end.stderr[-300:], flush=True)
        shutil.rmtree(attempt)
    # One byte of every checkpoint: no checkpoint is left to resume from, and nothing may be cut.
    attempt = copied(source, folder / "try")
    before = (attempt / "metrics.jsonl").read_bytes()
    for checkpoint in (attempt / "checkpoints").iterdir():
        flip(sorted(checkpoint.iterdir())[0], dice)
    for _ in range(2):
        end = run(program, "train", "--resume", attempt)
        counts["tried"] += 1
        outcome(counts, end, "all flipped")
        counts["cut"] += end.returncode != 1 or (attempt / "metrics.jsonl").read_bytes() != before
    return counts


def flip(path, dice):
    """Changes a byte of a file in place, so that all hard links of it change."""
    with open(path, "r+b") as file:
        at = dice.randrange(path.stat().st_size)
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << dice.randrange(8))]))


# Structure


def xxh64(data):
    """Collet's 64-bit xxHash, seed 0."""
    mask, p1, p2, p3, p4, p5 = (
        2**64 - 1, 11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579,
        2870177450012600261,
    )

    def turned(x, bits):
        return (x << bits | x >> 64 - bits) & mask

    def mixed(x, word):
        return turned((x + word * p2) & mask, 31) * p1 & mask

    def word(at, size):
        return int.from_bytes(data[at : at + size], "little")

    at, length = 0, len(data)
    if length >= 32:
        lanes = [(p1 + p2) & mask, p2, 0, -p1 & mask]
        while at + 32 <= length:
            for lane in range(4):
                lanes[lane] = mixed(lanes[lane], word(at + 8 * lane, 8))
            at += 32
        x = sum(turned(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18))) & mask
        for lane in lanes:
            x = ((x ^ mixed(0, lane)) * p1 + p4) & mask
    else:
        x = p5
    x = (x + length) & mask
    while at + 8 <= length:
        x = (turned(x ^ mixed(0, word(at, 8)), 27) * p1 + p4) & mask
        at += 8
    if at + 4 <= length:
        x = (turned(x ^ word(at, 4) * p1 & mask, 23) * p2 + p3) & mask
        at += 4
    while at < length:
        x = turned(x ^ data[at] * p5 & mask, 11) * p1 & mask
        at += 1
    x = (x ^ x >> 33) * p2 & mask
    x = (x ^ x >> 29) * p3 & mask
    return x ^ x >> 32


def put(checkpoint, name, data):
    """Replaces a part of a checkpoint and corrects the checksums."""
    part, manifest = checkpoint / name, checkpoint / "manifest.json"
    part.unlink()
    part.write_bytes(data)
    record = json.loads(manifest.read_text().splitlines()[0])
    for entry in record["parts"]:
        if entry["name"] == name:
            entry["bytes"], entry["xxh64"] = len(data), f"{xxh64(data):016x}"
    line = json.dumps(record, separators=(",", ":"))
    manifest.unlink()
    manifest.write_text(f"{line}\n{xxh64(line.encode()):016x}\n")


ANYTHING = ["x", -1, 0, 1, 2**63 - 1, -(2**63), 2**40, math.nan, math.inf, 1e300, -0.5, [], {}, b"", True, b"\xff" * 7]


def paths(tree, path=()):
    """Yields the paths to all values, but only to the first and last few of a long list."""
    yield path
    if isinstance(tree, dict):
        for key in tree:
            yield from paths(tree[key], path + (key,))
    elif isinstance(tree, list):
        for index in sorted({*range(min(2, len(tree))), *range(max(0, len(tree) - 1), len(tree))}):
            yield from paths(tree[index], path + (index,))


def other(value, dice):
    """Returns a value of another size, type or magnitude."""
    choices = [copy.deepcopy(dice.choice(ANYTHING)) for _ in range(2)]
    if isinstance(value, dict) and value:
        without = dict(value)
        del without[dice.choice(sorted(value))]
        choices += [without, without, {**value, "more": 1}]
    elif isinstance(value, list):
        choices += [value[:-1], value + value[-1:], value + value, value[::-1], []]
    elif isinstance(value, bytes):
        choices += [value[:-4], value + b"\0\0\x80?", b"\xff" * len(value), b"\x7e" * len(value), value[:3]]
    elif isinstance(value, (int, float)):
        choices += [-value, value + 1, value * 1000, value - 2]
    return dice.choice(choices)


def forged(tree, dice):
    tree = copy.deepcopy(tree)
    path = dice.choice(list(paths(tree)))
    if not path:
        return other(tree, dice), "all"
    at = tree
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = other(at[path[-1]], dice)
    return tree, ".".join(map(str, path))


def forgeries(program, folder, count):
    result = {}
    for name, command in RUNS.items():
        counts, dice = fresh(), random.Random(2)
        source = made(program, command, folder / name)
        checkpoints = sorted((source / "checkpoints").iterdir())
        for earlier in checkpoints[:-1]:
            shutil.rmtree(earlier)
        for _ in range(count // len(RUNS)):
            attempt = copied(source, folder / "try")
            checkpoint = attempt / "checkpoints" / checkpoints[-1].name
            part = dice.choice(sorted(p.name for p in checkpoint.iterdir() if p.suffix in (".plist", ".bin")))
            data = (checkpoint / part).read_bytes()
            if part.endswith(".bin"):
                new, what = dice.choice([data[:-4], data + data, b"\xff" * len(data), dice.randbytes(len(data)), b""]), "bytes"
            else:
                tree, what = forged(plistlib.loads(data), dice)
                try:
                    new = plistlib.dumps(tree, fmt=plistlib.FMT_BINARY)
                except (OverflowError, TypeError):
                    shutil.rmtree(attempt)
                    continue
            put(checkpoint, part, new)
            counts["tried"] += 1
            outcome(counts, run(program, command.split()[0], "--resume", attempt), f"{name} {part} {what}")
            shutil.rmtree(attempt)
        result[f"forgeries, {name}"] = counts
        print(name, counts, flush=True)
    return result


# The server


class Watched:
    """`pixelrl watch` on a free port."""

    def __init__(self, program, folder, descriptors=None):
        def few():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        self.process = subprocess.Popen(
            [program, "watch", str(folder), "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=few)
        self.port = int(re.search(r":(\d+)/", self.process.stdout.readline()).group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def connected(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def answer(self, limit=30):
        """Returns the seconds until the page arrives, or None if it does not."""
        began = time.monotonic()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=limit)
            connection.request("GET", "/metrics.jsonl")
            reply = connection.getresponse()
            reply.read()
            return round(time.monotonic() - began, 3) if reply.status == 200 else None
        except OSError:
            return None

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def closed(connections, limit):
    """Returns the number of connections that the server closes in time."""
    end, count = time.monotonic() + limit, 0
    for connection in connections:
        connection.settimeout(max(0.01, end - time.monotonic()))
        try:
            while connection.recv(1 << 16):
                pass
            count += 1
        except ConnectionError:
            count += 1
        except TimeoutError:
            pass
        connection.close()
    return count


def watch(program, folder):
    result = {}
    source = made(program, RUNS["double-dqn"], folder / "run")
    endless = [b"GET /" + b"a" * 280_000, b"GET / HTTP/1.1\r\nHost: " + b"a" * 280_000, b"a" * 280_000,
               b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 50_000,
               b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 50_000]
    with Watched(program, source) as server:
        server.answer()
        for number, line in enumerate(endless):
            before = server.processor_seconds()
            connection = server.connected()
            try:
                connection.sendall(line)
            except OSError:
                pass
            answered = server.answer()
            gone = closed([connection], 20)
            result[f"watch, 280 kB without an end, {number + 1}"] = {
                "closed": gone, "page_seconds": answered, "processor_seconds": round(server.processor_seconds() - before, 2)}
        idle = [server.connected() for _ in range(200)]
        for connection in idle[::2]:
            connection.sendall(b"GET / HT")
        answered = server.answer(120)
        result["watch, 200 idle connections"] = {"closed": closed(idle, 120), "page_seconds": answered}
    with Watched(program, source, descriptors=64) as server:
        many = [server.connected() for _ in range(100)]
        answered = server.answer(120)
        closed(many, 60)
        result["watch, 64 descriptors, 100 connections"] = {
            "page_seconds": answered, "page_seconds_then": server.answer(), "alive": server.process.poll() is None}
    for name in ("metrics.jsonl", "run.json", "settings.yaml", "curve.png", "summary.json", "inspection/values.png"):
        attempt = copied(source, folder / "try")
        with Watched(program, attempt) as server:
            (attempt / "inspection").mkdir(exist_ok=True)
            (attempt / name).unlink(missing_ok=True)
            os.mkfifo(attempt / name)
            began = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            try:
                connection.request("GET", "/")
                status = connection.getresponse().status
            except OSError:
                status = None
            result[f"watch, {name} is a pipe"] = {"status": status, "page_seconds": round(time.monotonic() - began, 3)}
        shutil.rmtree(attempt)
    for name, counts in result.items():
        print(name, counts, flush=True)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--forgeries", type=int, default=700)
    parser.add_argument("--only", nargs="*", default=["links", "own files", "flips", "forgeries", "watch"])
    parser.add_argument("--out", help="a JSON file to write")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    program, result = str(pathlib.Path(arguments.program).resolve()), {}
    attacks = {"links": links, "own files": own_files, "flips": flips}
    for name, attack in attacks.items():
        if name in arguments.only:
            with tempfile.TemporaryDirectory() as folder:
                result[name] = attack(program, pathlib.Path(folder))
            print(name, result[name], flush=True)
    if "forgeries" in arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            result |= forgeries(program, pathlib.Path(folder), arguments.forgeries)
    if "watch" in arguments.only:
        with tempfile.TemporaryDirectory() as folder:
            result |= watch(program, pathlib.Path(folder))
    if arguments.out:
        pathlib.Path(arguments.out).write_text(json.dumps(result, indent=2) + "\n")
    bad = ("trapped", "hung", "other", "outside changed", "lost", "different", "cut")
    raise SystemExit(any(counts.get(key) for counts in result.values() for key in bad))


if __name__ == "__main__":
    main()
