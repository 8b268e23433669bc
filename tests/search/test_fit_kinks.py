"""Minima at kinks: no direction leads down, on an independent implementation of the loss."""

from dataclasses import replace

import numpy as np
import pytest

import matbn
from matbn.model.design import as_design, net
from matbn.problem.posing import ModelOptions, pose
from matbn.problem.profile import objective
from matbn.problem.sweeps import workspace
from matbn.search import multistart
from matbn.search.bfgs import minimise
from matbn.search.kinks import minimum_at_kinks
from matbn.search.minimum import AT_KINK, SearchOptions
from matbn.search.starts import starting_values

SLOPES = {"relu": 0.0, "leaky_relu": 0.01}


def posed(activation, kind="plain", N=80, size=3, penalty=1e-3):
    rng = np.random.default_rng(4)
    Z, x, groups = rng.normal(size=(N, 3)), rng.normal(size=N), rng.integers(6, size=N)
    y = np.maximum(Z[:, 0] + 0.3, 0) - np.abs(Z[:, 1]) + x + groups / 5 + rng.normal(size=N) / 4
    w = rng.uniform(0.5, 2, N) if kind == "weighted" else None
    model = as_design(y, net(Z, size), x, groups if kind == "effects" else None, w)
    return pose(model, ModelOptions(matbn.ACTIVATIONS[activation], penalty)).problem


def loss_at(problem, slope):
    """Return the profiled loss as a function of θ, by dense least squares."""
    (inputs,) = problem.terms
    root = np.ones(len(problem.y)) if problem.root_w is None else problem.root_w
    p = len(inputs.x)
    weights = np.zeros((p, p))
    weights[:-1, :-1], weights[-1, -1] = inputs.P, 0.01

    def loss(theta):
        F = theta.reshape(p, -1)
        B = inputs.x.T @ F
        V = np.where(B > 0, B, slope * B)
        V = problem.effects.within(V.T).T if problem.effects is not None else V
        V = V * root[:, None]
        V = V - problem.linear.Q.T @ (problem.linear.Q @ V)
        more = np.sqrt(problem.penalty * problem.weight) * np.eye(problem.nodes)
        stacked, outcomes = np.vstack([V, more]), np.append(problem.y, np.zeros(problem.nodes))
        left = outcomes - stacked @ np.linalg.lstsq(stacked, outcomes, rcond=None)[0]
        return left @ left / problem.weight + problem.penalty * np.sum(F * (weights @ F))

    return loss


def directions(problem, theta, count=400):
    """Return directions (random ones, such that stay on the kinks, such that leave one) and the number of kinks."""
    rng = np.random.default_rng(1)
    (inputs,) = problem.terms
    p = len(inputs.x)
    F = theta.reshape(p, -1)
    rows, nodes = np.nonzero(np.abs(inputs.x.T @ F) < 1e-9)
    C = np.zeros((len(rows), p, F.shape[1]))
    C[np.arange(len(rows)), :, nodes] = inputs.x[:, rows].T
    C = C.reshape(len(rows), len(theta))
    candidates = [rng.normal(size=(count, len(theta))), np.eye(len(theta)), -np.eye(len(theta)), C, -C]
    along = candidates[0] - candidates[0] @ np.linalg.pinv(C) @ C if len(rows) else candidates[0]
    candidates += [along, rng.normal(size=(count, len(theta))) * (rng.random((count, len(theta))) < 0.2)]
    if len(rows):  # directions that leave one kink and stay at the others
        for k in range(len(rows)):
            others = np.delete(C, k, axis=0)
            off = C[k] - C[k] @ np.linalg.pinv(others) @ others
            candidates += [off[None], -off[None]]
    every = np.vstack(candidates)
    lengths = np.linalg.norm(every, axis=1)
    return every[lengths > 1e-8] / lengths[lengths > 1e-8, None], len(rows)


