#!/usr/bin/env python3
"""Writes the page of results from the pages of the experiments: python3 experiments/pages.py

It takes the heading, the claim, the first table and the commands of each page below experiments/results/, in the order below.
--check writes nothing and fails if the page is out of date, which a test does.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "Sources/pixelrl/pixelrl.docc/Results.md"
ORDER = [
    "answer", "cartpole-swingup", "controls", "encoders", "places", "tasks", "exploration", "sparse", "suite", "two-minutes", "full-look", "six-tasks",
    "distractions", "atari", "flappy-bird",
    "agents", "state", "offline", "pairs", "estimators", "gymnasium", "rendering", "benchmarks",
]
HEAD = """# Results

What has been measured, from the pages of the experiments.

Each section has the claim, its table and the command. The page behind the heading has the protocol: which settings were tuned and on which
seeds, how it differs from the published protocol, and what else was tried. [Published returns](../../../experiments/results/published.md)
have their sources there. This page is written by `python3 experiments/pages.py`.
"""


def section(name):
    folder = ROOT / "experiments/results" / name
    if not (folder / "README.md").exists():
        return ""
    lines = (folder / "README.md").read_text().split("\n")
    link = f"../../../experiments/results/{name}"
    heading = f"## [{lines[0].removeprefix('# ')}]({link}/README.md)"
    parts = "\n".join(lines[1:]).strip("\n").split("\n\n")
    parts = parts[:next((i for i, part in enumerate(parts) if part.startswith("## ")), len(parts))]
    claim = parts[0].replace("**", "")
    table = next((part for part in parts if part.startswith("|")), "")
    commands = [line.strip() for part in parts if part.startswith("    ") for line in part.split("\n")]
    shown = "```\n" + "\n".join(commands) + "\n```" if commands else ""
    # Links and images of the page are relative to its own folder.
    text = "\n\n".join(part for part in (claim, table, shown) if part)
    text = re.sub(r"\]\((?!https?://|#)([^)]+)\)", lambda match: f"]({moved(folder, match.group(1))})", text)
    return f"\n{heading}\n\n{text}\n"


def moved(folder, target):
    path = (folder / target).resolve().relative_to(ROOT)
    return f"../../../{path}"


text = HEAD + "".join(section(name) for name in ORDER)
if "--check" in sys.argv:
    if PAGE.read_text() != text:
        sys.exit(f"{PAGE.relative_to(ROOT)} is out of date: run python3 experiments/pages.py")
else:
    PAGE.write_text(text)
