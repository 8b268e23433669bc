"""Predictions of a fit, which is all that is needed of it: no data, no solver."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from matbn.activation import evaluate
from matbn.arguments import Array, as_matrix
from matbn.errors import ArgumentError, ShapeError
from matbn.fitting.frame import arrays_of
from matbn.fitting.result import Fit, FittedEffect

New = tuple[list[Array], Array, Mapping[str, Array]]  # inputs of each net, linear part, group labels


def new_arrays(fit: Fit, data: Any, inputs: Any, linear: Any, effects: Any) -> New | None:
    """Return `Fit.predict`'s new rows as arrays; None for the fit's own."""
    given = len(inputs) > 0 or linear is not None or effects is not None
    if data is None and not given:
        return None
    if fit.recipe is not None:
        if data is None:
            raise ArgumentError("the fit has a formula: give new rows as a data frame, predict(data)")
        return arrays_of(fit.recipe, data)
    if data is not None:
        raise ArgumentError("the fit was made from arrays: give inputs=, linear= and effects=, not data")
    matrices = [as_matrix(f"inputs[{k}]", Z) for k, Z in enumerate(inputs)]
    columns = np.empty((_rows(matrices, linear, effects), 0))
    if linear is not None:
        columns = np.asarray(linear, dtype=float)
        columns = as_matrix("linear", columns[:, None] if columns.ndim == 1 else columns)
    if not fit.effects:
        columns = np.column_stack([np.ones(len(columns)), columns])
    if effects is not None and not hasattr(effects, "items"):
        effects = {fit.effects[0].name: effects} if fit.effects else {}
    return matrices, columns, dict((effects or {}).items())


def _rows(matrices: list[Array], linear: Any, effects: Any) -> int:
    if matrices:
        return len(matrices[0])
    first = linear if linear is not None else next(iter(effects.values())) if hasattr(effects, "values") else effects
    return len(first)


def predicted(
    fit: Fit, inputs: Sequence[Array], linear: Array, effects: Mapping[str, Array], unseen: str = "error"
) -> Array:
    """Return predictions at new rows: each net's inputs, the linear part's columns (intercept too), group labels.

    `unseen` says what groups get that the fit has not seen: see `Fit.predict`.
    """
    if fit.nets and len(inputs) != len(fit.nets):
        raise ShapeError(f"the fit has {len(fit.nets)} nets, but inputs of {len(inputs)} are given")
    if linear.shape[1] != len(fit.coefficients):
        raise ShapeError(
            f"the linear part has {len(fit.coefficients)} columns ({', '.join(fit.coefficient_names)}), but"
            f" {linear.shape[1]} are given"
        )
    total: Array = linear @ np.nan_to_num(fit.coefficients)
    for net, Z in zip(fit.nets, inputs, strict=False):  # no nets where the linear part fitted exactly
        if Z.shape[1] != len(net.names):
            raise ShapeError(f"{net.label!r} has {len(net.names)} inputs, but {Z.shape[1]} columns are given")
        total = total + evaluate(fit.activation, "value", (Z - net.mean) @ net.A + net.beta) @ net.Gamma2
    for effect in fit.effects:
        total = total + _of_groups(fit, effect, effects, unseen)
    return total


def _of_groups(fit: Fit, effect: FittedEffect, effects: Mapping[str, Array], unseen: str) -> Array:
    if effect.name not in effects:
        raise ArgumentError(f"the groups of {effect.name!r} are missing")
    labels = np.asarray(effects[effect.name])
    try:
        place = np.searchsorted(effect.levels, labels)
    except TypeError:  # texts beside numbers, say
        kinds = f"{labels.dtype} labels, but those of the fit are {effect.levels.dtype}"
        raise ArgumentError(f"{effect.name!r} has {kinds}; give the same kind") from None
    known = place < len(effect.levels)
    known[known] = effect.levels[place[known]] == labels[known]
    if unseen == "error" and not known.all():
        new = np.unique(labels[~known])
        raise ArgumentError(
            f"{effect.name!r} has groups that the fit has not seen: {', '.join(map(str, new[:5]))}; unseen='average' or"
            " 'zero' predicts them nevertheless"
        )
    estimates: Array = effect.estimates[np.minimum(place, len(effect.levels) - 1)]
    estimates[~known] = effect.average if unseen == "average" else 0.0
    return estimates
