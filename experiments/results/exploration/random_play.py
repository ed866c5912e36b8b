"""Measures how often random play finds a reward, depending on how long actions are held and how extreme they are.

    python3 experiments/results/exploration/random_play.py (needs NumPy)

Runs many whole episodes of pendulum-swingup (250 agent steps) and cartpole-swingup-sparse (125) at once. The rail's soft
stops are hard walls here. At each step without a hold, a new action is drawn; with probability `chance` it is held.
"""
import numpy as np

random = np.random.default_rng(0)
EPISODES = 3000


def actions(limit, extreme, chance=1.0):
    action, left = np.zeros(EPISODES), np.zeros(EPISODES, int)
    while True:
        drawn = random.uniform(-1, 1, EPISODES)
        hold = random.random(EPISODES) < chance
        drawn = np.where(hold & extreme, np.sign(drawn), drawn)
        length = np.where(hold, random.integers(1, limit + 1, EPISODES), 1)
        action = np.where(left == 0, drawn, action)
        left = np.where(left == 0, length, left) - 1
        yield action


def pendulum(policy):
    angle, speed = random.uniform(-np.pi, np.pi, EPISODES), np.zeros(EPISODES)
    reward, inertia = np.zeros(EPISODES), 0.25 + 0.4 * 0.05**2
    for _ in range(250):
        torque = next(policy)
        for _ in range(4):
            speed += 0.02 * (torque + 9.81 * 0.5 * np.sin(angle) - 0.1 * speed) / (inertia + 0.002)
            angle += 0.02 * speed
            reward += np.cos(angle) > np.cos(np.radians(8))
    return reward


def cartpole(policy):
    x, dx, dangle = (0.01 * random.normal(size=EPISODES) for _ in range(3))
    angle = np.pi + 0.01 * random.normal(size=EPISODES)
    reward, ml, inertia, mass = np.zeros(EPISODES), 0.05, 0.0333, 1.1
    for _ in range(125):
        force = 10 * next(policy)
        for _ in range(8):
            m12 = ml * np.cos(angle)
            f1, f2 = force + ml * dangle**2 * np.sin(angle), ml * 9.81 * np.sin(angle)
            determinant = mass * inertia - m12**2
            dx = np.where((np.abs(x) > 1.8) & (x * dx > 0), 0, dx)
            dx = dx + 0.01 * (inertia * f1 - m12 * f2) / determinant
            dangle = dangle + 0.01 * (mass * f2 - m12 * f1) / determinant
            x, angle = np.clip(x + 0.01 * dx, -1.85, 1.85), angle + 0.01 * dangle
            reward += (np.cos(angle) > 0.995) & (np.abs(x) < 0.25)
    return reward


print("| actions | pendulum: episodes with a reward, mean return | sparse cart-pole: the same |\n|---|---|---|")
for name, *policy in [
    ("drawn at every step", 1, False), ("the same, extreme", 1, True), ("held for up to 8", 8, False),
    ("held for up to 16", 16, False), ("extreme, held for up to 8", 8, True), ("extreme, held for up to 16", 16, True),
    ("extreme, up to 16, chance 0.2", 16, True, 0.2), ("extreme, up to 16, chance 0.05", 16, True, 0.05)]:
    cells = [f"{np.mean(r > 0):.1%}, {np.mean(r):.2f}" for r in (pendulum(actions(*policy)), cartpole(actions(*policy)))]
    print(f"| {name} | {cells[0]} | {cells[1]} |", flush=True)
