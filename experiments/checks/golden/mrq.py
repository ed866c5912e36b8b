"""Computes with PyTorch, in float64, two bursts and four updates of MR.Q, with continuous actions and with choices.

    python experiments/checks/golden/mrq.py Tests/AgentsTests/Golden/mrq.safetensors

Names are as in agents.py, under `mrq` and `mrq-choices`; `mrq.steps.K.NAME` is step K of the segments. With a period of
two the sequence of calls is: two updates of the encoder, two of critics and policy, and the same again. `mrq.plans.T` and
`mrq.plan_values` are plans and their values after these. Needs torch and safetensors.
"""

import sys

import torch
from agents import A, B, CHOICES, O, Random, batch, golden, rounded, store
from off_policy import disturbed, step
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

HIDDEN, ACTION, BINS, HORIZON, PERIOD = 12, 64, 65, 3, 2
# The mean absolute reward of the replay buffer at each call.
SCALES = [0.7, 0.7, 0.7, 0.4, 0.9, 0.9, 0.9, 0.9]
GAMMA, CONTRAST, PLANS = 0.97, 0.1, 5


def ln(x):
    return F.layer_norm(x, (x.shape[-1],))


class Perceptron(nn.Module):
    """Linear layers, with LayerNorm without parameters and an activation between them."""

    def __init__(self, sizes, activation):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(i, o) for i, o in zip(sizes, sizes[1:])])
        self.activation = activation

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.activation(ln(layer(x)))
        return self.layers[-1](x)


class Encoder(nn.Module):
    def __init__(self, actions):
        super().__init__()
        h = HIDDEN
        self.observation = Perceptron([O, h, h, h], F.elu)
        self.action = nn.Linear(actions, ACTION)
        self.pair = Perceptron([h + ACTION, h, h, h], F.elu)
        self.model = nn.Linear(h, h + BINS + 1)

    def state(self, o):
        return F.elu(ln(self.observation(o)))

    def both(self, z, a):
        return self.pair(torch.cat([z, F.elu(self.action(a))], -1))


class Critics(nn.Module):
    def __init__(self):
        super().__init__()
        h = HIDDEN
        self.first, self.second = (Perceptron([h, h, h, h, 1], F.elu) for _ in range(2))

    def forward(self, x):
        return torch.cat([self.first(x), self.second(x)], -1)


def two_hot_loss(logits, rewards):
    x = torch.linspace(-10, 10, BINS)
    bins = x.sign() * (x.abs().exp() - 1)
    above = torch.searchsorted(bins, rewards).clamp(1, BINS - 1)
    share = (rewards - bins[above - 1]) / (bins[above] - bins[above - 1])
    code = torch.zeros(len(rewards), BINS).scatter_(1, above - 1, 1 - share).scatter_(1, above, share)
    return -(code * logits.log_softmax(-1)).sum(-1, keepdim=True)


