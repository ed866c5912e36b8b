"""Two updates of SAC and of an encoder that is trained with it, in PyTorch: the peer of 'workloads joint'.

As in pixelrl, the encoder runs once on the current frames, and one backward pass propagates the gradients of the critics and
of the decoder. Only the new frame of a next observation is encoded, without a gradient. Frames are stored as bytes, each
once, and converted to floats when they are sampled. sac_ae.py has the update order of SAC+AE's authors.
"""

import argparse
import copy

import torch
from torch import nn
from torch.nn import functional as F

import convolutions
import keypoint
from serve import serve
from sac import SAC, follow


class Memory:
    """Random frames, [C, H, W], each stored once. Their content does not affect the time."""

    def __init__(self, side, count=3000, episode=1001):
        self.frames = torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8)
        self.actions = torch.rand(count, 1) * 2 - 1
        self.rewards = torch.rand(count, 1)
        self.count, self.episode = count, episode

    def starts(self, batch):
        """Returns random time steps that have three steps before them and a successor."""
        t = torch.randint(0, self.count - 1, (batch,))
        return t - t % self.episode + (t % self.episode).clamp(3, self.episode - 2)

    def stacks(self, t, count, layout):
        """The stacked frames of `count` time steps up to t, as bytes: `[B, 3 count, H, W]`."""
        slots = t[:, None] - torch.arange(count - 1, -1, -1)
        return self.frames[slots].flatten(1, 2).contiguous(memory_format=layout)

    def transitions(self, t):
        return self.actions[t], self.rewards[t], torch.ones(len(t), 1)


class SmallEncoder(nn.Module):
    """`[B, 9, 64, 64]` to `[B, 50]`: the kind 'conv'."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(9, 32, 3, stride=2), nn.ReLU(inplace=True),
            nn.Conv2d(32, 32, 3, stride=2), nn.ReLU(inplace=True),
            nn.Conv2d(32, 32, 3, stride=2), nn.ReLU(inplace=True),
            nn.Conv2d(32, 32, 3), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Linear(32 * 5 * 5, 50), nn.LayerNorm(50), nn.Tanh())

    def forward(self, x):
        return self.head(self.convolutions(x).flatten(1))


def sac_ae(memory, batch, layout):
    encoder = convolutions.Encoder().to(memory_format=layout)
    decoder = convolutions.Decoder(layout).to(memory_format=layout)
    target = copy.deepcopy(encoder).requires_grad_(False)
    optimizer = adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
    agent = SAC(50, 1, 1024, layer_norm=False, actor_period=2, optimizer=adam)

    def update():
        t = memory.starts(batch)
        x, x_next = (memory.stacks(i, 3, layout).float().div_(255) for i in (t, t + 1))
        z = encoder(x)
        weights = sum(p.square().sum() for p in decoder.parameters() if p.dim() > 1)
        reconstruction = F.mse_loss(decoder(z), x) + 1e-6 * 0.5 * z.square().sum(1).mean() + 1e-7 * 0.5 * weights
        with torch.no_grad():
            z_next, z_next_of_target = encoder(x_next), target(x_next)
        agent.update(z, *memory.transitions(t), z_next, z_next_of_target, reconstruction, optimizer)
        follow(target, encoder, 0.05)

    return update


def keypoints(memory, batch, layout):
    model = keypoint.Autoencoder().to(memory_format=layout)
    optimizer = adam(model.parameters(), lr=1e-3)
    agent = SAC(3 * 32 + 2, 1, 256, layer_norm=True, actor_period=2, optimizer=adam)
    background = memory.frames.float().mean(0) / 255
    nothing = torch.zeros(1, 16, 16, 16)

    def prepared(bytes):
        return bytes.float().div_(255).sub_(background).contiguous(memory_format=layout)

    def observation(z, past_actions):
        return torch.cat([z[0], 2 * (z[0] - z[1]), 2 * (z[1] - z[2]), *past_actions], dim=1)

    def reconstruction(x, z):
        drawn = model.decode(z) - F.pixel_shuffle(model.decoder[:-1](nothing), 4)
        padded = F.pad(x, (3, 3, 3, 3), mode="replicate")
        blurred = F.avg_pool2d(F.avg_pool2d(padded, (1, 7), 1), (7, 1), 1)
        weights = 1 + 20 * (x.abs() > 0.03).float()
        difference = drawn - (5 * blurred).clamp(-1, 1)
        return (weights * difference.square()).sum() / weights.sum() + 1e-6 * z.square().mean()

    def update():
        t = memory.starts(batch)
        x = prepared(memory.frames[(t - torch.arange(3)[:, None]).flatten()])
        z = model.encode(x).view(3, batch, 32)
        with torch.no_grad():
            z_next = model.encode(prepared(memory.frames[t + 1]))
            o_next = observation([z_next, z[0], z[1]], [memory.actions[t], memory.actions[t - 1]])
        o = observation(z, [memory.actions[t - 1], memory.actions[t - 2]])
        loss = reconstruction(x[:batch], z[0])
        agent.update(o, *memory.transitions(t), o_next, beside=loss, optimizer=optimizer)

    return update


def augmented(memory, batch, layout):
    encoder = SmallEncoder().to(memory_format=layout)
    optimizer = adam(encoder.parameters(), lr=1e-3)
    agent = SAC(50, 1, 256, layer_norm=True, actor_period=2, optimizer=adam)
    images, channels = torch.arange(batch)[:, None, None, None], torch.arange(9)[:, None, None]
    rows, columns = torch.arange(64)[:, None], torch.arange(64)

    def shifted(bytes):
        """Shifts by up to 3 pixels with repeated edges; on bytes, which is faster than grid_sample on floats."""
        down, right = torch.randint(-3, 4, (2, batch, 1, 1, 1))
        moved = bytes[images, channels, (rows - down).clamp(0, 63), (columns - right).clamp(0, 63)]
        return moved.contiguous(memory_format=layout).float().div_(255)

    def update():
        t = memory.starts(batch)
        x, x_next = (shifted(memory.stacks(i, 3, torch.contiguous_format)) for i in (t, t + 1))
        z = encoder(x)
        with torch.no_grad():
            z_next = encoder(x_next)
        agent.update(z, *memory.transitions(t), z_next, optimizer=optimizer)

    return update


def adam(parameters, lr):
    return torch.optim.Adam(parameters, lr=lr, fused=True)


SCHEMES = {"sac-ae": (sac_ae, 84, 128), "keypoint": (keypoints, 64, 32), "augmented": (augmented, 64, 64)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--scheme", choices=SCHEMES, default="sac-ae")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--channels-last", type=int, default=0)
    arguments = parser.parse_args()
    make, side, batch = SCHEMES[arguments.scheme]
    torch.manual_seed(1)
    layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
    update = make(Memory(side), arguments.batch or batch, layout)

    def two_updates():
        update()
        update()

    serve(two_updates)


if __name__ == "__main__":
    main()
