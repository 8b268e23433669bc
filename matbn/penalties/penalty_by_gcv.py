"""The penalty by generalised cross-validation: the one with the least GCV.

    GCV = (Σwe²/1ᵀw) / (1 - 1.4·edf/N)²,

where the factor 1.4, which other packages use too, keeps the score from rewarding fits that nearly interpolate. From a
middle penalty the path goes up, until nothing of the net is left, and down, each fit started where its neighbour ended.
The scores are compared from the largest penalty on, and the path ends when some steps have brought no better score:
under very small penalties nodes turn into steps, whose vanishing derivatives count as few degrees of freedom.
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

_STEP = 10**0.5  # ratio of neighbouring penalties
_LARGEST, _SMALLEST = 10.0, 1e-8  # penalties
_PRICE = 1.4  # the factor of edf
_PATIENCE = 3  # steps without a better score, after which the path ends
_NOTHING = 0.5  # degrees of freedom, below which nothing is left of the net

_End = tuple[Scored, Array]  # a penalty's score, and θ where its fit ended


@one_blas_thread()
def choose_by_gcv(
    problem: Problem, rank: float, first: Minimum, options: SearchOptions, watch: Watch, stop: Stop
) -> tuple[float, Array, tuple[Scored, ...]]:
    """Return the penalty of least GCV, θ where its fit ended, and the path, which begins at `first` and its penalty."""
    work = workspace(problem, stop=stop)
    middle = problem.penalty
    least, chosen, worse = np.inf, (middle, first.theta), 0
    compared: list[Scored] = []

    def steps(factor: float) -> Iterator[_End]:
        penalty, theta = middle, first.theta
        while True:
            penalty *= factor
            penalised = replace(problem, penalty=penalty)
            theta = descend(penalised, work, theta, options, watch).theta
            yield _score(penalised, rank, theta, work), theta

    upwards = [*_until_nothing_is_left(_score(problem, rank, first.theta, work), first.theta, steps(_STEP), rank)]
    for scored, theta in chain(upwards[::-1], steps(1 / _STEP)):
        compared.append(scored)
        worse += 1
        if scored.score < least:
            least, chosen, worse = scored.score, (scored.penalty, theta), 0
        if worse >= _PATIENCE or scored.penalty < _SMALLEST:
            break
    return *chosen, tuple(compared[::-1])


def _until_nothing_is_left(middle: Scored, theta: Array, steps: Iterator[_End], rank: float) -> Iterator[_End]:
    """Yield the middle penalty and those above it, until the net has no degrees of freedom left."""
    yield middle, theta
    for scored, end in steps:
        yield scored, end
        assert scored.edf is not None
        if scored.edf < rank + _NOTHING or scored.penalty > _LARGEST:
            return


def _score(problem: Problem, rank: float, theta: Array, work: Workspace) -> Scored:
    edf, loss = effective_degrees(problem, theta, work)
    edf += rank
    left = 1 - _PRICE * edf / problem.rows
    return Scored(problem.penalty, loss / left**2 if left > 0 else np.inf, edf)
