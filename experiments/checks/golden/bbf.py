"""Computes with PyTorch, in float64, four updates of Rainbow with the settings of BBF and a reset after the second.

    python experiments/checks/golden/bbf.py Tests/AgentsTests/Golden/bbf.safetensors

Names are as in agents.py, under `bbf`; `bbf.actions` are the best actions after the last update. Needs torch and
safetensors.
"""

import math
import sys

import torch
from agents import B, CHOICES, HIDDEN, O, Random, batch, blend, golden, rounded, store
from off_policy import Duelling, disturbed, step
from safetensors.torch import save_file
from torch.nn import functional as F

ATOMS, LIMIT, TAU, RATE, DECAY, EPSILON = 11, 4.0, 0.1, 2e-3, 0.1, 1.5e-4
PERIOD, ANNEALING, FIRST_GAMMA, GAMMA = 2, 4, 0.8, 0.95


class Network(Duelling):
    """Without noise the standard deviations of the weights are not used."""

    def __init__(self):
        super().__init__(ATOMS)
        self.z = torch.linspace(-LIMIT, LIMIT, ATOMS)

    def forward(self, o):
        h = torch.relu(self.norms[0](self.trunk(o)))

        def head(layers):
            hidden = F.linear(h, layers.hidden.weight, layers.hidden.bias)
            return F.linear(torch.relu(hidden), layers.output.weight, layers.output.bias)

        a = head(self.advantage).view(len(o), CHOICES, -1)
        return head(self.value[0])[:, None] + a - a.mean(1, keepdim=True)

    def best(self, o):
        return (self(o).softmax(-1) @ self.z).argmax(1)


def orthogonal(outputs, inputs, gain, random):
    """Rows, or columns if there are fewer of them, by Gram and Schmidt."""
    basis = []
    for row in [[random.normal() for _ in range(max(outputs, inputs))] for _ in range(min(outputs, inputs))]:
        basis.append(torch.tensor(row))
    for i, v in enumerate(basis):
        for _ in range(2):
            for earlier in basis[:i]:
                v = v - (v @ earlier) * earlier
        basis[i] = v / v.norm()
    q = torch.stack(basis)
    return rounded(gain * (q if outputs <= inputs else q.T))


def reset(network, random):
    """Fresh heads, and a trunk halfway between the old and a fresh one. Fresh biases are 0."""
    with torch.no_grad():
        fresh = orthogonal(HIDDEN, O, math.sqrt(2), random)
        network.trunk.weight.copy_((network.trunk.weight + fresh) / 2)
        network.trunk.bias.mul_(0.5)
        network.norms[0].weight.copy_((network.norms[0].weight + 1) / 2)
        network.norms[0].bias.mul_(0.5)
        for head in network.advantage, network.value[0]:
            for layer, gain in (head.hidden, math.sqrt(2)), (head.output, 1):
                layer.weight.copy_(orthogonal(*layer.weight.shape, gain, random))
                layer.bias.zero_()
                for sigma in layer.weight_sigma, layer.bias_sigma:
                    sigma.fill_(0.5 / math.sqrt(layer.weight.shape[1]))


def optimizer_of(network):
    used = [p for name, p in network.named_parameters() if not name.endswith("_sigma")]
    groups = [
        {"params": [p for p in used if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in used if p.ndim == 1], "weight_decay": 0},
    ]
    return torch.optim.AdamW(groups, RATE, eps=EPSILON)


def bbf():
    network = Network()
    target = disturbed(network)
    store("bbf.before", network=network, target_network=target)
    optimizer = optimizer_of(network)
    o, a, r, d, o2 = batch("bbf", torch.randint(CHOICES, (B, 1)).double())
    frequency = golden["bbf.frequency"] = rounded(0.2 + 3 * torch.rand(B, 1))
    random, z, rows = Random(7, "actions"), network.z, torch.arange(B)
    for update in (1, 2, 3, 4):
        age = (update - 1) % PERIOD
        gamma = 1 - (1 - FIRST_GAMMA) * ((1 - GAMMA) / (1 - FIRST_GAMMA)) ** (age / ANNEALING)
        with torch.no_grad():
            p = target(o2)[rows, network.best(o2)].softmax(-1)
            moved = (r + gamma * d * z).clamp(-LIMIT, LIMIT)
            near = (1 - (moved[:, :, None] - z).abs() / (z[1] - z[0])).clamp(0, 1)
            m = (p[:, :, None] * near).sum(1)
            weight = frequency**-0.5 / (frequency**-0.5).max()
        logits = network(o)[rows, a[:, 0].long()]
        divergence = F.kl_div(logits.log_softmax(-1), m, reduction="none").sum(-1, keepdim=True)
        loss = (weight * divergence).mean()
        golden[f"bbf.{update}.critic/loss"] = loss.detach()
        golden[f"bbf.{update}.critic/q"] = (logits.softmax(-1) @ z).mean().detach()
        golden[f"bbf.priorities.{update}"] = ((divergence + 1e-6) ** 0.5).detach()
        step(optimizer, loss)
        blend(target, network, TAU)
        if update == PERIOD:
            reset(network, random)
            reset(target, random)
            optimizer = optimizer_of(network)
    golden["bbf.actions"] = target.best(o).double()[:, None]
    print("best actions of both networks:", target.best(o).tolist(), network.best(o).tolist())
    store("bbf.after", network=network, target_network=target)


if __name__ == "__main__":
    torch.manual_seed(13)
    golden.clear()
    bbf()
    save_file({name: value.float().contiguous() for name, value in golden.items()}, sys.argv[1])
    print(f"{len(golden)} tensors in {sys.argv[1]}")
