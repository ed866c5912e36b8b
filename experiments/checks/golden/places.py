"""Computes with PyTorch, in float64, two updates of SAC on frames and of an encoder that is trained with it.

    python experiments/checks/golden/places.py Tests/RepresentationsTests/Golden/places.safetensors

Cases: `joint`, critic and reconstruction train the encoder (SAC+AE: Yarats et al. 2019, arXiv 1910.01741); `following`, the
same with a separate encoder for the target critics; `augmented`, the critic alone trains it, on stacks of randomly shifted
frames (DrQ: Kostrikov et al. 2020, arXiv 2004.13649, and Yarats et al. 2021, arXiv 2107.09645); `joint-augmented`, both
losses, on shifted frames.

The losses are SAC+AE's: the critics' loss trains critics and encoder, the actor's loss the actor only, the reconstruction
loss encoder and decoder. The optimisers differ: the authors' code has one Adam for critics and encoder, one for the encoder
and one for the decoder, so that the encoder takes two steps; here one Adam updates the whole autoencoder with the sum of both
gradients, and another one the critics.

Names: `frames` and so on for the data, `CASE.before.NAME` for parameters before the first update (`following` has those of
`joint`), `CASE.N.NAME` for those that update N changed, `CASE.N.metrics.NAME` for its metrics. Noise of the actions and
shifts are from the program's own generator, `Seed(7)`. Written as float32. Needs torch and safetensors.
"""

import copy
import math
import sys

import torch
from agents import A, Perceptron, Random, blend, rounded
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

torch.manual_seed(5)
golden = {}
SIDE, CHANNELS, FILTERS, INNER, LATENT = 18, 3, 4, 2, 6
HISTORY, SCALE = 2, 2  # latents of an observation, and the factor on their difference
GAMMA, TAU, RATE = 0.97, 0.05, 3e-3  # of the agent
ENCODER_RATE, WEIGHT, FARTHEST = 2e-3, 0.7, 4
BLUR, GAIN, CHANGE, THRESHOLD = 1, 2, 5, 0.03  # of the target, and of its weights
LATENT_PENALTY, DECODER_PENALTY = 0.02, 0.003

# Two episodes of five time steps: the first is terminated, the second truncated. One transition is sampled twice.
STEPS, FIRST = 10, (0, 5)
STARTS = [0, 1, 3, 6, 8, 6]
background = torch.randint(256, (SIDE, SIDE, CHANNELS))
changed = torch.rand(STEPS, SIDE, SIDE, 1) < 0.4
frames = torch.where(changed, torch.randint(256, (STEPS, SIDE, SIDE, CHANNELS)), background).double()
actions = rounded(torch.rand(STEPS, A) * 2 - 1)
rewards = rounded(torch.randn(STEPS))
discounts = torch.ones(STEPS)
discounts[3] = 0
mean, deviation = rounded(0.2 * torch.randn(LATENT)), rounded(0.5 + torch.rand(LATENT))


class Autoencoder(nn.Module):
    """The program's regularised autoencoder."""

    def __init__(self, channels):
        super().__init__()

        def chain(*links):
            return nn.ModuleDict({"layers": nn.ModuleList(links)})

        def grow():
            return nn.ConvTranspose2d(FILTERS, FILTERS, 3)

        plain = [nn.Conv2d(FILTERS, FILTERS, 3) for _ in range(3)]
        self.convs = chain(nn.Conv2d(channels, FILTERS, 3, stride=2), *plain)
        self.fc = nn.Linear(FILTERS * INNER * INNER, LATENT)
        self.ln = nn.LayerNorm(LATENT)
        self.decoder_fc = nn.Linear(LATENT, FILTERS * INNER * INNER)
        last = nn.ConvTranspose2d(FILTERS, channels, 3, stride=2, output_padding=1)
        self.deconvs = chain(grow(), grow(), grow(), last)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(rounded(1.5 * parameter + 0.1 * torch.randn_like(parameter)))

    def encode(self, x):
        for layer in self.convs["layers"]:
            x = torch.relu(layer(x))
        return torch.tanh(self.ln(self.fc(x.flatten(1))))

    def decode(self, z):
        x = torch.relu(self.decoder_fc(z)).reshape(-1, FILTERS, INNER, INNER)
        *growing, last = self.deconvs["layers"]
        for layer in growing:
            x = torch.relu(layer(x))
        return last(x)

    def penalty(self, z):
        weights = [self.decoder_fc.weight, *(layer.weight for layer in self.deconvs["layers"])]
        decoder = sum(weight.square().sum() for weight in weights)
        return LATENT_PENALTY * 0.5 * z.square().sum(1).mean() + DECODER_PENALTY * 0.5 * decoder


