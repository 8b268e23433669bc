"""Partial dependence: the mean prediction over the fit's rows, as a variable goes through its values.

Residuals add up to 0, so that the mean of the fitted values, fixed effects included, is that of the outcomes. With f
the nets and the linear part, the mean prediction at a value v is

    mean ŷ(v) = mean y + mean f(rows with v) - mean f(rows),

on which the rows' influence is √w/1ᵀw + (r̄(v) - r̄)·G⁻¹D, r̄ being f's mean derivatives by the coordinates.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.arguments import Array, as_list, as_real, as_vector, is_missing, shown_place
from matbn.errors import ArgumentError, ElementTypeError, NotFiniteError, ShapeError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.covariance import Errors, degrees, standard_errors
from matbn.inference.estimates import Estimates
from matbn.inference.linearisation import Linearisation, check_determined
from matbn.inference.predictions import NewRows, own_rows, without_fixed_effects
from matbn.inference.request import as_errors, as_level, checked_linearisation
from matbn.inference.variables import as_variable, values_of, variables_of, with_variable

_POINTS = 40


@dataclass(frozen=True, eq=False, kw_only=True)
class PartialDependence(Estimates):
    """Mean predictions, an entry for each value of the variable."""

    variable: str
    at: Array


def partial_dependence(
    fit: FittedModel, variable: str, at: Any, vcov: Any, correction: str, level: float
) -> PartialDependence:
    """Return `Fit.partial_dependence`'s curve."""
    level = as_level(level)
    errors = as_errors(fit, vcov, correction)
    linearisation = checked_linearisation(fit)
    as_variable(variable, variables_of(fit))
    at = _values(values_of(fit, variable)) if at is None else _as_values(at)
    if not len(at):
        raise ArgumentError("at has no values")
    if at.ndim > 1:
        raise ShapeError(f"at has shape {at.shape}, but must be a vector of values")
    if any(map(is_missing, at.tolist())):
        raise NotFiniteError("at has missing values; leave them out")
    if at.dtype.kind in "fc":
        as_real("at", as_vector("at", at))
    estimate, error = mean_predictions(linearisation, (with_variable(fit, variable, value) for value in at), errors)
    df = degrees(linearisation, errors)
    return PartialDependence.with_bounds(estimate, error, level, str(errors), df, variable=variable, at=at)


def mean_predictions(linearisation: Linearisation, changed: Iterable[NewRows], errors: Errors) -> tuple[Array, Array]:
    """Return the mean prediction and its error for each of several ways to change the fit's rows."""
    design, problem = linearisation.design, linearisation.posed.problem
    own, own_r = _means(linearisation, own_rows(design))
    means = [_means(linearisation, rows) for rows in changed]
    r = np.array([derivatives for _, derivatives in means]) - own_r
    check_determined(linearisation, r, [f"value {shown_place(k)}" for k in range(len(r))])
    of_mean = (1.0 if problem.root_w is None else problem.root_w) / problem.weight
    error = standard_errors(linearisation, errors, of_mean + r @ linearisation.inverse @ linearisation.D)
    outcomes = design.y if design.offset is None else design.y + design.offset
    estimate = np.average(outcomes, weights=design.w) + np.array([value for value, _ in means]) - own
    return estimate, linearisation.scale * error


def _as_values(at: Any) -> Array:
    entries = as_list("at", np.atleast_1d(at) if isinstance(at, np.ndarray) and not at.ndim else at)
    if any(
        callable(entry) or (isinstance(entry, Iterable) and not isinstance(entry, str | np.ndarray))
        for entry in entries
    ):
        raise ElementTypeError(f"at is {at!r}, but must be numbers or levels")
    try:
        return np.asarray(entries)
    except ValueError:
        raise ShapeError(f"at is {at!r}, but must be a vector of values") from None


def _means(linearisation: Linearisation, rows: NewRows) -> tuple[float, Array]:
    """Return the mean of the nets' and the linear part's sum over rows, and the mean of its derivatives."""
    value, r = without_fixed_effects(linearisation, rows)
    w = linearisation.design.w
    return float(np.average(value, weights=w)), np.average(r, axis=0, weights=w)


def _values(values: Array) -> Array:
    """Return a number's range in equal steps, or its values if they are few; a factor's levels."""
    levels: Array = np.unique(values)
    if values.dtype.kind not in "fiu" or len(levels) <= _POINTS:
        return levels
    return np.linspace(levels[0], levels[-1], _POINTS)
