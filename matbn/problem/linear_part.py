"""The linear part: which of its columns are kept, an orthonormal basis of them, and their coefficients.

With a ridge D the coefficients minimise ‖r - Xb‖² + bᵀDb. The factors [X; D^½] = [Q; T]R turn that into what holds
without one: the residual is r - Q·Qᵀr, and the minimum is its square plus ‖T·Qᵀr‖², where T = 0 if D = 0.

Rounding in R and Q costs as many digits as X's columns are near to depending on each other. Where those are more than a
few, both are made anew from X·R⁻¹, formed in twice the precision: S = (XR⁻¹)ᵀXR⁻¹ = LLᵀ is nearly the identity, and
Q = XR⁻¹L⁻ᵀ. Coefficients are improved by b + (RᵀR)⁻¹(Xᵀ(r - Xb) - Db), with products in twice the precision, until they
do not move: float64 then keeps the digits that X and r have.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from matbn.arguments import Array
from matbn.problem.compensated import product, two_sum
from matbn.stream.sizes import even_blocks

TOL = 1e-7  # share of a column's length that must be independent of the columns before it, as in R's lm
_ROUNDING = 1e-12  # a smaller share is no more than rounding error
_WELL = 1e3  # up to this condition number of scaled columns, factors lose no digits that matter
_ROWS = 8_192  # rows at a time in products of twice the precision
_SETTLED = 1e-13  # after a step of this length, relative to y's, the next one has no digit to add
_STEPS = 6  # improvements of coefficients, at most


@dataclass(frozen=True, eq=False)
class LinearPart:
    """Columns after effects and weights, factorised: kept columns = Qᵀ·R."""

    Q: Array  # k × N, rows that are orthonormal where there is no ridge
    inverse: Array  # k × k, R⁻¹
    kept: Array  # k, numbers of the kept columns; the others depend on columns before them
    near: Array  # numbers of dropped columns whose independent part is small, but more than a rounding error
    ridge: Array | None = None  # k, D's diagonal
    T: Array | None = None  # k × k, below Qᵀ, where there is a ridge

    @property
    def degrees(self) -> float:
        """Effective degrees of freedom: the rank, less what the ridge takes off."""
        return float(len(self.kept) if self.T is None else np.square(self.Q).sum())


def factorise(
    columns: Array, lengths: Array, ridge: Array | None = None, tol: float = TOL, before: Array | None = None
) -> LinearPart:
    """Factorise columns (k × N, as rows), dropping those that depend on earlier ones; `ridge` is D's diagonal.

    A column is dropped if what is independent of the columns before it has at most a share `tol` of its length. It is
    also dropped if that may be a rounding error, given the lengths `before` intercept and effects were taken out.
    """
    N = columns.shape[1]
    if ridge is not None:
        columns = np.hstack([columns, np.diag(np.sqrt(ridge))])
    rounding = _ROUNDING * (lengths if before is None else before)
    kept, near = np.arange(len(columns)), []
    while True:
        Q, R = np.linalg.qr(columns[kept].T)
        alone = np.zeros(len(kept))  # columns beyond the number of rows keep 0
        alone[: len(R)] = np.abs(np.diagonal(R)) if len(R) else 0
        free = alone > np.maximum(tol * lengths, rounding)[kept]
        if free.all():
            break
        first = int(np.argmin(free))  # without this column, later ones may be independent
        if alone[first] > rounding[kept[first]]:
            near.append(kept[first])
        kept = np.delete(kept, first)
    inverse = solve_triangular(R, np.eye(len(kept))) if len(kept) else np.empty((0, 0))  # SciPy before 1.13 needs a row
    Q = Q.T
    if len(kept) and np.linalg.cond(R / np.linalg.norm(R, axis=0)) > _WELL:
        Q, inverse = _sharpened(columns[kept], inverse)
    return LinearPart(
        np.ascontiguousarray(Q[:, :N]),
        inverse,
        kept,
        np.array(near, int),
        None if ridge is None else ridge[kept],
        None if ridge is None else Q[:, N:].T,
    )


def _sharpened(columns: Array, inverse: Array) -> tuple[Array, Array]:
    """Return Q and R⁻¹ as accurate as if they had been computed in twice the precision."""
    Q = np.empty_like(columns)
    for rows in _blocks(columns.shape[1]):
        Q[:, rows] = product(inverse.T, columns[:, rows])[0]
    L = np.linalg.cholesky(Q @ Q.T)
    return solve_triangular(L, Q, lower=True), solve_triangular(L, inverse.T, lower=True).T


def no_columns(N: int) -> LinearPart:
    """Return the linear part that has none."""
    none = np.arange(0)
    return LinearPart(np.empty((0, N)), np.empty((0, 0)), none, none)


def coefficients(part: LinearPart, residual: Array) -> Array:
    """Return the kept columns' coefficients for a residual, without refinement."""
    found: Array = part.inverse @ (part.Q @ residual)
    return found


def refine_coefficients(part: LinearPart, columns: Array, y: Array) -> tuple[Array, Array]:
    """Return the kept columns' coefficients to all digits of y and the columns (k × N), as high and low parts."""
    high = coefficients(part, y)
    low = np.zeros_like(high)
    last, small = np.inf, _SETTLED * float(np.linalg.norm(y))
    for _ in range(_STEPS):
        gradient = np.zeros(len(high))
        error = np.zeros(len(high))
        for rows in _blocks(len(y)):
            left = np.column_stack(_remaining(columns[:, rows], y[rows], high, low))
            sums, rest = product(columns[:, rows], left)
            gradient, lost = two_sum(gradient, sums[:, 0])
            error += lost + sums[:, 1] + rest.sum(axis=1)
        gradient += error
        if part.ridge is not None:
            gradient -= part.ridge * high
        in_Q = part.inverse.T @ gradient
        size = float(np.linalg.norm(in_Q))
        if not size < last / 2:  # no better than the step before
            break
        last = size
        high, lost = two_sum(high, part.inverse @ in_Q)
        low += lost
        if size <= small:
            break
    return high, low


def remainder(columns: Array, y: Array, high: Array, low: Array) -> Array:
    """Return y less columns (k × N) times coefficients, rounded once."""
    left = np.empty_like(y)
    for rows in _blocks(len(y)):
        left[rows] = sum(_remaining(columns[:, rows], y[rows], high, low))
    return left


def _remaining(columns: Array, y: Array, high: Array, low: Array) -> tuple[Array, Array]:
    of_columns, rest = product(np.vstack([high, low]), columns)
    left, lost = two_sum(y, -of_columns[0])
    return left, lost - rest.sum(axis=0) - of_columns[1]


def _blocks(N: int) -> list[slice]:
    return [slice(*bounds) for bounds in even_blocks(N, _ROWS)]