def disturbed(module, by):
    other = copy.deepcopy(module)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.copy_(rounded(parameter + by * torch.randn_like(parameter)))
    return other


def back(position, steps):
    """Returns the index a number of steps ago, or the first index of the episode."""
    return max(position - steps, max(first for first in FIRST if first <= position))


def prepared(position, stack, right, down):
    """Returns the stacked frames of a time step, oldest first, without the background, padded with the edge, then cropped."""
    shown = [frames[back(position, age)] - background for age in reversed(range(stack))]
    x = torch.cat([picture.permute(2, 0, 1) for picture in shown])[None] / 255
    padded = F.pad(x, 4 * [FARTHEST], mode="replicate")
    return padded[0, :, FARTHEST - down :, FARTHEST - right :][:, :SIDE, :SIDE]


class UniqueFrames:
    """The frames of a batch of observations, each stored once, and the indices of each history's frames."""

    def __init__(self, positions, stack, shifts):
        if shifts:
            moves = [[shifts.integer(2 * FARTHEST + 1) - FARTHEST for _ in "rd"] for _ in positions]
        else:
            moves = [[0, 0] for _ in positions]
        windows = [[(back(p, age), *move) for age in range(HISTORY)] for p, move in zip(positions, moves)]
        keys = sorted({key for window in windows for key in window})
        self.rows = torch.tensor([[keys.index(key) for key in window] for window in windows])
        self.frames = torch.stack([prepared(position, stack, right, down) for position, right, down in keys])
        past = [actions[p - 1] if p not in FIRST else torch.zeros(A) for p in positions]
        self.actions = torch.stack(past)

    def observation(self, s):
        """[z_t, 2 (z_t - z_t-1), a_t-1] of the standardised latents of the frames."""
        now, before = s[self.rows[:, 0]], s[self.rows[:, 1]]
        return torch.cat([now, SCALE * (now - before), self.actions], -1)


def standardised(z):
    return (z - mean) / deviation


def reconstruction(model, x, z):
    blurred = F.avg_pool2d(F.pad(x, 4 * [BLUR], mode="replicate"), 2 * BLUR + 1, stride=1)
    target = (GAIN * blurred).clamp(-1, 1)
    weights = 1 + CHANGE * (x.abs() > THRESHOLD)
    return (weights * (model.decode(z) - target).square()).sum() / weights.sum()


def trunk(module):
    return nn.ModuleDict({"trunk": module})


def initial(channels):
    observations = LATENT * HISTORY + A
    actor = trunk(Perceptron(observations, 2 * A, False))
    critics = nn.ModuleDict(
        {name: Perceptron(observations + A, 1, True) for name in ("first", "second")})
    model = Autoencoder(channels)
    return {
        "actor": actor, "average_actor": copy.deepcopy(actor), "critics": critics,
        "target_critics": disturbed(critics, 0.1),
        "temperature": nn.ParameterDict({"log_alpha": rounded(torch.tensor(math.log(0.2)))}),
        "encoder": model, "target_encoder": disturbed(model, 0.02),
    }


def named(parts):
    return {
        f"{part}.{key}": value.detach().clone() for part, module in parts.items() for key, value in module.named_parameters()}


