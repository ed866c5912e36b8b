"""Two updates of SAC+AE in PyTorch in the order of its authors (Yarats et al. 2019); only the second one updates the actor.

Each loss encodes separately: the critics' and the decoder's losses both train the encoder, the actor has its own bottleneck
on the critics' convolutions, and the target encoder is a copy. The authors also divide the bytes by 255 in each pass of the
encoder, which takes longer; this is left out.
"""

import argparse
import copy

import torch
from torch.nn import functional as F

import convolutions
from serve import serve
from joint import Memory
from sac import SAC, follow


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--channels-last", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(1)
    layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
    memory = Memory(84)
    encoder = convolutions.Encoder().to(memory_format=layout)
    decoder = convolutions.Decoder(layout).to(memory_format=layout)
    target_encoder = copy.deepcopy(encoder).requires_grad_(False)
    actor_head = copy.deepcopy(encoder.head)
    agent = SAC(50, 1, 1024, layer_norm=False)
    actor, critics, target_critics = agent.actor, agent.critics, agent.target_critics
    critic_optimizer = torch.optim.Adam([*encoder.parameters(), *critics.parameters()], lr=1e-3)
    actor_optimizer = torch.optim.Adam([*actor_head.parameters(), *actor.parameters()], lr=1e-3)
    alpha_optimizer = torch.optim.Adam([agent.log_alpha], lr=1e-4, betas=(0.5, 0.999))
    encoder_optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)
    decoder_optimizer = torch.optim.Adam(decoder.parameters(), lr=1e-3, weight_decay=1e-7)

    def update_critics(x, a, r, discount, x_next):
        with torch.no_grad():
            a_next, log_pi_next = actor(actor_head(encoder.convolutions(x_next).flatten(1)))
            q_next = torch.min(*target_critics(target_encoder(x_next), a_next))
            y = r + 0.99 * discount * (q_next - agent.log_alpha.exp() * log_pi_next)
        q1, q2 = critics(encoder(x), a)
        loss = F.mse_loss(q1, y) + F.mse_loss(q2, y)
        critic_optimizer.zero_grad()
        loss.backward()
        critic_optimizer.step()

    def update_actor(x):
        # The convolutions are not trained here.
        features = [encoder.convolutions(x).flatten(1).detach() for _ in range(2)]
        a, log_pi = actor(actor_head(features[0]))
        q = torch.min(*critics(encoder.head(features[1]), a))
        loss = (agent.log_alpha.detach().exp() * log_pi - q).mean()
        actor_optimizer.zero_grad()
        loss.backward()
        actor_optimizer.step()
        alpha_optimizer.zero_grad()
        (agent.log_alpha.exp() * (1 - log_pi).detach()).mean().backward()
        alpha_optimizer.step()

    def update_decoder(x, bytes):
        # 32 levels with noise of one level, around 0.
        drawn = (bytes // 8 + torch.rand(x.shape)).div_(32).sub_(0.5)
        z = encoder(x)
        loss = F.mse_loss(decoder(z), drawn) + 1e-6 * 0.5 * z.square().sum(1).mean()
        encoder_optimizer.zero_grad()
        decoder_optimizer.zero_grad()
        loss.backward()
        encoder_optimizer.step()
        decoder_optimizer.step()

    def two_updates():
        for updates_actor in (False, True):
            t = memory.starts(arguments.batch)
            bytes, bytes_next = memory.stacks(t, 3, layout), memory.stacks(t + 1, 3, layout)
            x, x_next = bytes.float().div_(255), bytes_next.float().div_(255)
            update_critics(x, *memory.transitions(t), x_next)
            if updates_actor:
                update_actor(x)
                follow(target_critics, critics, 0.01)
                follow(target_encoder, encoder, 0.05)
            update_decoder(x, bytes)

    serve(two_updates)


if __name__ == "__main__":
    main()
