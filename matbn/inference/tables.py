"""Coefficients with their standard errors: covariances by name, tables, intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from matbn.arguments import Array, as_choice, as_list, as_texts
from matbn.errors import InferenceError
from matbn.fitted.fitted_model import FittedModel, told_apart
from matbn.inference.covariance import covariance, degrees
from matbn.inference.estimates import Estimates
from matbn.inference.linearised import Linearised, determined
from matbn.inference.request import as_level, estimated, requested

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
    errors = requested(fit, vcov, correction)
    found = estimated(fit)
    rows = _rows(found, part)
    _check_identified(found, rows)
    moves = found.to_parameters[rows] @ found.inverse @ found.D
    names = tuple(found.names[k] for k in rows)
    units = found.units[rows]
    V = covariance(found, errors, moves)
    with np.errstate(invalid="ignore", over="ignore"):  # squares may be too large for float64 where errors are not
        error, matrix = units * np.sqrt(V.diagonal()), units[:, None] * V * units
    return Covariance(names, matrix, error, str(errors), degrees(found, errors))


def coefficient_table(fit: FittedModel, vcov: Any, part: str, correction: str, level: float) -> Table:
    """Return `Fit.table`'s table."""
    level = as_level(level)
    found = covariance_by_name(fit, vcov, part, correction)
    values = dict(zip(*_identified(fit), strict=True))
    estimate = np.array([values[name] for name in found.names])
    error = found.error
    with np.errstate(divide="ignore", invalid="ignore"):
        t = estimate / error
    p = 2 * special.stdtr(found.df, -np.abs(t))
    return Table.with_bounds(estimate, error, level=level, kind=found.kind, df=found.df, names=found.names, t=t, p=p)


def bounds(
    fit: FittedModel, names: Sequence[str] | None, level: float, vcov: Any, part: str, correction: str
) -> dict[str, tuple[float, float]]:
    """Return `Fit.confint`'s bounds."""
    table = coefficient_table(fit, vcov, part, correction, level)
    found = dict(zip(table.names, zip(table.lower.tolist(), table.upper.tolist(), strict=True), strict=True))
    if names is not None:
        names = as_texts("names", as_list("names", names))
    for name in found if names is None else names:
        if name.partition("[")[0].rpartition(":")[2] in _GAUGE:
            raise InferenceError(f"{name!r} {_NOT_IDENTIFIED}")
        as_choice("name", name, tuple(found))
    return found if names is None else {name: found[name] for name in names}


def _as_part(part: str) -> None:
    if isinstance(part, str) and part in _GAUGE:
        raise InferenceError(f"part {part!r} {_NOT_IDENTIFIED}")
    as_choice("part", part, PARTS)


def _check_identified(found: Linearised, rows: list[int]) -> None:
    """Refuse parameters that the data leave open; those of the linear part a penalty on the nets determines."""
    nets = len(found.names) - len(found.design.linear_names)
    checked = np.array([row for row in rows if row < nets or found.posed.problem.penalty == 0], int)
    free = [found.names[row] for row in checked[~determined(found, found.to_parameters[checked])]]
    if not free:
        return
    shown = ", ".join(free[:4]) + (f" and {len(free) - 4} more" if len(free) > 4 else "")
    activation = found.posed.problem.activation
    if activation.homogeneous:
        why = f"with {activation.name} a node's scale may pass from one layer to the other"
    else:
        why = "nodes whose output is 0 or that copy others, or inputs that depend on others, leave them open"
    raise InferenceError(
        f"not identified: {shown} (rank {found.rank} of {len(found.D)}): {why}. Fitted values, effects and the linear"
        " part have errors all the same"
    )


def _rows(found: Linearised, part: str) -> list[int]:
    linear = len(found.design.linear_names)
    total = len(found.names)
    return list({"linear": range(total - linear, total), "nets": range(total - linear), "all": range(total)}[part])


def identified_values(fit: FittedModel, found: Linearised) -> Array:
    """Return the identified parameters in the order of `found.names`."""
    names, values = _identified(fit)
    assert names == list(found.names)
    return np.array(values)


def _identified(fit: FittedModel) -> tuple[list[str], list[float]]:
    """Return the identified parameters with the names that `linearised` gives them, in its order."""
    names: list[str] = []
    values: list[float] = []
    several = len(fit.nets) > 1
    for label, net in zip(told_apart([net.label for net in fit.nets]), fit.nets, strict=True):
        prefix = f"{label}:" if several else ""
        for j in range(len(net.gamma)):
            names += [*(f"{prefix}A[{name},{j + 1}]" for name in net.names), f"{prefix}c[{j + 1}]"]
            values += [*net.A[:, j].tolist(), float(net.c[j])]
        names += [f"{prefix}Gamma2[{j + 1}]" for j in range(len(net.gamma))]
        values += net.Gamma2.tolist()
    return [*names, *fit.coefficient_names], [*values, *fit.coefficients.tolist()]
