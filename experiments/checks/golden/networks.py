"""Computes with PyTorch, in float64, the expected values of layers, distributions and optimisers.

    python experiments/checks/golden/networks.py Tests/NetworksTests/Golden/networks.safetensors

Names are `case.x` and `case.y` for inputs and outputs, `case.parameters.NAME` and `case.gradient.NAME` for a module's
parameters and the gradient of the loss sum(y * case.r). Needs torch, numpy and safetensors.
"""

import sys

import torch
from safetensors.torch import save_file
from torch import nn

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)
golden = {}


def module_case(name, module, *inputs):
    """Stores one module with its output and all gradients."""
    inputs = [x.requires_grad_() for x in inputs]
    y = module(*inputs)
    r = torch.randn_like(y)
    (y * r).sum().backward()
    for key, value in {"y": y, "r": r}.items():
        golden[f"{name}.{key}"] = value
    for index, x in enumerate(inputs):
        golden[f"{name}.x{index}"] = x
        golden[f"{name}.gradient_x{index}"] = x.grad
    for key, parameter in module.named_parameters():
        golden[f"{name}.parameters.{key}"] = parameter
        golden[f"{name}.gradient.{key}"] = parameter.grad


class Perceptron(nn.Module):
    def __init__(self, sizes, layer_norm):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))
        self.norms = nn.ModuleList(nn.LayerNorm(o) for o in sizes[1:-1] if layer_norm)

    def forward(self, x):
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index < len(self.layers) - 1:
                x = torch.relu(self.norms[index](x) if self.norms else x)
        return x


def randomized(module):
    """Randomizes the parameters, so that no scale is 1 and no shift is 0."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return module


module_case("linear", nn.Linear(5, 4), torch.randn(3, 5))
module_case("layer_norm", randomized(nn.LayerNorm(11)), torch.randn(4, 11))
module_case("mlp", randomized(Perceptron([6, 9, 7, 3], False)), torch.randn(5, 6))
module_case("mlp_norm", randomized(Perceptron([6, 9, 7, 3], True)), torch.randn(5, 6))


def distribution_case(name, parameters, outputs):
    """Stores outputs of parameters, and the gradient of the sum of all outputs, each weighted by its own r."""
    parameters = {key: value.requires_grad_() for key, value in parameters.items()}
    loss = 0
    for key, value in outputs(**parameters).items():
        r = torch.randn_like(value)
        golden[f"{name}.{key}"], golden[f"{name}.r_{key}"] = value, r
        loss = loss + (value * r).sum()
    loss.backward()
    for key, value in parameters.items():
        golden[f"{name}.{key}"], golden[f"{name}.gradient_{key}"] = value, value.grad


def gaussian(mean, log_sigma, x):
    normal = torch.distributions.Normal(mean, log_sigma.exp())
    return {
        "log_probability": normal.log_prob(x).sum(-1, keepdim=True),
        "entropy": normal.entropy().sum(-1, keepdim=True),
    }


def tanh_gaussian(mean, log_sigma):
    noise = golden["tanh_gaussian.noise"]
    u = mean + log_sigma.exp() * noise
    squashed = torch.distributions.TransformedDistribution(
        torch.distributions.Normal(mean, log_sigma.exp()), [torch.distributions.TanhTransform(cache_size=1)]
    )
    action = torch.tanh(u)
    # the cache must store u: artanh loses digits near the ends
    squashed.transforms[0]._cached_x_y = (u, action)
    return {"action": action, "log_probability": squashed.log_prob(action).sum(-1, keepdim=True)}


def tanh_gaussian_of(mean, log_sigma):
    squashed = torch.distributions.TransformedDistribution(
        torch.distributions.Normal(mean, log_sigma.exp()), [torch.distributions.TanhTransform()]
    )
    return {"log_probability": squashed.log_prob(golden["tanh_gaussian_of.action"]).sum(-1, keepdim=True)}


def categorical(logits):
    distribution = torch.distributions.Categorical(logits=logits)
    choices = torch.tensor([2, 0, 4])
    golden["categorical.choices"] = choices.double()
    return {
        "log_probability": distribution.log_prob(choices)[:, None],
        "entropy": distribution.entropy()[:, None],
    }


distribution_case(
    "gaussian", {"mean": torch.randn(4, 3), "log_sigma": torch.randn(4, 3), "x": torch.randn(4, 3)}, gaussian
)
golden["tanh_gaussian.noise"] = torch.randn(5, 2)
# in the last rows log(1 - tanh² u), computed literally, is -inf in float32
mean = torch.cat([torch.randn(3, 2), torch.tensor([[12.0, -15.0], [30.0, 2.0]])])
distribution_case("tanh_gaussian", {"mean": mean, "log_sigma": 0.5 * torch.randn(5, 2)}, tanh_gaussian)
golden["tanh_gaussian_of.action"] = torch.tensor([[0.3, -0.8], [0.95, 0.0], [-0.99, 0.5]])
distribution_case(
    "tanh_gaussian_of", {"mean": torch.randn(3, 2), "log_sigma": 0.5 * torch.randn(3, 2)}, tanh_gaussian_of
)
distribution_case("categorical", {"logits": 3 * torch.randn(3, 5)}, categorical)

for name, kind, options in [
    ("adam", torch.optim.Adam, {"lr": 0.01}),
    ("adam_options", torch.optim.Adam, {"lr": 0.02, "betas": (0.8, 0.95), "eps": 1e-3}),
    ("adamw", torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
]:
    parameter = nn.Parameter(torch.randn(3, 7))
    golden[f"{name}.start"] = parameter.detach().clone()
    optimizer = kind([parameter], **options)
    for step in range(5):
        parameter.grad = torch.randn(3, 7)
        golden[f"{name}.gradient{step}"] = parameter.grad
        optimizer.step()
        golden[f"{name}.parameter{step}"] = parameter.detach().clone()
    golden[f"{name}.first"] = optimizer.state[parameter]["exp_avg"]
    golden[f"{name}.second"] = optimizer.state[parameter]["exp_avg_sq"]

parts = [torch.randn(3, 5), torch.randn(11)]
parameters = [nn.Parameter(torch.zeros_like(part)) for part in parts]
for index, (parameter, part) in enumerate(zip(parameters, parts)):
    parameter.grad = part.clone()
    golden[f"clip.gradient{index}"] = part
golden["clip.norm"] = nn.utils.clip_grad_norm_(parameters, 0.5)
for index, parameter in enumerate(parameters):
    golden[f"clip.clipped{index}"] = parameter.grad



class Convolutions(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)


down = Convolutions(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Conv2d(4, 5, 3))
up = Convolutions(nn.ConvTranspose2d(5, 4, 3), nn.ConvTranspose2d(4, 3, 3, stride=2, output_padding=1))
module_case("convolutions", randomized(down), torch.randn(2, 3, 9, 9))
module_case("transposed_convolutions", randomized(up), torch.randn(2, 5, 3, 3))

save_file(
    {name: value.detach().contiguous() for name, value in golden.items()}, sys.argv[1], {"torch": torch.__version__}
)
