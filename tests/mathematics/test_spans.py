"""With batch norm's statistics held constant, the gradient differs; span and standard errors do not, if γ is free."""

import numpy as np
import pytest

import matbn


def jacobians(N=80, p=3, q=2, seed=1):
    """Return the Jacobians by (vec Γ₁, γ, β, Γ₂): the true one, and that with means and deviations held constant."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, p)) + 2
    Gamma1, gamma = rng.normal(size=(p, q)), rng.uniform(0.5, 2, q)
    beta, Gamma2 = rng.normal(size=q), rng.normal(size=q)
    true = matbn.net_jacobian(X, Gamma1, gamma, beta, Gamma2, "tanh", ddof=0)
    Z = X @ Gamma1
    H = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    V = np.tanh(H * gamma + beta)
    S = (1 - V**2) * Gamma2
    by_Gamma1 = [S[:, j] * gamma[j] / Z[:, j].std() * X[:, k] for j in range(q) for k in range(p)]
    return true, np.column_stack([*by_Gamma1, S * H, S, V]), p * q


def hat(J):
    """Return the projection on J's columns and its rank."""
    left, values, _ = np.linalg.svd(J, full_matrices=False)
    left = left[:, values > 1e-10 * values[0]]
    return left @ left.T, left.shape[1]


def test_spans_agree_though_gradients_do_not():
    true, held, n = jacobians()
    assert np.abs(true[:, :n] - held[:, :n]).max() > 0.1  # so that the gradients by Γ₁ differ
    (P, rank), (P_held, rank_held) = hat(true), hat(held)
    assert rank == rank_held == 2 * (3 + 2)  # batch norm's scale is free, once for each node
    np.testing.assert_allclose(P, P_held, atol=1e-12)


@pytest.mark.parametrize("linear", [False, True])
def test_errors_of_what_is_identified_agree(linear):
    true, held, _ = jacobians()
    x = np.random.default_rng(2).normal(size=(80, 1)) + true[:, :1]
    if linear:  # of a linear coefficient beside the net
        left = [(x - hat(J)[0] @ x).ravel() for J in (true, held)]
        assert left[0] @ left[0] == pytest.approx(left[1] @ left[1], rel=1e-10)
    else:  # of fitted values
        np.testing.assert_allclose(hat(true)[0].diagonal(), hat(held)[0].diagonal(), rtol=1e-9)


def test_with_gamma_fixed_constant_statistics_count_a_parameter_too_many():
    true, held, n = jacobians()
    rest = [k for k in range(true.shape[1]) if not n <= k < n + 2]
    (P, rank), (P_held, rank_held) = hat(true[:, rest]), hat(held[:, rest])
    assert (rank, rank_held) == (8, 10)  # the truth cannot scale a node: γ is fixed, and Γ₁'s scale does nothing
    assert P_held.trace() / P.trace() == pytest.approx(1.25)  # variance of fitted values, on average
    assert (P_held.diagonal() > P.diagonal() - 1e-12).all()
