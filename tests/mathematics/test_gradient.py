import numpy as np
import pytest
from conftest import CONVENTIONS, random_net
from high_precision import reference_gradient
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import matbn
from matbn.gradient import ROUTES
from matbn.parameters import Parameters

KINDS = ("batch norm", "plain", "plain without bias")
DERIVATIONS = tuple(route for route in ROUTES if route != "matrix")


def sizes_of_terms(net, activation, ddof, eps):
    """Return for each parameter the size of the terms that its gradient sums; errors are relative to it."""
    p = net.parameters
    layers = matbn.net_forward(net.X, **net.arguments, activation=activation, ddof=ddof, eps=eps)
    e = net.y - layers.fitted
    W = -2 / len(e) * np.outer(e, p.Gamma2) * matbn.ACTIVATIONS[activation].slope(layers.B)
    scale = 1.0 if p.gamma is None else np.abs(p.gamma) / layers.normalised.s
    sizes = {
        "Gamma1": np.linalg.norm(layers.X) * np.linalg.norm(W * scale),
        "Gamma2": 2 / len(e) * np.linalg.norm(layers.V) * np.linalg.norm(e),
        "beta": np.linalg.norm(W) * np.sqrt(len(e)),
    }
    if p.gamma is not None:
        sizes["gamma"] = np.linalg.norm(layers.normalised.H) * np.linalg.norm(W)
    return sizes


def condition(net):
    """Return how much larger the terms of XΓ₁ are than the spread of its columns."""
    Z = net.X @ net.parameters.Gamma1
    spread = np.linalg.norm(Z - Z.mean(axis=0), axis=0)
    return np.max(np.linalg.norm(net.X) * np.linalg.norm(net.parameters.Gamma1, axis=0) / spread)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    N=st.integers(2, 12),
    p1=st.integers(1, 6),
    p2=st.integers(1, 5),
    kind=st.sampled_from(KINDS),
    convention=st.sampled_from(CONVENTIONS),
    activation=st.sampled_from(tuple(matbn.ACTIVATIONS)),
)
def test_all_routes_agree(seed, N, p1, p2, kind, convention, activation):
    net = random_net(seed, N, p1, p2, kind)
    assume(condition(net) < 100)
    ddof, eps = convention
    options = {"activation": activation, "ddof": ddof, "eps": eps}
    expected = matbn.net_gradient(net.X, net.y, **net.arguments, **options)
    sizes = sizes_of_terms(net, activation, ddof, eps)
    for route in DERIVATIONS:
        found = matbn.net_gradient(net.X, net.y, **net.arguments, **options, route=route)
        assert found.loss == pytest.approx(expected.loss, rel=1e-12)
        for name in ("Gamma1", "gamma", "beta", "Gamma2"):
            a, b = getattr(found, name), getattr(expected, name)
            if b is None:
                assert a is None
            else:
                assert a.shape == b.shape
                assert np.max(np.abs(a - b)) <= 1e-12 * sizes[name] + 1e-300, (route, name)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("ddof", "eps"), CONVENTIONS)
@pytest.mark.parametrize("activation", matbn.ACTIVATIONS)
def test_the_gradient_is_the_derivative_of_the_loss(activation, ddof, eps, kind):
    net = random_net(1, kind=kind)
    options = {"activation": activation, "ddof": ddof, "eps": eps}
    at = {name: value for name, value in net.arguments.items() if value is not None}
    gradient = matbn.net_gradient(net.X, net.y, **net.arguments, **options)
    check = matbn.check_gradient(
        lambda **moved: matbn.net_loss(net.X, net.y, **{**net.arguments, **moved}, **options), gradient, at
    )
    assert check.method == "complex step"
    assert max(check.errors.values()) < 1e-13
    assert gradient.loss == matbn.net_loss(net.X, net.y, **net.arguments, **options)


@pytest.mark.parametrize(("ddof", "eps"), CONVENTIONS)
def test_against_50_digits(ddof, eps):
    net = random_net(2, N=6, p1=3, p2=2)
    expected = reference_gradient(net.X, net.y, net.parameters, ddof=ddof, eps=eps)[1]
    for route in ROUTES:
        found = matbn.net_gradient(net.X, net.y, **net.arguments, activation="tanh", ddof=ddof, eps=eps, route=route)
        np.testing.assert_allclose(found.theta, expected, rtol=1e-12, atol=1e-14)


def test_inputs_with_means_far_larger_than_their_spread_keep_their_digits():
    net = random_net(3, N=6, p1=3, p2=2)
    X = net.X + 1e6 * np.array([1.0, -2.0, 3.0])
    expected = reference_gradient(X, net.y, net.parameters)[1]
    found = matbn.net_gradient(X, net.y, **net.arguments, activation="tanh")
    np.testing.assert_allclose(found.theta, expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("N", "p1"), [(2, 3), (7, 1)])
def test_where_the_first_layer_has_no_effect_its_gradient_vanishes(N, p1):
    # With one input, or two samples, the normalised layer depends on Γ₁ through its signs only.
    net = random_net(4, N=N, p1=p1)
    gradient = matbn.net_gradient(net.X, net.y, **net.arguments, activation="tanh")
    sizes = sizes_of_terms(net, "tanh", 1, 0.0)
    assert np.max(np.abs(gradient.Gamma1)) < 1e-14 * sizes["Gamma1"]


def test_the_gradient_is_orthogonal_to_each_nodes_weights():
    net = random_net(5)
    gradient = matbn.net_gradient(net.X, net.y, **net.arguments)
    inner = (gradient.Gamma1 * net.parameters.Gamma1).sum(axis=0)
    assert np.max(np.abs(inner)) < 1e-13 * np.linalg.norm(gradient.Gamma1) * np.linalg.norm(net.parameters.Gamma1)


