"""Parts of the rows, each several times as large as the one before, on which a search begins.

Many rows say nearly the same as some of them: a search that has come near the minimum for a part, at a fraction of the
cost, takes few steps on all rows, if it starts them from Gauss and Newton's curvature there.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.problem.least_squares import Problem
from matbn.problem.linear_part import LinearPart, factorise

_LEAST = 2_000  # rows of the first part
_PER_PARAMETER = 20  # rows
_GROWTH = 8


def growing_parts(problem: Problem, rng: np.random.Generator) -> Iterator[Problem]:
    """Yield the problem on parts of its rows, the last far from all; none for few rows, or for fixed effects."""
    parameters = sum(size * (len(term.x) + 1) for size, term in zip(problem.sizes, problem.terms, strict=True))
    N = len(problem.y)
    rows = max(_LEAST, _PER_PARAMETER * parameters)
    if problem.effects is not None or _GROWTH * rows / 2 > N:
        return
    order = rng.permutation(N)
    while _GROWTH * rows / 2 <= N:
        yield _part(problem, np.sort(order[:rows]))
        rows *= _GROWTH


def _part(problem: Problem, rows: Array) -> Problem:
    """Return the problem on some rows; a ridge on the linear part is left out."""
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
