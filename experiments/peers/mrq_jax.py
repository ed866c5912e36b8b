"""Four steps of MR.Q in JAX: four updates of the encoder on segments, four of critics and policy, each compiled as one
function, and a copy of the targets."""

import argparse
import os

# XLA uses all cores that the process may run on.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))])
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp

from serve import serve
from sac_jax import zeros

STEPS, HORIZON, BINS, ACTION, GAMMA = 4, 5, 65, 64, 0.99


def layers(key, *sizes):
    initial = jax.nn.initializers.glorot_uniform()
    keys = jax.random.split(key, len(sizes) - 1)
    return [(initial(k, (i, o)) * 2**0.5, jnp.zeros(o)) for k, i, o in zip(keys, sizes, sizes[1:])]


def normalized(x):
    return (x - x.mean(-1, keepdims=True)) * jax.lax.rsqrt(x.var(-1, keepdims=True) + 1e-5)


def perceptron(parameters, x, activation=jax.nn.elu):
    for weight, bias in parameters[:-1]:
        x = activation(normalized(x @ weight + bias))
    weight, bias = parameters[-1]
    return x @ weight + bias


def adamw(parameters, moments, gradient, rate, decay, b1=0.9, b2=0.999, epsilon=1e-8):
    m, v, t = moments
    t = t + 1
    m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, gradient)
    v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, v, gradient)
    parameters = jax.tree.map(
        lambda p, m, v: (1 - rate * decay) * p - rate * (m / (1 - b1**t)) / (jnp.sqrt(v / (1 - b2**t)) + epsilon),
        parameters, m, v)
    return parameters, (m, v, t)


def state(encoder, o):
    return jax.nn.elu(normalized(perceptron(encoder["observation"], o)))


def pair(encoder, z, a):
    return perceptron(encoder["pair"], jnp.concatenate([z, jax.nn.elu(perceptron(encoder["action"], a))], -1))


def values(critics, x):
    return jnp.concatenate([perceptron(critic, x) for critic in critics], -1)


def two_hot(rewards):
    x = jnp.linspace(-10, 10, BINS)
    bins = jnp.sign(x) * (jnp.exp(jnp.abs(x)) - 1)
    above = jnp.clip(jnp.searchsorted(bins, rewards[:, 0]), 1, BINS - 1)
    share = (rewards[:, 0] - bins[above - 1]) / (bins[above] - bins[above - 1])
    return (1 - share)[:, None] * jax.nn.one_hot(above - 1, BINS) + share[:, None] * jax.nn.one_hot(above, BINS)


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("batch", 128), ("observations", 24), ("actions", 6), ("hidden", 256)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    batch, observations, actions, h = arguments.batch, arguments.observations, arguments.actions, arguments.hidden
    keys = jax.random.split(jax.random.key(1), 16)
    encoder = {
        "observation": layers(keys[0], observations, h, h, h), "action": layers(keys[1], actions, ACTION),
        "pair": layers(keys[2], h + ACTION, h, h, h), "model": layers(keys[3], h, h + BINS + 1)}
    agent = {
        "policy": layers(keys[4], h, h, h, actions), "critics": [layers(k, h, h, h, h, 1) for k in keys[5:7]]}
    moments = {"encoder": zeros(encoder), **{name: zeros(agent[name]) for name in agent}}
    targets = jax.tree.map(jnp.copy, {"encoder": encoder, **agent})

    def normal(key, *shape):
        return jax.random.normal(key, shape)

    data = {
        "o": normal(keys[7], batch, observations), "next": normal(keys[8], batch, observations),
        "a": jnp.tanh(normal(keys[9], batch, actions)), "r": normal(keys[10], batch, 1), "d": jnp.ones((batch, 1)),
        "actions": jnp.tanh(normal(keys[11], HORIZON, batch, actions)), "rewards": normal(keys[12], HORIZON, batch, 1),
        "observations": normal(keys[13], HORIZON, batch, observations), "present": jnp.ones((HORIZON, batch, 1))}

    @jax.jit
    def learn_encoder(encoder, moments, target, data):
        def loss(encoder):
            z, total = state(encoder, data["o"]), 0
            for k in range(HORIZON):
                y = perceptron(encoder["model"], pair(encoder, z, data["actions"][k]))
                z, logits = y[:, :h], y[:, h : h + BINS]
                m = data["present"][k]
                entropy = -(two_hot(data["rewards"][k]) * jax.nn.log_softmax(logits)).sum(-1, keepdims=True)
                total += ((m * (z - state(target, data["observations"][k]))) ** 2).mean() + 0.1 * (m * entropy).mean()
            return total

        value, gradient = jax.value_and_grad(loss)(encoder)
        return *adamw(encoder, moments, gradient, 1e-4, 1e-4), value

    @jax.jit
    def learn_agent(agent, moments, encoder, targets, key, data):
        z_next = state(targets["encoder"], data["next"])
        noise = jnp.clip(0.2 * jax.random.normal(key, data["a"].shape), -0.3, 0.3)
        a_next = jnp.clip(jnp.tanh(perceptron(targets["policy"], z_next, jax.nn.relu)) + noise, -1, 1)
        q_next = values(targets["critics"], pair(targets["encoder"], z_next, a_next)).min(-1, keepdims=True)
        y = (data["r"] + GAMMA * 0.8 * data["d"] * q_next) / 0.8
        z = state(encoder, data["o"])
        x = pair(encoder, z, data["a"])

        def critic_loss(critics):
            error = jnp.abs(values(critics, x) - y)
            inside = jnp.minimum(error, 1)
            return 2 * (inside * (error - inside / 2)).mean(), error

        (value, error), gradient = jax.value_and_grad(critic_loss, has_aux=True)(agent["critics"])
        norm = jnp.sqrt(sum((g**2).sum() for g in jax.tree.leaves(gradient)))
        gradient = jax.tree.map(lambda g: g * jnp.minimum(1, 20 / norm), gradient)
        critics, critic_moments = adamw(agent["critics"], moments["critics"], gradient, 3e-4, 1e-4)

        def policy_loss(policy):
            u = perceptron(policy, z, jax.nn.relu)
            return 1e-5 * (u**2).mean() - values(critics, pair(encoder, z, jnp.tanh(u))).mean()

        gradient = jax.grad(policy_loss)(agent["policy"])
        policy, policy_moments = adamw(agent["policy"], moments["policy"], gradient, 3e-4, 1e-4)
        priorities = jnp.maximum(error.max(-1), 1) ** 0.4
        return {"policy": policy, "critics": critics}, {"policy": policy_moments, "critics": critic_moments}, priorities

    key = keys[14]

    def iteration():
        nonlocal encoder, agent, moments, targets, key
        for _ in range(STEPS):
            encoder, moments["encoder"], value = learn_encoder(encoder, moments["encoder"], targets["encoder"], data)
            value.block_until_ready()
        for _ in range(STEPS):
            key, used = jax.random.split(key)
            agent, learned, priorities = learn_agent(
                agent, {name: moments[name] for name in agent}, encoder, targets, used, data)
            moments.update(learned)
            priorities.block_until_ready()
        targets = {"encoder": encoder, **agent}

    serve(iteration)


if __name__ == "__main__":
    main()
