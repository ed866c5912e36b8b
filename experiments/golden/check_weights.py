"""Loads a network's weights into the same network in PyTorch and compares outputs: exit status 0 if they agree to 1e-5.

    python experiments/golden/check_weights.py FILE

FILE holds a perceptron's `state_dict` under `network.`, its input as `x` and its output as `y`.
Needs torch and safetensors.
"""

import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

tensors = load_file(sys.argv[1])
with safe_open(sys.argv[1], framework="pt") as file:
    print("metadata:", file.metadata())
state = {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
shapes = [value.shape for name, value in state.items() if name.startswith("layers.") and name.endswith(".weight")]


class Perceptron(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(i, o) for o, i in shapes)
        self.norms = nn.ModuleList(nn.LayerNorm(o) for o, _ in shapes[:-1] if "norms.0.weight" in state)

    def forward(self, x):
        for index, layer in enumerate(self.layers[:-1]):
            x = layer(x)
            x = torch.relu(self.norms[index](x) if self.norms else x)
        return self.layers[-1](x)


network = Perceptron()
network.load_state_dict(state)
difference = (network(tensors["x"]) - tensors["y"]).abs().max().item()
print("largest difference:", difference)
sys.exit(0 if difference < 1e-5 else 1)
