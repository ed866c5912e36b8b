"""Computes with PyTorch, in float64, two updates of SAC and of double DQN.

    python experiments/checks/golden/agents.py Tests/AgentsTests/Golden/agents.safetensors

Names are `sac.before.NAME` and `sac.after.NAME` for the agent's parameters, `sac.observation` and so on for the batch, and
`sac.N.METRIC` for the metrics of update N; the same with `dqn`. The noise of the actions is from the program's own
generator, Core's `Seed(7).stream("actions")`. Written as float32. Needs torch and safetensors.
"""

import copy
import math
import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

torch.manual_seed(11)
torch.set_default_dtype(torch.float64)
golden = {}
B, O, A, HIDDEN, CHOICES = 16, 7, 2, 12, 4
MASK = (1 << 64) - 1


class Random:
    """Core's generator: SplitMix64 seeds xoshiro256++, normal numbers by Marsaglia's polar method."""

    def __init__(self, seed, stream):
        hash = 0xCBF29CE484222325
        for byte in stream.encode():
            hash = (hash ^ byte) * 0x100000001B3 & MASK
        self.mixer = seed ^ hash
        self.mixer = self.mixed()
        self.state = [self.mixed() for _ in range(4)]

    def mixed(self):
        self.mixer = self.mixer + 0x9E3779B97F4A7C15 & MASK
        z = self.mixer
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        return z ^ z >> 31

    def next(self):
        def rotated(word, bits):
            return (word << bits | word >> 64 - bits) & MASK

        s0, s1, s2, s3 = self.state
        result = rotated(s0 + s3 & MASK, 23) + s0 & MASK
        shifted = s1 << 17 & MASK
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        self.state = [s0, s1, s2, rotated(s3, 45)]
        return result

    def uniform(self):
        return (self.next() >> 11) * 2.0**-53

    def integer(self, count):
        """A whole number in 0 ..< count, without bias (Lemire 2019)."""
        product = self.next() * count
        while product & MASK < (1 << 64) % count:
            product = self.next() * count
        return product >> 64

    def normal(self):
        while True:
            u, v = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            squared = u * u + v * v
            if 0 < squared < 1:
                return u * math.sqrt(-2 * math.log(squared) / squared)


def rounded(x):
    """Rounds to float32, so that both sides start from the same values."""
    return x.float().double()


class Perceptron(nn.Module):
    def __init__(self, inputs, outputs, layer_norm):
        super().__init__()
        sizes = [inputs, HIDDEN, HIDDEN, outputs]
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))
        self.norms = nn.ModuleList(nn.LayerNorm(HIDDEN) for _ in range(2 if layer_norm else 0))
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(rounded(parameter + 0.1 * torch.randn_like(parameter)))

    def forward(self, x):
        for index, layer in enumerate(self.layers[:-1]):
            x = layer(x)
            x = torch.relu(self.norms[index](x) if len(self.norms) else x)
        return self.layers[-1](x)


def blend(target, source, tau):
    with torch.no_grad():
        for t, s in zip(target.parameters(), source.parameters()):
            t.mul_(1 - tau).add_(tau * s)


def store(name, **modules):
    for part, module in modules.items():
        for key, value in module.named_parameters() if isinstance(module, nn.Module) else [("", module)]:
            golden[f"{name}.{part}.{key}".rstrip(".")] = value.detach().clone()


def batch(name, action):
    values = {
        "observation": rounded(torch.randn(B, O)),
        "action": action,
        "reward": rounded(torch.randn(B, 1)),
        "discount": (torch.arange(B)[:, None] % 4 != 0).double(),
        "next_observation": rounded(torch.randn(B, O)),
    }
    for key, value in values.items():
        golden[f"{name}.{key}"] = value
    return values.values()


