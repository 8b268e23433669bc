"""At a kink a′ is its left value wherever B is exactly 0, on every route: against PyTorch, and the loops."""

from fractions import Fraction

import numpy as np
import pytest

import matbn
from matbn.gradient import ROUTES

NAMES = ("Gamma1", "gamma", "beta", "Gamma2")
LOWER = {"relu": 0.0, "leaky_relu": 0.01}
OWN = matbn.Activation("own", lambda b: np.where(b > 0, b, 0 * b), lambda b: np.where(b > 0, 1.0, 0.0), np.zeros_like)


def drawn(seed, p1=4, p2=3):
    rng = np.random.default_rng(seed)
    return dict(zip(NAMES, (rng.normal(size=shape) for shape in ((p1, p2), p2, p2, p2)), strict=True))


def dummies(seed, N):
    return (np.random.default_rng(seed).integers(0, 5, N)[:, None] == np.arange(1, 5)).astype(float)


def sparse(seed, N):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, 4)) * (rng.random((N, 1)) < 0.3)


def whole_numbers(seed, N):
    """Columns whose means are exact, with rows that are equal to them."""
    means = np.array([7, -3, 0.5, 100])
    X = np.random.default_rng(seed).integers(-3, 4, (N, 4)) + means
    X[: N // 10] = means
    X[N // 10] -= X.sum(axis=0) - N * means
    return X


def antithetic(seed, N):
    half = np.random.default_rng(seed).normal(size=(2 * N // 5, 4))
    return np.vstack([half, -half, np.zeros((N - 2 * len(half), 4))])


def plain_zeros(seed, N):
    return {**drawn(seed), "gamma": None, "beta": np.zeros(3)}


def batch_norm_zeros(seed, N):
    return {**drawn(seed), "beta": np.zeros(3)}


def no_scale(seed, N):
    net = batch_norm_zeros(seed, N)
    net["gamma"][1] = 0
    return net


CASES = {
    "dummies": (dummies, plain_zeros),
    "dummies without bias": (dummies, lambda seed, N: {**plain_zeros(seed, N), "beta": None}),
    "a bias that is minus a weight": (
        dummies,
        lambda seed, N: {**plain_zeros(seed, N), "beta": -drawn(seed)["Gamma1"][1]},
    ),
    "many rows of zeros": (sparse, plain_zeros),
    "rows at the mean": (whole_numbers, batch_norm_zeros),
    "rows and their negatives": (antithetic, batch_norm_zeros),
    "a scale of 0": (sparse, no_scale),
}


def positive(X, net):
    """Where B > 0 in exact arithmetic; with batch norm β must be 0."""
    exact = np.vectorize(Fraction, otypes=[object])
    Z = exact(X)
    if net["gamma"] is not None:
        return (Z - Z.sum(axis=0) / len(X)).dot(exact(net["Gamma1"])) * exact(net["gamma"]) > 0
    Z = Z.dot(exact(net["Gamma1"]))
    return (Z if net["beta"] is None else Z + exact(net["beta"])) > 0


def by_torch(X, y, net, activation, ddof):
    """PyTorch's gradient, with the side of the kink decided in exact arithmetic."""
    torch = pytest.importorskip("torch")
    given = {name: None if net[name] is None else torch.tensor(net[name], requires_grad=True) for name in NAMES}
    B = torch.tensor(X) @ given["Gamma1"]
    if given["gamma"] is not None:
        B = B - B.mean(dim=0)
        B = B / torch.sqrt((B * B).sum(dim=0) / (len(y) - ddof)) * given["gamma"]
    if given["beta"] is not None:
        B = B + given["beta"]
    V = B * torch.tensor(np.where(positive(X, net), 1.0, LOWER[activation]))
    ((torch.tensor(y) - V @ given["Gamma2"]) ** 2).mean().backward()
    return np.concatenate([given[name].grad.numpy().T.ravel() for name in NAMES if given[name] is not None])


def found(X, y, net, activation, ddof, tmp_path):
    """The gradient in all ways, by name."""
    N, options = len(y), {"activation": activation, "ddof": ddof}
    routes = [name for name in ROUTES if N <= 100 or name not in ("loop", "kronecker")]
    result = {name: matbn.net_gradient(X, y, **net, **options, route=name).theta for name in routes}
    np.save(tmp_path / "X.npy", X)
    own = {**options, "activation": OWN} if activation == "relu" else options
    sources = {
        "kept": (X, y, None, options),
        "weights": (X, y, np.full(N, 3.0), {**options, "ddof": 3 * ddof}),
        "mapped": (np.load(tmp_path / "X.npy", mmap_mode="r"), y, None, options),
        "blocks": (lambda: (X[a : a + 37] for a in range(0, N, 37)), y, None, options),
        "one thread": (np.asfortranarray(X), y, None, {**options, "threads": 1}),
        "a user's own": (X, y, None, own),
    }
    times = 24_000 // N
    copies = np.tile(X, (times, 1)), np.tile(y, times)
    tiled = {**options, "ddof": times * ddof}
    sources["streamed"] = (*copies, None, tiled)
    sources["streamed by one thread"] = (*copies, None, {**tiled, "threads": 1})
    for name, (*data, given) in sources.items():
        result[name] = matbn.prepare(*data, **given).gradient(**net).theta
    result["one-off"] = matbn.net_gradient(*copies, **net, **tiled).theta
    prepared = matbn.prepare(X, y, **options)
    e = y - prepared.fitted(**net)
    result["adjoint"] = prepared.adjoint_product(**net, u=-2 / N * e)
    J = matbn.net_jacobian(X, **net, **options)
    result["Jacobian"] = -2 / N * J.T @ e
    for column, unit in zip(J.T, np.eye(J.shape[1]), strict=True):
        np.testing.assert_allclose(prepared.jacobian_product(**net, direction=unit), column, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(prepared.jacobian_gram(**net), J.T @ J, rtol=1e-9, atol=1e-9)
    return result


@pytest.mark.torch
@pytest.mark.parametrize("activation", LOWER)
@pytest.mark.parametrize("name", CASES)
def test_every_route_takes_the_lower_slope(name, activation, tmp_path):
    rows, parameters = CASES[name]
    for seed, N in ((1, 100), (2, 300)):
        X, net, y = rows(seed, N), parameters(seed, N), np.random.default_rng(seed).normal(size=N)
        for ddof in (0, 1):
            expected = by_torch(X, y, net, activation, ddof)
            for how, theta in found(X, y, net, activation, ddof, tmp_path).items():
                error = np.max(np.abs(theta - expected))
                assert error < 1e-10 * np.max(np.abs(expected)), (how, N, ddof)


def test_a_thousand_rows_of_dummies():
    """Without a bias, the gradient is that of the derivation by loops, also where X is stored in float32."""
    for seed in range(10):
        X, net = dummies(seed, 1_000), plain_zeros(seed, 1_000)
        y = np.random.default_rng(seed).normal(size=1_000)
        expected = matbn.net_gradient(X[:200], y[:200], **net, route="loop").theta
        for data in (X[:200], np.tile(X[:200], (200, 1))):
            outcome = np.tile(y[:200], len(data) // 200)
            np.testing.assert_allclose(matbn.net_gradient(data, outcome, **net).theta, expected, rtol=1e-11, atol=1e-13)
            single = matbn.prepare(data.astype(np.float32), outcome).gradient(**net)
            np.testing.assert_allclose(single.theta, expected, rtol=1e-4, atol=1e-5)


def test_the_hessian_product_has_the_same_sides():
    X, net, y = dummies(1, 200), plain_zeros(1, 200), np.random.default_rng(1).normal(size=200)
    used = X.any(axis=1)  # rows of zeros have slope 0 and add nothing
    direction = np.random.default_rng(2).normal(size=18)
    found = matbn.net_hessian_product(X, y, **net, direction=direction)
    expected = matbn.net_hessian_product(X[used], y[used], **net, direction=direction) * used.mean()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
