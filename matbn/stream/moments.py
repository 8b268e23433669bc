"""The mean and the triangular factor of X, block by block; they are computed once and serve all parameters.

Each block's rows [1, X - 1oᵀ], scaled by √w, are reduced to a triangle by QR together with the triangle of the rows
before them (TSQR). With o near the mean, the final triangle

    [±√(1ᵀw)   ±√(1ᵀw)·(m - o)ᵀ]
    [0          T              ]

holds T with TᵀT = X_cᵀDX_c. Its rounding errors are in proportion to each column's own spread, where a matrix of
cross-products would lose half the digits. The mean m comes from separate sums, where large entries cost no digits.
"""

import math
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array, places, shown_place
from matbn.batchnorm import UNIT_ROUNDOFF
from matbn.errors import ArgumentError, NotFiniteError, ShapeError
from matbn.stream.layer import is_uneven
from matbn.stream.rows import Piece, Rows, Source
from matbn.threads import combine_in_order, threads_that_pay

_FIRST_ROWS = 8_192
_FAR = 30.0  # standard deviations between o and the mean, beyond which a second reading keeps more digits
_LIGHTEST, _HEAVIEST = 1e-50, 1e50  # sum of weights
_SMALLEST, _LARGEST = 1e-140, 1e140  # numbers between these have squares, and sums of squares, in float64's range


@dataclass(frozen=True, eq=False)
class Moments:
    """What the batch statistics of any first layer need of X."""

    offset: Array  # p1, X's mean rounded to the precision of X
    correction: Array | None  # p1, the mean less the offset, which the offset's precision cannot hold; None for 0
    T: Array  # min(N, p1) × p1, TᵀT = X_cᵀDX_c
    norms: Array  # p1, of X_c's columns (weighted): √diag(TᵀT)
    norm: float  # ‖X_c‖
    uneven: bool  # see `layer.is_uneven`
    largest: float  # a bound on the size of X's entries
    N: int  # number of rows
    weight: float  # their weight 1ᵀw, N without weights


@dataclass(frozen=True, eq=False)
class _Triangle:
    """What some rows add to the moments."""

    R: Array  # the triangle of the rows [1, X - 1oᵀ]
    sums: Array  # p1, of the columns of X - 1oᵀ, weighted
    largest: float  # a bound on the size of X's entries
    N: int
    weight: float


def moments(source: Source, threads: int) -> Moments:
    """Return the moments of all rows, which are read twice where the first ones are far from the mean; refuse NaN."""
    offset = _first_mean(source)
    result = _moments_about(source, offset, threads)
    if (np.abs(result.offset - offset) * np.sqrt(result.weight) > _FAR * result.norms).any():
        result = _moments_about(source, result.offset, threads)
    bad = (result.norms > 0) & ~((result.norms > _SMALLEST) & (result.norms < _LARGEST))
    if bad.any():
        raise ArgumentError(
            f"X has columns whose spread, squared, leaves float64's range, at {places(np.flatnonzero(bad))}; rescale"
            " them"
        )
    return result


def _first_mean(source: Source) -> Array:
    for piece in source.pieces(_FIRST_ROWS):
        for rows in piece():
            if len(rows.X):
                first = rows.part(0, _FIRST_ROWS)
                with np.errstate(all="ignore"):
                    if first.w is None:
                        mean = first.X.mean(axis=0, dtype=np.float64)
                    else:
                        mean = first.w @ first.X.astype(np.float64, copy=False) / first.w.sum()
                return np.where(np.isfinite(mean), mean, 0.0)  # `_refuse_entries` names what is not finite
    raise ShapeError("X has no rows")


def _moments_about(source: Source, offset: Array, threads: int) -> Moments:
    offset = offset.astype(source.dtype).astype(np.float64)
    if source.N is not None:
        threads = threads_that_pay(threads, source.N * (source.p1 + 1) ** 2)
    triangle = combine_in_order(source.pieces(_FIRST_ROWS), lambda piece: _triangle(piece, offset), _stack, threads)
    assert triangle is not None
    R = triangle.R
    if triangle.weight <= 0:
        raise ArgumentError("weights are all zero; at least one row must count")
    if not _LIGHTEST < triangle.weight < _HEAVIEST:
        raise ArgumentError(
            f"weights sum to {triangle.weight:.0e}, which squares of large or small residuals may take out of float64's"
            " range; divide the weights by their mean"
        )
    to_mean = triangle.sums / triangle.weight
    T = R[1:, 1:].copy()
    # A column that holds nothing but rounding errors of the factorisation is constant.
    shifted = _norms(R[:, 1:])
    T[:, np.abs(T).max(axis=0, initial=0) <= 8 * UNIT_ROUNDOFF * len(offset) * shifted] = 0
    norms = _norms(T)
    mean = (offset + to_mean).astype(source.dtype).astype(np.float64)
    return Moments(
        offset=mean,
        correction=(offset - mean) + to_mean,
        T=T,
        norms=norms,
        norm=float(np.linalg.norm(norms)),
        uneven=is_uneven(norms),
        largest=triangle.largest,
        N=triangle.N,
        weight=triangle.weight,
    )


def _norms(T: Array) -> Array:
    """Return the columns' norms; they are right also where their squares would leave float64's range."""
    largest = np.abs(T).max(axis=0, initial=0)
    unit = np.where(largest > 0, largest, 1)
    norms: Array = unit * np.sqrt(np.square(T / unit).sum(axis=0))
    return norms


def _stack(above: _Triangle, below: _Triangle) -> _Triangle:
    R: Array = np.linalg.qr(np.vstack([above.R, below.R]), mode="r")  # type: ignore[assignment]
    return _Triangle(
        R, above.sums + below.sums, max(above.largest, below.largest), above.N + below.N, above.weight + below.weight
    )


def _triangle(piece: Piece, offset: Array) -> _Triangle:
    """Reduce the rows of a piece to their triangle and sums."""
    p = len(offset) + 1
    height = max(1_000, 4 * p)
    stacked = np.empty((p, p + height))  # transposed, as LAPACK stores columns
    R: Array = np.empty((0, p))
    sums, squares = np.zeros(p - 1), 0.0
    N, weight = 0, 0.0
    for rows in piece():
        for a in range(0, len(rows.X), height):
            block = rows.part(a, a + height)
            n, top = len(block.X), len(R)
            stacked[:, :top] = R.T
            x = stacked[:, top : top + n]
            x[0] = 1
            np.subtract(block.X.T, offset[:, None], out=x[1:])
            added = x[1:].sum(axis=1)
            if not np.isfinite(added.sum()):
                _refuse_entries(block)
            squares = max(squares, float(np.einsum("kn,kn->", x[1:], x[1:])))
            if block.w is not None:
                added = x[1:] @ block.w
                x *= np.sqrt(block.w)
            sums += added
            R = np.linalg.qr(stacked[:, : top + n].T, mode="r")  # type: ignore[assignment]
            N += n
            weight += n if block.w is None else float(block.w.sum())
    return _Triangle(R, sums, math.sqrt(squares) + float(np.abs(offset).max()), N, weight)


def _refuse_entries(block: Rows) -> None:
    bad = np.argwhere(~np.isfinite(block.X))
    if len(bad):
        row, column = shown_place(block.start + int(bad[0, 0])), shown_place(int(bad[0, 1]))
        raise NotFiniteError(
            f"X has an entry that is missing (NaN) or infinite in row {row}, column {column} (counted from"
            f" {shown_place(0)}); drop such rows or fill them in"
        )
    raise ArgumentError("X has entries too large to be summed in float64; rescale its columns")
