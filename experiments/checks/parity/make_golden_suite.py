"""Writes the golden trajectories of the tasks on MuJoCo's physics: dm_control's results for its own starts and random actions.

    python make_golden_suite.py > ../../../Tests/EnvironmentsTests/Golden/suite.json

Each case: environment, start, actions [T][A], rewards [T], and the state and the observation after the last of them.
Needs: pip install dm_control 'mujoco<4'
"""

import json

import numpy as np
from dm_control_rollout import SUITE, full_state, load, observation, set_full_state

STEPS = 10


def main():
    cases = []
    for number, name in enumerate(SUITE):
        random = np.random.RandomState(number)
        environment = load(name, seed=number)
        environment.reset()
        start = full_state(name, environment.physics)
        # As in pixelrl: without the warm start of the steps that dm_control made to reach its start.
        set_full_state(name, environment.physics, start)
        spec = environment.action_spec()
        actions = np.round(random.uniform(spec.minimum, spec.maximum, (STEPS, spec.shape[0])), 3).tolist()
        steps = [environment.step(action) for action in actions]
        cases.append({
            "environment": name,
            "start": start,
            "actions": actions,
            "rewards": [step.reward for step in steps],
            "state": environment.physics.get_state().tolist(),
            "observation": observation(steps[-1]),
        })
    # One case per line keeps diffs readable.
    print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")


if __name__ == "__main__":
    main()
