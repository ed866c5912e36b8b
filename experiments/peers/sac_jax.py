"""One whole update of soft actor-critic on latents in JAX, compiled as one function: critics, targets, actor, temperature."""

import argparse
import math
import os

# XLA uses all cores that the process may run on.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))])
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp

from serve import serve


def layers(key, sizes):
    keys = jax.random.split(key, len(sizes) - 1)
    initial = jax.nn.initializers.orthogonal(math.sqrt(2))
    return [(initial(k, (i, o)), jnp.zeros(o)) for k, i, o in zip(keys, sizes, sizes[1:])]


def perceptron(parameters, x, layer_norm=False):
    for weight, bias in parameters[:-1]:
        x = x @ weight + bias
        if layer_norm:
            mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
            x = (x - mean) * jax.lax.rsqrt(variance + 1e-5)
        x = jax.nn.relu(x)
    weight, bias = parameters[-1]
    return x @ weight + bias


def sample(actor, o, key):
    mean, log_sigma = jnp.split(perceptron(actor, o), 2, axis=-1)
    log_sigma = -5 + 3.5 * (jnp.tanh(log_sigma) + 1)
    noise = jax.random.normal(key, mean.shape)
    u = mean + jnp.exp(log_sigma) * noise
    log_pi = (-0.5 * noise**2 - log_sigma - 0.5 * math.log(2 * math.pi)).sum(-1, keepdims=True)
    return jnp.tanh(u), log_pi - (2 * (math.log(2) - u - jax.nn.softplus(-2 * u))).sum(-1, keepdims=True)


def adam(parameters, moments, gradient, rate, b1=0.9, b2=0.999, epsilon=1e-8):
    m, v, t = moments
    t = t + 1
    m = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, gradient)
    v = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, v, gradient)
    parameters = jax.tree.map(
        lambda p, m, v: p - rate * (m / (1 - b1**t)) / (jnp.sqrt(v / (1 - b2**t)) + epsilon), parameters, m, v)
    return parameters, (m, v, t)


def zeros(parameters):
    return jax.tree.map(jnp.zeros_like, parameters), jax.tree.map(jnp.zeros_like, parameters), jnp.zeros(())


def main():
    parser = argparse.ArgumentParser()
    for name, default in (("batch", 256), ("observations", 150), ("actions", 1), ("hidden", 256), ("layer-norm", 0)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    batch, observations, actions, hidden = arguments.batch, arguments.observations, arguments.actions, arguments.hidden
    norm = arguments.layer_norm == 1
    keys = jax.random.split(jax.random.key(1), 8)
    critics = [layers(k, [observations + actions, hidden, hidden, 1]) for k in keys[:2]]
    state = {
        "actor": layers(keys[2], [observations, hidden, hidden, 2 * actions]), "critics": critics,
        "targets": jax.tree.map(jnp.copy, critics), "log_alpha": jnp.log(0.1), "key": keys[3],
    }
    for name in ("actor", "critics", "log_alpha"):
        state[name + "_moments"] = zeros(state[name])
    data = {
        "o": jax.random.normal(keys[4], (batch, observations)), "next": jax.random.normal(keys[5], (batch, observations)),
        "a": jnp.tanh(jax.random.normal(keys[6], (batch, actions))), "r": jax.random.normal(keys[7], (batch, 1)),
        "d": jnp.ones((batch, 1)),
    }

    def both(critics, o, a):
        joined = jnp.concatenate([o, a], -1)
        return [perceptron(critic, joined, norm) for critic in critics]

    def update(state, data):
        key, one, two = jax.random.split(state["key"], 3)
        alpha = jnp.exp(state["log_alpha"])
        a_next, log_pi_next = sample(state["actor"], data["next"], one)
        q_next = jnp.minimum(*both(state["targets"], data["next"], a_next))
        y = jax.lax.stop_gradient(data["r"] + 0.99 * data["d"] * (q_next - alpha * log_pi_next))

        def critic_loss(critics):
            return sum(((q - y) ** 2).mean() for q in both(critics, data["o"], data["a"]))

        loss, gradient = jax.value_and_grad(critic_loss)(state["critics"])
        critics, critic_moments = adam(state["critics"], state["critics_moments"], gradient, 1e-3)
        targets = jax.tree.map(lambda t, c: t + 0.01 * (c - t), state["targets"], critics)

        def actor_loss(actor):
            a, log_pi = sample(actor, data["o"], two)
            return (alpha * log_pi - jnp.minimum(*both(critics, data["o"], a))).mean(), log_pi

        (_, log_pi), gradient = jax.value_and_grad(actor_loss, has_aux=True)(state["actor"])
        actor, actor_moments = adam(state["actor"], state["actor_moments"], gradient, 1e-3)
        slope = jax.grad(lambda log_alpha: -(jnp.exp(log_alpha) * (log_pi - actions)).mean())(state["log_alpha"])
        log_alpha, alpha_moments = adam(state["log_alpha"], state["log_alpha_moments"], slope, 3e-4, b1=0.5)
        return {
            "actor": actor, "critics": critics, "targets": targets, "log_alpha": log_alpha, "key": key,
            "actor_moments": actor_moments, "critics_moments": critic_moments, "log_alpha_moments": alpha_moments,
        }, loss

    compiled = jax.jit(update, donate_argnums=0)

    def iteration():
        nonlocal state
        state, loss = compiled(state, data)
        loss.block_until_ready()

    serve(iteration)


if __name__ == "__main__":
    main()
