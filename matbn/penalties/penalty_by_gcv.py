"""The penalty by generalised cross-validation: the one with the least GCV.

    GCV = (Σwe²/1ᵀw) / (1 - 1.4·edf/N)²,

where the factor 1.4, as others have it too, keeps the score from rewarding fits that all but interpolate. The path goes
from a middle penalty up, where the net fades, and down, each fit started from its neighbour's end. It is read from the
largest penalty on, and left where the score has not improved for some steps: far down, nodes turn into steps, whose
vanishing derivatives make them look cheap.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from matbn.arguments import Array
from matbn.blas import one_blas_thread
from matbn.fitted.fitted_model import Scored
from matbn.penalties.effective_degrees import effective_degrees
from matbn.problem.least_squares import Problem
from matbn.problem.sweeps import Workspace, workspace
from matbn.search.minimum import Minimum, SearchOptions, Watch
from matbn.search.profiled import descend
from matbn.stopping import Stop

_STEP = 10**0.5
_LARGEST, _SMALLEST = 10.0, 1e-8
_PRICE = 1.4  # of a degree of freedom
_PATIENCE = 3  # steps without a better score, after which the path is left
_NOTHING = 0.5  # degrees of freedom


_End = tuple[Scored, Array]  # and θ


@one_blas_thread()
def choose_by_gcv(
    problem: Problem, rank: float, first: Minimum, options: SearchOptions, watch: Watch, stop: Stop
) -> tuple[float, Array, tuple[Scored, ...]]:
    """Return the penalty of least GCV, where its fit ended, and the path; `first` is the fit under the problem's."""
    work = workspace(problem, stop=stop)
    middle = problem.penalty
    least, chosen, worse = np.inf, (middle, first.theta), 0
    read: list[Scored] = []

    def steps(factor: float) -> Iterator[_End]:
        penalty, theta = middle, first.theta
        while True:
            penalty *= factor
            there = replace(problem, penalty=penalty)
            theta = descend(there, work, theta, options, watch).theta
            yield _scored(there, rank, theta, work), theta

    path = [*_upwards(_scored(problem, rank, first.theta, work), first.theta, steps(_STEP), rank)]
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


def _scored(problem: Problem, rank: float, theta: Array, work: Workspace) -> Scored:
    edf, loss = effective_degrees(problem, theta, work)
    edf += rank
    left = 1 - _PRICE * edf / problem.rows
    return Scored(problem.penalty, loss / left**2 if left > 0 else np.inf, edf)
