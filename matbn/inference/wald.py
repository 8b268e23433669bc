"""Wald tests that groups of parameters are 0: θᵀV⁺θ/q against F(q, df)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.covariance import Errors, covariance, degrees
from matbn.inference.linearised import Linearised
from matbn.inference.request import estimated, requested
from matbn.inference.tables import identified_values
from matbn.inference.variables import as_variables, parameters_of, variables_of

_RANK = 1e-10  # eigenvalue of V with unit diagonal, relative to the largest, that counts as 0


@dataclass(frozen=True, eq=False)
class WaldTests:
    """F statistics, an entry for each name; nan where a variable has no parameters."""

    names: tuple[str, ...]
    F: Array
    numerator: Array  # degrees of freedom: how many parameters can vary on their own
    p: Array
    df: float  # of the denominator
    kind: str


def variables_tested(fit: FittedModel, variables: Sequence[str] | None, vcov: Any, correction: str) -> WaldTests:
    """Return `Fit.wald`'s tests."""
    errors = requested(fit, vcov, correction)
    found = estimated(fit)
    names = as_variables(variables, variables_of(fit))
    return tested(fit, found, names, [parameters_of(fit, found, name) for name in names], errors)


def tested(
    fit: FittedModel, found: Linearised, names: Sequence[str], places: Sequence[list[int]], errors: Errors
) -> WaldTests:
    """Test that the identified parameters at several sets of places (of `found.names`) are 0."""
    values = identified_values(fit, found) / found.units
    df = degrees(found, errors)
    rows = [
        _statistic(found, np.array(place, int), values, errors, name) for name, place in zip(names, places, strict=True)
    ]
    F, numerator = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0), np.empty(0))
    with np.errstate(invalid="ignore"):
        p = special.fdtrc(numerator, df, F)
    return WaldTests(tuple(names), F, numerator, p, df, str(errors))


def _statistic(found: Linearised, places: Array, values: Array, errors: Errors, name: str) -> tuple[float, float]:
    places = places[~np.isnan(values[places])]
    if not len(places):
        return np.nan, 0.0
    V = covariance(found, errors, found.to_parameters[places] @ found.inverse @ found.D)
    size = np.sqrt(V.diagonal())
    if not (size > 0).any() or not np.isfinite(size).all():
        raise ArgumentError(f"{name}: its parameters' variances are not positive, so that they cannot be tested")
    size[size == 0] = 1
    eigenvalues, vectors = np.linalg.eigh(V / np.outer(size, size))
    kept = eigenvalues > _RANK * eigenvalues[-1]
    scores = vectors[:, kept].T @ (values[places] / size)
    return float(np.square(scores) @ (1 / eigenvalues[kept])) / int(kept.sum()), float(kept.sum())
