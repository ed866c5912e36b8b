"""Stable-Baselines3's SAC on pixelrl's latents of cartpole-swingup: python sb3.py AUTOENCODER SEED"""

import sys
import time

import gymnasium
import numpy
import pixelrl_gymnasium
import torch
from stable_baselines3 import SAC

torch.set_num_threads(1)
folder, seed = sys.argv[1], int(sys.argv[2])
make = lambda: gymnasium.make("pixelrl/cartpole-swingup-v0", observe="latent", autoencoder=folder, action_repeat=8)
env, begun = make(), time.time()
agent = SAC("MlpPolicy", env, learning_rate=1e-3, tau=0.01, batch_size=128, learning_starts=1250, seed=seed)
agent.learn(100_000 // 8)
minutes = (time.time() - begun) / 60
test, returns = make(), []
for episode in range(10):
    observation, _ = test.reset(seed=1000 + episode)
    score, done = 0.0, False
    while not done:
        observation, reward, terminated, truncated, _ = test.step(agent.predict(observation, deterministic=True)[0])
        score, done = score + reward, terminated or truncated
    returns.append(score)
print(f"seed {seed}: return {numpy.mean(returns):.0f} in {minutes:.1f} minutes")
