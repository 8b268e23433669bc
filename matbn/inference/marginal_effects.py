"""Marginal effects: how predictions change with a variable, at each row or on average, with delta-method errors.

Let a net's whitened inputs change with the variable at a rate u̇, and the linear part's columns at a rate ẋ. Then

    ∂ŷ = Σ_j a′(b_j)·(α_jᵀu̇)·Γ₂ⱼ + ẋᵀb,

whose own derivatives by α_j, β_j, Γ₂ and b give the error; a fixed effect does not change with the variable.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.activation import evaluate
from matbn.arguments import Array, as_flag, shown_place
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.covariance import Errors, covariance, degrees
from matbn.inference.estimates import Estimates
from matbn.inference.linearisation import Linearisation, check_determined
from matbn.inference.predictions import NewRows, own_rows, whitened_rows
from matbn.inference.request import as_errors, as_level, checked_linearisation
from matbn.inference.variables import as_variables, change_with, numbers_of


@dataclass(frozen=True, eq=False, kw_only=True)
class MarginalEffects(Estimates):
    """Marginal effects of variables, an entry for each name (or row)."""

    names: tuple[str, ...]


def marginal_effects(
    fit: FittedModel, variables: Sequence[str] | None, average: bool, vcov: Any, correction: str, level: float
) -> MarginalEffects:
    """Return `Fit.marginal_effects`' effects."""
    level = as_level(level)
    as_flag("average", average)
    errors = as_errors(fit, vcov, correction)
    linearisation = checked_linearisation(fit)
    names = as_variables(variables, numbers_of(fit))
    if not names:
        raise ArgumentError("there are no numeric variables whose effects could be computed")
    changes = ((name, change_with(fit, name)) for name in names)
    return effects_of_changes(linearisation, changes, average, errors, level)


def effects_of_changes(
    linearisation: Linearisation, changes: Iterable[tuple[str, NewRows]], average: bool, errors: Errors, level: float
) -> MarginalEffects:
    """Return the effects of some variables, by their names and the rates at which each changes the fit's rows."""
    w, rows = linearisation.design.w, own_rows(linearisation.design)
    names, values, derivatives = [], [], []
    for name, change in changes:
        value, r = effects_at(linearisation, rows, change)
        if average:
            value, r = np.atleast_1d(np.average(value, weights=w)), np.average(r, axis=0, weights=w)[None]
        names += [name] if average else [f"{name}[{shown_place(k)}]" for k in range(len(value))]
        values.append(value)
        derivatives.append(r)
    estimate, r = np.concatenate(values), np.vstack(derivatives)
    check_determined(linearisation, r, names)
    error, df = linearisation.scale * _delta_method(linearisation, errors, r), degrees(linearisation, errors)
    return MarginalEffects.with_bounds(estimate, error, level, str(errors), df, names=tuple(names))


def effects_at(linearisation: Linearisation, rows: NewRows, change: NewRows) -> tuple[Array, Array]:
    """Return ∂ŷ (m) at rows whose inputs change at some rates, and its derivatives by the coordinates (m × K).

    The derivatives are those of ∂ŷ divided by the fit's scale.
    """
    activation, posed = linearisation.posed.problem.activation, linearisation.posed
    value: Array = change.linear @ np.nan_to_num(linearisation.coefficients) + change.offset
    by_first, by_output = [], []
    for part, own, Gamma2 in linearisation.first_layers:
        x = whitened_rows(rows.inputs[part.term], part, own)
        inputs = change.inputs[part.term][:, part.columns]
        rate = np.zeros_like(x)
        rate[:-1] = ((inputs if part.basis is None else inputs @ part.basis) @ own.inputs.K).T
        B, along = (own.F.T @ x).T, own.F.T @ rate  # m × size, size × m
        slope = evaluate(activation, "slope", B).T
        bend = evaluate(activation, "curvature", B).T
        by_output.append(slope * along)
        value = value + linearisation.scale * (Gamma2 @ by_output[-1])
        by_node = x[:, None, :] * (bend * along * Gamma2[:, None]) + rate[:, None, :] * (slope * Gamma2[:, None])
        by_first.append(by_node.reshape(-1, len(value)))
    return value, np.vstack([*by_first, *by_output, posed.coordinates(change.linear).T]).T


def _delta_method(linearisation: Linearisation, errors: Errors, r: Array) -> Array:
    """Return the errors of estimates with these derivatives by the coordinates (estimates × K)."""
    V = covariance(linearisation, errors, linearisation.inverse @ linearisation.D)
    size = np.maximum(np.abs(r).max(axis=1, initial=0), np.finfo(float).tiny)  # squares of r might overflow
    unit = r / size[:, None]
    with np.errstate(invalid="ignore"):  # of two-way clusters a variance may be negative
        return np.asarray(np.sqrt(np.einsum("mk,kl,ml->m", unit, V, unit, optimize=True)) * size)
