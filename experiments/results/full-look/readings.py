"""Computes root mean square errors of a small network that predicts the positions of cart and pole from latents.

    pixelrl collect --env mujoco-cartpole-swingup --policy-run RUN --collect-steps 1500 --out datasets/RUN   (some runs)
    python3 experiments/results/full-look/readings.py AUTOENCODER datasets/RUN ...

AUTOENCODER is a run directory of 'pixelrl pretrain-ae' with a keypoint autoencoder, or of a training that continued to train
one. Every fourth episode is held out. 'many' trains on all others, 'few' on 300 of their frames, like an agent early in
training. For comparison, the network also reads the true positions. Needs torch, numpy and safetensors.
"""

import sys

import numpy
import torch
from safetensors.torch import load_file
from torch.nn import functional

torch.set_num_threads(2)


def encoder(folder):
    parts = load_file(f"{folder}/autoencoder.safetensors")
    mean, deviation = parts["standardization.mean"], parts["standardization.deviation"]

    def encode(frames):
        size = frames.shape[1]
        background = parts["background"].view(size, size, 3)
        x = functional.pixel_unshuffle((torch.from_numpy(frames).float() - background).permute(0, 3, 1, 2) / 255, 2)
        for layer, stride in (0, 2), (1, 1), (2, 1):
            weight, bias = (parts[f"encoder.layers.{layer}.{part}"] for part in ("weight", "bias"))
            x = functional.conv2d(x, weight, bias, stride=stride, padding=1)
            x = x if layer == 2 else torch.relu(x)
        p = torch.softmax(3 * x.flatten(2), 2).view_as(x)
        positions = torch.linspace(-1, 1, x.shape[3])
        z = torch.cat([(p.sum(2) * positions).sum(2), (p.sum(3) * positions).sum(2)], 1)
        return (z - mean) @ parts["axes.reading"].T if "axes.reading" in parts else (z - mean) / deviation

    return lambda frames: torch.cat([encode(frames[i : i + 256]) for i in range(0, len(frames), 256)])


def read(x, y, training, tested, updates):
    """Trains a network like a critic on the training rows and returns its error of each value of y on the tested rows."""
    linear, norm, relu = torch.nn.Linear, torch.nn.LayerNorm, torch.nn.ReLU
    net = torch.nn.Sequential(
        linear(x.shape[1], 256), norm(256), relu(), linear(256, 256), norm(256), relu(), linear(256, y.shape[1])
    )
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(updates):
        rows = training[torch.randint(len(training), (128,))]
        loss = (net(x[rows]) - y[rows]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return (net(x[tested]) - y[tested]).square().mean(0).sqrt()


folder, datasets = sys.argv[1], sys.argv[2:]
loaded = [[numpy.load(f"{path}/{part}.npy") for part in ("frames", "states", "episodes")] for path in datasets]
frames, states, episodes = (numpy.concatenate(parts) for parts in zip(*loaded))
y = torch.from_numpy(states[:, :3]).float()
inView = torch.from_numpy(numpy.abs(states[:, 0]) < 1)
held = torch.from_numpy(episodes % 4 == 0)
training, tested = ((chosen & inView).nonzero()[:, 0] for chosen in (~held, held))
with torch.no_grad():
    latents = encoder(folder)(frames)
print(f"{len(training)} training and {len(tested)} test frames with the cart in view; latents of size {latents.shape[1]}")
for name, x in {"latents": latents, "true positions": y}.items():
    for amount, count, updates in ("many", len(training), 3000), ("few", 300, 400):
        errors = []
        for seed in range(3):
            torch.manual_seed(seed)
            errors.append(read(x, y, training[torch.randperm(len(training))[:count]], tested, updates))
        print(f"{name + ', ' + amount:32s} x, cos, sin", *(f"{error:.4f}" for error in sum(errors) / 3))
