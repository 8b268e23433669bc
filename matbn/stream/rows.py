"""Where rows come from: arrays in memory or on disk, and functions that give them block by block.

A source hands out pieces, which threads take in turn; a piece, when called, reads its rows. The source notices changed
rows as far as that costs little compared with reading: files by their size and time of change, a function's blocks by a
few rows of each.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from matbn.arguments import Array, as_real, as_vector, places
from matbn.errors import ArgumentError, ElementTypeError, NotFiniteError, ShapeError
from matbn.files import check_length, check_unchanged, file_states
from matbn.stream.sizes import even_pieces

_READ_ROWS = 65_536  # converted at a time where X is stored in another precision than that of the computation
_COMPARED_ROWS = 64  # of each block, at least: they are compared between readings


class Rows(NamedTuple):
    """Some consecutive rows of the data."""

    start: int  # position of the first
    X: Array  # n × p1
    y: Array  # n, float64
    w: Array | None  # n case weights, float64

    def part(self, a: int, b: int) -> "Rows":
        """Return the rows a to b - 1 of these."""
        return Rows(self.start + a, self.X[a:b], self.y[a:b], None if self.w is None else self.w[a:b])


Piece = Callable[[], Iterable[Rows]]


@dataclass(frozen=True, eq=False)
class Source:
    """Rows that can be read again and again, always the same."""

    p1: int
    dtype: np.dtype[Any]  # float32 or float64: the precision of the computation
    pieces: Callable[[int], Iterator[Piece]]  # of at least so many rows, where possible
    N: int | None = None  # None: known after the first reading
    weighted: bool = False
    check: Callable[[], None] = lambda: None  # raises where a file has changed since the source was made


def array_source(X: NDArray[Any], y: ArrayLike, weights: ArrayLike | None, dtype: DTypeLike | None) -> Source:
    """Return the rows of an array, in memory or mapped from a file; nothing is copied."""
    if np.ma.is_masked(X):
        raise NotFiniteError(f"X has {int(np.ma.getmaskarray(X).sum())} masked entries; drop or fill them first")
    if X.ndim != 2:
        raise ShapeError(f"X has shape {X.shape}, but must be a matrix (two dimensions)")
    if X.dtype.kind not in "biuf":
        raise ElementTypeError(f"X holds elements of type {X.dtype}, not real numbers; convert it first")
    N, p1 = X.shape
    if p1 == 0 or N == 0:
        raise ShapeError(f"X is {N} × {p1}, but a net needs at least one row and one input")
    outcome = as_real("y", as_vector("y", y, N, "one for each row of X"))
    case_weights = None if weights is None else as_weights("weights", weights, N)
    return slices(X, outcome, case_weights, working_precision(X.dtype, dtype))


def slices(X: NDArray[Any], y: Array, w: Array | None, dtype: np.dtype[Any]) -> Source:
    """Return the rows of checked arrays."""
    N, p1 = X.shape
    files = file_states(X=X, y=y, weights=w)

    def rows(start: int, stop: int) -> Rows:
        if files:  # so that a file that is cut off while it is read is noticed
            check_unchanged(files)
        block = np.asarray(X[start:stop], dtype)
        return Rows(start, block, y[start:stop], None if w is None else w[start:stop])

    def piece(start: int, stop: int) -> Piece:
        step = stop - start if X.dtype == dtype else _READ_ROWS
        return lambda: (rows(a, min(a + step, stop)) for a in range(start, stop, step))

    def pieces(block: int) -> Iterator[Piece]:
        return (piece(start, stop) for start, stop in even_pieces(N, block))

    return Source(p1, dtype, pieces, N, w is not None, partial(check_unchanged, files))


def iterator_source(
    blocks: Callable[[], Iterable[Any]], y: ArrayLike | None, weights: ArrayLike | None, dtype: DTypeLike | None
) -> Source:
    """Return the rows of blocks X, (X, y) or (X, y, weights), over which each call of `blocks` gives a new iterator."""
    outcome = None if y is None else as_real("y", as_vector("y", y))
    case_weights = None if weights is None else as_weights("weights", weights)
    if outcome is None and case_weights is not None:
        raise ArgumentError("weights is given but y is not: blocks that hold y must hold the weights too")
    iterator = blocks()
    if not isinstance(iterator, Iterable):
        raise ElementTypeError(f"X returned {type(iterator).__name__}, but must return an iterator of blocks of rows")
    first = next(iter(iterator), None)
    if first is None:
        raise ShapeError("X gives no blocks; it must return a new iterator of blocks at each call")
    X, *rest = first if isinstance(first, tuple) else (first,)
    p1 = _as_block(X, 0).shape[1]
    if p1 == 0:
        raise ShapeError("X gives blocks without columns, but a net needs at least one input")
    precision = working_precision(np.asarray(X).dtype, dtype)
    weighted = case_weights is not None or len(rest) == 2
    first_reading: tuple[int, int] | None = None  # its number of rows and checksum

    def read(block: Any, number: int, start: int) -> Rows:
        parts = block if isinstance(block, tuple) else (block,)
        X = _as_block(parts[0], number)
        n = len(X)
        if X.shape[1] != p1:
            raise ShapeError(f"block {number} of X has {X.shape[1]} columns, but the first has {p1}")
        expected = 1 if outcome is not None else 2 + weighted
        if len(parts) != expected:
            raise ShapeError(
                f"block {number} has {len(parts)} parts, but {expected} are needed: X alone where y is given,"
                " and otherwise (X, y) or (X, y, weights) in every block"
            )
        if outcome is None:
            name = f"y in block {number}"
            own_y = as_real(name, as_vector(name, parts[1], n, "one for each row of the block"))
            own_w = as_weights(f"weights in block {number}", parts[2], n) if weighted else None
        else:
            own_y = outcome[start : start + n]
            own_w = None if case_weights is None else case_weights[start : start + n]
            if len(own_y) < n or (own_w is not None and len(own_w) < n):
                raise ShapeError(f"the blocks of X have {start + n} rows or more, but y has {len(outcome)} entries")
        return Rows(start, np.asarray(X, precision), own_y, own_w)

    def piece(rows: Rows, number: int, checksum: int) -> Iterator[Rows]:
        yield rows
        if _checksum(rows) != checksum:
            raise ArgumentError(
                f"block {number} of X was overwritten while it was in use; return a new array for each block, or take"
                " threads=1"
            )

    def pieces(_: int) -> Iterator[Piece]:
        nonlocal first_reading
        start = checksum = 0
        for number, block in zip(count(), blocks(), strict=False):
            rows = read(block, number, start)
            start += len(rows.X)
            own = _checksum(rows)
            checksum = zlib.crc32(own.to_bytes(4, "little"), checksum)
            yield partial(piece, rows, number, own)
        if start == 0:
            raise ShapeError("X gives no rows; it must return a new iterator of blocks at each call")
        if outcome is not None and start != len(outcome):
            raise ShapeError(f"the blocks of X have {start} rows, but y has {len(outcome)} entries")
        first_reading = first_reading or (start, checksum)
        if start == first_reading[0] and checksum != first_reading[1]:
            raise ArgumentError(
                "X returns other blocks than it did when it was first called: other numbers, another order or other"
                " cuts; let it return the same blocks at each call (fix a seed, do not shuffle), and prepare it again"
            )

    check = partial(check_unchanged, file_states(y=outcome, weights=case_weights))
    return Source(p1, precision, pieces, None if outcome is None else len(outcome), weighted, check)


def _checksum(rows: Rows) -> int:
    """Return a checksum of some evenly spaced rows of a block."""
    step = max(1, len(rows.X) // _COMPARED_ROWS)
    checksum = 0
    for part in (rows.X, rows.y, rows.w):
        if part is not None:
            checksum = zlib.crc32(part[::step].tobytes(), checksum)
    return checksum


def as_weights(name: str, value: ArrayLike, length: int | None = None) -> Array:
    """Return case weights, checked: none may be negative."""
    w = as_real(name, as_vector(name, value, length, "one for each row of X"))
    if w.size and w.min() < 0:
        bad = np.flatnonzero(w < 0)
        raise ArgumentError(f"{name} has {len(bad)} negative entries, at {places(bad)}; use 0 to leave a row out")
    return w


def working_precision(stored: np.dtype[Any], dtype: DTypeLike | None) -> np.dtype[Any]:
    """Return float32 or float64, as `dtype` says; without it, float32 where data are stored so, else float64."""
    if dtype is None:
        return np.dtype(np.float32 if stored == np.float32 else np.float64)
    try:
        chosen = np.dtype(dtype)
    except (TypeError, ValueError):
        chosen = None
    if chosen is None or chosen not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ArgumentError(f"dtype is {dtype!r}, but must be float32 or float64")
    return chosen


def _as_block(X: Any, number: int) -> NDArray[Any]:
    block = np.asarray(X)
    check_length(f"block {number} of X", block)
    if block.ndim != 2:
        raise ShapeError(f"block {number} of X has shape {block.shape}, but must be a matrix (two dimensions)")
    if block.dtype.kind not in "biuf":
        raise ElementTypeError(f"block {number} of X holds elements of type {block.dtype}, not real numbers")
    return block
