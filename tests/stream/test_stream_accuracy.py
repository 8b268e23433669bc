"""The engine compared with 50-digit arithmetic, where naive formulas lose digits."""

import warnings

import numpy as np
import pytest
from conftest import random_net
from high_precision import reference_gradient

import matbn
from matbn.parameters import Parameters

ROUNDOFF = 2.0**-53
TILES = 25  # of 400 rows are more than one block


def relative_error(found, expected, parameters):
    """The largest error in each row of ∂R/∂Γ₁ and in the other vectors, against the largest number there."""
    expected = parameters.with_theta(expected)
    pairs = [*zip(found.Gamma1, expected.Gamma1, strict=True)]
    pairs += [(found.gamma, expected.gamma), (found.beta, expected.beta), (found.Gamma2, expected.Gamma2)]
    return max(np.max(np.abs(a - b)) / np.max(np.abs(b)) for a, b in pairs)


def check(X, net, parameters, activation, bound, ddof=0, eps=0.0, weights=None):
    """Compare on one copy of the data, kept as a block, and on many, which give the same results where ddof = 0."""
    loss, theta = reference_gradient(X, net.y, parameters, activation, ddof, eps, weights)
    arguments = {name: getattr(parameters, name) for name in ("Gamma1", "gamma", "beta", "Gamma2")}
    options = {"activation": activation, "ddof": ddof, "eps": eps}
    found = [matbn.prepare(X, net.y, weights, **options).gradient(**arguments)]
    if weights is None:
        found.append(matbn.net_gradient(X, net.y, **arguments, **options))
    if ddof == 0:
        tiled = np.tile(X, (TILES, 1)), np.tile(net.y, TILES)
        found.append(
            matbn.prepare(*tiled, None if weights is None else np.tile(weights, TILES), **options).gradient(**arguments)
        )
        if weights is None:
            found.append(matbn.net_gradient(*tiled, **arguments, **options))
    for gradient in found:
        assert gradient.loss == pytest.approx(loss, rel=bound)
        assert relative_error(gradient, theta, parameters) < bound


@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "gelu"])
@pytest.mark.parametrize(("ddof", "eps"), [(0, 0.0), (1, 0.0), (0, 0.3)])
def test_well_scaled(activation, ddof, eps):
    net = random_net(1, 400, 3, 2)
    check(net.X, net, net.parameters, activation, 1e-12, ddof, eps)


def test_weights():
    net = random_net(1, 400, 3, 2)
    weights = np.random.default_rng(2).uniform(0, 3, 400)
    check(net.X, net, net.parameters, "tanh", 1e-12, 1, 0.0, weights)
    check(net.X, net, net.parameters, "relu", 1e-12, 0, 0.1, weights)


