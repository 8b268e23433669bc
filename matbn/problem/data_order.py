"""An order of inputs and rows by their contents, so that the user's order does not matter.

The rounding errors of a sum depend on the order of its terms, and they can lead a search elsewhere: with kinks, perhaps
to another minimum. Random starts are drawn for one input after the other, random folds for one row after the other. So
a problem sorts its rows, and the inputs of each net, by their contents.

Inputs are sorted by their moments, and those of equal moments by their moments with the outcomes. All are standardised,
so that they do not change with units, with the order of rows, or if weights take the place of copies of rows. Rows are
sorted by a random combination of their inputs, then by one of the linear part, then by their outcomes, whatever units
and offsets these have. Groups come last, since their codes depend on how labels are sorted: in R by a factor's levels.
"""

from collections.abc import Sequence

import numpy as np

from matbn.arguments import Array
from matbn.model.design import Design, NetTerm

_DECIMALS = 8  # to which moments are rounded: rounding errors stay below
_TINY = float(np.finfo(float).tiny)


def column_order(term: NetTerm, y: Array, w: Array | None) -> Array:
    """Return the order of a term's inputs; names decide between inputs of equal moments."""
    outcomes, by_input = _standardise(y, w), np.ascontiguousarray(term.Z.T)
    keys = [(*_moments(_standardise(z, w), outcomes, w), name) for z, name in zip(by_input, term.names, strict=True)]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), int)


def row_order(design: Design, columns: Sequence[Array], first: Array | None = None) -> Array:
    """Return the order of rows, sorted by the codes `first` before all else; `columns` are the terms' orders."""
    inputs = [term.Z[:, k] for term, order in zip(design.terms, columns, strict=True) for k in order]
    keys = [_random_combination(inputs, len(design.y))]
    if first is not None:
        keys.append(first)
    order = np.lexsort(keys)
    if (np.any([key[order[1:]] != key[order[:-1]] for key in keys], axis=0)).all():
        return order
    codes = _random_combination([effect.codes for effect in design.effects], len(design.y))
    weights = [] if design.w is None else [design.w]
    linear = _random_combination([*design.linear.T], len(design.y))
    return np.lexsort([*weights, codes, design.y, linear, *keys])


def _random_combination(columns: Sequence[Array], N: int) -> Array:
    """Return the sum (N) of the columns, each scaled to run from 0 to 1, times random factors, the same each time."""
    total = np.zeros(N)
    for factor, column in zip(np.random.default_rng(0).uniform(1, 2, len(columns)), columns, strict=True):
        scaled = column / _size(column)
        least = scaled.min()
        total += (scaled - least) * (factor / max(scaled.max() - least, _TINY))
    return total


def _standardise(column: Array, w: Array | None) -> Array:
    standardised: Array = column / _size(column)
    standardised -= np.average(standardised, weights=w)
    standardised /= max(np.sqrt(_mean_product(standardised, standardised, w)), _TINY)
    return standardised


def _size(column: Array) -> float:
    """Return the largest absolute value, by which a column is divided so that no square leaves float64's range."""
    return max(float(column.max()), -float(column.min()), _TINY)


def _moments(z: Array, y: Array, w: Array | None) -> list[float]:
    square = np.square(z)
    pairs = ((square, z), (square, square), (z, y), (square, y), (z, np.square(y)))
    return [round(_mean_product(a, b, w), _DECIMALS) for a, b in pairs]


def _mean_product(a: Array, b: Array, w: Array | None) -> float:
    return float(a @ b) / len(a) if w is None else float((a * w) @ b) / float(w.sum())
