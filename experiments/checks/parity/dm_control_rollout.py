"""Drives dm_control from a given state and prints what `pixelrl rollout` prints, to compare line by line.

    python dm_control_rollout.py cartpole-swingup --actions actions.json --state 0,3.14,0,0

Needs: pip install dm_control 'mujoco<4'
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
    "cartpole-balance-sparse": ("cartpole", "balance_sparse"),
}

# The tasks on MuJoCo's physics, for which pixelrl needs the trait MuJoCo.
SUITE = {
    "reacher-easy": ("reacher", "easy"),
    "reacher-hard": ("reacher", "hard"),
    "ball-in-cup-catch": ("ball_in_cup", "catch"),
    "cheetah-run": ("cheetah", "run"),
    "walker-stand": ("walker", "stand"),
    "walker-walk": ("walker", "walk"),
    "walker-run": ("walker", "run"),
    "finger-spin": ("finger", "spin"),
    "finger-turn-easy": ("finger", "turn_easy"),
    "finger-turn-hard": ("finger", "turn_hard"),
    "hopper-stand": ("hopper", "stand"),
    "hopper-hop": ("hopper", "hop"),
    "acrobot-swingup": ("acrobot", "swingup"),
    "acrobot-swingup-sparse": ("acrobot", "swingup_sparse"),
    "point-mass-easy": ("point_mass", "easy"),
    "humanoid-stand": ("humanoid", "stand"),
    "humanoid-walk": ("humanoid", "walk"),
    "humanoid-run": ("humanoid", "run"),
    "fish-upright": ("fish", "upright"),
    "fish-swim": ("fish", "swim"),
    "swimmer-6": ("swimmer", "swimmer6"),
    "swimmer-15": ("swimmer", "swimmer15"),
    "quadruped-walk": ("quadruped", "walk"),
    "quadruped-run": ("quadruped", "run"),
    "manipulator-bring-ball": ("manipulator", "bring_ball"),
}

# What a task places in each episode: an array of the model, a name in it, and the indices of its values.
PLACED = {
    "reacher": [("geom_pos", "target", [0, 1])],
    "finger-turn": [("site_pos", "target", [0, 2])],
    "fish-swim": [("geom_pos", "target", [0, 1, 2])],
    "swimmer": [("geom_pos", "target", [0, 1])],
    "manipulator": [("body_pos", "target_ball", [0, 2]), ("body_quat", "target_ball", [0, 2])],
}


def placed(name):
    return next((places for start, places in PLACED.items() if name.startswith(start)), [])


def full_state(name, physics):
    """A state of pixelrl: positions, velocities, states of the actuators, and what the task has placed."""
    state = physics.get_state().tolist()
    for array, element, axes in placed(name):
        state += getattr(physics.named.model, array)[element][axes].tolist()
    return state


def set_full_state(name, physics, state):
    """Sets dm_control to a state of pixelrl, as at the start of an episode."""
    size = physics.get_state().size
    with physics.reset_context():
        physics.set_state(np.asarray(state[:size], dtype=np.float64))
        at = size
        for array, element, axes in placed(name):
            for axis in axes:
                getattr(physics.named.model, array)[element, axis] = state[at]
                at += 1


def observation(step):
    """The observation of the true state, as one list."""
    return np.concatenate([np.ravel(part) for part in step.observation.values()]).tolist()


def rollout(environment, actions, state=None, name=""):
    """Yields the start and each step as the dictionaries of `pixelrl rollout`."""
    environment.reset()
    physics = environment.physics
    if state is not None:
        set_full_state(name, physics, state)
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
    domain, task = (TASKS | SUITE)[name]
    return suite.load(domain, task, task_kwargs={"random": seed})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("environment", choices=TASKS | SUITE)
    parser.add_argument("--actions", required=True, help="a JSON array of action arrays")
    parser.add_argument("--state", help="positions then velocities, separated by commas")
    arguments = parser.parse_args()
    with open(arguments.actions) as file:
        actions = json.load(file)
    state = [float(x) for x in arguments.state.split(",")] if arguments.state else None
    for line in rollout(load(arguments.environment), actions, state, arguments.environment):
        print(json.dumps(line))


if __name__ == "__main__":
    sys.exit(main())
