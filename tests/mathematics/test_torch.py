"""PyTorch as a peer: its autograd, its BatchNorm1d and its activations."""

import numpy as np
import pytest
from conftest import CONVENTIONS, random_net

import matbn

pytestmark = pytest.mark.torch


def tensor(value, grad=False):
    import torch

    return torch.tensor(np.asarray(value), dtype=torch.float64, requires_grad=grad)


def torch_activation(name):
    import torch

    return {
        "relu": torch.relu,
        "leaky_relu": lambda b: torch.nn.functional.leaky_relu(b, 0.01),
        "tanh": torch.tanh,
        "logistic": torch.sigmoid,
        "softplus": torch.nn.functional.softplus,
        "gelu": torch.nn.functional.gelu,
        "sine": torch.sin,
        "identity": lambda b: b,
    }[name]


@pytest.mark.parametrize("kind", ["batch norm", "plain"])
@pytest.mark.parametrize(("ddof", "eps"), CONVENTIONS)
@pytest.mark.parametrize("activation", matbn.ACTIVATIONS)
def test_autograd_of_the_net(activation, ddof, eps, kind):
    import torch

    net = random_net(11, N=20, p1=5, p2=4, kind=kind)
    X, y = tensor(net.X), tensor(net.y)
    leaves = {name: tensor(value, grad=True) for name, value in net.arguments.items() if value is not None}
    B = X @ leaves["Gamma1"]
    if kind == "batch norm":
        deviation = B - B.mean(0)
        B = leaves["gamma"] * deviation / torch.sqrt((deviation**2).sum(0) / (len(B) - ddof) + eps)
    B = B + leaves["beta"]
    loss = ((y - torch_activation(activation)(B) @ leaves["Gamma2"]) ** 2).mean()
    loss.backward()
    found = matbn.net_gradient(net.X, net.y, **net.arguments, activation=activation, ddof=ddof, eps=eps)
    assert found.loss == pytest.approx(loss.item(), rel=1e-13)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(getattr(found, name), leaf.grad.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("momentum", [0.1, 0.3, None])
def test_batch_norm_layer_in_training_and_evaluation(momentum, layout):
    import torch

    rng = np.random.default_rng(12)
    p = 4
    gamma, beta = rng.normal(size=p), rng.normal(size=p)
    layer = torch.nn.BatchNorm1d(p, momentum=momentum, dtype=torch.float64)
    layer.weight.data, layer.bias.data = tensor(gamma), tensor(beta)
    running = matbn.running_start(p)

    def as_layout(Z):
        return Z if layout == "rows" else Z.T

    def compare(Y, cache, leaf, out):
        dY = rng.normal(size=tuple(out.shape))
        layer.zero_grad()
        out.backward(tensor(dY))
        gradient = matbn.bn_backward(as_layout(dY), cache)
        np.testing.assert_allclose(as_layout(Y), out.detach().numpy(), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(as_layout(gradient.Z), leaf.grad.numpy(), rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(gradient.gamma, layer.weight.grad.numpy(), rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(gradient.beta, layer.bias.grad.numpy(), rtol=1e-11, atol=1e-13)

    for N in (7, 12, 5):
        Z = rng.normal(2.0, 3.0, (N, p))
        leaf = tensor(Z, grad=True)
        Y, cache, running = matbn.bn_train(as_layout(Z), gamma, beta, running, momentum=momentum, layout=layout)
        compare(Y, cache, leaf, layer(leaf))
        np.testing.assert_allclose(running.mean, layer.running_mean.numpy(), rtol=1e-12)
        np.testing.assert_allclose(running.variance, layer.running_var.numpy(), rtol=1e-12)

    layer.eval()
    Z = rng.normal(2.0, 3.0, (3, p))
    leaf = tensor(Z, grad=True)
    Y, cache = matbn.bn_infer(as_layout(Z), gamma, beta, running, layout=layout)
    compare(Y, cache, leaf, layer(leaf))


@pytest.mark.parametrize("name", matbn.ACTIVATIONS)
def test_slope_at_zero(name):
    zero = tensor([0.0], grad=True)
    torch_activation(name)(zero).backward()
    np.testing.assert_allclose(matbn.ACTIVATIONS[name].slope(np.zeros(1)), zero.grad.numpy(), rtol=1e-15)
