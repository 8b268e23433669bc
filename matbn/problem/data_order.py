"""An order of inputs and of rows that the data themselves tell, so that the user's order does not matter.

Sums are rounded in the order of what they add up, and a search follows these last digits: where the loss has kinks,
perhaps to another minimum. Random starts meet one input after the other, random folds one row after the other. So a
problem has its rows, and each net's inputs, in an order of their contents.

Inputs are sorted by moments of their own, and by moments with the outcomes where these are alike. All are standardised,
so that neither units nor the order of rows change them, nor copies of rows in place of weights. Rows are sorted by a
sum of their inputs with factors at random; those of equal inputs by such a sum of the linear part, then by their
outcomes, whose units and offsets do not change the order either. Only then do groups count, whose codes depend on how
their labels are sorted: R sorts a factor's by its levels, Python by name.
"""

from collections.abc import Sequence

import numpy as np

from matbn.arguments import Array
from matbn.model.design import Design, NetTerm

_DECIMALS = 8  # of a moment that count: rounding errors stay below them
_TINY = float(np.finfo(float).tiny)


def column_order(term: NetTerm, y: Array, w: Array | None) -> Array:
    """Return the order of a term's inputs; names decide between inputs whose moments are alike."""
    outcomes, by_input = _standardised(y, w), np.ascontiguousarray(term.Z.T)
    keys = [(*_moments(_standardised(z, w), outcomes, w), name) for z, name in zip(by_input, term.names, strict=True)]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), int)


def row_order(design: Design, columns: Sequence[Array], first: Array | None = None) -> Array:
    """Return the order of rows, within groups in the order of their codes `first`; `columns` are the terms' orders."""
    inputs = [term.Z[:, k] for term, order in zip(design.terms, columns, strict=True) for k in order]
    keys = [_sum(inputs, len(design.y))]
    if first is not None:
        keys.append(first)
    order = np.lexsort(keys)
    if (np.any([key[order[1:]] != key[order[:-1]] for key in keys], axis=0)).all():
        return order
    codes = _sum([effect.codes for effect in design.effects], len(design.y))
    weights = [] if design.w is None else [design.w]
    return np.lexsort([*weights, codes, design.y, _sum([*design.linear.T], len(design.y)), *keys])


def _sum(columns: Sequence[Array], N: int) -> Array:
    """Return a sum of columns (N), from 0 to 1 each, with factors at random."""
    total = np.zeros(N)
    for factor, column in zip(np.random.default_rng(0).uniform(1, 2, len(columns)), columns, strict=True):
        scaled = column / _size(column)
        least = scaled.min()
        total += (scaled - least) * (factor / max(scaled.max() - least, _TINY))
    return total


def _standardised(column: Array, w: Array | None) -> Array:
    found: Array = column / _size(column)
    found -= np.average(found, weights=w)
    found /= max(np.sqrt(_mean(found, found, w)), _TINY)
    return found


def _size(column: Array) -> float:
    """Return what an entry is to be divided by so that none exceeds 1, and no square leaves float64's range."""
    return max(float(column.max()), -float(column.min()), _TINY)


def _moments(z: Array, y: Array, w: Array | None) -> list[float]:
    square = np.square(z)
    pairs = ((square, z), (square, square), (z, y), (square, y), (z, np.square(y)))
    return [round(_mean(a, b, w), _DECIMALS) for a, b in pairs]


def _mean(a: Array, b: Array, w: Array | None) -> float:
    return float(a @ b) / len(a) if w is None else float((a * w) @ b) / float(w.sum())
