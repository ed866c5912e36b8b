"""Computes a perceptron's output in NumPy from weights with the names and layout of PyTorch's modules, and compares it.

    python experiments/checks/golden/check_weights.py FILE [--torch]

FILE has a perceptron's `state_dict` under `network.`, its input as `x` and its output as `y`. Exits with 0 if the outputs
agree to 1e-5. With --torch, PyTorch's own modules compute the output; torch must be installed.
"""

import sys

import numpy as np
from safetensors.numpy import load_file

tensors = load_file(sys.argv[1])
state = {name.removeprefix("network."): value for name, value in tensors.items() if name.startswith("network.")}
count = sum(name.startswith("layers.") and name.endswith(".weight") for name in state)
has_norms = "norms.0.weight" in state


def output(x):
    """`torch.nn.Linear` is x Wᵀ + b; `torch.nn.LayerNorm` divides by the root of the variance plus 1e-5."""
    for index in range(count):
        x = x @ state[f"layers.{index}.weight"].T + state[f"layers.{index}.bias"]
        if index == count - 1:
            return x
        if has_norms:
            x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
            x = x * state[f"norms.{index}.weight"] + state[f"norms.{index}.bias"]
        x = np.maximum(x, 0)


def torch_output(x):
    import torch
    from torch import nn

    shapes = [state[f"layers.{index}.weight"].shape for index in range(count)]

    class Perceptron(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(i, o) for o, i in shapes)
            self.norms = nn.ModuleList(nn.LayerNorm(o) for o, _ in shapes[:-1] if has_norms)

        def forward(self, x):
            for index, layer in enumerate(self.layers[:-1]):
                x = layer(x)
                x = torch.relu(self.norms[index](x) if has_norms else x)
            return self.layers[-1](x)

    network = Perceptron()
    network.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    return network(torch.from_numpy(x)).detach().numpy()


used = {f"{kind}.{i}.{part}" for kind, n in (("layers", count), ("norms", count - 1 if has_norms else 0))
        for i in range(n) for part in ("weight", "bias")}
assert used == set(state), f"unexpected or missing names of a perceptron: {sorted(used ^ set(state))}"
found = torch_output(tensors["x"]) if "--torch" in sys.argv else output(tensors["x"])
difference = np.abs(found - tensors["y"]).max()
print("largest difference:", difference)
sys.exit(0 if difference < 1e-5 else 1)
