"""SAC+AE's encoder or decoder in PyTorch, forward and backward, in either memory layout."""

import argparse

import torch
from torch import nn

from serve import serve


class Encoder(nn.Module):
    """`[B, 9, 84, 84]` to `[B, 50]`."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(9, 32, 3, stride=2), nn.ReLU(inplace=True),
            nn.Conv2d(32, 32, 3), nn.ReLU(inplace=True),
            nn.Conv2d(32, 32, 3), nn.ReLU(inplace=True),
            nn.Conv2d(32, 32, 3), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Linear(32 * 35 * 35, 50), nn.LayerNorm(50), nn.Tanh())

    def forward(self, x):
        return self.head(self.convolutions(x).flatten(1))


class Decoder(nn.Module):
    """`[B, 50]` to `[B, 9, 84, 84]`."""

    def __init__(self, layout):
        super().__init__()
        self.layout = layout
        self.stem = nn.Sequential(nn.Linear(50, 32 * 35 * 35), nn.ReLU(inplace=True))
        self.deconvolutions = nn.Sequential(
            nn.ConvTranspose2d(32, 32, 3), nn.ReLU(inplace=True),
            nn.ConvTranspose2d(32, 32, 3), nn.ReLU(inplace=True),
            nn.ConvTranspose2d(32, 32, 3), nn.ReLU(inplace=True),
            nn.ConvTranspose2d(32, 9, 3, stride=2, output_padding=1),
        )  # fmt: skip

    def forward(self, z):
        features = self.stem(z).view(-1, 32, 35, 35)
        return self.deconvolutions(features.contiguous(memory_format=self.layout))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=["encoder", "decoder"])
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--channels-last", type=int, default=0)
    arguments = parser.parse_args()
    layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
    torch.manual_seed(1)
    if arguments.part == "encoder":
        model = Encoder()
        x = torch.randn(arguments.batch, 9, 84, 84).contiguous(memory_format=layout)
    else:
        model = Decoder(layout)
        x = torch.randn(arguments.batch, 50, requires_grad=True)
    model = model.to(memory_format=layout)

    def passes():
        model.zero_grad()
        x.grad = None
        model(x).square().mean().backward()

    serve(passes)


if __name__ == "__main__":
    main()
