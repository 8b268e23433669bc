"""The linear part: which of its columns count, an orthonormal basis of them, and their coefficients.

With a ridge D the coefficients minimise ‖r - Xb‖² + bᵀDb. The factors [X; D^½] = [Q; T]R turn that into what holds
without one: the residual is r - Q·Qᵀr, and the minimum is its square plus ‖T·Qᵀr‖², where T = 0 if D = 0.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from matbn.arguments import Array

_COLLINEAR = 1e-7  # share of a column's length that must stand off the columns before it, as in R's lm


@dataclass(frozen=True, eq=False)
class LinearPart:
    """Columns after effects and weights, factorised: kept columns = Qᵀ·R."""

    Q: Array  # k × N, rows that are orthonormal where there is no ridge
    R: Array  # k × k, triangular
    kept: Array  # k, which columns count; the others depend on those before them
    T: Array | None = None  # k × k, below Qᵀ, where there is a ridge

    @property
    def degrees(self) -> float:
        """Effective degrees of freedom: the rank, less what the ridge takes off."""
        return float(len(self.kept) if self.T is None else np.square(self.Q).sum())


def factorised(columns: Array, lengths: Array, ridge: Array | None = None) -> LinearPart:
    """Factorise columns (k × N, as rows), dropping what depends on earlier ones; `ridge` is D's diagonal.

    `lengths` are the columns' before effects were taken out: what they explain wholly is rounding error afterwards.
    """
    below = np.empty((len(columns), 0)) if ridge is None else np.diag(np.sqrt(ridge))
    N = columns.shape[1]
    kept = np.arange(len(columns))
    while True:
        Q, R = np.linalg.qr(np.hstack([columns[kept], below[kept]]).T)
        alone = np.zeros(len(kept), bool)  # so are columns beyond the number of rows
        least = _COLLINEAR * np.maximum(lengths[kept], np.finfo(float).tiny)
        alone[: len(R)] = np.abs(np.diagonal(R)) > least[: len(R)]
        if alone.all():
            return LinearPart(np.ascontiguousarray(Q[:N].T), R, kept, None if ridge is None else Q[N:])
        kept = np.delete(kept, np.argmin(alone))  # the first that depends on others; later ones may then be free


def no_columns(N: int) -> LinearPart:
    """Return the linear part that has none."""
    return LinearPart(np.empty((0, N)), np.empty((0, 0)), np.arange(0))


def coefficients(part: LinearPart, residual: Array, count: int) -> Array:
    """Return the coefficients of all columns for what is left of y; nan where a column was dropped."""
    found = np.full(count, np.nan)
    found[part.kept] = solve_triangular(part.R, part.Q @ residual)
    return found
