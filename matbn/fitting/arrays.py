"""Fitting a checked design: a penalty chosen where none is given, several starts, and the best of them."""

from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.errors import warn
from matbn.fitting.bfgs import Minimum
from matbn.fitting.design import Design
from matbn.fitting.folds import chosen_by_folds
from matbn.fitting.gcv import chosen_by_gcv, effective_degrees
from matbn.fitting.messages import cautions
from matbn.fitting.posing import Options, Posed, degrees_of, posed_problem
from matbn.fitting.progress import Report, Watched
from matbn.fitting.result import Fit, Scored
from matbn.fitting.search import searched
from matbn.fitting.sweeps import workspace
from matbn.fitting.units import in_units

_ROUGH = 1e-4  # tolerance of the fits that only choose a penalty
MOST_NUMBERS = 500_000_000  # of derivatives, which are held at once with fixed effects, and for errors
_ROUGH_ITERATIONS = 500


@np.errstate(all="ignore")
def fit_design(design: Design, options: Options, report: Report | None = None) -> Fit:
    """Fit a design."""
    posed = posed_problem(design, options)
    for text, kind in cautions(design, posed):
        if kind is not None:
            warn(text, kind)
    if not posed.parts or posed.exact:
        return replace(in_units(design, posed, options, []), edf=degrees_of(posed))
    watched = Watched(options.starts, posed.scale, report)
    if not isinstance(options.penalty, str):
        return _with_degrees(design, posed, options, searched(posed.problem, options, watched))
    rough = replace(options, tolerance=max(options.tolerance, _ROUGH), solver="profiled", iterations=_ROUGH_ITERATIONS)
    ends = searched(posed.problem, rough, watched)
    path: tuple[Scored, ...] = ()
    try:
        penalty, theta, path = _chosen(design, posed, rough, ends[0], watched)
        if not watched.stopped:
            posed = replace(posed, problem=replace(posed.problem, penalty=penalty))
            ends = searched(posed.problem, options, watched, theta)
    except KeyboardInterrupt:
        watched.stopped = True
    if watched.stopped:  # the middle penalty's fit is there in any case
        ends[0] = replace(ends[0], status="interrupted")
    return replace(_with_degrees(design, posed, options, ends), path=path)


def _with_degrees(design: Design, posed: Posed, options: Options, ends: list[Minimum]) -> Fit:
    """Return the fit with its effective degrees of freedom, but where their derivatives would take too much memory."""
    problem, theta = posed.problem, ends[0].theta
    fit = in_units(design, posed, options, ends)
    if problem.effects is not None and len(problem.y) * (len(theta) + problem.nodes) > MOST_NUMBERS:
        return fit
    return replace(fit, edf=effective_degrees(problem, theta, workspace(problem))[0] + degrees_of(posed))


def fit_at(design: Design, options: Options, theta: Array) -> Fit:
    """Return the fit whose nets have these first layers (`Fit.theta`), with all that is linear solved for."""
    ends = [Minimum(theta, np.nan, np.zeros_like(theta), 0, 0, "converged")] if len(theta) else []
    return in_units(design, posed_problem(design, options), options, ends)


def _chosen(
    design: Design, posed: Posed, options: Options, first: Minimum, watched: Watched
) -> tuple[float, Array, tuple[Scored, ...]]:
    """Return a penalty, where to start under it, and the scores of all that were tried."""
    if options.penalty == "gcv":
        return chosen_by_gcv(posed.problem, degrees_of(posed), first, options, watched.watch(-1))
    penalty, path = chosen_by_folds(design, options, watched)
    return penalty, first.theta, path