def steepest(problem, theta, slope):
    """Return the lowest slope over all directions, by one-sided differences, and the number of kinks at θ."""
    loss, h = loss_at(problem, slope), 1e-6
    tried, kinks = directions(problem, theta)
    here = loss(theta)
    return min((loss(theta + h * direction) - here) / h for direction in tried), kinks


def never(*_):
    return False


@pytest.mark.parametrize("kind", ["plain", "weighted", "effects"])
@pytest.mark.parametrize("activation", SLOPES)
def test_no_direction_leads_down_from_a_minimum_at_kinks(activation, kind):
    problem = posed(activation, kind)
    work = workspace(problem)
    for seed in range(3):
        start = starting_values(problem, np.random.default_rng(seed))
        stopped = minimise(objective(problem, work), start, 1e-6, 150, least_decrease=1e-7)
        end = minimum_at_kinks(problem, work, replace(stopped, status="no decrease"), SearchOptions(1, 1), never)
        assert end.loss <= stopped.loss * (1 + 1e-7)
        assert end.status == AT_KINK
        assert np.abs(end.gradient).max() <= 1e-6
        least, kinks = steepest(problem, end.theta, SLOPES[activation])
        assert kinks > 0
        assert least > -2e-5
        assert end.loss == pytest.approx(loss_at(problem, SLOPES[activation])(end.theta), rel=1e-9)
        assert steepest(problem, stopped.theta, SLOPES[activation])[0] < -1e-4


def test_what_is_no_minimum_is_not_called_one():
    """If no iterations are left, the status stays what it was."""
    problem = posed("relu")
    work = workspace(problem)
    stopped = minimise(objective(problem, work), starting_values(problem, np.random.default_rng(1)), 1e-6, 40)
    end = minimum_at_kinks(problem, work, replace(stopped, status="no decrease"), SearchOptions(1, 1, 1e-6, 40), never)
    assert end.status == "iterations"
    assert steepest(problem, end.theta, 0.0)[0] < -1e-4


def test_an_interrupt_ends_it():
    problem = posed("relu")
    work = workspace(problem)
    stopped = minimise(objective(problem, work), starting_values(problem, np.random.default_rng(1)), 1e-6, 40)
    end = minimum_at_kinks(problem, work, replace(stopped, status="no decrease"), SearchOptions(1, 1), lambda *_: True)
    assert end.status == "interrupted"
    assert end.loss <= stopped.loss


def test_fits_with_rectifiers_converge_and_say_where():
    rng = np.random.default_rng(2)
    Z = rng.normal(size=(60, 2))
    y = np.maximum(Z[:, 0] + 0.3, 0) + rng.normal(size=60) / 5
    for activation in SLOPES:
        for solver in ("profiled", "joint"):
            fit = matbn.fit(y, nets=matbn.net(Z, 3), activation=activation, penalty=1e-4, starts=3, solver=solver)
            assert fit.converged
            assert {search.status for search in fit.searches} <= {"converged", AT_KINK}
            at_kink = fit.searches[0].status == AT_KINK
            assert any("local minimum at kinks of" in message for message in fit.messages) == at_kink
            assert fit.searches[0].gradient <= 1e-6
        assert at_kink
        assert "converged at a kink after" in str(fit)
        assert matbn.Fit.from_json(fit.to_json()).converged


def test_a_search_that_stays_near_kinks_says_so(monkeypatch):
    rng = np.random.default_rng(2)
    Z = rng.normal(size=(60, 2))
    y = np.maximum(Z[:, 0] + 0.3, 0) + rng.normal(size=60) / 5
    monkeypatch.setattr(multistart, "minimum_at_kinks", lambda problem, work, end, *_: end)
    with pytest.warns(matbn.ConvergenceWarning, match=r"ended near kinks of relu, .* softplus, has no kinks"):
        fit = matbn.fit(y, nets=matbn.net(Z, 3), activation="relu", penalty=1e-4, starts=1)
    assert not fit.converged


def test_only_known_kinks_are_looked_for():
    assert {name for name, activation in matbn.ACTIVATIONS.items() if activation.jump} == set(SLOPES)
