"""One whole update of soft actor-critic on latents in PyTorch: critics, targets, actor and temperature."""

import argparse
import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

from serve import serve


def perceptron(inputs, hidden, outputs, layer_norm=False):
    layers = []
    for width_in, width_out in ((inputs, hidden), (hidden, hidden)):
        layers.append(nn.Linear(width_in, width_out))
        if layer_norm:
            layers.append(nn.LayerNorm(width_out))
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))


class Actor(nn.Module):
    def __init__(self, observations, actions, hidden):
        super().__init__()
        self.trunk = perceptron(observations, hidden, 2 * actions)

    def forward(self, observation):
        mean, log_sigma = self.trunk(observation).chunk(2, dim=-1)
        log_sigma = -5 + 0.5 * 7 * (torch.tanh(log_sigma) + 1)
        noise = torch.randn_like(mean)
        u = mean + log_sigma.exp() * noise
        log_pi = (-0.5 * noise**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(-1, keepdim=True)
        log_pi = log_pi - (2 * (math.log(2) - u - F.softplus(-2 * u))).sum(-1, keepdim=True)
        return torch.tanh(u), log_pi


class Critics(nn.Module):
    def __init__(self, observations, actions, hidden, layer_norm):
        super().__init__()
        self.first = perceptron(observations + actions, hidden, 1, layer_norm)
        self.second = perceptron(observations + actions, hidden, 1, layer_norm)

    def forward(self, observation, action):
        both = torch.cat([observation, action], dim=-1)
        return self.first(both), self.second(both)


class SAC:
    """Actor, critics and temperature. Each update trains the critics; every `actor_period`th also the actor and temperature."""

    def __init__(self, observations, actions, hidden, layer_norm, actor_period=1, optimizer=torch.optim.Adam):
        self.actor = Actor(observations, actions, hidden)
        self.critics = Critics(observations, actions, hidden, layer_norm)
        self.target_critics = copy.deepcopy(self.critics).requires_grad_(False)
        self.log_alpha = torch.tensor(math.log(0.1), requires_grad=True)
        self.actor_optimizer = optimizer(self.actor.parameters(), lr=1e-3)
        self.critic_optimizer = optimizer(self.critics.parameters(), lr=1e-3)
        self.alpha_optimizer = torch.optim.Adam([self.log_alpha], lr=3e-4, betas=(0.5, 0.999))
        self.actions, self.actor_period, self.updates = actions, actor_period, 0

    def update(self, o, a, r, discount, o_next, o_next_of_target=None, beside=None, optimizer=None):
        """`beside` is a loss of o that is added to the critics' loss; `optimizer` updates the network that computed o."""
        alpha = self.log_alpha.detach().exp()
        with torch.no_grad():
            a_next, log_pi_next = self.actor(o_next)
            q_next = torch.min(*self.target_critics(o_next if o_next_of_target is None else o_next_of_target, a_next))
            y = r + 0.99 * discount * (q_next - alpha * log_pi_next)
        q1, q2 = self.critics(o, a)
        critic_loss = F.mse_loss(q1, y) + F.mse_loss(q2, y)
        self.critic_optimizer.zero_grad()
        if optimizer is not None:
            optimizer.zero_grad()
        (critic_loss if beside is None else critic_loss + beside).backward()
        self.critic_optimizer.step()
        if optimizer is not None:
            optimizer.step()
        follow(self.target_critics, self.critics, 0.01)
        self.updates += 1
        if self.updates % self.actor_period:
            return critic_loss.item(), q1.mean().item()

        # The actor's loss needs no gradients of the critics' weights.
        o = o.detach()
        self.critics.requires_grad_(False)
        a_new, log_pi = self.actor(o)
        actor_loss = (alpha * log_pi - torch.min(*self.critics(o, a_new))).mean()
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        self.actor_optimizer.step()
        self.critics.requires_grad_(True)

        alpha_loss = -(self.log_alpha.exp() * (log_pi.detach() - self.actions)).mean()
        self.alpha_optimizer.zero_grad()
        alpha_loss.backward()
        self.alpha_optimizer.step()
        return critic_loss.item(), q1.mean().item(), actor_loss.item(), -log_pi.mean().item(), alpha.item()


def follow(target, model, rate):
    with torch.no_grad():
        torch._foreach_lerp_(list(target.parameters()), list(model.parameters()), rate)


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("batch", 256), ("observations", 150), ("actions", 1), ("hidden", 256), ("layer-norm", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    batch, actions = arguments.batch, arguments.actions
    torch.manual_seed(1)
    agent = SAC(arguments.observations, actions, arguments.hidden, arguments.layer_norm == 1)
    o, o_next = torch.randn(batch, arguments.observations), torch.randn(batch, arguments.observations)
    a, r = torch.tanh(torch.randn(batch, actions)), torch.randn(batch, 1)
    discount = torch.ones(batch, 1)
    serve(lambda: agent.update(o, a, r, discount, o_next))


if __name__ == "__main__":
    main()
