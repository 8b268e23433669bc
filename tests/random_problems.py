"""Random panels and least-squares problems, for the tests of several rooms."""

from dataclasses import replace

import numpy as np

from matbn.activation import ACTIVATIONS
from matbn.problem.fixed_effects import fixed_effects
from matbn.problem.least_squares import Problem, project
from matbn.problem.linear_part import factorise, no_columns
from matbn.problem.whitening import whiten


def panel(seed, levels, N=400, keep=0.7):
    """Codes of an unbalanced panel with empty cells."""
    rng = np.random.default_rng(seed)
    effects = [rng.integers(size, size=N) for size in levels]
    some = rng.uniform(size=N) < keep
    return [
        np.concatenate([codes[some], np.arange(size)])[: some.sum()]
        for codes, size in zip(effects, levels, strict=True)
    ]


def dummies(effects):
    return np.hstack([(codes[:, None] == np.unique(codes)).astype(float) for codes in effects])


def random_problem(seed, activation="tanh", penalty=1e-3, weighted=True, effects=True, N=120, linear_penalty=0.0):
    rng = np.random.default_rng(seed)
    Z, W, X = rng.normal(1, 2, (N, 3)), rng.normal(size=(N, 2)), rng.normal(size=(2, N))
    y = np.sin(Z[:, 0]) + W[:, 0] * W[:, 1] + X[0] + rng.normal(size=N) / 5
    w = rng.uniform(0.2, 2, N) if weighted else None
    groups = np.sort(rng.integers(12, size=N))
    fixed = fixed_effects([groups], w) if effects else None
    root = None if w is None else np.sqrt(w)
    terms = (whiten(Z, w, "Z"), whiten(W, w, "W"))
    weight = float(N if w is None else w.sum())
    none = no_columns(N)
    raw = Problem(terms, (3, 2), ACTIVATIONS[activation], y, none, np.empty(0), root, fixed, weight, penalty, N)
    columns = project(raw, np.vstack([X, np.ones(N)]) if not effects else X)
    ridge = linear_penalty * weight * np.arange(1, len(columns) + 1) if linear_penalty else None
    part = factorise(columns, np.linalg.norm(columns, axis=1), ridge)
    y_projected = project(raw, y[None])[0]
    on_y = part.Q @ y_projected
    problem = replace(raw, y=y_projected - on_y @ part.Q, on_y=on_y, linear=part)
    everything = [X.T] + ([dummies([groups])] if effects else [np.ones((N, 1))])
    return problem, y, np.hstack(everything), w
