"""Fits a model again, to other rows or weights, starting where a fit has ended."""

from dataclasses import dataclass, replace

import numpy as np

from matbn.arguments import Array
from matbn.errors import ArgumentError, ConvergenceWarning, warn
from matbn.fitted.fitted_model import FittedModel
from matbn.fitted.units import in_user_units
from matbn.model.design import Design
from matbn.problem.coordinates import theta_for_other_rows, theta_of_problem
from matbn.problem.posing import ModelOptions, Posed, pose
from matbn.search.minimum import SearchOptions
from matbn.search.multistart import search_from_starts
from matbn.search.progress import SharedProgress
from matbn.stopping import Stop


@dataclass(frozen=True, eq=False)
class Start:
    """Where a fit has ended: a starting point for other fits."""

    posed: Posed  # the fit's problem
    theta: Array  # in that problem's coordinates


def start_of(fit: FittedModel) -> Start:
    """Return where a fit has ended, as a start for other fits."""
    design = design_of(fit)
    assert fit.theta is not None
    posed = pose(design, fit.options, constants=True)
    return Start(posed, theta_of_problem(posed, fit.theta))


def design_of(fit: FittedModel) -> Design:
    """Return a fit's design; refuse a fit from JSON, which has none."""
    if fit.design is None:
        raise ArgumentError("the fit came from JSON, which holds no data; fit it again first")
    return fit.design


def fit_again(
    design: Design, model: ModelOptions, search: SearchOptions, start: Start | None, stop: Stop
) -> FittedModel:
    """Return the best fit from where another has ended and from `search.starts` others; inputs may be constant.

    Raise KeyboardInterrupt if a stop cuts it off.
    """
    stop.check()
    posed = pose(design, model, constants=True)
    if not posed.parts or posed.exact:
        return in_user_units(design, posed, [])
    warm_start = None if start is None else theta_for_other_rows(start.theta, start.posed, posed)
    progress = SharedProgress(search.starts, posed.scale, None, stop)
    with np.errstate(all="ignore"):
        ends = search_from_starts(posed.problem, search, progress, warm_start)
        stop.check()
        return in_user_units(design, posed, ends)


def warn_cut_short(stop: Stop, message: str) -> None:
    """Warn that an interrupt made a result incomplete; `message` says how much of it there is."""
    stop.heeded = True
    warn(message, ConvergenceWarning)


def reweight(design: Design, counts: Array) -> Design:
    """Return the design with its weights multiplied by counts (N)."""
    return replace(design, w=counts if design.w is None else design.w * counts)
