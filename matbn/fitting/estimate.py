"""Fitting a checked design: a penalty chosen where none is given, several starts, and the best of them."""

from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.errors import warn
from matbn.fitted.fitted_model import FittedModel, Scored
from matbn.fitted.interrupted import Stage, mark_interrupted
from matbn.fitted.messages import cautions
from matbn.fitted.units import in_user_units
from matbn.model.design import Design
from matbn.penalties.effective_degrees import effective_degrees
from matbn.penalties.penalty_by_folds import choose_by_folds
from matbn.penalties.penalty_by_gcv import choose_by_gcv
from matbn.problem.coordinates import moved
from matbn.problem.distinct_rows import keep_distinct
from matbn.problem.posing import MOST_NUMBERS, ModelOptions, Posed, degrees_of, posed_problem
from matbn.problem.sweeps import workspace
from matbn.search.minimum import INTERRUPTED, Minimum, SearchOptions
from matbn.search.multistart import search_from_starts
from matbn.search.progress import Report, SharedProgress
from matbn.stopping import Stop
from matbn.threads import default_threads

_ROUGH = 1e-4  # tolerance of the fits that only choose a penalty
_ROUGH_ITERATIONS = 500  # of each, at most
_AT_ONCE = 1e9  # multiplications, which an interrupt may wait for


@np.errstate(all="ignore")
def fit_design(
    design: Design,
    model: ModelOptions,
    search: SearchOptions,
    choose_by: str | None = None,
    report: Report | None = None,
    stop: Stop | None = None,
) -> FittedModel:
    """Fit a design; once the search has begun, a stop ends it with the best fit so far, which says so.

    `choose_by` is "cv" or "gcv" where a penalty is to be chosen; the choice then begins at the model's penalty.
    """
    stop = Stop() if stop is None else stop
    with stop.interruptible():
        whole = posed_problem(design, model)
        for text, kind in cautions(design, whole):
            if kind is not None:
                warn(text, kind)
        if not whole.parts or whole.exact:
            return replace(in_user_units(design, whole, []), edf=degrees_of(whole))
        posed = _on_distinct_rows(design, whole, search.solver)
    watched = SharedProgress(search.starts, posed.scale, report, stop)
    path: tuple[Scored, ...] = ()
    if choose_by is None:
        ends = search_from_starts(posed.problem, search, watched)
    else:
        few = min(search.iterations, _ROUGH_ITERATIONS)
        rough = replace(search, tolerance=max(search.tolerance, _ROUGH), solver="profiled", iterations=few)
        ends = search_from_starts(posed.problem, rough, watched)
        choice = _chosen(design, posed, choose_by, rough, ends[0], watched)
        if choice is not None:
            penalty, theta, path = choice
            posed = replace(posed, problem=replace(posed.problem, penalty=penalty))
            ends = search_from_starts(posed.problem, search, watched, theta)
    whole = replace(whole, problem=replace(whole.problem, penalty=posed.problem.penalty))
    fit = in_user_units(design, whole, [replace(end, theta=moved(end.theta, posed, whole)) for end in ends])
    fit = replace(fit, edf=_degrees(posed, ends[0].theta, stop), path=path)
    if not stop.asked:
        return fit
    stop.heeded = True
    ended = sum(end.status != INTERRUPTED for end in ends)
    return mark_interrupted(fit, Stage(search.starts + bool(path), ended, choose_by, bool(path)))


def _on_distinct_rows(design: Design, whole: Posed, solver: str) -> Posed:
    """Return the problem that is searched: the whole one, or where rows are equal that of distinct ones."""
    rows = design if solver == "adam" else keep_distinct(design, whole.order)
    if rows is design:
        return whole
    posed = posed_problem(rows, whole.options)
    return replace(posed, problem=replace(posed.problem, rows=whole.problem.rows))


def _degrees(posed: Posed, theta: Array, stop: Stop) -> float | None:
    """Return the effective degrees of freedom; None where they would take too much memory, or too long for a stop.

    They are those of distinct rows: at a kink, rounding decides on which side a derivative is taken.
    """
    problem, n = posed.problem, len(theta) + posed.problem.nodes
    if problem.effects is not None and len(problem.y) * n > MOST_NUMBERS:
        return None
    quick = (len(problem.y) + n) * n**2 < _AT_ONCE
    try:
        work = workspace(problem, default_threads(), stop=None if quick else stop)
        return effective_degrees(problem, theta, work)[0] + degrees_of(posed)
    except KeyboardInterrupt:
        return None


def _chosen(
    design: Design, posed: Posed, choose_by: str, search: SearchOptions, first: Minimum, watched: SharedProgress
) -> tuple[float, Array, tuple[Scored, ...]] | None:
    """Return a penalty, where to start under it, and the scores of all that were tried; None if interrupted."""
    stop = watched.stop
    try:
        stop.check()
        if choose_by == "gcv":
            choice = choose_by_gcv(posed.problem, degrees_of(posed), first, search, watched.watch(-1), stop)
        else:
            penalty, path = choose_by_folds(design, posed.options, search, watched)
            choice = penalty, first.theta, path
    except KeyboardInterrupt:
        stop.ask()
    return None if stop.asked else choice
