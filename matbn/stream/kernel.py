"""The work on one block of rows. Nodes are rows here, so that sums over samples run along memory.

A block's inputs are one matrix x = [(X - 1oᵀ), 1]ᵀ of p1 + 1 rows, where o is near the mean of X's rows for batch norm
and 0 for a plain net. Through its last row, the product with [A; cᵀ] adds the shift c, and a product of x with another
matrix has the sums over samples as its last row.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matbn.activation import LEAKY_SLOPE, Activation, evaluate, identity, is_built_in, leaky_relu, logistic, relu, tanh
from matbn.arguments import Array
from matbn.stream.rows import Rows
from matbn.stream.sizes import STRIP, even_blocks, rows_in_strips

_LITTLE_SLOPE = 1e-3  # mean of a′(B), below which computing it from V loses more than three digits


@dataclass(frozen=True, eq=False)
class Buffers:
    """A thread's working memory, for blocks of up to n rows."""

    x: Array  # p1 + 1 × n, the last row all 1
    scaled: Array  # like x
    V: Array  # p2 × n
    S: Array  # p2 × n
    positive: NDArray[np.bool_] | None = None  # p2 × n, B > 0: NumPy is slow to write comparisons into numbers


def one_block(rows: Rows, offset: Array, correction: Array | None = None) -> tuple[Rows, Array]:
    """Return a few rows without X, and their x, as a block to keep; `correction` centres x to the last digit."""
    length = -(-len(rows.X) // 8) * 8
    x = np.empty((rows.X.shape[1] + 1, length + 8 if length % 512 == 0 else length), offset.dtype)
    x = x[:, : len(rows.X)]
    np.subtract(rows.X.T, offset, out=x[:-1])
    if correction is not None:
        x[:-1] -= correction
    x[-1] = 1
    return Rows(rows.start, rows.X[:0], rows.y, rows.w), x


def make_buffers(p1: int, p2: int, n: int, dtype: np.dtype[Any]) -> Buffers:
    """Return new working memory for blocks of n rows."""
    x = np.empty((p1 + 1, n), dtype)
    x[p1] = 1
    V, S = np.empty((p2, n), dtype), np.empty((p2, n), dtype)
    return Buffers(x, np.empty_like(x), V, S, np.empty((p2, n), np.bool_))


def blocks(rows: Rows, offset: Array, buffers: Buffers) -> Iterator[tuple[Rows, Array]]:
    """Cut rows into blocks, each with its x, which the next one overwrites."""
    for start, stop in even_blocks(len(rows.X), buffers.x.shape[1]):
        block = rows.part(start, stop)
        x = buffers.x[:, : stop - start]
        np.subtract(block.X.T, offset, out=x[:-1])
        yield block, x


def values_and_slopes(
    x: Array, F: Array, activation: Activation, buffers: Buffers, noise: Array | None = None
) -> tuple[Array, Array]:
    """Return V = a(B) and a′(B), p2 × n, for Bᵀ = xᵀF; at a kink, |B| up to `noise` (p2 × 1) counts as 0."""
    n = x.shape[1]
    V, S = buffers.V[:, :n], buffers.S[:, :n]
    _product(F.T, x, V)
    if activation in _LINEAR_PIECES:
        _compare(V, 0.0 if noise is None else noise, buffers.positive, S)
        _LINEAR_PIECES[activation](V, S)
    elif activation in _SLOPE_FROM_VALUE:
        _SLOPE_FROM_VALUE[activation](V, S)
        saturated = S @ x[-1] < _LITTLE_SLOPE * n
        if saturated.any():
            S[saturated] = activation.slope(F.T[saturated] @ x)
    elif is_built_in(activation):
        S[:] = activation.slope(V)
        V = activation.value(V)
    else:  # a user's activation, which may rely on nodes being columns
        if noise is not None:
            V[np.abs(V) <= noise] = 0
        S[:] = evaluate(activation, "slope", V.T).T
        V = evaluate(activation, "value", V.T).T
    return V, S


def weighted_product(x: Array, S: Array, u: Array, buffers: Buffers) -> Array:
    """Return x·diag(u)·Sᵀ (p1 + 1 × p2); S is overwritten where it is smaller than x."""
    if len(x) <= len(S):
        return summed_product(np.multiply(x, u, out=buffers.scaled[:, : len(u)]), S)
    return summed_product(x, np.multiply(S, u, out=S))


def _product(A: Array, x: Array, out: Array) -> None:
    """Write A·x into `out`, in strips."""
    end = rows_in_strips(x.shape[1], len(x), len(A))
    if end == 0:
        np.matmul(A, x, out=out)
        return
    np.matmul(A, _strips(x[:, :end]), out=_strips(out[:, :end]))
    if end < x.shape[1]:
        np.matmul(A, x[:, end:], out=out[:, end:])


def summed_product(x: Array, S: Array) -> Array:
    """Return x·Sᵀ, summed over strips."""
    end = rows_in_strips(x.shape[1], len(x), len(S))
    if end == 0:
        return x @ S.T
    product: Array = x[:, end:] @ S[:, end:].T
    product += np.matmul(_strips(x[:, :end]), _strips(S[:, :end]).transpose(0, 2, 1)).sum(axis=0)
    return product


def _strips(x: Array) -> Array:
    """Return a view of p × n samples as a stack of strips, n/STRIP × p × STRIP."""
    return x.reshape(len(x), -1, STRIP).transpose(1, 0, 2)


def _compare(V: Array, noise: Array | float, positive: NDArray[np.bool_] | None, S: Array) -> None:
    """Write into S 1 where V > noise, and 0 elsewhere."""
    if positive is None:
        np.greater(V, noise, out=S)
    else:
        positive = positive[:, : V.shape[1]]
        np.greater(V, noise, out=positive)
        np.copyto(S, positive)


def _relu(V: Array, S: Array) -> None:
    np.multiply(V, S, out=V)


def _leaky_relu(V: Array, S: Array) -> None:
    np.multiply(S, 1 - LEAKY_SLOPE, out=S)
    np.add(S, LEAKY_SLOPE, out=S)
    np.multiply(V, S, out=V)


def _identity(V: Array, S: Array) -> None:
    S.fill(1)


def _tanh(V: Array, S: Array) -> None:
    np.tanh(V, out=V)
    np.multiply(V, V, out=S)
    np.subtract(1, S, out=S)


def _logistic(V: Array, S: Array) -> None:
    np.multiply(V, 0.5, out=V)
    np.tanh(V, out=V)
    np.multiply(V, 0.5, out=V)
    np.add(V, 0.5, out=V)
    np.multiply(V, V, out=S)
    np.subtract(V, S, out=S)


# Each turns B, which stands in V, into V; and B > 0, which stands in S, into a′(B).
_LINEAR_PIECES: dict[Activation, Callable[[Array, Array], None]] = {
    relu: _relu,
    leaky_relu: _leaky_relu,
    identity: _identity,
}
# Each turns B, which stands in V, into V, and computes a′(B) from it into S. Small a′(B) lose digits this way, so that
# `values_and_slopes` computes them again for nodes that are saturated in nearly all rows.
_SLOPE_FROM_VALUE: dict[Activation, Callable[[Array, Array], None]] = {tanh: _tanh, logistic: _logistic}


def is_homogeneous(activation: Activation) -> bool:
    """Return whether a(b) = a′(b)·b."""
    return activation in _LINEAR_PIECES
