"""The parts that a fit is made of: fixed effects, whitening, the linear part, the profiled loss, the search."""

from itertools import pairwise

import numpy as np
import pytest
from random_problems import dummies, panel, random_problem
from scipy.linalg import lstsq

import matbn
from matbn.activation import ACTIVATIONS
from matbn.problem.fixed_effects import first_effect, fixed_effects
from matbn.problem.least_squares import SHIFT, first_layers
from matbn.problem.linear_part import coefficients, factorise
from matbn.problem.profile import solve
from matbn.problem.sweeps import workspace
from matbn.problem.whitening import whiten
from matbn.search.bfgs import minimise
from matbn.search.starts import starting_values


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("levels", [(40,), (40, 7), (5, 60), (3, 3), (40, 7, 5), (10, 9, 8, 7)])
def test_within_is_the_residual_of_a_regression_on_dummies(levels, weighted):
    effects = panel(1, levels)
    order = np.argsort(effects[first_effect(effects)], kind="stable")
    effects = [codes[order] for codes in effects]
    rng = np.random.default_rng(2)
    N = len(order)
    w = rng.uniform(0.2, 3, N) if weighted else None
    A = rng.normal(1e3, 1, (4, N))
    prepared = fixed_effects(effects, w)
    D = dummies(effects)
    root = np.ones(N) if w is None else np.sqrt(w)
    fit, _, rank, _ = lstsq(D * root[:, None], (A * root).T, 1e-10)
    expected = A - (D @ fit).T
    np.testing.assert_allclose(prepared.within(A), expected, atol=1e-9)
    weighted_sums = D.T @ (prepared.within(A) * root**2).T
    assert np.abs(weighted_sums).max() < 1e-11 * np.abs(A).sum()
    assert prepared.rank == rank
    assert prepared.levels == tuple(len(np.unique(codes)) for codes in effects)
    again = prepared.within(prepared.within(A))
    np.testing.assert_allclose(again, prepared.within(A), atol=1e-11)


def test_connected_components_and_singletons():
    firm = np.array([0, 0, 1, 1, 2, 2, 3, 4])  # firms 0 and 1 share years 0 and 1, and no other year
    year = np.array([0, 1, 0, 1, 2, 3, 4, 4])
    effects = [firm, year]
    order = np.argsort(effects[first_effect(effects)], kind="stable")
    prepared = fixed_effects([codes[order] for codes in effects], None)
    assert prepared.rank == np.linalg.matrix_rank(dummies(effects))
    assert prepared.singletons == 4  # years 2 and 3, firms 3 and 4


def test_whitened_inputs_are_nearly_uncorrelated_and_know_their_moments_and_penalty():
    rng = np.random.default_rng(3)
    Z = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4)) * [1e-6, 1, 1e6, 1] + [1, 2, 3e7, 4]
    w = rng.uniform(0, 2, 300)
    inputs = whiten(Z, w, "Z")
    U = inputs.x[:-1]
    np.testing.assert_allclose(U @ w / w.sum(), 0, atol=1e-12)
    np.testing.assert_allclose((U * w) @ U.T / w.sum(), inputs.covariance, atol=1e-9)
    np.testing.assert_allclose(inputs.covariance, np.eye(4), atol=0.1)
    np.testing.assert_allclose((Z - inputs.mean) @ inputs.K, U.T, atol=1e-9)
    spread = np.sqrt(np.average((Z - np.average(Z, axis=0, weights=w)) ** 2, axis=0, weights=w))
    standardised = spread[:, None] * inputs.K  # folded weights of standardised inputs, by α
    np.testing.assert_allclose(standardised.T @ standardised, inputs.P, rtol=1e-7, atol=1e-9)
    assert inputs.rank == 4
    shuffled = rng.permutation(300)
    np.testing.assert_allclose(whiten(Z[shuffled], w[shuffled], "Z").K, inputs.K, rtol=1e-9)


def test_collinear_inputs_lose_a_direction_and_constant_ones_are_refused():
    rng = np.random.default_rng(4)
    Z = rng.normal(size=(100, 3))
    Z[:, 2] = Z[:, 0] - 2 * Z[:, 1]
    inputs = whiten(Z, None, "Z")
    assert inputs.rank == 2
    covariance = inputs.x[:-1] @ inputs.x[:-1].T / 100
    np.testing.assert_allclose(np.linalg.eigvalsh(covariance), [0, 1, 1], atol=0.01)
    np.testing.assert_allclose(covariance, inputs.covariance, atol=1e-12)
    assert (np.linalg.eigvalsh(inputs.P) > 0.1).all()
    with pytest.raises(matbn.ArgumentError, match="Z has constant inputs, at 3"):
        whiten(np.column_stack([Z, np.full(100, 0.1)]), None, "Z")


def test_linear_part_drops_what_depends_on_earlier_columns():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(50, 4))
    X = np.column_stack([X[:, 0], 3 * X[:, 0], X[:, 1], X[:, 0] - X[:, 1], X[:, 2]])
    part = factorise(X.T, np.linalg.norm(X, axis=0))
    assert part.kept.tolist() == [0, 2, 4]
    y = rng.normal(size=50)
    b = coefficients(part, y)
    np.testing.assert_allclose(b, lstsq(X[:, [0, 2, 4]], y)[0], rtol=1e-12)
    none = factorise(np.zeros((2, 50)), np.ones(2))
    assert len(none.kept) == 0
    assert none.Q.shape == (0, 50)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("effects", [False, True])
