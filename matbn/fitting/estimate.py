"""Fits a checked design: chooses a penalty if none is given, and searches from several starts."""

from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.errors import warn
from matbn.fitted.fitted_model import FittedModel, Scored
from matbn.fitted.interrupted import Stage, mark_interrupted
from matbn.fitted.units import in_user_units
from matbn.model.design import Design
from matbn.penalties.effective_degrees import effective_degrees
from matbn.penalties.penalty_by_folds import choose_by_folds
from matbn.penalties.penalty_by_gcv import choose_by_gcv
from matbn.problem.cautions import cautions
from matbn.problem.coordinates import theta_for_copies
from matbn.problem.distinct_rows import keep_distinct
from matbn.problem.posing import MOST_NUMBERS, ModelOptions, Posed, degrees_of_linear_part, pose
from matbn.problem.sweeps import workspace
from matbn.search.minimum import INTERRUPTED, Minimum, SearchOptions
from matbn.search.multistart import search_from_starts
from matbn.search.progress import Report, SharedProgress
from matbn.stopping import Stop
from matbn.threads import default_threads

_ROUGH = 1e-4  # tolerance of the searches that only serve to choose a penalty
_ROUGH_ITERATIONS = 500  # of each of these, at most
_QUICK = 1e9  # multiplications that an interrupt may wait for


@np.errstate(all="ignore")
def fit_design(
    design: Design,
    model: ModelOptions,
    search: SearchOptions,
    choose_by: str | None = None,
    report: Report | None = None,
    stop: Stop | None = None,
) -> FittedModel:
    """Fit a design; if a stop comes once the search has begun, return the best fit so far, marked as interrupted.

    `choose_by` is "cv" or "gcv" if the penalty is to be chosen; the choice then begins at the model's penalty.
    """
    stop = Stop() if stop is None else stop
    with stop.interruptible():
        whole = pose(design, model)
        for text, category in cautions(design, whole):
            if category is not None:
                warn(text, category)
        if not whole.parts or whole.exact:
            return replace(in_user_units(design, whole, []), edf=degrees_of_linear_part(whole))
        posed = _on_distinct_rows(design, whole, search.solver)
    progress = SharedProgress(search.starts, posed.scale, report, stop)
    path: tuple[Scored, ...] = ()
    if choose_by is None:
        ends = search_from_starts(posed.problem, search, progress)
    else:
        few = min(search.iterations, _ROUGH_ITERATIONS)
        rough = replace(search, tolerance=max(search.tolerance, _ROUGH), solver="profiled", iterations=few)
        ends = search_from_starts(posed.problem, rough, progress)
        choice = _choose_penalty(design, posed, choose_by, rough, ends[0], progress)
        if choice is not None:
            penalty, theta, path = choice
            posed = replace(posed, problem=replace(posed.problem, penalty=penalty))
            ends = search_from_starts(posed.problem, search, progress, theta)
    whole = replace(whole, problem=replace(whole.problem, penalty=posed.problem.penalty))
    fit = in_user_units(design, whole, [replace(end, theta=theta_for_copies(end.theta, posed, whole)) for end in ends])
    fit = replace(fit, edf=_degrees_of_freedom(posed, ends[0].theta, stop), path=path)
    if not stop.asked:
        return fit
    stop.heeded = True
    ended = sum(end.status != INTERRUPTED for end in ends)
    return mark_interrupted(fit, Stage(search.starts + bool(path), ended, choose_by, bool(path)))


def _on_distinct_rows(design: Design, whole: Posed, solver: str) -> Posed:
    """Return the problem to search: that of the distinct rows if some rows are equal, else the whole one."""
    rows = design if solver == "adam" else keep_distinct(design, whole.order)
    if rows is design:
        return whole
    posed = pose(rows, whole.options)
    return replace(posed, problem=replace(posed.problem, rows=whole.problem.rows))


def _degrees_of_freedom(posed: Posed, theta: Array, stop: Stop) -> float | None:
    """Return the effective degrees of freedom; None if they take too much memory, or a stop comes before.

    They are computed on distinct rows, as at a kink rounding decides on which side a derivative is taken.
    """
    problem, n = posed.problem, len(theta) + posed.problem.nodes
    if problem.effects is not None and len(problem.y) * n > MOST_NUMBERS:
        return None
    quick = (len(problem.y) + n) * n**2 < _QUICK
    try:
        work = workspace(problem, default_threads(), stop=None if quick else stop)
        return effective_degrees(problem, theta, work)[0] + degrees_of_linear_part(posed)
    except KeyboardInterrupt:
        return None


def _choose_penalty(
    design: Design, posed: Posed, choose_by: str, search: SearchOptions, first: Minimum, progress: SharedProgress
) -> tuple[float, Array, tuple[Scored, ...]] | None:
    """Return a penalty, a θ to start from under it, and the scores of all penalties tried; None if interrupted."""
    stop = progress.stop
    try:
        stop.check()
        if choose_by == "gcv":
            choice = choose_by_gcv(
                posed.problem, degrees_of_linear_part(posed), first, search, progress.watch(-1), stop
            )
        else:
            penalty, path = choose_by_folds(design, posed.options, search, progress)
            choice = penalty, first.theta, path
    except KeyboardInterrupt:
        stop.ask()
    return None if stop.asked else choice