def sac():
    gamma, tau, rate = 0.97, 0.05, 3e-3
    actor = Perceptron(O, 2 * A, False)
    critics = nn.ModuleDict({"first": Perceptron(O + A, 1, True), "second": Perceptron(O + A, 1, True)})
    targets = copy.deepcopy(critics)
    average = copy.deepcopy(actor)
    with torch.no_grad():
        for parameter in targets.parameters():
            parameter.copy_(rounded(parameter + 0.1 * torch.randn_like(parameter)))
    log_alpha = rounded(torch.tensor(math.log(0.2))).requires_grad_()
    store(
        "sac.before", actor=nn.ModuleDict({"trunk": actor}), average_actor=nn.ModuleDict({"trunk": average}),
        critics=critics, target_critics=targets)
    golden["sac.before.temperature.log_alpha"] = log_alpha.detach().clone()
    optimizers = [
        torch.optim.Adam(actor.parameters(), rate),
        torch.optim.Adam(critics.parameters(), rate),
        torch.optim.Adam([log_alpha], 1e-2, betas=(0.5, 0.999)),
    ]
    o, a, r, d, o2 = batch("sac", rounded(torch.rand(B, A) * 2 - 1))
    random = Random(7, "actions")

    def sample(observation):
        noise = rounded(torch.tensor([[random.normal() for _ in range(A)] for _ in range(B)]))
        mean, raw = actor(observation).chunk(2, -1)
        sigma = torch.exp(-5 + 7 * (torch.tanh(raw) + 1) / 2)
        normal = torch.distributions.Normal(mean, sigma)
        u = mean + sigma * noise
        log_slope = 2 * (math.log(2) - u - F.softplus(-2 * u))
        return torch.tanh(u), (normal.log_prob(u) - log_slope).sum(-1, keepdim=True)

    def least(networks, observation, action):
        both = torch.cat([observation, action], -1)
        return torch.min(networks["first"](both), networks["second"](both))

    def step(optimizer, loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    # The actor is updated in every second update.
    for update in (1, 2):
        alpha = log_alpha.exp().detach()
        with torch.no_grad():
            a2, log_pi2 = sample(o2)
            y = r + gamma * d * (least(targets, o2, a2) - alpha * log_pi2)
        both = torch.cat([o, a], -1)
        q1, q2 = critics["first"](both), critics["second"](both)
        critic_loss = F.mse_loss(q1, y) + F.mse_loss(q2, y)
        golden[f"sac.{update}.critic/loss"] = critic_loss.detach()
        golden[f"sac.{update}.critic/q"] = q1.mean().detach()
        step(optimizers[1], critic_loss)
        blend(targets, critics, tau)
        if update == 2:
            pi, log_pi = sample(o)
            actor_loss = (alpha * log_pi - least(critics, o, pi)).mean()
            step(optimizers[0], actor_loss)
            blend(average, actor, 0.05)
            target_entropy = -A
            step(optimizers[2], (-log_alpha.exp() * (log_pi.detach() + target_entropy)).mean())
            golden["sac.2.actor/loss"] = actor_loss.detach()
            golden["sac.2.actor/entropy"] = -log_pi.mean().detach()
            golden["sac.2.temperature"] = alpha
    store(
        "sac.after", actor=nn.ModuleDict({"trunk": actor}), average_actor=nn.ModuleDict({"trunk": average}),
        critics=critics, target_critics=targets)
    golden["sac.after.temperature.log_alpha"] = log_alpha.detach().clone()


def dqn():
    gamma, tau = 0.9, 0.1
    network, target = Perceptron(O, CHOICES, True), Perceptron(O, CHOICES, True)
    store("dqn.before", network=network, target_network=target)
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    o, a, r, d, o2 = batch("dqn", torch.randint(CHOICES, (B, 1)).double())
    for update in (1, 2):
        with torch.no_grad():
            picked = network(o2).argmax(1, keepdim=True)
            y = r + gamma * d * target(o2).gather(1, picked)
        q = network(o).gather(1, a.long())
        loss = F.mse_loss(q, y)
        golden[f"dqn.{update}.critic/loss"] = loss.detach()
        golden[f"dqn.{update}.critic/q"] = q.mean().detach()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        blend(target, network, tau)
    store("dqn.after", network=network, target_network=target)


if __name__ == "__main__":
    sac()
    dqn()
    save_file({name: value.float().contiguous() for name, value in golden.items()}, sys.argv[1])
    print(f"{len(golden)} tensors in {sys.argv[1]}")
