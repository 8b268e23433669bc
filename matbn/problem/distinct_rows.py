"""Merges equal rows into one, with the sum of their weights.

The loss stays the same and takes less time to compute; and copies of rows give the same last digits as weights.
"""

from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.model.design import Design, some_rows


def keep_distinct(design: Design, order: Array) -> Design:
    """Return the design without copies of rows and without rows of weight 0; the same object if it has neither.

    `order` is the order of rows in the design's problem, where equal rows are neighbours.
    """
    w = np.ones(len(design.y)) if design.w is None else design.w
    rows = order[w[order] > 0]
    alike = np.diff(design.y[rows]) == 0
    alike[alike] = _are_equal(design, rows[:-1][alike], rows[1:][alike])
    if len(rows) == len(w) and not alike.any():
        return design
    first = np.flatnonzero(np.append(True, ~alike))
    return replace(some_rows(design, rows[first]), w=np.add.reduceat(w[rows], first))


def _are_equal(design: Design, these: Array, those: Array) -> Array:
    """Return whether each of these rows equals the one of those in the same place, outcomes and weights aside."""
    tables = [design.linear, *(term.Z for term in design.terms)]
    tables += [effect.codes[:, None] for effect in design.effects]
    equal: Array = np.all([(table[these] == table[those]).all(axis=1) for table in tables], axis=0)
    return equal
