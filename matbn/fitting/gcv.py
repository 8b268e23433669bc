"""Effective degrees of freedom, and the penalty by generalised cross-validation.

At a minimum of the penalised loss let J be the derivatives of the fitted values by (α, β, Γ₂), after effects, weights
and the linear part. To first order the fit is a ridge regression on J, with hat matrix J(JᵀJ + λ·1ᵀw·I)⁻¹Jᵀ, so

    edf = tr[(JᵀJ + λ·1ᵀw·I)⁻¹JᵀJ] + rank of the linear part and the effects
    GCV = (Σwe²/1ᵀw) / (1 - 1.4·edf/N)²

where the factor 1.4, as others have it too, keeps the score from rewarding fits that all but interpolate. The path goes
from a middle penalty up, where the net fades, and down, each fit started from its neighbour's end. It is read from the
largest penalty on, and left where the score has not improved for some steps: far down, nodes turn into steps, whose
vanishing derivatives make them look cheap.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from matbn.arguments import Array
from matbn.fitting.bfgs import Minimum, minimise
from matbn.fitting.problem import Problem, Workspace, jacobian_rows, objective, solved, workspace

MIDDLE = 1e-3
_STEP = 10**0.5
_LARGEST, _SMALLEST = 10.0, 1e-8
_PRICE = 1.4  # of a degree of freedom
_PATIENCE = 3  # steps without a better score, after which the path is left
_NOTHING = 0.5  # degrees of freedom


@dataclass(frozen=True)
class Scored:
    """One penalty on the path."""

    penalty: float
    gcv: float
    edf: float


def chosen_penalty(
    problem: Problem, rank: int, first: Minimum, tolerance: float, iterations: int
) -> tuple[float, Array, tuple[Scored, ...]]:
    """Return the penalty of least GCV, where its fit ended, and the path; `first` is the fit at MIDDLE."""
    work = workspace(problem)
    least, chosen, worse = np.inf, (MIDDLE, first.theta), 0
    read: list[Scored] = []
    path = [*_upwards(problem, rank, first.theta, tolerance, iterations, work)][::-1]
    for scored, theta in chain(path, _steps(problem, rank, first.theta, 1 / _STEP, tolerance, iterations, work)):
        read.append(scored)
        worse += 1
        if scored.gcv < least:
            least, chosen, worse = scored.gcv, (scored.penalty, theta), 0
        if worse >= _PATIENCE or scored.penalty < _SMALLEST:
            break
    return *chosen, tuple(read[::-1])


_End = tuple[Scored, Array]


def _upwards(
    problem: Problem, rank: int, theta: Array, tolerance: float, iterations: int, work: Workspace
) -> Iterator[_End]:
    """Yield the middle penalty and those above it, until nothing of the net is left."""
    yield _scored(problem, MIDDLE, rank, theta, work), theta
    for scored, end in _steps(problem, rank, theta, _STEP, tolerance, iterations, work):
        yield scored, end
        if scored.edf < rank + _NOTHING or scored.penalty > _LARGEST:
            return


def _steps(
    problem: Problem, rank: int, theta: Array, factor: float, tolerance: float, iterations: int, work: Workspace
) -> Iterator[_End]:
    """Yield fits at MIDDLE·factor, MIDDLE·factor², …, each started from the last."""
    penalty = MIDDLE
    while True:
        penalty *= factor
        theta = minimise(objective(replace(problem, penalty=penalty), work), theta, tolerance, iterations).theta
        yield _scored(problem, penalty, rank, theta, work), theta


def effective_degrees(problem: Problem, theta: Array, work: Workspace) -> tuple[float, float]:
    """Return the net part's effective degrees of freedom and Σwe²/1ᵀw."""
    found = solved(problem, theta, work)
    J = jacobian_rows(problem, theta, found.Gamma2, work)
    on_Q = J @ problem.Q.T
    values = np.linalg.eigvalsh(J @ J.T - on_Q @ on_Q.T) / problem.weight
    values = np.where(values > 1e-12 * values[-1], values, 0)
    shrunk = values / (values + problem.penalty) if problem.penalty > 0 else values > 0
    return float(np.sum(shrunk)), float(found.e @ found.e) / problem.weight


def _scored(problem: Problem, penalty: float, rank: int, theta: Array, work: Workspace) -> Scored:
    edf, loss = effective_degrees(replace(problem, penalty=penalty), theta, work)
    edf += rank
    left = 1 - _PRICE * edf / len(problem.y)
    return Scored(penalty, loss / left**2 if left > 0 else np.inf, edf)