@pytest.mark.parametrize("order", ["as drawn", "sorted"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_means_a_million_times_the_spread(activation, order):
    net = random_net(2, 400, 3, 2)
    X = np.column_stack([2e6 + net.X[:, 0], 273.15e4 + net.X[:, 1], 1.7e9 + 1e3 * net.X[:, 2]])
    if order == "sorted":  # so that the first rows are far from the mean
        X = np.sort(X, axis=0)
    parameters = Parameters(net.parameters.Gamma1 / [[1], [1], [1e3]], *list(net.arguments.values())[1:])
    check(X, net, parameters, activation, 1e-12)


@pytest.mark.parametrize("counter", [False, True])  # whether the weights undo the scales
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_columns_over_twelve_orders_of_magnitude(activation, counter):
    net = random_net(3, 400, 3, 2)
    scales = np.array([1e-6, 1.0, 1e6])
    Gamma1 = net.parameters.Gamma1 / scales[:, None] if counter else net.parameters.Gamma1
    parameters = Parameters(Gamma1, *list(net.arguments.values())[1:])
    check(net.X * scales, net, parameters, activation, 1e-12 if counter else 1e-9)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_ten_million_rows(activation):
    net = random_net(4, 400, 2, 2)
    loss, theta = reference_gradient(net.X, net.y, net.parameters, activation, ddof=0)
    X, y = np.tile(net.X, (25_000, 1)), np.tile(net.y, 25_000)
    for gradient in (
        matbn.prepare(X, y, activation=activation, ddof=0).gradient(**net.arguments),
        matbn.net_gradient(X, y, **net.arguments, activation=activation, ddof=0),
    ):
        assert gradient.loss == pytest.approx(loss, rel=1e-13)
        assert relative_error(gradient, theta, net.parameters) < 1e-12


@pytest.mark.parametrize("closeness", [1e-2, 1e-4, 1e-6, 1e-8, 1e-10])
def test_nodes_that_nearly_cancel_keep_what_float64_can_and_warn(closeness):
    net = random_net(5, 400, 3, 2)
    X = net.X.copy()
    X[:, 2] = X[:, 0] + X[:, 1] + closeness * X[:, 2]
    Gamma1 = np.column_stack([[1.0, 1.0, -1.0], net.parameters.Gamma1[:, 1]])
    parameters = Parameters(Gamma1, *list(net.arguments.values())[1:])
    centred = X - X.mean(axis=0)
    sizes = np.linalg.norm(centred, axis=0) @ np.abs(Gamma1)
    kappa = np.max(sizes / np.linalg.norm(centred @ Gamma1, axis=0))
    _, theta = reference_gradient(X, net.y, parameters, "tanh", ddof=0)
    arguments = {"Gamma1": Gamma1, **{name: net.arguments[name] for name in ("gamma", "beta", "Gamma2")}}
    expected = parameters.with_theta(theta)
    for copies in (1, TILES):
        Xs, ys = np.tile(X, (copies, 1)), np.tile(net.y, copies)
        for compute in (
            lambda Xs=Xs, ys=ys: matbn.prepare(Xs, ys, activation="tanh", ddof=0).gradient(**arguments),
            lambda Xs=Xs, ys=ys: matbn.net_gradient(Xs, ys, **arguments, activation="tanh", ddof=0),
        ):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                found = compute()
            for name in ("Gamma1", "gamma", "beta", "Gamma2"):
                a, b = getattr(found, name), getattr(expected, name)
                assert np.max(np.abs(a - b)) < 100 * ROUNDOFF * kappa * np.max(np.abs(b)), name
            assert [w.category for w in caught] == [matbn.PrecisionWarning] * int(100 * ROUNDOFF * kappa > 1e-9)
            if caught:
                assert caught[0].filename == __file__  # the user's line, not one of matbn's
                assert "node 0" in str(caught[0].message)


def test_whole_matrices_warn_too():
    net = random_net(5, 50, 3, 2)
    X = net.X.copy()
    X[:, 2] = X[:, 0] + 1e-8 * X[:, 2]
    arguments = {**net.arguments, "Gamma1": np.column_stack([[1.0, 0, -1], [1.0, 2, 3]])}
    with pytest.warns(matbn.PrecisionWarning, match="node 0 .* keeps about 7 digits"):
        matbn.net_gradient(X, net.y, **arguments)


def test_saturated_nodes_keep_relative_accuracy():
    net = random_net(6, 400, 3, 2)
    parameters = Parameters(net.parameters.Gamma1, np.array([0.5, 1.0]), np.array([18.0, -1.0]), net.parameters.Gamma2)
    for activation in ("tanh", "logistic"):
        _, theta = reference_gradient(net.X, net.y, parameters, activation, ddof=0)
        expected = parameters.with_theta(theta)
        arguments = {name: getattr(parameters, name) for name in ("Gamma1", "gamma", "beta", "Gamma2")}
        found = matbn.prepare(net.X, net.y, activation=activation, ddof=0).gradient(**arguments)
        for name in ("Gamma1", "gamma", "beta", "Gamma2"):
            for j in range(2):
                a, b = getattr(found, name)[..., j], getattr(expected, name)[..., j]
                assert np.max(np.abs(a - b)) < 1e-12 * np.max(np.abs(b)), (activation, name, j)
