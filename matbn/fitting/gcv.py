"""Effective degrees of freedom, and the penalty by generalised cross-validation.

At a minimum of the penalised loss let J be the derivatives of the fitted values by (α, β, Γ₂), after effects, weights
and the linear part. To first order the fit is a ridge regression on J, with hat matrix J(JᵀJ + λ·1ᵀw·R)⁻¹Jᵀ, so

    edf = tr[(JᵀJ + λ·1ᵀw·R)⁻¹JᵀJ] + rank of the linear part and the effects
    GCV = (Σwe²/1ᵀw) / (1 - 1.4·edf/N)²

where the factor 1.4, as others have it too, keeps the score from rewarding fits that all but interpolate. The path goes
from a middle penalty up, where the net fades, and down, each fit started from its neighbour's end. It is read from the
largest penalty on, and left where the score has not improved for some steps: far down, nodes turn into steps, whose
vanishing derivatives make them look cheap.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np
from scipy import linalg

from matbn.arguments import Array
from matbn.fitting.bfgs import Minimum, Watch, minimise
from matbn.fitting.kinks import little
from matbn.fitting.posing import MIDDLE, Options
from matbn.fitting.problem import Problem, ridge_matrix
from matbn.fitting.profile import objective, solved
from matbn.fitting.result import Scored
from matbn.fitting.sweeps import Workspace, workspace
from matbn.fitting.tangent import gauss_newton
from matbn.stopping import Stop
from matbn.stream.blas import one_blas_thread

_STEP = 10**0.5
_LARGEST, _SMALLEST = 10.0, 1e-8
_PRICE = 1.4  # of a degree of freedom
_PATIENCE = 3  # steps without a better score, after which the path is left
_NOTHING = 0.5  # degrees of freedom


_End = tuple[Scored, Array]  # and θ


@one_blas_thread()
def chosen_by_gcv(
    problem: Problem, rank: float, first: Minimum, options: Options, watch: Watch, stop: Stop
) -> tuple[float, Array, tuple[Scored, ...]]:
    """Return the penalty of least GCV, where its fit ended, and the path; `first` is the fit at MIDDLE."""
    work = workspace(problem, stop=stop)
    least, chosen, worse = np.inf, (MIDDLE, first.theta), 0
    read: list[Scored] = []

    def steps(factor: float) -> Iterator[_End]:
        penalty, theta = MIDDLE, first.theta
        while True:
            penalty *= factor
            there = replace(problem, penalty=penalty)
            evaluate = objective(there, work)
            enough = little(problem.activation, options.tolerance)
            theta = minimise(evaluate, theta, options.tolerance, options.iterations, watch, None, enough).theta
            yield _scored(there, rank, theta, work), theta

    path = [
        *_upwards(_scored(replace(problem, penalty=MIDDLE), rank, first.theta, work), first.theta, steps(_STEP), rank)
    ]
    for scored, theta in chain(path[::-1], steps(1 / _STEP)):
        read.append(scored)
        worse += 1
        if scored.score < least:
            least, chosen, worse = scored.score, (scored.penalty, theta), 0
        if worse >= _PATIENCE or scored.penalty < _SMALLEST:
            break
    return *chosen, tuple(read[::-1])


def _upwards(middle: Scored, theta: Array, steps: Iterator[_End], rank: float) -> Iterator[_End]:
    """Yield the middle penalty and those above it, until nothing of the net is left."""
    yield middle, theta
    for scored, end in steps:
        yield scored, end
        assert scored.edf is not None
        if scored.edf < rank + _NOTHING or scored.penalty > _LARGEST:
            return


@one_blas_thread()
def effective_degrees(problem: Problem, theta: Array, work: Workspace) -> tuple[float, float]:
    """Return the net part's effective degrees of freedom and Σwe²/1ᵀw."""
    found = solved(problem, theta, work)
    values = linalg.eigh(gauss_newton(problem, theta, found.Gamma2, work), ridge_matrix(problem), eigvals_only=True)
    values = np.where(values > 1e-12 * values[-1], values, 0)
    shrunk = values / (values + problem.penalty) if problem.penalty > 0 else values > 0
    return float(np.sum(shrunk)), found.mean_square


def _scored(problem: Problem, rank: float, theta: Array, work: Workspace) -> Scored:
    edf, loss = effective_degrees(problem, theta, work)
    edf += rank
    left = 1 - _PRICE * edf / problem.rows
    return Scored(problem.penalty, loss / left**2 if left > 0 else np.inf, edf)
