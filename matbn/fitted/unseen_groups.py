"""Groups of new rows: which of them the fit has seen, and the effects of the others, from known outcomes.

The effect of a group that the fit has not seen is the mean of the outcomes less the rest of the model, over the group's
rows with known outcomes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array, is_missing, places
from matbn.errors import ArgumentError, ShapeError
from matbn.fitted.fitted_model import FittedEffect, FittedModel


@dataclass(frozen=True, eq=False)
class NewGroups:
    """The groups that the fit has not seen, each with known outcomes."""

    code: Array  # m, the number of each row's new group, -1 if the fit has seen all its groups
    counts: Array  # for each new group, the number of known outcomes
    known: Array  # m, whether the row's outcome is known


def codes_of(effect: FittedEffect, labels: Mapping[str, Array], m: int) -> Array:
    """Return the fit's codes of m rows' groups, -1 where it has not seen them or the label is missing."""
    if effect.name not in labels:
        raise ArgumentError(f"the groups of {effect.name!r} are missing")
    given = np.asarray(labels[effect.name])
    if given.shape != (m,):
        raise ShapeError(
            f"effect {effect.name!r} has shape {given.shape}, but must have one label for each of {m} rows"
        )
    missing = _missing(given)
    given = np.where(missing, effect.levels[:1], given) if missing.any() else given
    try:
        place = np.searchsorted(effect.levels, given)
    except TypeError:  # texts and numbers have no order, for example
        kinds = f"{given.dtype} labels, but those of the fit are {effect.levels.dtype}"
        raise ArgumentError(f"{effect.name!r} has {kinds}; give the same kind") from None
    place = np.minimum(place, len(effect.levels) - 1)
    found: Array = np.where((effect.levels[place] == given) & ~missing, place, -1)
    return found


def unlabelled(labels: Mapping[str, Array], m: int) -> Array:
    """Return in which of m rows a group's label is missing."""
    found: Array = np.any([np.zeros(m, bool), *(_missing(np.asarray(given)) for given in labels.values())], axis=0)
    return found


def _missing(labels: Array) -> Array:
    if labels.dtype.kind == "O":
        return np.array([is_missing(label) for label in labels.ravel()], bool).reshape(labels.shape)
    return np.asarray(labels != labels)  # nan and NaT


def new_groups(fit: FittedModel, labels: Mapping[str, Array], outcomes: Array | None, m: int) -> NewGroups:
    """Return the groups that the fit has not seen; refuse groups without outcomes to estimate their effects from."""
    code, count = np.full(m, -1), 0
    names: list[str] = []
    for effect in fit.effects:
        new = np.flatnonzero((codes_of(effect, labels, m) < 0) & ~unlabelled(labels, m))
        both = new[code[new] >= 0]
        if len(both):
            raise ArgumentError(
                f"rows have new groups in more than one effect, at {places(both)}: their effects cannot be told apart;"
                " unseen='average' predicts them"
            )
        levels, own = np.unique(np.asarray(labels[effect.name])[new], return_inverse=True)
        code[new] = count + own
        count += len(levels)
        names += [f"{effect.name} {level}" for level in levels]
    if count and outcomes is None:
        raise ArgumentError("unseen is 'estimate', which needs outcomes of the new groups; none are given")
    known = np.zeros(m, bool) if outcomes is None else ~np.isnan(outcomes)
    counts = np.bincount(code[known & (code >= 0)], minlength=count)
    without = [name for name, number in zip(names, counts, strict=True) if number == 0]
    if without:
        raise ArgumentError(f"no outcome is known of {', '.join(without[:5])}, from which to estimate its effect")
    return NewGroups(code, counts, known)


def means_of_new(groups: NewGroups, values: Array) -> Array:
    """Return for each row the mean of values (m or m × k) over its new group's rows with outcomes; 0 if it has none."""
    used = groups.known & (groups.code >= 0)
    sums = np.zeros((len(groups.counts) + 1, *values.shape[1:]))
    np.add.at(sums, groups.code[used], values[used])
    sums[:-1] /= groups.counts.reshape(-1, *[1] * (values.ndim - 1))
    means: Array = sums[groups.code]  # the code -1 means the last row, which is 0
    return means
