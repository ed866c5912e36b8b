"""Compares `pixelrl rollout` with dm_control from random starts, and prints the largest differences.

    python compare.py ../../../.build/release/pixelrl --rollouts 20

Half of the rollouts use the suite's own start states, half start anywhere on the rail. With `--converged`, MuJoCo's
constraint solver runs to convergence (see make_golden.py). Exits with 1 when a difference exceeds `--tolerance`.
Needs: pip install dm_control 'mujoco<4'
"""

import argparse
import json
import subprocess
import sys
import tempfile

import numpy as np
from dm_control_rollout import TASKS, load, rollout


def ours(program, name, actions, state):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(actions, file)
        file.flush()
        command = [*program, "rollout", name, "--actions", file.name]
        # One word, so that a state that begins with a minus sign is not read as a flag.
        command.append("--state=" + ",".join(repr(float(x)) for x in state))
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def start(environment, number, random):
    environment.reset()
    state = environment.physics.get_state().copy()
    if number % 2 == 1:
        state = random.uniform(-1, 1, state.size) * ([1.8, np.pi, 2, 8] if state.size == 4 else [np.pi, 8])
    return state.tolist()


def actions(number, steps, random):
    kinds = [
        lambda: random.uniform(-1, 1, steps),
        lambda: np.repeat(random.uniform(-1, 1, steps // 8 + 1), 8)[:steps],
        lambda: np.full(steps, random.uniform(-1, 1)),
        lambda: np.sign(random.uniform(-1, 1, steps)),
    ]
    return [[float(a)] for a in kinds[number // 2 % len(kinds)]()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", nargs="+", help="the pixelrl program")
    parser.add_argument("--rollouts", type=int, default=40, help="rollouts of each task")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--tolerance", type=float, default=1e-6)
    parser.add_argument("--converged", action="store_true")
    arguments = parser.parse_args()
    failed = False
    for name in TASKS:
        random = np.random.RandomState(1)
        environment = load(name)
        if arguments.converged:
            environment.physics.model.opt.tolerance = 0
        worst = {"free": [0.0, 0.0], "at a stop": [0.0, 0.0]}
        for number in range(arguments.rollouts):
            state = start(environment, number, random)
            sequence = actions(number, arguments.steps, random)
            theirs = list(rollout(environment, sequence, state))
            mine = ours(arguments.program, name, sequence, state)
            assert len(mine) == len(theirs), f"{name}: {len(mine)} lines, not {len(theirs)}"
            at_stop = name.startswith("cartpole") and max(abs(line["state"][0]) for line in theirs) > 1.8
            kept = worst["at a stop" if at_stop else "free"]
            for a, b in zip(mine, theirs):
                assert (a["step"], a["ending"], a["discount"]) == (b["step"], b["ending"], b["discount"]), (a, b)
                kept[0] = max(kept[0], np.abs(np.subtract(a["state"], b["state"])).max())
                kept[1] = max(kept[1], abs(a["reward"] - b["reward"]))
        for where, (of_state, of_reward) in worst.items():
            print(f"{name:26} {where:10} largest difference: state {of_state:.1e}, reward {of_reward:.1e}")
            failed |= max(of_state, of_reward) > arguments.tolerance
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