def run(name, choices):
    actions = choices or A
    encoder, critics = Encoder(actions), Critics()
    policy = Perceptron([HIDDEN] * 3 + [actions], F.relu)
    with torch.no_grad():
        for module in (encoder, critics, policy):
            for parameter in module.parameters():
                parameter.copy_(rounded(parameter))
    targets = [disturbed(module) for module in (encoder, policy, critics)]

    def stored(when, scale, target_scale):
        store(f"{name}.{when}", encoder=encoder, target_encoder=targets[0], policy=policy, target_policy=targets[1],
              critics=critics, target_critics=targets[2], reward_scale=torch.tensor([scale]),
              target_reward_scale=torch.tensor([target_scale]))

    stored("before", 0.0, 0.0)
    optimizers = [
        torch.optim.AdamW(module.parameters(), rate, weight_decay=decay)
        for module, rate, decay in ((encoder, 1e-3, 1e-2), (policy, 3e-3, 1e-3), (critics, 3e-3, 1e-3))]

    def draw(count):
        return torch.randint(CHOICES, (count, 1)).double() if choices else rounded(torch.rand(count, A) * 2 - 1)

    def given(a):
        return F.one_hot(a[:, 0].long(), choices).double() if choices else a

    o, a, r, d, o2 = batch(name, draw(B))
    steps, present = [], torch.ones(B, 1)
    for k in range(HORIZON):
        if k > 0:
            present = present * (torch.rand(B, 1) < 0.7)
        values = {
            "action": draw(B), "reward": rounded(2 * torch.randn(B, 1)), "discount": (torch.rand(B, 1) < 0.8).double(),
            "next_observation": rounded(torch.randn(B, O)), "is_present": present.clone()}
        steps.append(values)
        golden.update({f"{name}.steps.{k}.{key}": value for key, value in values.items()})
    random = Random(7, "actions")

    def gumbel():
        if not choices:
            return None
        uniform = torch.tensor([[1e-6 + (1 - 2e-6) * random.uniform() for _ in range(actions)] for _ in range(B)])
        return -(-rounded(uniform).log()).log()

    def act(u, noise):
        return ((u + noise) / 10).softmax(-1) if choices else torch.tanh(u)

    def learn_encoder(call):
        loss, parts = 0, {"dynamics": 0, "reward": 0, "end": 0}
        z = encoder.state(o)
        for values in steps:
            with torch.no_grad():
                target = targets[0].state(values["next_observation"])
            y = encoder.model(encoder.both(z, given(values["action"])))
            z, logits, end = y[:, :HIDDEN], y[:, HIDDEN:-1], y[:, -1:]
            m = values["is_present"]
            terms = {
                "dynamics": (m * (z - target) ** 2).mean(), "reward": (m * two_hot_loss(logits, values["reward"])).mean(),
                "end": (m * (end - (1 - values["discount"])) ** 2).mean()}
            cosines = F.normalize(z, dim=-1) @ F.normalize(target, dim=-1).T
            contrast = F.cross_entropy(cosines / 0.1, torch.arange(B), reduction="none")[:, None]
            loss = loss + terms["dynamics"] + 0.1 * terms["reward"] + 0.1 * terms["end"] + CONTRAST * (m * contrast).mean()
            parts = {key: parts[key] + terms[key].detach() for key in parts}
        golden[f"{name}.{call}.model/loss"] = loss.detach()
        golden.update({f"{name}.{call}.model/{key}": value for key, value in parts.items()})
        step(optimizers[0], loss)

    def learn_agent(call, scale, target_scale):
        choice_noise, policy_noise = gumbel(), gumbel()
        noise = 0.4 * rounded(torch.tensor([[random.normal() for _ in range(actions)] for _ in range(B)]))
        noise = noise.clamp(-0.3, 0.3)
        with torch.no_grad():
            z2 = targets[0].state(o2)
            a2 = act(targets[1](z2), choice_noise)
            a2 = F.one_hot((a2 + noise / 2).argmax(-1), actions).double() if choices else (a2 + noise).clamp(-1, 1)
            q2 = targets[2](targets[0].both(z2, a2)).min(-1, keepdim=True)[0]
            y = (r + GAMMA * d * target_scale * q2) / scale
            z = encoder.state(o)
            x = encoder.both(z, given(a))
        q = critics(x)
        loss = 2 * F.smooth_l1_loss(q, y.expand(-1, 2))
        golden[f"{name}.{call}.critic/loss"] = loss.detach()
        golden[f"{name}.{call}.critic/q"] = q.mean().detach() * scale
        golden[f"{name}.priorities.{call}"] = (q - y).abs().max(-1, keepdim=True)[0].clamp(min=1).pow(0.4).detach()
        optimizers[2].zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(critics.parameters(), 0.5, error_if_nonfinite=True)
        optimizers[2].step()
        u = policy(z)
        loss = 1e-2 * (u**2).mean() - critics(encoder.both(z, act(u, policy_noise))).mean()
        golden[f"{name}.{call}.actor/loss"] = loss.detach()
        step(optimizers[1], loss)

    scale, target_scale, updates = 0.0, 0.0, 0
    for call, mean in enumerate(SCALES, 1):
        if (call - 1) % (2 * PERIOD) < PERIOD:
            learn_encoder(call)
            continue
        scale = scale or mean
        learn_agent(call, scale, target_scale)
        updates += 1
        if updates % PERIOD == 0:
            for target, module in zip(targets, (encoder, policy, critics)):
                target.load_state_dict(module.state_dict())
            scale, target_scale = mean, scale
    stored("after", scale, target_scale)
    if not choices:
        value_plans(name, encoder, policy, critics, o[:PLANS], scale)


def value_plans(name, encoder, policy, critics, o, scale):
    """The values of plans of three actions, one from each observation, in units of the reward scale."""
    generator = torch.Generator().manual_seed(17)
    exponents = torch.linspace(-10, 10, BINS)
    with torch.no_grad():
        z, total, weight = encoder.state(o), torch.zeros(PLANS, 1), torch.ones(PLANS, 1)
        for t in range(3):
            a = rounded(torch.rand(PLANS, A, generator=generator) * 2 - 1)
            golden[f"{name}.plans.{t}"] = a
            y = encoder.model(encoder.both(z, a))
            z, end = y[:, :HIDDEN], y[:, -1:]
            x = (y[:, HIDDEN:-1].softmax(-1) * exponents).sum(-1, keepdim=True)
            total = total + weight * x.sign() * (x.abs().exp() - 1) / scale
            weight = weight * GAMMA * (1 - end.clamp(0, 1))
        q = critics(encoder.both(z, torch.tanh(policy(z))))
        golden[f"{name}.plan_values"] = total + weight * q.min(-1, keepdim=True)[0]


if __name__ == "__main__":
    torch.manual_seed(13)
    golden.clear()
    run("mrq", None)
    run("mrq-choices", CHOICES)
    save_file({name: value.double().float().contiguous() for name, value in golden.items()}, sys.argv[1])
    print(f"{len(golden)} tensors in {sys.argv[1]}")