def test_profiled_loss_is_that_of_the_whole_regression_and_its_gradient_the_derivative(effects, weighted, activation):
    problem, y, X, w = random_problem(6, activation, weighted=weighted, effects=effects)
    work = workspace(problem)
    theta = starting_values(problem, np.random.default_rng(1))

    def whole(theta):
        V = np.vstack([problem.activation.value(layer.F.T @ layer.inputs.x) for layer in first_layers(problem, theta)])
        L = np.hstack([V.T, X])
        root = np.ones(len(y)) if w is None else np.sqrt(w)
        ridge = np.zeros((len(V), L.shape[1]))
        np.fill_diagonal(ridge, np.sqrt(problem.penalty * problem.weight))
        c = lstsq(np.vstack([L * root[:, None], ridge]), np.append(y * root, np.zeros(len(V))))[0]
        e = (y - L @ c) * root
        shrunk = c[: len(V)] @ c[: len(V)] + sum(_squares(layer, w) for layer in first_layers(problem, theta))
        return e @ e / problem.weight + problem.penalty * shrunk, c[: len(V)]

    at = solve(problem, theta, work)
    loss, Gamma2 = whole(theta)
    assert at.loss == pytest.approx(loss, rel=1e-11)
    np.testing.assert_allclose(at.Gamma2, Gamma2, rtol=1e-7)
    rng = np.random.default_rng(2)
    for _ in range(3):
        direction = rng.normal(size=len(theta))
        h = 1e-5
        numeric = (whole(theta + h * direction)[0] - whole(theta - h * direction)[0]) / (2 * h)
        assert at.gradient @ direction == pytest.approx(numeric, rel=2e-5, abs=1e-7)


def _squares(layer, w):
    """Return the sum of squares of the folded weights of standardised inputs and of the shifts, as it is penalised."""
    U = layer.inputs.x[:-1]
    Z = np.linalg.lstsq(layer.inputs.K.T, U, rcond=None)[0]  # centred inputs
    variance = np.average(Z**2, axis=1, weights=w)
    return (
        variance @ (layer.inputs.K @ layer.F[:-1]) ** 2 @ np.ones(layer.F.shape[1]) + SHIFT * layer.F[-1] @ layer.F[-1]
    )


def test_dependent_nodes_are_solved_for_by_rank():
    problem, *_ = random_problem(7, penalty=0.0)
    theta = starting_values(problem, np.random.default_rng(1))
    first = first_layers(problem, theta)[0].F
    first[:, 1] = first[:, 0]
    at = solve(problem, theta, workspace(problem))
    assert at.rank == problem.nodes - 1
    assert at.Gamma2[0] == pytest.approx(at.Gamma2[1])
    assert np.isfinite(at.gradient).all()


def test_search_ends_where_the_gradient_vanishes():
    problem, *_ = random_problem(8, penalty=1e-4)
    work = workspace(problem)

    def evaluate(theta):
        at = solve(problem, theta, work)
        return at.loss, at.gradient

    seen = []
    start = starting_values(problem, np.random.default_rng(3))
    end = minimise(evaluate, start, 1e-8, 3000, lambda iteration, loss, theta: bool(seen.append(loss)))
    assert end.status == "converged"
    assert np.abs(end.gradient).max() <= 1e-8
    assert end.loss < 0.9 * evaluate(start)[0]
    assert all(later <= earlier * (1 + 1e-13) for earlier, later in pairwise(seen))
    assert minimise(evaluate, start, 1e-8, 5).status == "iterations"


def test_search_solves_quadratics_and_gives_up_where_nothing_falls():
    rng = np.random.default_rng(9)
    A = rng.normal(size=(8, 8))
    H = A @ A.T + np.eye(8)
    target = rng.normal(size=8)
    end = minimise(lambda t: (float((t - target) @ H @ (t - target)), 2 * H @ (t - target)), np.zeros(8), 1e-9, 500)
    assert end.status == "converged"
    np.testing.assert_allclose(end.theta, target, atol=1e-9)
    wrong = minimise(lambda t: (float(t @ t), -2 * t), np.ones(3), 1e-9, 100)
    assert wrong.status == "no decrease"
    assert (wrong.theta == 1).all()


def test_starting_values_keep_nodes_active():
    problem, *_ = random_problem(10)
    for seed in range(20):
        theta = starting_values(problem, np.random.default_rng(seed))
        for layer in first_layers(problem, theta):
            B = layer.F.T @ layer.inputs.x
            assert ((B > 0).mean(axis=1) > 0.02).all()
            assert ((B < 0).mean(axis=1) > 0.02).all()
            assert (np.tanh(B).std(axis=1) > 0.05).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("levels", [(40,), (40, 7), (5, 60), (40, 7, 5)])
def test_leverage_and_influence_are_those_of_a_regression_on_dummies(levels, weighted):
    effects = panel(3, levels)
    order = np.argsort(effects[first_effect(effects)], kind="stable")
    effects = [codes[order] for codes in effects]
    N = len(order)
    rng = np.random.default_rng(4)
    w = rng.uniform(0.2, 3, N) if weighted else np.ones(N)
    prepared = fixed_effects(effects, w if weighted else None)
    D = dummies(effects)
    root = np.sqrt(w)[:, None]
    solution = np.linalg.pinv(D * root, rcond=1e-10) * root.T  # the derivatives of coefficients by outcomes
    np.testing.assert_allclose(prepared.leverage(), np.einsum("ng,gn->n", D, solution), atol=1e-10)
    rows = rng.choice(N, 20)
    groups = np.column_stack([codes[rows] for codes in effects])
    np.testing.assert_allclose(prepared.influence(groups), (D @ solution)[rows], atol=1e-10)
