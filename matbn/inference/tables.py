"""Coefficients with their standard errors: covariances by name, tables, intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from matbn.arguments import Array, as_choice, as_number
from matbn.errors import ArgumentError
from matbn.fitting.result import Fit
from matbn.inference.covariance import covariance, degrees
from matbn.inference.linearised import Linearised
from matbn.inference.request import estimated, requested

PARTS = ("linear", "nets", "all")


@dataclass(frozen=True, eq=False)
class Covariance:
    """Covariances of identified parameters; nan where a column was dropped."""

    names: tuple[str, ...]
    matrix: Array
    kind: str  # how it was estimated, in words
    df: float  # of t statistics

    @property
    def errors(self) -> dict[str, float]:
        """Standard errors by name; nan where a variance is negative, as that of two-way clusters may be."""
        with np.errstate(invalid="ignore"):
            return dict(zip(self.names, np.sqrt(self.matrix.diagonal()).tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Table:
    """Estimates, standard errors, t statistics, two-sided p values and confidence bounds, an entry for each name."""

    names: tuple[str, ...]
    estimate: Array
    error: Array
    t: Array
    p: Array
    lower: Array
    upper: Array
    level: float
    kind: str
    df: float


def covariance_by_name(fit: Fit, vcov: Any, part: str, correction: str) -> Covariance:
    """Return `Fit.vcov`'s covariance."""
    as_choice("part", part, PARTS)
    errors = requested(fit, vcov, correction)
    found = estimated(fit)
    rows = _rows(found, part)
    moves = found.to_parameters[rows] @ found.inverse @ found.D
    names = tuple(found.names[k] for k in rows)
    return Covariance(names, covariance(found, errors, moves), str(errors), degrees(found, errors))


def coefficient_table(fit: Fit, vcov: Any, part: str, correction: str, level: float) -> Table:
    """Return `Fit.table`'s table."""
    if not 0 < as_number("level", level) < 1:
        raise ArgumentError(f"level is {level}, but must lie between 0 and 1")
    found = covariance_by_name(fit, vcov, part, correction)
    folded = _identified(fit)
    estimate = np.array([folded[name] for name in found.names])
    error = np.array(list(found.errors.values()))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = estimate / error
    half = special.stdtrit(found.df, (1 + level) / 2) * error
    p = 2 * special.stdtr(found.df, -np.abs(t))
    return Table(found.names, estimate, error, t, p, estimate - half, estimate + half, level, found.kind, found.df)


def _rows(found: Linearised, part: str) -> list[int]:
    linear = len(found.design.linear_names)
    total = len(found.names)
    return list({"linear": range(total - linear, total), "nets": range(total - linear), "all": range(total)}[part])


def _identified(fit: Fit) -> dict[str, float]:
    """Return the identified parameters by the names that `linearised` gives them."""
    found: dict[str, float] = {}
    several = len(fit.nets) > 1
    for net in fit.nets:
        prefix = f"{net.label}:" if several else ""
        for j in range(len(net.gamma)):
            found |= {f"{prefix}A[{name},{j + 1}]": float(net.A[i, j]) for i, name in enumerate(net.names)}
            found[f"{prefix}c[{j + 1}]"] = float(net.c[j])
        found |= {f"{prefix}Gamma2[{j + 1}]": float(value) for j, value in enumerate(net.Gamma2)}
    return found | fit.coef
