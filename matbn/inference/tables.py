"""Coefficients with their standard errors: covariances by name, tables, intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from matbn.arguments import Array, as_choice, as_list, as_texts
from matbn.errors import InferenceError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.covariance import Errors, covariance, degrees
from matbn.inference.estimates import Estimates
from matbn.inference.identified import identified_values
from matbn.inference.linearisation import Linearisation, are_determined
from matbn.inference.request import as_errors, as_level, checked_linearisation

PARTS = ("linear", "nets", "all")
_GAUGE = ("Gamma1", "gamma", "beta")
_NOT_IDENTIFIED = (
    "is not identified: batch norm lets Γ₁ have any scale, and γ and β depend on which; what is identified are the"
    " folded weights A = Γ₁γ and c = β - mᵀA, part='nets'"
)


@dataclass(frozen=True, eq=False)
class Covariance:
    """Covariances of identified parameters; nan where a column was dropped."""

    names: tuple[str, ...]
    estimate: Array  # of the parameters
    matrix: Array
    error: Array  # standard errors; nan where a variance is negative, as that of two-way clusters may be
    kind: str  # how it was estimated, in words
    df: float  # of t statistics

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors by name."""
        return dict(zip(self.names, self.error.tolist(), strict=True))


@dataclass(frozen=True, eq=False, kw_only=True)
class Table(Estimates):
    """Estimates, standard errors, t statistics, two-sided p values and confidence bounds, an entry for each name."""

    names: tuple[str, ...]
    t: Array
    p: Array


def covariance_by_name(fit: FittedModel, vcov: Any, part: str, correction: str) -> Covariance:
    """Return `Fit.vcov`'s covariance."""
    _as_part(part)
    errors = as_errors(fit, vcov, correction)
    return _covariance_of_part(fit, checked_linearisation(fit), part, errors)


def _covariance_of_part(fit: FittedModel, linearisation: Linearisation, part: str, errors: Errors) -> Covariance:
    linear = [parameter.net is None for parameter in linearisation.parameters]
    rows = [k for k, own in enumerate(linear) if part == "all" or own == (part == "linear")]
    _check_identified(linearisation, rows)
    influence = linearisation.to_parameters[rows] @ linearisation.inverse @ linearisation.D
    V, units = covariance(linearisation, errors, influence), linearisation.units[rows]
    with np.errstate(invalid="ignore", over="ignore"):  # squares may be too large for float64 where errors are not
        error, matrix = units * np.sqrt(V.diagonal()), units[:, None] * V * units
    names = tuple(linearisation.parameters[k].name for k in rows)
    estimate, df = identified_values(fit)[rows], degrees(linearisation, errors)
    return Covariance(names, estimate, matrix, error, str(errors), df)


def coefficient_table(fit: FittedModel, vcov: Any, part: str, correction: str, level: float) -> Table:
    """Return `Fit.table`'s table."""
    level = as_level(level)
    return _with_tests(covariance_by_name(fit, vcov, part, correction), level)


def linear_table(fit: FittedModel, linearisation: Linearisation, errors: Errors, level: float) -> Table:
    """Return the linear part's table for a fit that is linearised already."""
    return _with_tests(_covariance_of_part(fit, linearisation, "linear", errors), level)


def _with_tests(V: Covariance, level: float) -> Table:
    with np.errstate(divide="ignore", invalid="ignore"):
        t = V.estimate / V.error
    p = 2 * special.stdtr(V.df, -np.abs(t))
    return Table.with_bounds(V.estimate, V.error, level, V.kind, V.df, names=V.names, t=t, p=p)


def bounds(
    fit: FittedModel, names: Sequence[str] | None, level: float, vcov: Any, part: str, correction: str
) -> dict[str, tuple[float, float]]:
    """Return `Fit.confint`'s bounds."""
    table = coefficient_table(fit, vcov, part, correction, level)
    by_name = dict(zip(table.names, zip(table.lower.tolist(), table.upper.tolist(), strict=True), strict=True))
    if names is None:
        return by_name
    names = as_texts("names", as_list("names", names))
    for name in names:
        if name not in by_name and name.partition("[")[0].rpartition(":")[2] in _GAUGE:
            raise InferenceError(f"{name!r} {_NOT_IDENTIFIED}")
        as_choice("name", name, tuple(by_name))
    return {name: by_name[name] for name in names}


def _as_part(part: str) -> None:
    if isinstance(part, str) and part in _GAUGE:
        raise InferenceError(f"part {part!r} {_NOT_IDENTIFIED}")
    as_choice("part", part, PARTS)


def _check_identified(linearisation: Linearisation, rows: list[int]) -> None:
    """Refuse parameters that the data leave open; those of the linear part a penalty on the nets determines."""
    parameters, activation = linearisation.parameters, linearisation.posed.problem.activation
    penalised = linearisation.posed.problem.penalty > 0
    checked = [row for row in rows if not (penalised and parameters[row].net is None)]
    known = are_determined(linearisation, linearisation.to_parameters[checked])
    free = [parameters[row].name for row, fixed in zip(checked, known, strict=True) if not fixed]
    if not free:
        return
    shown = ", ".join(free[:4]) + (f" and {len(free) - 4} more" if len(free) > 4 else "")
    if activation.homogeneous:
        why = f"with {activation.name} a node's scale may pass from one layer to the other"
    else:
        why = "nodes whose output is 0 or that copy others, or inputs that depend on others, leave them open"
    raise InferenceError(
        f"not identified: {shown} (rank {linearisation.rank} of {len(linearisation.D)}): {why}. Fitted values, effects"
        " and the linear part have errors all the same"
    )
