"""Predictions of a fit, which is all that is needed of it: no data, no solver."""

from collections.abc import Mapping, Sequence

import numpy as np

from matbn.activation import ACTIVATIONS
from matbn.arguments import Array
from matbn.errors import ArgumentError, ShapeError
from matbn.fitting.result import Fit, FittedEffect


def predicted(fit: Fit, inputs: Sequence[Array], linear: Array, effects: Mapping[str, Array]) -> Array:
    """Return predictions at new rows: each net's inputs, the linear part's columns (intercept too), group labels."""
    if len(inputs) != len(fit.nets):
        raise ShapeError(f"the fit has {len(fit.nets)} nets, but inputs of {len(inputs)} are given")
    value = ACTIVATIONS[fit.activation].value
    total: Array = linear @ np.nan_to_num(fit.coefficients)
    for net, Z in zip(fit.nets, inputs, strict=True):
        if Z.shape[1] != len(net.names):
            raise ShapeError(f"{net.label!r} has {len(net.names)} inputs, but {Z.shape[1]} columns are given")
        total = total + value((Z - net.mean) @ net.A + net.beta) @ net.Gamma2
    for effect in fit.effects:
        total = total + _of_groups(effect, effects)
    return total


def _of_groups(effect: FittedEffect, effects: Mapping[str, Array]) -> Array:
    if effect.name not in effects:
        raise ArgumentError(f"the groups of {effect.name!r} are missing")
    labels = np.asarray(effects[effect.name])
    place = np.searchsorted(effect.levels, labels)
    known = place < len(effect.levels)
    known[known] = effect.levels[place[known]] == labels[known]
    if not known.all():
        unseen = np.unique(labels[~known])
        raise ArgumentError(f"{effect.name!r} has groups that the fit has not seen: {', '.join(map(str, unseen[:5]))}")
    estimates: Array = effect.estimates[place]
    return estimates
