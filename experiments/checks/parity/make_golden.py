"""Writes the golden trajectories of the tests: dm_control's states and rewards for given starts and actions.

    python make_golden.py > ../../../Tests/EnvironmentsTests/Golden/dm_control.json

Each case: environment, actions [T], states [T + 1][n], rewards [T]. Needs: pip install dm_control 'mujoco<4'

MuJoCo's constraint solver stops once it gains less than `opt.tolerance`. If the cart leaves or meets a stop, the velocity
then depends on the warm start by up to 4e-6. Here the solver runs until it has converged.
"""

import json

import numpy as np
from dm_control_rollout import TASKS, load, rollout

STEPS = 50

CARTPOLE_STARTS = {
    "hanging": [0.003, 3.15, -0.004, 0.01],
    "upright": [0.05, 0.02, 0.01, -0.01],
    "fast": [-0.9, -1.2, 1.5, 6.0],
    "into the right stop": [1.7, 2.0, 2.5, -1.0],
    "into the left stop": [-1.75, 0.3, -1.0, 3.0],
    "beyond the right stop": [1.805, 1.0, 0.0, 0.0],
    "grazing the left stop": [-1.8003, 4.0, 0.005, -9.0],
}
PENDULUM_STARTS = {
    "hanging": [3.14, 0.0],
    "leaning": [-1.0, 0.0],
    "fast": [2.0, -8.0],
    "upright": [0.05, 0.1],
}


def sequences(random):
    yield "random", random.uniform(-1, 1, STEPS)
    yield "full", np.ones(STEPS)
    yield "none", np.zeros(STEPS)
    yield "bang-bang", np.where(np.arange(STEPS) // 8 % 2 == 0, -1.0, 1.0)


def main():
    random = np.random.RandomState(0)
    cases = []
    for name in TASKS:
        environment = load(name)
        environment.physics.model.opt.tolerance = 0
        starts = PENDULUM_STARTS if name.startswith("pendulum") else CARTPOLE_STARTS
        for start, state in starts.items():
            # Each start has one kind of actions, a different one in each task, to keep the file small.
            kinds = list(sequences(random))
            kind, actions = kinds[len(cases) % len(kinds)]
            lines = list(rollout(environment, [[a] for a in actions], state))
            cases.append({
                "environment": name,
                "case": f"{start}, {kind}",
                "actions": actions.tolist(),
                "states": [line["state"] for line in lines],
                "rewards": [line["reward"] for line in lines[1:]],
            })
    # One case per line keeps diffs readable.
    print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")


if __name__ == "__main__":
    main()