def test_kronecker_route_with_a_thousand_samples():
    net = random_net(6, N=1000, p1=10, p2=8)
    a = matbn.net_gradient(net.X, net.y, **net.arguments, activation="tanh")
    b = matbn.net_gradient(net.X, net.y, **net.arguments, activation="tanh", route="kronecker")
    np.testing.assert_allclose(a.theta, b.theta, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("ddof", "eps"), CONVENTIONS)
def test_many_rows_in_blocks(ddof, eps, kind, order):
    from matbn.gradient import gradient_in_memory
    from matbn.parameters import as_net
    from matbn.stream.one_off import one_off_gradient

    base = random_net(8, N=30_000, p1=5, p2=3, kind=kind)
    X = np.asarray(base.X + 1e4 * np.arange(5), order=order)
    net = as_net(X, **base.arguments, activation="gelu", ddof=ddof, eps=eps)
    expected, found = gradient_in_memory(net, base.y), one_off_gradient(net, base.y)
    assert found.loss == pytest.approx(expected.loss, rel=1e-13)
    np.testing.assert_allclose(found.theta, expected.theta, rtol=1e-9, atol=1e-12 * np.max(np.abs(expected.theta)))
    public = matbn.net_gradient(X, base.y, **base.arguments, activation="gelu", ddof=ddof, eps=eps)
    assert (public.theta == found.theta).all()


def test_theta_has_its_order_and_with_theta_inverts_it():
    parameters = Parameters(np.array([[1.0, 3], [2, 4]]), np.array([5.0, 6]), np.array([7.0, 8]), np.array([9.0, 10]))
    assert parameters.theta.tolist() == list(range(1, 11))
    again = parameters.with_theta(parameters.theta)
    assert (again.Gamma1 == parameters.Gamma1).all()
    assert again.Gamma2.tolist() == [9, 10]


def test_loss_and_gradient_of_the_plain_net_by_the_textbook():
    net = random_net(7, kind="plain without bias")
    V = np.tanh(net.X @ net.parameters.Gamma1)
    e = net.y - V @ net.parameters.Gamma2
    gradient = matbn.net_gradient(net.X, net.y, **net.arguments, activation="tanh")
    assert gradient.loss == pytest.approx(np.mean(e**2))
    np.testing.assert_allclose(gradient.Gamma2, -2 * V.T @ e / len(e), rtol=1e-13)
    by_hand = net.X.T @ ((1 - V**2) * np.outer(-2 * e, net.parameters.Gamma2)) / len(e)
    np.testing.assert_allclose(gradient.Gamma1, by_hand, rtol=1e-12)


@pytest.mark.parametrize("mean", [1e3, 1e6, 1e9, 1e12])
def test_blocks_keep_digits_where_means_are_large(mean):
    base = random_net(9, N=300, p1=3, p2=2)
    X = base.X + mean * np.array([1.0, -1.0, 2.0])
    centred = X - X[0]  # the same data but for a shift, which changes nothing; exact, as the columns are close together
    expected = matbn.net_gradient(centred, base.y, **base.arguments, activation="tanh", route="graph")
    for route in ROUTES:
        found = matbn.net_gradient(X, base.y, **base.arguments, activation="tanh", route=route)
        error = np.max(np.abs(found.theta - expected.theta)) / np.max(np.abs(expected.theta))
        assert error < 1e-12, (route, error)
        assert found.loss == pytest.approx(expected.loss, rel=1e-13)


@pytest.mark.parametrize(("x", "weights"), [(1e-250, 1e150), (1e250, 1e-120), (1e154, 1.0), (1e-200, 1e80)])
def test_blocks_leave_extreme_scales_to_whole_matrices(x, weights):
    base = random_net(9, N=300, p1=3, p2=2)
    expected = matbn.net_gradient(base.X, base.y, **base.arguments, activation="tanh")
    scaled = {**base.arguments, "Gamma1": base.parameters.Gamma1 * weights}
    found = matbn.net_gradient(base.X * x, base.y, **scaled, activation="tanh")
    np.testing.assert_allclose(found.Gamma1 * weights, expected.Gamma1, rtol=1e-11)
    np.testing.assert_allclose(found.gamma, expected.gamma, rtol=1e-10)


def test_derivations_refuse_scales_whose_squares_leave_the_range():
    base = random_net(9)
    with pytest.raises(matbn.ArgumentError, match="route 'graph' squares"):
        matbn.net_gradient(base.X * 1e160, base.y, **base.arguments, activation="tanh", route="graph")


@pytest.mark.parametrize("route", [route for route in DERIVATIONS if route != "stream"])
def test_derivations_take_real_numbers(route):
    base = random_net(9)
    with pytest.raises(matbn.ElementTypeError, match="takes real numbers only"):
        matbn.net_gradient(base.X + 1e-30j, base.y, **base.arguments, route=route)


def test_saturated_tanh_keeps_relative_accuracy():
    base = random_net(10, N=6, p1=3, p2=2)
    parameters = Parameters(base.parameters.Gamma1, np.ones(2), np.array([18.0, 20.0]), base.parameters.Gamma2)
    expected = reference_gradient(base.X, base.y, parameters)[1]
    found = matbn.net_gradient(
        base.X, base.y, parameters.Gamma1, np.ones(2), parameters.beta, parameters.Gamma2, "tanh"
    )
    np.testing.assert_allclose(found.beta, expected[8:10], rtol=1e-12)
