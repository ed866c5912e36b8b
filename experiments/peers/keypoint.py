"""The keypoint autoencoder in PyTorch: encoding one frame, or one step of its training."""

import argparse

import torch
from torch import nn
from torch.nn import functional as F

from serve import serve

KEYPOINTS, FILTERS, SIDE = 16, 32, 16


class Autoencoder(nn.Module):
    """Frames `[B, 3, 64, 64]`, latents `[B, 32]`."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(12, FILTERS, 3, stride=2, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(FILTERS, FILTERS, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(FILTERS, KEYPOINTS, 3, padding=1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            nn.Conv2d(KEYPOINTS, FILTERS, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(FILTERS, FILTERS, 3, padding=1), nn.ReLU(inplace=True),
            nn.Conv2d(FILTERS, 48, 3, padding=1),
            nn.PixelShuffle(4),
        )  # fmt: skip
        self.register_buffer("axis", torch.linspace(-1, 1, SIDE))

    def encode(self, x):
        p = F.softmax(3 * self.encoder(x).flatten(2), dim=-1).view(-1, KEYPOINTS, SIDE, SIDE)
        along_x = (p.sum(2) * self.axis).sum(-1)
        along_y = (p.sum(3) * self.axis).sum(-1)
        return torch.stack([along_x, along_y], dim=-1).flatten(1)

    def decode(self, z):
        z = z.view(-1, KEYPOINTS, 2, 1)
        bumps = torch.exp((self.axis - z).square() * (-1 / (2 * 0.12**2)))
        return self.decoder(bumps[:, :, 1, :, None] * bumps[:, :, 0, None, :])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=["encode", "step"])
    parser.add_argument("--batch", type=int, default=32)
    arguments = parser.parse_args()
    torch.manual_seed(1)
    model = Autoencoder()

    frame = torch.randint(0, 256, (64, 64, 3), dtype=torch.uint8)

    @torch.no_grad()
    def encode():
        x = frame.permute(2, 0, 1).float().div_(255).unsqueeze(0)
        model.encode(x).numpy()

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x = torch.randn(arguments.batch, 3, 64, 64) * 0.1

    def step():
        z = model.encode(x)
        loss = F.mse_loss(model.decode(z), x) + 1e-6 * z.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    serve(encode if arguments.part == "encode" else step)


if __name__ == "__main__":
    main()
