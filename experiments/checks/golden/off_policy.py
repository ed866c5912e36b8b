"""Computes with PyTorch, in float64, two updates of TD3 and of Rainbow.

    python experiments/checks/golden/off_policy.py Tests/AgentsTests/Golden/off-policy.safetensors

Names are as in agents.py, under `td3` and `rainbow`. Networks and generator are those of agents.py. Needs torch and
safetensors.
"""

import copy
import math
import sys

import torch
from agents import A, B, CHOICES, HIDDEN, O, Perceptron, Random, batch, blend, golden, rounded, store
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F


def disturbed(module):
    """Returns a copy with other parameters, so that results show which of the two was used."""
    other = copy.deepcopy(module)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.copy_(rounded(parameter + 0.1 * torch.randn_like(parameter)))
    return other


def step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def trunk(module):
    return nn.ModuleDict({"trunk": module})


def td3():
    gamma, tau, rate = 0.97, 0.05, 3e-3
    actor = trunk(Perceptron(O, A, False))
    critics = nn.ModuleDict({"first": trunk(Perceptron(O + A, 1, True)), "second": trunk(Perceptron(O + A, 1, True))})
    target_actor, targets = disturbed(actor), disturbed(critics)
    store("td3.before", actor=actor, target_actor=target_actor, critics=critics, target_critics=targets)
    optimizers = [torch.optim.Adam(actor.parameters(), rate), torch.optim.Adam(critics.parameters(), rate)]
    o, a, r, d, o2 = batch("td3", rounded(torch.rand(B, A) * 2 - 1))
    random = Random(7, "actions")

    def mu(network, observation):
        return torch.tanh(network["trunk"](observation))

    def q(network, observation, action):
        return network["trunk"](torch.cat([observation, action], -1))

    # Actor and targets are updated in every second update.
    for update in (1, 2):
        noise = 0.4 * rounded(torch.tensor([[random.normal() for _ in range(A)] for _ in range(B)]))
        with torch.no_grad():
            a2 = (mu(target_actor, o2) + noise.clamp(-0.5, 0.5)).clamp(-1, 1)
            y = r + gamma * d * torch.min(q(targets["first"], o2, a2), q(targets["second"], o2, a2))
        q1, q2 = q(critics["first"], o, a), q(critics["second"], o, a)
        loss = F.mse_loss(q1, y) + F.mse_loss(q2, y)
        golden[f"td3.{update}.critic/loss"] = loss.detach()
        golden[f"td3.{update}.critic/q"] = q1.mean().detach()
        step(optimizers[1], loss)
        if update == 2:
            loss = -q(critics["first"], o, mu(actor, o)).mean()
            golden["td3.2.actor/loss"] = loss.detach()
            step(optimizers[0], loss)
            blend(target_actor, actor, tau)
            blend(targets, critics, tau)
    store("td3.after", actor=actor, target_actor=target_actor, critics=critics, target_critics=targets)


class NoisyLinear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(rounded(torch.randn(outputs, inputs) / math.sqrt(inputs)))
        self.bias = nn.Parameter(rounded(0.1 * torch.randn(outputs)))
        self.weight_sigma = nn.Parameter(rounded(0.2 * torch.rand(outputs, inputs)))
        self.bias_sigma = nn.Parameter(rounded(0.2 * torch.rand(outputs)))

    def noise(self, random):
        def draw(count):
            x = torch.tensor([random.normal() for _ in range(count)])
            return rounded(x.sign() * x.abs().sqrt())

        outputs, inputs = self.weight.shape
        return draw(inputs), draw(outputs)

    def forward(self, x, noise):
        e_in, e_out = noise
        return F.linear(x, self.weight + self.weight_sigma * torch.outer(e_out, e_in), self.bias + self.bias_sigma * e_out)


class Head(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.hidden, self.output = NoisyLinear(HIDDEN, HIDDEN), NoisyLinear(HIDDEN, outputs)

    def noise(self, random):
        return self.hidden.noise(random), self.output.noise(random)

    def forward(self, x, noise):
        return self.output(torch.relu(self.hidden(x, noise[0])), noise[1])


class Duelling(nn.Module):
    def __init__(self, atoms):
        super().__init__()
        self.trunk, self.norms = nn.Linear(O, HIDDEN), nn.ModuleList([nn.LayerNorm(HIDDEN)])
        self.advantage, self.value = Head(CHOICES * atoms), nn.ModuleList([Head(atoms)])
        with torch.no_grad():
            for module in (self.trunk, self.norms):
                for parameter in module.parameters():
                    parameter.copy_(rounded(parameter + 0.1 * torch.randn_like(parameter)))

    def noise(self, random):
        return self.advantage.noise(random), self.value[0].noise(random)

    def forward(self, o, noise):
        h = torch.relu(self.norms[0](self.trunk(o)))
        a = self.advantage(h, noise[0]).view(len(o), CHOICES, -1)
        return self.value[0](h, noise[1])[:, None] + a - a.mean(1, keepdim=True)


def rainbow():
    gamma, tau, atoms, limit = 0.9, 0.1, 11, 4.0
    network = Duelling(atoms)
    target = disturbed(network)
    store("rainbow.before", network=network, target_network=target)
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    o, a, r, d, o2 = batch("rainbow", torch.randint(CHOICES, (B, 1)).double())
    frequency = golden["rainbow.frequency"] = rounded(0.2 + 3 * torch.rand(B, 1))
    random, z = Random(7, "actions"), torch.linspace(-limit, limit, atoms)
    rows = torch.arange(B)
    for update in (1, 2):
        beta = 0.4 + 0.6 * (update - 1) / 10
        with torch.no_grad():
            picked = (network(o2, network.noise(random)).softmax(-1) @ z).argmax(1)
            p = target(o2, target.noise(random))[rows, picked].softmax(-1)
            moved = (r + gamma * d * z).clamp(-limit, limit)
            # Bellemare 2017, eq. 7
            near = (1 - (moved[:, :, None] - z).abs() / (z[1] - z[0])).clamp(0, 1)
            m = (p[:, :, None] * near).sum(1)
            weight = frequency**-beta / (frequency**-beta).max()
        logits = network(o, network.noise(random))[rows, a[:, 0].long()]
        divergence = F.kl_div(logits.log_softmax(-1), m, reduction="none").sum(-1, keepdim=True)
        loss = (weight * divergence).mean()
        golden[f"rainbow.{update}.critic/loss"] = loss.detach()
        golden[f"rainbow.{update}.critic/q"] = (logits.softmax(-1) @ z).mean().detach()
        golden[f"rainbow.priorities.{update}"] = ((divergence + 1e-6) ** 0.5).detach()
        step(optimizer, loss)
        blend(target, network, tau)
    store("rainbow.after", network=network, target_network=target)


if __name__ == "__main__":
    torch.manual_seed(12)
    golden.clear()
    td3()
    rainbow()
    save_file({name: value.float().contiguous() for name, value in golden.items()}, sys.argv[1])
    print(f"{len(golden)} tensors in {sys.argv[1]}")