def case(name, parts, stack, tau=1, shifts=None, reconstructs=True):
    parts = copy.deepcopy(parts)
    actor, critics, targets, model = (parts[part] for part in ("actor", "critics", "target_critics", "encoder"))
    log_alpha = parts["temperature"]["log_alpha"]
    optimizers = {
        "actor": torch.optim.Adam(actor.parameters(), RATE), "critics": torch.optim.Adam(critics.parameters(), RATE),
        "temperature": torch.optim.Adam([log_alpha], 1e-2, betas=(0.5, 0.999)),
        "encoder": torch.optim.Adam(model.parameters(), ENCODER_RATE),
    }
    noise = Random(7, "actions")
    a = actions[STARTS]
    r, d = rewards[STARTS][:, None], discounts[STARTS][:, None]

    def sample(observation):
        epsilon = rounded(torch.tensor([[noise.normal() for _ in range(A)] for _ in STARTS]))
        mu, raw = actor["trunk"](observation).chunk(2, -1)
        sigma = torch.exp(-5 + 7 * (torch.tanh(raw) + 1) / 2)
        u = mu + sigma * epsilon
        log_slope = 2 * (math.log(2) - u - F.softplus(-2 * u))
        log_pi = (torch.distributions.Normal(mu, sigma).log_prob(u) - log_slope).sum(-1, keepdim=True)
        return torch.tanh(u), log_pi

    def least(networks, observation, action):
        both = torch.cat([observation, action], -1)
        return torch.min(networks["first"](both), networks["second"](both))

    def report(update, **metrics):
        for key, value in metrics.items():
            golden[f"{name}.{update}.metrics.{key.replace('__', '/')}"] = value.detach()

    for update in (1, 2):
        before = named(parts)
        present = UniqueFrames(STARTS, stack, shifts)
        following = UniqueFrames([position + 1 for position in STARTS], stack, shifts)

        z = model.encode(present.frames)
        z.retain_grad()
        o = present.observation(standardised(z))
        alpha = log_alpha.exp().detach()
        with torch.no_grad():
            o2 = following.observation(standardised(model.encode(following.frames)))
            of_target = o2
            if tau < 1:
                of_target = following.observation(standardised(parts["target_encoder"].encode(following.frames)))
            a2, log_pi2 = sample(o2)
            y = r + GAMMA * d * (least(targets, of_target, a2) - alpha * log_pi2)
        both = torch.cat([o, a], -1)
        q1, q2 = critics["first"](both), critics["second"](both)
        critic_loss = F.mse_loss(q1, y) + F.mse_loss(q2, y)
        report(update, critic__loss=critic_loss, critic__q=q1.mean())
        for optimizer in optimizers.values():
            optimizer.zero_grad()
        critic_loss.backward(retain_graph=True)
        if reconstructs:
            rows = present.rows[:, 0]
            error = reconstruction(model, present.frames[rows], z[rows])
            report(update, autoencoder__error=error)
            (WEIGHT * (error + model.penalty(z[rows]))).backward()
        # ds = deviation dz
        report(update, encoder__gradient=(deviation * z.grad).norm())
        optimizers["critics"].step()
        blend(targets, critics, TAU)
        if update == 2:
            constant = o.detach()
            pi, log_pi = sample(constant)
            actor_loss = (alpha * log_pi - least(critics, constant, pi)).mean()
            optimizers["actor"].zero_grad()
            actor_loss.backward()
            optimizers["actor"].step()
            blend(parts["average_actor"], actor, 0.05)
            optimizers["temperature"].zero_grad()
            (-log_alpha.exp() * (log_pi.detach() - A)).mean().backward()
            optimizers["temperature"].step()
            report(update, actor__loss=actor_loss, actor__entropy=-log_pi.mean(), temperature=alpha)
        optimizers["encoder"].step()
        if tau < 1:
            blend(parts["target_encoder"], model, tau)
        for key, value in named(parts).items():
            if not torch.equal(value, before[key]):
                golden[f"{name}.{update}.{key}"] = value


if __name__ == "__main__":
    for key in ("background", "frames", "actions", "rewards", "discounts", "mean", "deviation"):
        golden[key] = globals()[key]
    golden["starts"] = torch.tensor(STARTS)
    parts = initial(CHANNELS)
    golden.update({f"joint.before.{key}": value for key, value in named(parts).items()})
    case("joint", parts, stack=1)
    case("following", parts, stack=1, tau=0.05)
    case("joint-augmented", parts, stack=1, shifts=Random(7, "shifts"))
    parts = initial(2 * CHANNELS)
    del parts["target_encoder"]
    golden.update({f"augmented.before.{key}": value for key, value in named(parts).items()})
    case("augmented", parts, stack=2, shifts=Random(7, "shifts"), reconstructs=False)
    save_file({name: value.float().contiguous() for name, value in golden.items()}, sys.argv[1])
    print(f"{len(golden)} tensors in {sys.argv[1]}")
