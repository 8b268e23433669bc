"""An order of columns and of rows that the data themselves tell, so that the user's order does not matter.

Sums are rounded in the order of what they add up, and a search follows these last digits: where the loss has kinks,
perhaps to another minimum. Random starts meet one column after the other. So a problem has its rows, and each net's
inputs, in an order of their contents.

Inputs are sorted by moments with the outcomes. All are standardised, so that neither units nor the order of rows change
them, nor copies of rows in place of weights. Rows are sorted by a number that depends on each of their entries, the
bits of which are scrambled: any stretch of rows is then like the others.
"""

from collections.abc import Sequence

import numpy as np

from matbn.arguments import Array
from matbn.fitting.design import Design, NetTerm

_DECIMALS = 8  # of a moment that count: rounding errors stay below them
_SPREADING = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ over the golden ratio: multiples of it fall everywhere below 2⁶⁴


def column_order(term: NetTerm, y: Array, w: Array | None) -> Array:
    """Return the order of a term's inputs; names decide between inputs whose moments are alike."""
    outcomes, by_input = _standardised(y, w), np.ascontiguousarray(term.Z.T)
    keys = [(*_moments(_standardised(z, w), outcomes, w), name) for z, name in zip(by_input, term.names, strict=True)]
    return np.array(sorted(range(len(keys)), key=keys.__getitem__), int)


def row_order(design: Design, columns: Sequence[Array], first: Array | None = None) -> Array:
    """Return the order of rows, within groups in the order of their codes `first`; `columns` are the terms' orders."""
    key = row_keys(design, columns)
    if design.w is None and first is None:
        return np.argsort(key)
    weights = () if design.w is None else (design.w,)
    return np.lexsort((*weights, key) if first is None else (*weights, key, first))


def row_keys(design: Design, columns: Sequence[Array]) -> Array:
    """Return an integer for each row that is the same for equal rows, whatever their weights, and hardly for others."""
    entries = [design.y, *design.linear.T, *(effect.codes for effect in design.effects)]
    entries += [term.Z[:, k] for term, order in zip(design.terms, columns, strict=True) for k in order]
    total = np.zeros(len(design.y))
    for factor, column in zip(np.random.default_rng(0).standard_normal(len(entries)), entries, strict=True):
        total += column * (factor / max(column.max(), -column.min(), np.finfo(float).tiny))
    keys: Array = total.view(np.uint64) * _SPREADING
    return keys


def _standardised(column: Array, w: Array | None) -> Array:
    largest = max(column.max(), -column.min(), np.finfo(float).tiny)
    found: Array = column / largest  # no square of it leaves float64's range
    found -= np.average(found, weights=w)
    found /= max(np.sqrt(_mean(found, found, w)), np.finfo(float).tiny)
    return found


def _moments(z: Array, y: Array, w: Array | None) -> list[float]:
    square = np.square(z)
    pairs = ((z, y), (square, y), (z, np.square(y)), (square, z), (square, square))
    return [round(_mean(a, b, w), _DECIMALS) for a, b in pairs]


def _mean(a: Array, b: Array, w: Array | None) -> float:
    return float(a @ b) / len(a) if w is None else float((a * w) @ b) / float(w.sum())
