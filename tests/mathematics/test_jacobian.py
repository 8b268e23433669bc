import numpy as np
import pytest
from conftest import CONVENTIONS, random_net

import matbn

KINDS = ("batch norm", "plain", "plain without bias")


def at(parameters, theta):
    moved = parameters.with_theta(theta)
    return {"Gamma1": moved.Gamma1, "gamma": moved.gamma, "beta": moved.beta, "Gamma2": moved.Gamma2}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("ddof", "eps"), CONVENTIONS)
@pytest.mark.parametrize("activation", matbn.ACTIVATIONS)
def test_jacobian_and_hessian_by_complex_steps(activation, ddof, eps, kind):
    net = random_net(0, kind=kind)
    options = {"activation": activation, "ddof": ddof, "eps": eps}
    theta = net.parameters.theta
    J = matbn.net_jacobian(net.X, **net.arguments, **options)
    H = np.empty((len(theta), len(theta)))
    for k, unit in enumerate(np.eye(len(theta))):
        moved = at(net.parameters, theta + 1e-30j * unit)
        fitted = matbn.net_forward(net.X, **moved, **options).fitted
        np.testing.assert_allclose(J[:, k], fitted.imag / 1e-30, rtol=1e-12, atol=1e-14)
        gradient = matbn.net_gradient(net.X, net.y, **moved, **options).theta
        H[:, k] = matbn.net_hessian_product(net.X, net.y, **net.arguments, direction=unit, **options)
        np.testing.assert_allclose(H[:, k], gradient.imag / 1e-30, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(H, H.T, rtol=1e-10, atol=1e-12)


def test_gradient_is_the_jacobian_times_the_residuals():
    net = random_net(1)
    J = matbn.net_jacobian(net.X, **net.arguments)
    e = net.y - matbn.net_forward(net.X, **net.arguments).fitted
    gradient = matbn.net_gradient(net.X, net.y, **net.arguments).theta
    np.testing.assert_allclose(gradient, -2 / len(e) * J.T @ e, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize(("ddof", "eps"), CONVENTIONS)
def test_rank_is_that_of_the_folded_net_and_the_spans_agree(ddof, eps):
    N, p1, p2 = 60, 4, 3
    net = random_net(2, N, p1, p2)
    J = matbn.net_jacobian(net.X, **net.arguments, activation="tanh", ddof=ddof, eps=eps)
    folded = matbn.fold(net.X, **net.arguments, ddof=ddof, eps=eps)
    J_folded = matbn.net_jacobian(net.X, folded.Gamma1, None, folded.beta, folded.Gamma2, "tanh")
    assert np.linalg.matrix_rank(J, tol=1e-10) == np.linalg.matrix_rank(J_folded, tol=1e-10) == p2 * (p1 + 2)
    assert np.linalg.matrix_rank(np.hstack([J, J_folded]), tol=1e-10) == p2 * (p1 + 2)


@pytest.mark.parametrize(("ddof", "eps"), CONVENTIONS)
def test_the_folded_net_is_the_same_function(ddof, eps):
    net = random_net(3)
    folded = matbn.fold(net.X, **net.arguments, ddof=ddof, eps=eps)
    assert folded.gamma is None
    for activation in matbn.ACTIVATIONS:
        expected = matbn.net_forward(net.X, **net.arguments, activation=activation, ddof=ddof, eps=eps).fitted
        found = matbn.net_forward(net.X, folded.Gamma1, None, folded.beta, folded.Gamma2, activation).fitted
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-13)


def test_a_plain_net_does_not_fold():
    net = random_net(4, kind="plain")
    with pytest.raises(matbn.ArgumentError, match="nothing to fold"):
        matbn.fold(net.X, **net.arguments)
