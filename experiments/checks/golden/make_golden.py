"""Writes the values and gradients that PyTorch computes for every operation of Tensors, for the tests.

    python experiments/checks/golden/make_golden.py Tests/TensorsTests/Goldens/operations.json
"""

import json
import sys

import torch
import torch.nn.functional as F

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)


def flat(tensor):
    return {"shape": list(tensor.shape), "values": [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()]}


def chain(x, w0, b0, w1, b1):
    """A strided convolution with ReLU, then a strided transposed one with output padding."""
    return F.conv_transpose2d(F.relu(F.conv2d(x, w0, b0, stride=2)), w1, b1, stride=2, output_padding=1)


def padded_chain(x, w0, b0, w1, b1):
    """A convolution with padding, then a transposed one with padding and ReLU."""
    return F.relu(F.conv_transpose2d(F.conv2d(x, w0, b0, padding=1), w1, b1, padding=1))


CASES = {
    "relu": (F.relu, [(3, 5)]),
    "exp": (torch.exp, [(3, 5)]),
    "tanh": (torch.tanh, [(3, 5)]),
    "softplus": (F.softplus, [(3, 5)]),
    "square": (torch.square, [(3, 5)]),
    "abs": (torch.abs, [(3, 5)]),
    "clamp": (lambda x: x.clamp(-0.5, 0.7), [(3, 5)]),
    "product": (lambda a, b: a * b, [(3, 5), (5,)]),
    "quotient": (lambda a, b: a / b, [(2, 3), (2, 1)]),
    "minimum": (torch.minimum, [(3, 4), (3, 4)]),
    "maximum": (torch.maximum, [(3, 4), (3, 4)]),
    "mean": (lambda x: x.mean(dim=1), [(2, 3, 4)]),
    "permute": (lambda x: x.permute(0, 3, 1, 2), [(2, 3, 2, 2)]),
    "concatenate": (lambda a, b: torch.cat([a, b], -1), [(2, 3), (2, 1)]),
    "matrixProduct": (lambda a, b: a @ b.T, [(3, 4), (2, 4)]),
    "linear": (F.linear, [(3, 4), (2, 4), (2,)]),
    "layerNorm": (lambda x, w, b: F.layer_norm(x, (11,), w, b), [(3, 11), (11,), (11,)]),
    "softmax": (lambda x: F.softmax(x, -1), [(3, 5)]),
    "logSoftmax": (lambda x: F.log_softmax(x, -1), [(3, 5)]),
    "pixelShuffle": (lambda x: F.pixel_shuffle(x, 2), [(1, 8, 2, 3)]),
    "pixelUnshuffle": (lambda x: F.pixel_unshuffle(x, 2), [(1, 2, 4, 2)]),
    "chain": (chain, [(2, 3, 8, 7), (4, 3, 3, 3), (4,), (4, 2, 3, 3), (2,)]),
    "paddedChain": (padded_chain, [(1, 2, 5, 6), (3, 2, 3, 3), (3,), (3, 2, 4, 4), (2,)]),
}

goldens = {}
for name, (function, shapes) in CASES.items():
    inputs = [torch.randn(shape, requires_grad=True) for shape in shapes]
    output = function(*inputs)
    projection = torch.randn(output.shape)
    (output * projection).sum().backward()
    goldens[name] = {
        "inputs": [flat(x) for x in inputs],
        "output": flat(output),
        "projection": flat(projection),
        "gradients": [flat(x.grad) for x in inputs],
    }

with open(sys.argv[1], "w") as file:
    lines = [f"{json.dumps(name)}: {json.dumps(golden)}" for name, golden in goldens.items()]
    file.write("{\n" + ",\n".join(lines) + "\n}\n")
