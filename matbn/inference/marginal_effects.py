"""Marginal effects: how predictions change with a variable, at each row or on average, with delta-method errors.

Let a variable move a net's whitened inputs at a rate u̇ and the linear part's columns at a rate ẋ. Then

    ∂ŷ = Σ_j a′(b_j)·(α_jᵀu̇)·Γ₂ⱼ + ẋᵀb,

whose own derivatives by α_j, β_j, Γ₂ and b give the error; a fixed effect does not move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.activation import evaluate
from matbn.arguments import Array, as_flag
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.covariance import Errors, covariance, degrees
from matbn.inference.estimates import Estimates
from matbn.inference.linearised import Linearised, check_determined
from matbn.inference.predictions import NewRows, own_rows, whitened_rows
from matbn.inference.request import as_level, estimated, requested
from matbn.inference.variables import as_variables, change_with, numbers_of
from matbn.problem.least_squares import layers
from matbn.problem.profile import solved
from matbn.problem.sweeps import workspace


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
    errors = requested(fit, vcov, correction)
    found = estimated(fit)
    names = as_variables(variables, numbers_of(fit))
    if not names:
        raise ArgumentError("there are no numeric variables whose effects could be computed")
    labels, values, derivatives = [], [], []
    for name in names:
        value, r = rates(found, own_rows(found), change_with(fit, name))
        if average:
            value = np.atleast_1d(np.average(value, weights=found.design.w))
            r = np.average(r, axis=0, weights=found.design.w)[None]
        labels += [name] if average else [f"{name}[{k}]" for k in range(len(value))]
        values.append(value)
        derivatives.append(r)
    return with_errors(found, tuple(labels), np.concatenate(values), np.vstack(derivatives), errors, level)


def rates(fit: Linearised, rows: NewRows, change: NewRows) -> tuple[Array, Array]:
    """Return ∂ŷ (m) at rows whose inputs change at some rates, and its derivatives by the coordinates (m × K).

    The derivatives are those of ∂ŷ divided by the fit's scale.
    """
    problem, posed, theta = fit.posed.problem, fit.posed, fit.theta
    value: Array = change.linear @ np.nan_to_num(fit.coefficients)
    columns, outputs = [], []
    if len(theta):
        Gamma2 = solved(problem, theta, workspace(problem)).Gamma2
        for part, own in zip(posed.parts, layers(problem, theta), strict=True):
            x = whitened_rows(rows.inputs[part.term], part, own)
            moved = change.inputs[part.term][:, part.columns]
            rate = np.zeros_like(x)
            rate[:-1] = ((moved if part.basis is None else moved @ part.basis) @ own.inputs.K).T
            B, along = (own.F.T @ x).T, own.F.T @ rate  # m × size, size × m
            slope = evaluate(problem.activation, "slope", B).T
            bend = evaluate(problem.activation, "curvature", B).T
            outputs.append(slope * along)
            value = value + fit.scale * (Gamma2[own.nodes] @ outputs[-1])
            by_node = bend * along * Gamma2[own.nodes, None], slope * Gamma2[own.nodes, None]
            both = x[:, None, :] * by_node[0] + rate[:, None, :] * by_node[1]
            columns.append(both.reshape(-1, len(value)))
    return value, np.vstack([*columns, *outputs, posed.coordinates(change.linear).T]).T


def with_errors(
    fit: Linearised, names: tuple[str, ...], estimate: Array, r: Array, errors: Errors, level: float
) -> MarginalEffects:
    """Return effects with errors and bounds from their derivatives r (an effect each)."""
    check_determined(fit, r, names)
    V = covariance(fit, errors, fit.inverse @ fit.D)
    size = np.maximum(np.abs(r).max(axis=1, initial=0), np.finfo(float).tiny)  # squares of r might overflow
    unit = r / size[:, None]
    with np.errstate(invalid="ignore"):  # of two-way clusters a variance may be negative
        error = np.sqrt(np.einsum("mk,kl,ml->m", unit, V, unit, optimize=True)) * size * fit.scale
    return MarginalEffects.with_bounds(
        estimate, error, level=level, kind=str(errors), df=degrees(fit, errors), names=names
    )
