"""Fitting a checked design: a penalty chosen where none is given, several starts, and the best of them."""

from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.fitting.bfgs import Minimum
from matbn.fitting.design import Design
from matbn.fitting.folds import chosen_by_folds
from matbn.fitting.gcv import chosen_by_gcv, effective_degrees
from matbn.fitting.posing import Options, Posed, degrees_of, posed_problem
from matbn.fitting.progress import Report, Watched
from matbn.fitting.result import Fit, Scored
from matbn.fitting.search import searched
from matbn.fitting.sweeps import workspace
from matbn.fitting.units import in_units

_ROUGH = 1e-4  # tolerance of the fits that only choose a penalty
_ROUGH_ITERATIONS = 500


@np.errstate(all="ignore")
def fit_design(design: Design, options: Options, report: Report | None = None) -> Fit:
    """Fit a design."""
    posed = posed_problem(design, options)
    if not posed.parts or posed.exact:
        return in_units(design, posed, options, [])
    watched = Watched(options.starts, posed.scale, report)
    if not isinstance(options.penalty, str):
        return in_units(design, posed, options, searched(posed.problem, options, watched))
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
    fit = in_units(design, posed, options, ends)
    edf, _ = effective_degrees(posed.problem, ends[0].theta, workspace(posed.problem))
    return replace(fit, edf=edf + degrees_of(posed), path=path)


def _chosen(
    design: Design, posed: Posed, options: Options, first: Minimum, watched: Watched
) -> tuple[float, Array, tuple[Scored, ...]]:
    """Return a penalty, where to start under it, and the scores of all that were tried."""
    if options.penalty == "gcv":
        return chosen_by_gcv(posed.problem, degrees_of(posed), first, options, watched.watch(-1))
    penalty, path = chosen_by_folds(design, options, watched)
    return penalty, first.theta, path
