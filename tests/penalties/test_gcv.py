"""Effective degrees of freedom against hat matrices formed in full, and the penalty that they choose."""

from dataclasses import replace

import numpy as np
import pytest
from random_problems import random_problem

import matbn
from matbn.inference.linearisation import linearise
from matbn.penalties.penalty_by_gcv import effective_degrees
from matbn.problem.least_squares import first_layers, ridge_matrix
from matbn.problem.least_squares import ridge as problem_ridge
from matbn.problem.profile import solve
from matbn.problem.sweeps import workspace
from matbn.search.starts import starting_values


def numeric_jacobian(problem, theta, Gamma2, X, w):
    """Return the Jacobian of V·Γ₂ by θ and Γ₂, projected off X in the weighted metric, by differences."""

    def fitted(theta, Gamma2):
        nodes = [problem.activation.value(layer.F.T @ layer.inputs.x) for layer in first_layers(problem, theta)]
        return Gamma2 @ np.vstack(nodes)

    h = 1e-6
    steps = np.eye(len(theta)) * h
    by_theta = [(fitted(theta + s, Gamma2) - fitted(theta - s, Gamma2)) / (2 * h) for s in steps]
    by_Gamma2 = [fitted(theta, row) for row in np.eye(len(Gamma2))]
    root = np.ones(len(problem.y)) if w is None else np.sqrt(w)
    J = np.array([*by_theta, *by_Gamma2]).T * root[:, None]
    Q = np.linalg.qr(X * root[:, None])[0]
    return J - Q @ (Q.T @ J)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("effects", [False, True])
def test_degrees_of_freedom_are_the_trace_of_the_hat_matrix(weighted, effects):
    problem, _, X, w = random_problem(1, weighted=weighted, effects=effects, penalty=3e-3)
    theta = starting_values(problem, np.random.default_rng(1))
    work = workspace(problem)
    Gamma2 = solve(problem, theta, work).Gamma2
    J = numeric_jacobian(problem, theta, Gamma2, X, w)
    ridge = problem.penalty * problem.weight * ridge_matrix(problem)
    assert theta @ ridge_matrix(problem)[: len(theta), : len(theta)] @ theta == pytest.approx(
        theta @ problem_ridge(problem, theta)
    )
    hat = J @ np.linalg.solve(J.T @ J + ridge, J.T)
    edf, loss = effective_degrees(problem, theta, work)
    assert edf == pytest.approx(np.trace(hat), rel=1e-5)
    assert loss == pytest.approx(solve(problem, theta, work).mean_square)
    unpenalised, _ = effective_degrees(replace(problem, penalty=0.0), theta, work)
    assert unpenalised == len(theta) + len(Gamma2)  # 3·(3 + 2) + 2·(2 + 2): the folded net is identified
    heavy, _ = effective_degrees(replace(problem, penalty=1e6), theta, work)
    assert heavy < 1e-3


def data(N, noise):
    rng = np.random.default_rng(5)
    X = rng.uniform(size=(N, 5))
    signal = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
    return X, signal + noise * rng.normal(size=N), signal


def test_more_noise_asks_for_a_larger_penalty_and_the_choice_predicts_well():
    chosen = {}
    for noise in (0.5, 8.0):
        X, y, signal = data(150, noise)
        fit = matbn.fit(y, nets=matbn.net(X, 4), penalty="gcv", starts=3)
        chosen[noise] = fit.penalty
        scores = [scored.score for scored in fit.path]
        assert fit.path[int(np.argmin(scores))].penalty == fit.penalty
        assert [scored.penalty for scored in fit.path] == sorted(scored.penalty for scored in fit.path)
        assert 1 < fit.edf < 150
        assert "generalised cross-validation" in str(fit)
        errors = [
            np.mean((matbn.fit(y, nets=matbn.net(X, 4), penalty=penalty, starts=3).fitted - signal) ** 2)
            for penalty in (1e-6, 1.0)
        ]
        assert np.mean((fit.fitted - signal) ** 2) < 1.3 * min(errors)
    assert chosen[8.0] > 10 * chosen[0.5]


def test_other_words_are_no_penalty():
    with pytest.raises(matbn.ArgumentError, match="penalty is 'bic', but must be one of 'cv', 'gcv'"):
        matbn.fit([1.0, 2, 3], penalty="bic")


@pytest.mark.parametrize("linear_penalty", [0.0, 0.01, 3.0])
@pytest.mark.parametrize("effects", [False, True])
def test_degrees_are_the_sum_of_leverages(effects, linear_penalty):
    rng = np.random.default_rng(5)
    Z, x = rng.normal(size=(150, 2)), rng.normal(size=(150, 3))
    y = np.sin(2 * Z[:, 0]) + Z[:, 1] + x[:, 0] + rng.normal(size=150) / 2
    fit = matbn.fit(
        y,
        nets=matbn.net(Z, 4),
        linear=np.hstack([Z, x]),
        effects=rng.integers(0, 9, 150) if effects else None,
        weights=rng.uniform(0.5, 2, 150),
        penalty=1e-5,
        linear_penalty=linear_penalty,
        starts=1,
    )
    assert fit.edf == pytest.approx(linearise(fit).leverage.sum(), rel=1e-9)
