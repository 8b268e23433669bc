"""One row far from all others: errors are at most a few times those that half an ulp in the inputs causes."""

from typing import NamedTuple

import numpy as np
import pytest
from conftest import random_net
from high_precision import exact, reference_gradient, reference_hessian_product, reference_jacobian, within_half_an_ulp

import matbn
from matbn.parameters import Parameters

TIMES = 10  # how many times the error that half an ulp in the inputs causes is allowed
SUMMED = 8 * 2.0**-53  # error of sums over so many rows, which is added before multiplying by TIMES
COPIES = 2_000  # of each ordinary row: together too many rows to be kept as one block
ROUNDOFF = 2.0**-53
NAMES = ("Gamma1", "gamma", "beta", "Gamma2")


class Case(NamedTuple):
    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray  # how many copies of a row there are
    parameters: Parameters

    @property
    def arguments(self):
        return {name: getattr(self.parameters, name) for name in NAMES}

    def rows(self):
        """All copies, the outlier among the first rows."""
        last = len(self.y) - 1
        order = np.repeat(np.arange(len(self.y)), self.weights.astype(int))
        order = np.random.default_rng(1).permutation(order)
        place = np.flatnonzero(order == last)[0]
        order[[7, place]] = order[[place, 7]]
        return order

    def moved(self, seed):
        """The case with each number changed by half an ulp."""
        rng = np.random.default_rng(seed)
        parts = [getattr(self.parameters, name) for name in NAMES]
        parameters = Parameters(*(None if part is None else within_half_an_ulp(part, rng) for part in parts))
        X, y = within_half_an_ulp(self.X, rng), within_half_an_ulp(self.y, rng)
        return Case(X, y, self.weights, parameters)


def case(kind, outlier, N=15, copies=COPIES):
    net = random_net(2, N, 3, 2, kind)
    X, y = np.vstack([net.X, net.X[:1]]), np.append(net.y, net.y[0])
    X[-1, 1] = outlier
    return Case(X, y, np.append(np.full(N, float(copies)), 1.0), net.parameters)


def parts(parameters, theta):
    """Return the rows of Γ₁ and the other vectors."""
    found = parameters.with_theta(theta)
    return [*found.Gamma1, *(getattr(found, name) for name in NAMES[1:] if getattr(found, name) is not None)]


def error(parameters, found, expected):
    """Return the largest error of all parts, each relative to the part's largest number."""
    pairs = zip(parts(parameters, found), parts(parameters, expected), strict=True)
    return max(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-300) for a, b in pairs)


@pytest.mark.parametrize("outlier", [1e4, 1e8, -1e14])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("kind", ["plain", "batch norm"])
def test_gradient(kind, activation, outlier):
    given = case(kind, outlier)
    options = {"activation": activation, "ddof": 0}

    def reference(given):
        return reference_gradient(given.X, given.y, given.parameters, **options, weights=given.weights)[1]

    expected = reference(given)
    attainable = max(error(given.parameters, reference(given.moved(seed)), expected) for seed in (1, 2, 3))
    rows = given.rows()
    X, y = given.X[rows], given.y[rows]
    found = {
        "streamed": matbn.prepare(X, y, **options),
        "weights": matbn.prepare(given.X, given.y, given.weights, **options),
    }
    found = {name: prepared.gradient(**given.arguments) for name, prepared in found.items()}
    found["one-off"] = matbn.net_gradient(X, y, **given.arguments, **options)
    for name, gradient in found.items():
        assert error(given.parameters, gradient.theta, expected) < TIMES * (attainable + SUMMED), name


