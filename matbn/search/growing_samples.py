"""Random samples of the rows, each several times as large as the one before, on which a search begins.

The loss on a sample is close to the loss on all rows, at a fraction of the cost. A search that starts on all rows from
the minimum for a sample, and with the Gauss–Newton curvature there, takes few steps.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.problem.least_squares import Problem
from matbn.problem.linear_part import LinearPart, factorise

_LEAST = 2_000  # rows of the first sample, at least
_PER_PARAMETER = 20  # rows of the first sample, at least
_GROWTH = 8  # how many times larger the next sample is


def growing_samples(problem: Problem, rng: np.random.Generator) -> Iterator[Problem]:
    """Yield the problem on growing samples, up to a quarter of the rows; none with few rows or with fixed effects."""
    parameters = problem.theta_size + problem.nodes
    N = len(problem.y)
    rows = max(_LEAST, _PER_PARAMETER * parameters)
    if problem.effects is not None or _GROWTH * rows / 2 > N:
        return
    order = rng.permutation(N)
    while _GROWTH * rows / 2 <= N:
        yield _sampled_problem(problem, np.sort(order[:rows]))
        rows *= _GROWTH


def _sampled_problem(problem: Problem, rows: Array) -> Problem:
    """Return the problem on some rows, without the penalty on the linear part."""
    root_w = None if problem.root_w is None else problem.root_w[rows]
    columns = problem.linear.Q[:, rows]
    linear: LinearPart = factorise(columns, np.linalg.norm(columns, axis=1))
    y = problem.y[rows]
    return replace(
        problem,
        terms=tuple(replace(term, x=np.ascontiguousarray(term.x[:, rows])) for term in problem.terms),
        y=y - (linear.Q @ y) @ linear.Q,
        linear=linear,
        on_y=np.zeros(len(linear.Q)),
        root_w=root_w,
        weight=float(len(rows) if root_w is None else root_w @ root_w),
    )
