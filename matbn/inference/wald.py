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
from matbn.inference.identified import Columns, identified_values, places_of
from matbn.inference.linearisation import Linearisation
from matbn.inference.request import as_errors, checked_linearisation
from matbn.inference.variables import as_variables, columns_of, variables_of

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


def wald(fit: FittedModel, variables: Sequence[str] | None, vcov: Any, correction: str) -> WaldTests:
    """Return `Fit.wald`'s tests."""
    errors = as_errors(fit, vcov, correction)
    linearisation = checked_linearisation(fit)
    names = as_variables(variables, variables_of(fit, offset=False))
    return wald_tests(fit, linearisation, names, [columns_of(fit, name) for name in names], errors)


def wald_tests(
    fit: FittedModel, linearisation: Linearisation, names: Sequence[str], columns: Sequence[Columns], errors: Errors
) -> WaldTests:
    """Test for each name that the weights and coefficients of its columns are 0."""
    values = identified_values(fit) / linearisation.units
    df = degrees(linearisation, errors)
    rows = [
        _statistic(linearisation, places_of(linearisation.parameters, own), values, errors, name)
        for name, own in zip(names, columns, strict=True)
    ]
    F, numerator = (np.array(column) for column in zip(*rows, strict=True)) if rows else (np.empty(0), np.empty(0))
    with np.errstate(invalid="ignore"):
        p = special.fdtrc(numerator, df, F)
    return WaldTests(tuple(names), F, numerator, p, df, str(errors))


def _statistic(
    linearisation: Linearisation, places: list[int], values: Array, errors: Errors, name: str
) -> tuple[float, float]:
    """Return F and its numerator's degrees of freedom for the parameters at some places; values are in their units."""
    kept = [place for place in places if not np.isnan(values[place])]
    if not kept:
        return np.nan, 0.0
    V = covariance(linearisation, errors, linearisation.to_parameters[kept] @ linearisation.inverse @ linearisation.D)
    size = np.sqrt(V.diagonal())
    if not (size > 0).any() or not np.isfinite(size).all():
        raise ArgumentError(f"{name}: its parameters' variances are not positive, so that they cannot be tested")
    size[size == 0] = 1
    eigenvalues, vectors = np.linalg.eigh(V / np.outer(size, size))
    free = eigenvalues > _RANK * eigenvalues[-1]
    scores = vectors[:, free].T @ (values[kept] / size)
    return float(np.square(scores) @ (1 / eigenvalues[free])) / int(free.sum()), float(free.sum())
