"""Computes with PyTorch, in float64, two updates of behaviour cloning, TD3+BC and IQL.

    python experiments/checks/golden/offline.py Tests/AgentsTests/Golden/offline.safetensors

Names are as in agents.py, under `bc`, `td3-bc` and `iql`; `bc-choices` and `iql-choices` have discrete actions. Networks and
generator are those of agents.py. Needs torch and safetensors.
"""

import sys

import torch
from agents import A, B, CHOICES, O, Perceptron, Random, batch, blend, golden, rounded, store
from off_policy import disturbed, step, trunk
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

GAMMA, TAU, RATE = 0.97, 0.05, 3e-3


class Policy(nn.Module):
    """A Gaussian around tanh(f(o)), or a categorical distribution."""

    def __init__(self, choices=0):
        super().__init__()
        self.trunk = Perceptron(O, choices or A, False)
        if not choices:
            # a module without a layer, so that the parameter is named as in Swift
            self.log_sigma = nn.ModuleList([nn.Module()])
            self.log_sigma[0].value = nn.Parameter(rounded(0.3 * torch.randn(1, A)))

    def log_probability(self, o, a):
        if not hasattr(self, "log_sigma"):
            return torch.distributions.Categorical(logits=self.trunk(o)).log_prob(a[:, 0])[:, None]
        normal = torch.distributions.Normal(self.trunk(o).tanh(), self.log_sigma[0].value.exp())
        return normal.log_prob(a).sum(-1, keepdim=True)


def actions(choices):
    return torch.randint(choices, (B, 1)).double() if choices else rounded((torch.rand(B, A) * 2.4 - 1.2).clamp(-1, 1))


def numbers(a, choices):
    return F.one_hot(a[:, 0].long(), choices).double() if choices else a


def q(network, o, a):
    return network["trunk"](torch.cat([o, a], -1))


def twins(actions):
    return nn.ModuleDict({name: trunk(Perceptron(O + actions, 1, True)) for name in ("first", "second")})


def least(critics, o, a):
    return torch.min(q(critics["first"], o, a), q(critics["second"], o, a))


def cloning(name, choices=0):
    actor, critic = Policy(choices), Perceptron(O, 1, True)
    target = disturbed(critic)
    store(f"{name}.before", actor=actor, critic=critic, target_critic=target)
    optimizers = [torch.optim.Adam(module.parameters(), RATE) for module in (actor, critic)]
    o, a, r, d, o2 = batch(name, actions(choices))
    for update in (1, 2):
        loss = -actor.log_probability(o, a).mean()
        golden[f"{name}.{update}.actor/loss"] = loss.detach()
        step(optimizers[0], loss)
        with torch.no_grad():
            y = r + GAMMA * d * target(o2)
        loss = F.mse_loss(critic(o), y)
        golden[f"{name}.{update}.critic/loss"] = loss.detach()
        step(optimizers[1], loss)
        blend(target, critic, TAU)
    store(f"{name}.after", actor=actor, critic=critic, target_critic=target)


def td3_bc():
    actor, critics = trunk(Perceptron(O, A, False)), twins(A)
    target_actor, targets = disturbed(actor), disturbed(critics)
    store("td3-bc.before", actor=actor, target_actor=target_actor, critics=critics, target_critics=targets)
    optimizers = [torch.optim.Adam(module.parameters(), RATE) for module in (actor, critics)]
    o, a, r, d, o2 = batch("td3-bc", actions(0))
    random = Random(7, "actions")

    def mu(network, observation):
        return torch.tanh(network["trunk"](observation))

    for update in (1, 2):
        noise = 0.4 * rounded(torch.tensor([[random.normal() for _ in range(A)] for _ in range(B)]))
        with torch.no_grad():
            y = r + GAMMA * d * least(targets, o2, (mu(target_actor, o2) + noise.clamp(-0.5, 0.5)).clamp(-1, 1))
        loss = F.mse_loss(q(critics["first"], o, a), y) + F.mse_loss(q(critics["second"], o, a), y)
        golden[f"td3-bc.{update}.critic/loss"] = loss.detach()
        step(optimizers[1], loss)
        if update == 2:
            value = q(critics["first"], o, mu(actor, o))
            distance = F.mse_loss(mu(actor, o), a)
            loss = distance - 1.5 / value.abs().mean().detach() * value.mean()
            golden["td3-bc.2.actor/loss"] = loss.detach()
            golden["td3-bc.2.actor/distance"] = distance.detach()
            step(optimizers[0], loss)
            blend(target_actor, actor, TAU)
            blend(targets, critics, TAU)
    store("td3-bc.after", actor=actor, target_actor=target_actor, critics=critics, target_critics=targets)


def iql(name, choices=0):
    expectile, beta, limit = 0.8, 2.0, 3.0
    actor, critics, v = Policy(choices), twins(choices or A), Perceptron(O, 1, True)
    targets = disturbed(critics)
    parts = {"actor": actor, "critics": critics, "target_critics": targets, "state_value": v}
    store(f"{name}.before", **parts)
    optimizers = [torch.optim.Adam(module.parameters(), RATE) for module in (actor, critics, v)]
    o, a, r, d, o2 = batch(name, actions(choices))
    x = numbers(a, choices)
    for update in (1, 2):
        with torch.no_grad():
            y, best = r + GAMMA * d * v(o2), least(targets, o, x)
        loss = F.mse_loss(q(critics["first"], o, x), y) + F.mse_loss(q(critics["second"], o, x), y)
        golden[f"{name}.{update}.critic/loss"] = loss.detach()
        step(optimizers[1], loss)
        u = best - v(o)
        loss = ((expectile - (u < 0).double()).abs() * u**2).mean()
        golden[f"{name}.{update}.value/loss"] = loss.detach()
        step(optimizers[2], loss)
        with torch.no_grad():
            w = (beta * (best - v(o))).exp().clamp(max=limit)
        loss = -(w * actor.log_probability(o, a)).mean()
        golden[f"{name}.{update}.actor/loss"] = loss.detach()
        golden[f"{name}.{update}.actor/weight"] = w.mean()
        step(optimizers[0], loss)
        blend(targets, critics, TAU)
    store(f"{name}.after", **parts)


if __name__ == "__main__":
    torch.manual_seed(13)
    golden.clear()
    cloning("bc")
    cloning("bc-choices", CHOICES)
    td3_bc()
    iql("iql")
    iql("iql-choices", CHOICES)
    save_file({name: value.float().contiguous() for name, value in golden.items()}, sys.argv[1])
    print(f"{len(golden)} tensors in {sys.argv[1]}")
