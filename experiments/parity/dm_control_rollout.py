"""Drives dm_control from a given state and prints what `pixelrl rollout` prints, to compare line by line.

    python dm_control_rollout.py cartpole-swingup --actions actions.json --state 0,3.14,0,0

Needs: pip install dm_control
"""

import argparse
import json
import sys

import numpy as np
from dm_control import suite

TASKS = {
    "cartpole-swingup": ("cartpole", "swingup"),
    "cartpole-balance": ("cartpole", "balance"),
    "cartpole-swingup-sparse": ("cartpole", "swingup_sparse"),
    "pendulum-swingup": ("pendulum", "swingup"),
}


def rollout(environment, actions, state=None):
    """Yields the start and each step as the dictionaries of `pixelrl rollout`."""
    environment.reset()
    physics = environment.physics
    if state is not None:
        with physics.reset_context():
            physics.set_state(np.asarray(state, dtype=np.float64))
    yield record(0, physics, 0.0, 1.0, "running")
    for number, action in enumerate(actions, start=1):
        step = environment.step(np.asarray(action, dtype=np.float64))
        ending = "running"
        if step.last():
            ending = "terminated" if step.discount == 0 else "truncated"
        yield record(number, physics, step.reward, step.discount, ending)
        if step.last():
            return


def record(number, physics, reward, discount, ending):
    return {
        "step": number,
        "state": physics.get_state().tolist(),
        "reward": float(reward),
        "discount": float(discount),
        "ending": ending,
    }


def load(name, seed=0):
    domain, task = TASKS[name]
    return suite.load(domain, task, task_kwargs={"random": seed})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("environment", choices=TASKS)
    parser.add_argument("--actions", required=True, help="a JSON array of action arrays")
    parser.add_argument("--state", help="positions then velocities, separated by commas")
    arguments = parser.parse_args()
    with open(arguments.actions) as file:
        actions = json.load(file)
    state = [float(x) for x in arguments.state.split(",")] if arguments.state else None
    for line in rollout(load(arguments.environment), actions, state):
        print(json.dumps(line))


if __name__ == "__main__":
    sys.exit(main())