@pytest.mark.parametrize("stored", [np.float64, np.float32])
@pytest.mark.parametrize("kind", ["plain", "batch norm"])
def test_products(kind, stored):
    given = case(kind, 1e8)
    given = given._replace(X=given.X.astype(stored).astype(float))
    w, names = given.weights, {"activation": "tanh", "ddof": 0}
    fitted, J = reference_jacobian(given.X, given.parameters, **names, weights=w)
    V, exact_w = J[:, -2:], exact(w)
    rng = np.random.default_rng(3)
    direction, u = rng.normal(size=J.shape[1]), rng.normal(size=len(w))
    prepared = matbn.prepare(given.X.astype(stored), given.y, w, **names)
    bound = 40 * np.finfo(stored).eps
    products = prepared.cross_products(*(given.arguments[name] for name in NAMES[:3]))
    for found, expected in (
        (prepared.fitted(**given.arguments), fitted),
        (prepared.jacobian_product(**given.arguments, direction=direction), J.dot(exact(direction))),
        (products.VtV, V.T.dot(exact_w[:, None] * V)),
        (products.Vty, V.T.dot(exact_w * exact(given.y))),
    ):
        assert np.max(np.abs(found - expected.astype(float))) < bound * np.max(np.abs(found))
    adjoint = prepared.adjoint_product(**given.arguments, u=u)
    assert error(given.parameters, adjoint, J.T.dot(exact(u)).astype(float)) < 10 * bound  # terms of both signs
    gram, expected = prepared.jacobian_gram(**given.arguments), J.T.dot(exact_w[:, None] * J).astype(float)
    size = np.sqrt(np.diag(expected))
    assert np.max(np.abs(gram - expected) / np.outer(size, size)) < bound


@pytest.mark.parametrize("outlier", [1e4, 1e8, 1e14])
@pytest.mark.parametrize(("kind", "eps"), [("plain", 0.0), ("batch norm", 0.0), ("batch norm", 0.3)])
def test_hessian_product_and_jacobian(kind, eps, outlier):
    given = case(kind, outlier, copies=1)
    options = {"activation": "tanh", "ddof": 1, "eps": eps}
    direction = np.random.default_rng(4).normal(size=len(given.parameters.theta))

    def reference(given):
        return reference_hessian_product(given.X, given.y, given.parameters, direction, **options)

    expected = reference(given)
    attainable = max(error(given.parameters, reference(given.moved(seed)), expected) for seed in (1, 2))
    found = matbn.net_hessian_product(given.X, given.y, **given.arguments, direction=direction, **options)
    assert error(given.parameters, found, expected) < TIMES * max(attainable, ROUNDOFF)
    step = given.parameters.with_theta(given.parameters.theta + 1e-30j * direction)
    moved = matbn.net_gradient(given.X, given.y, **{name: getattr(step, name) for name in NAMES}, **options)
    assert error(given.parameters, moved.theta.imag / 1e-30, expected) < TIMES * max(attainable, ROUNDOFF)
    J = reference_jacobian(given.X, given.parameters, **options)[1].astype(float)
    error_of_J = np.abs(matbn.net_jacobian(given.X, **given.arguments, **options) - J)
    assert np.max(error_of_J / np.abs(J).max(axis=0)) < 20 * ROUNDOFF
    unit = np.eye(len(direction))[1]  # in the direction of the outlier's weight nearly all digits cancel
    product = matbn.prepare(given.X, given.y, **options).jacobian_product(**given.arguments, direction=unit)
    assert np.max(np.abs(product - J[:, 1])) < 20 * ROUNDOFF * np.abs(J[:, 1]).max()


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_means_a_million_times_the_spread_in_a_plain_net(activation):
    net = random_net(2, 25, 3, 2, "plain")
    X = np.column_stack([2e6 + net.X[:, 0], 273.15e4 + net.X[:, 1], 1.7e9 + 1e3 * net.X[:, 2]])
    Gamma1 = net.parameters.Gamma1 / [[1], [1], [1e3]]
    parameters = Parameters(Gamma1, None, -(X.mean(axis=0) @ Gamma1), net.parameters.Gamma2)
    given = Case(X, net.y, np.full(25, 1.0 * COPIES), parameters)

    def reference(given):
        return reference_gradient(given.X, given.y, given.parameters, activation, weights=given.weights)[1]

    expected = reference(given)
    attainable = max(error(parameters, reference(given.moved(seed)), expected) for seed in (1, 2, 3))
    rows = np.repeat(np.arange(25), COPIES)
    for found in (
        matbn.prepare(X[rows], net.y[rows], activation=activation).gradient(**given.arguments),
        matbn.net_gradient(X[rows], net.y[rows], **given.arguments, activation=activation),
        matbn.net_gradient(X, net.y, **given.arguments, activation=activation),
    ):
        assert error(parameters, found.theta, expected) < TIMES * (attainable + SUMMED)
