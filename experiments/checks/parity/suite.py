"""Compares the tasks on MuJoCo's physics with dm_control.

    python suite.py ../../../.build/release/pixelrl

From start states of the suite, under random, held and full actions:

- reward: the suite's reward of each state that pixelrl visits, and pixelrl's. The same to 1e-9 on all tasks.
- one step: dm_control repeats each of pixelrl's steps from the same state, with the same warm start of the solver.
- the whole way: both run from the same start.

With the same version of MuJoCo on both sides, the tolerance is 1e-12. A pixelrl with Debian's MuJoCo 2.2 (`make parity
MUJOCO=system`) has other physics, whose differences grow with the chaos of the motion: see TOLERANCES. With
`--converged`, dm_control's constraint solver runs until it has converged, not until it gains less than 1e-8.
Exits with 1 if a figure exceeds its task's tolerance. Needs: make peers
"""

import argparse
import json
import subprocess
import sys
import tempfile

import mujoco
import numpy as np
from dm_control_rollout import SUITE, full_state, load, rollout, set_full_state

# The tolerance of a state after one step and on the way: (one step, way).
SAME_VERSION = (1e-12, 1e-12)
# With MuJoCo 2.2, over 50 steps.
DEFAULT = (1e-5, 1e-7)
# Many joints at their limits at once: the constraint solvers stop at different iterations.
TOLERANCES = {"swimmer-6": (1e-3, 1e-3), "swimmer-15": (1e-3, 1e-2)}


def ours(program, name, actions, state):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(actions, file)
        file.flush()
        command = [program, "rollout", name, "--actions", file.name]
        command.append("--state=" + ",".join(repr(float(x)) for x in state))
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in output.splitlines()]


def version(program):
    """Returns the version of MuJoCo that pixelrl uses."""
    output = subprocess.run([program, "envs", "--json"], capture_output=True, text=True, check=True).stdout
    return json.loads(output.splitlines()[-1])["mujoco"]


def actions(number, steps, spec, random):
    low, high = spec.minimum, spec.maximum
    one = random.uniform(low, high)
    kinds = [
        lambda: random.uniform(low, high, (steps, low.size)),
        lambda: np.repeat(random.uniform(low, high, (steps // 8 + 1, low.size)), 8, axis=0)[:steps],
        lambda: np.tile(one, (steps, 1)),
        lambda: np.where(random.uniform(size=(steps, low.size)) < 0.5, low, high),
    ]
    return kinds[number % len(kinds)]().tolist()


def reward_of(environment, name, state, action):
    """The suite's reward of a state that an action led to."""
    physics = environment.physics
    set_full_state(name, physics, state)
    physics.set_control(action)
    return float(environment.task.get_reward(physics))


def compare(program, name, rollouts, steps, converged):
    """Returns the largest differences: of rewards of the same state, of states after one step and after all steps, and of
    rewards along the way."""
    random = np.random.RandomState(1)
    environment = load(name)
    if converged:
        environment.physics.model.opt.tolerance = 0
    size = environment.physics.get_state().size
    worst = {"reward": 0.0, "one step": 0.0, "median step": [], "states": [], "way": 0.0}
    for number in range(rollouts):
        environment.reset()
        start = full_state(name, environment.physics)
        sequence = actions(number, steps, environment.action_spec(), random)
        mine = ours(program, name, sequence, start)
        theirs = list(rollout(environment, sequence, start, name))
        assert len(mine) == len(theirs), f"{name}: {len(mine)} lines, not {len(theirs)}"
        for before, line, action in zip(mine, mine[1:], sequence):
            worst["reward"] = max(worst["reward"], abs(line["reward"] - reward_of(environment, name, line["state"], action)))
            environment.reset()
            set_full_state(name, environment.physics, before["state"])
            # The last numbers of pixelrl's state.
            warm_start = environment.physics.data.qacc_warmstart
            warm_start[:] = before["state"][-warm_start.size:]
            environment.step(action)
            difference = np.abs(np.subtract(line["state"][:size], environment.physics.get_state())).max()
            worst["one step"] = max(worst["one step"], difference)
            worst["median step"].append(difference)
        ways = [np.abs(np.subtract(a["state"][:size], b["state"][:size])).max() for a, b in zip(mine, theirs)]
        worst["states"].append(max(ways))
        worst["way"] = max(worst["way"], max(abs(a["reward"] - b["reward"]) for a, b in zip(mine, theirs)))
        for a, b in zip(mine, theirs):
            assert (a["step"], a["ending"], a["discount"]) == (b["step"], b["ending"], b["discount"]), (a, b)
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the pixelrl program, built with the trait MuJoCo")
    parser.add_argument("--tasks", nargs="*", default=list(SUITE))
    parser.add_argument("--rollouts", type=int, default=8, help="rollouts of each task")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--converged", action="store_true")
    arguments = parser.parse_args()
    failed = False
    versions = version(arguments.program), mujoco.__version__
    print(f"pixelrl uses MuJoCo {versions[0]}, dm_control {versions[1]}; {arguments.rollouts} rollouts of {arguments.steps} steps\n")
    print("| task | reward of the same state | a state after one step: median, largest | on the way: median, largest | reward on the way |")
    print("|---|---|---|---|---|")
    for name in arguments.tasks:
        worst = compare(arguments.program, name, arguments.rollouts, arguments.steps, arguments.converged)
        one, all_steps = SAME_VERSION if versions[0] == versions[1] else TOLERANCES.get(name, DEFAULT)
        ok = worst["reward"] < 1e-9 and worst["one step"] < one and max(worst["states"]) < all_steps
        # On the way, the states differ too, and with them the reward.
        ok = ok and worst["way"] < max(1e-9, all_steps)
        failed |= not ok
        print(
            f"| `{name}` | {worst['reward']:.0e} | {np.median(worst['median step']):.0e}, {worst['one step']:.0e} "
            f"| {np.median(worst['states']):.0e}, {max(worst['states']):.0e} | {worst['way']:.0e} |{'' if ok else ' FAILED'}",
            flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
