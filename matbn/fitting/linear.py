"""The linear part: which of its columns count, an orthonormal basis of them, and their coefficients."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from matbn.arguments import Array

_COLLINEAR = 1e-7  # share of a column's length that must stand off the columns before it, as in R's lm


@dataclass(frozen=True, eq=False)
class LinearPart:
    """Columns after effects and weights, factorised: kept columns = Qᵀ·R."""

    Q: Array  # k × N, orthonormal rows
    R: Array  # k × k, triangular
    kept: Array  # k, which columns count; the others depend on those before them


def factorised(columns: Array, lengths: Array) -> LinearPart:
    """Factorise columns (k × N, as rows), dropping what depends on earlier ones.

    `lengths` are the columns' before effects were taken out: what they explain wholly is rounding error afterwards.
    """
    kept = np.arange(len(columns))
    while True:
        Q, R = np.linalg.qr(columns[kept].T)
        alone = np.abs(np.diagonal(R)) > _COLLINEAR * np.maximum(lengths[kept], np.finfo(float).tiny)
        if alone.all():
            return LinearPart(np.ascontiguousarray(Q.T), R, kept)
        kept = np.delete(kept, np.argmin(alone))  # the first that depends on others; later ones may then be free


def coefficients(part: LinearPart, residual: Array, count: int) -> Array:
    """Return the coefficients of all columns for what is left of y; nan where a column was dropped."""
    found = np.full(count, np.nan)
    found[part.kept] = solve_triangular(part.R, part.Q @ residual)
    return found
