#!/usr/bin/env python3
"""Does the state probe order agents? Compares R² before a training with its return: python3 experiments/checks/probe/orders.py

It reads every results.json below experiments/results/ and takes the runs of a frozen encoder. A return is divided by what
the same kind of agent reaches from the true state of that task. It needs Python alone.
"""
import json
import pathlib
import statistics

RESULTS = pathlib.Path(__file__).resolve().parent.parent.parent / "results"
# Medians from the true state: experiments/results/state and tasks. Pendulum is left out: finding its reward is chance.
FROM_STATE = {
    "cartpole-swingup": 861, "mujoco-cartpole-swingup": 861, "reacher-easy": 966, "ball-in-cup-catch": 973,
    "cheetah-run": 583, "walker-walk": 942, "finger-spin": 507, "catch": 1, "cartpole-balance": 995,
}
SKIPPED = {"agents", "offline", "pairs"}  # they compare agents
# Runs of an older program, which did not record the place of the encoder: these were trained further in rounds.
ROUNDS = {("full-look", "ball-in-cup-catch"), ("full-look", "mujoco-cartpole-swingup")}


def everything(node):
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from everything(child)


def runs():
    for path in sorted(RESULTS.glob("*/results.json")):
        if path.parent.name in SKIPPED:
            continue
        nodes = list(everything(json.loads(path.read_text())))
        probes = {n["pretrain"]["autoencoder"]: n["pretrain"] for n in nodes
                  if isinstance(n.get("pretrain"), dict) and n["pretrain"].get("probe")}
        for node in nodes:
            train = node.get("train")
            if not isinstance(train, dict) or (path.parent.name, node.get("arm")) in ROUNDS:
                continue
            pretrain = node["pretrain"] if isinstance(node.get("pretrain"), dict) else probes.get(train.get("autoencoder"))
            if not pretrain or not pretrain.get("probe") or train.get("encoder", "frozen") != "frozen":
                continue
            task = pretrain["environment"]
            if task in FROM_STATE:
                yield task, pretrain, train["return_mean"] / FROM_STATE[task]


def ranks(values):
    order = sorted(values)
    return [(order.index(v) + len(order) - 1 - order[::-1].index(v)) / 2 for v in values]


def spearman(x, y):
    return statistics.correlation(ranks(x), ranks(y))


def measures(pretrain):
    probe = pretrain["probe"]
    positions = [r for name, r in probe.items() if "velocity" not in name and not name.startswith("touch")]
    return {
        "least R²": min(probe.values()), "least R² of a position": min(positions),
        "median R²": statistics.median(probe.values()), "median R² of positions": statistics.median(positions),
        "mean R², at least 0": statistics.mean(max(0, r) for r in probe.values()),
        "PSNR on moving pixels": pretrain["psnr_moving"],
    }


rows = [(task, measures(pretrain), reached) for task, pretrain, reached in runs()]
print(f"{len(rows)} runs with a frozen encoder\n\n| measure | rank correlation with the return |\n|---|---|")
for name in rows[0][1]:
    print(f"| {name} | {spearman([m[name] for _, m, _ in rows], [r for *_, r in rows]):.2f} |")
print("\n| least R² | runs | reach 90 % of the true state's return |\n|---|---|---|")
for low, high in [(-9, 0.3), (0.3, 0.6), (0.6, 0.9), (0.9, 0.95), (0.95, 1.01)]:
    reached = [r for _, m, r in rows if low <= m["least R²"] < high]
    print(f"| {max(low, -9)} to {high} | {len(reached)} | {sum(r >= 0.9 for r in reached)} |")
print("\n| task | runs | least R², median R² | return, fraction of the true state's |\n|---|---|---|---|")
for task in sorted({task for task, *_ in rows}):
    own = [(m, r) for t, m, r in rows if t == task]
    least, middle = (statistics.median(m[k] for m, _ in own) for k in ("least R²", "median R²"))
    print(f"| `{task}` | {len(own)} | {least:.2f}, {middle:.2f} | {statistics.median(r for _, r in own):.2f} |")
