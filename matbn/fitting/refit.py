"""One model fitted again, to other rows or weights, from where a fit has ended."""

from dataclasses import dataclass, replace

import numpy as np

from matbn.arguments import Array
from matbn.errors import ArgumentError, ConvergenceWarning, warn
from matbn.fitted.fitted_model import FittedModel
from matbn.fitted.units import in_user_units
from matbn.model.design import Design
from matbn.problem.coordinates import of_problem, transfer
from matbn.problem.posing import ModelOptions, Posed, posed_problem
from matbn.search.minimum import SearchOptions
from matbn.search.multistart import search_from_starts
from matbn.search.progress import SharedProgress
from matbn.stopping import Stop


@dataclass(frozen=True, eq=False)
class Start:
    """Where a fit has ended."""

    posed: Posed
    theta: Array


def start_of(fit: FittedModel) -> Start:
    """Return where a fit has ended."""
    design = design_of(fit)
    assert fit.theta is not None
    posed = posed_problem(design, fit.options, constants=True)
    return Start(posed, of_problem(posed, fit.theta))


def design_of(fit: FittedModel) -> Design:
    """Return a fit's data, if it has them."""
    if fit.design is None:
        raise ArgumentError("the fit came from JSON, which holds no data; fit it again first")
    return fit.design


def refitted(
    design: Design, model: ModelOptions, search: SearchOptions, start: Start | None, stop: Stop
) -> FittedModel:
    """Return the best fit from a start of another fit's and `search.starts` others; inputs may be constant.

    Raise KeyboardInterrupt where it is cut off.
    """
    stop.check()
    posed = posed_problem(design, model, constants=True)
    if not posed.parts or posed.exact:
        return in_user_units(design, posed, [])
    also = None if start is None else transfer(start.theta, start.posed, posed)
    watched = SharedProgress(search.starts, posed.scale, None, stop)
    with np.errstate(all="ignore"):
        ends = search_from_starts(posed.problem, search, watched, also)
        stop.check()
        return in_user_units(design, posed, ends)


def say_cut_short(stop: Stop, message: str) -> None:
    """Warn that a result holds only what had ended before an interrupt; `message` says how much of how much."""
    stop.heeded = True
    warn(message, ConvergenceWarning)


def weighted(design: Design, counts: Array) -> Design:
    """Return a design whose rows count as many times more."""
    return replace(design, w=counts if design.w is None else design.w * counts)
