"""Partial dependence: the mean prediction over the fit's rows, as a variable goes through its values.

Residuals add up to 0, so that the mean of fitted values is that of the outcomes, effects and all. At a value v,

    mean ŷ(v) = mean y + mean f(rows with v) - mean f(rows),

f being the nets and the linear part, moves by 1ᵀ(√w⊙·)/1ᵀw + (r̄(v) - r̄)·G⁻¹D with f's mean derivatives r̄.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from matbn.arguments import Array, as_list, as_real, as_vector, is_missing
from matbn.errors import ArgumentError, ElementTypeError, NotFiniteError, ShapeError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.covariance import Errors, degrees, standard_errors
from matbn.inference.linearised import Linearised, check_determined
from matbn.inference.predictions import NewRows, own_rows, without_effects
from matbn.inference.request import as_level, estimated, requested
from matbn.inference.variables import as_variable, values_of, variables_of, with_variable

_POINTS = 40


@dataclass(frozen=True, eq=False)
class PartialDependence:
    """Mean predictions, an entry for each value of the variable."""

    variable: str
    at: Array
    estimate: Array
    error: Array
    lower: Array
    upper: Array
    level: float
    kind: str
    df: float


def partial_dependence(
    fit: FittedModel, variable: str, at: Any, vcov: Any, correction: str, level: float
) -> PartialDependence:
    """Return `Fit.partial_dependence`'s curve."""
    level = as_level(level)
    errors = requested(fit, vcov, correction)
    found = estimated(fit)
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
    estimate, error = curve(found, (with_variable(fit, variable, value) for value in at), errors)
    df = degrees(found, errors)
    half = special.stdtrit(df, (1 + level) / 2) * error
    return PartialDependence(variable, at, estimate, error, estimate - half, estimate + half, level, str(errors), df)


def curve(fit: Linearised, changed: Iterable[NewRows], errors: Errors) -> tuple[Array, Array]:
    """Return the mean prediction and its error at each of several sets of changed rows."""
    w = fit.design.w
    design = fit.design
    mean = np.average(design.y if design.offset is None else design.y + design.offset, weights=w)
    own, own_r = _means(fit, own_rows(fit))
    means = [_means(fit, rows) for rows in changed]
    r = np.array([derivatives for _, derivatives in means]) - own_r
    check_determined(fit, r, [f"value {k}" for k in range(len(r))])
    root_w = fit.posed.problem.root_w
    of_mean = (1.0 if root_w is None else root_w) / fit.posed.problem.weight
    moves = of_mean + r @ fit.inverse @ fit.D
    return mean + np.array([value for value, _ in means]) - own, fit.scale * standard_errors(fit, errors, moves)


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


def _means(fit: Linearised, rows: NewRows) -> tuple[float, Array]:
    value, r = without_effects(fit, rows)
    w = fit.design.w
    return float(np.average(value, weights=w)), np.average(r, axis=0, weights=w)


def _values(values: Array) -> Array:
    """Return a number's range in steps, or the values that it has if they are few; a factor's levels."""
    levels: Array = np.unique(values)
    if values.dtype.kind not in "fiu" or len(levels) <= _POINTS:
        return levels
    return np.linspace(levels[0], levels[-1], _POINTS)
