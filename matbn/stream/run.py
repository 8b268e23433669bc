"""A run over all rows: every block goes through the net to `visit`, and the results are combined in the rows' order."""

from __future__ import annotations  # annotations of functions inside `run` would cost time at each call

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from matbn.activation import Activation, is_built_in
from matbn.arguments import Array
from matbn.errors import MemoryLimitError, ShapeError
from matbn.stream.kernel import Buffers, blocks, make_buffers, values_and_slopes
from matbn.stream.rows import Piece, Rows, Source
from matbn.stream.sizes import block_rows
from matbn.threads import combine_in_order, threads_that_pay

Total = TypeVar("Total")
Block = tuple[Rows, Array]  # some rows and their x
_Partial = tuple[int, Total | None]  # the number of some rows, and their combined result

_KEPT_SHAPES = 2  # of working memory: callers may alternate between two kinds of net or of run


@dataclass(frozen=True, eq=False)
class Data:
    """All rows, with what runs over them need."""

    source: Source
    offset: Array  # p1 × 1, in the source's precision
    N: int
    threads: int
    block: Block | None = None  # all rows, where they are few
    spare: dict[tuple[int, int], list[Buffers]] = field(default_factory=dict)  # for the next run, by rows and nodes


class FoldedNet(NamedTuple):
    """A net with its first layer folded into a plain one, as runs need it."""

    F: Array  # p1 + 1 × p2: Bᵀ = xᵀF, in the source's precision
    Gamma2: Array  # p2, in the source's precision
    activation: Activation
    noise: Array | None = None  # p2 × 1, in the source's precision: |B| up to it counts as 0 at a kink


class NetBlock(NamedTuple):
    """A block and its layers, for `visit` to use and to overwrite."""

    rows: Rows
    x: Array  # p1 + 1 × n
    V: Array  # p2 × n, a(B)
    S: Array  # p2 × n, a′(B)
    buffers: Buffers


Visit = Callable[[NetBlock], Total]
Combine = Callable[[Total, Total], Total]


def run(data: Data, net: FoldedNet, visit: Visit[Total], combine: Combine[Total], rows: int = 0) -> Total:
    """Return the results of `visit` for all blocks, combined in their order; `combine` may change its first argument.

    A block has `rows` rows; 0 stands for the number that suits the cache.
    """
    rows = rows or block_rows(len(net.F) - 1, net.F.shape[1], data.source.dtype.itemsize)
    over = _over_pieces if data.block is None else _over_kept_block
    data.source.check()
    try:
        N, total = over(data, net, visit, combine, rows)  # type: ignore[arg-type]
    except MemoryError as error:
        raise too_little_memory(error) from None
    if data.block is None:
        data.source.check()  # rows that changed meanwhile would be mixed with rows from before
    if N != data.N or total is None:
        raise ShapeError(f"X gives {N} rows now, but gave {data.N} when it was prepared; prepare it again")
    return total


def too_little_memory(error: MemoryError) -> MemoryLimitError:
    """Return the error to raise where working memory cannot be had."""
    return MemoryLimitError(
        f"there is too little memory to go through X ({str(error) or 'no more can be had'}): take fewer nodes, or end"
        " what else takes memory"
    )


def _over_kept_block(
    data: Data, net: FoldedNet, visit: Visit[Total], combine: Combine[Total], rows: int
) -> _Partial[Total]:
    assert data.block is not None
    kept, x = data.block
    parts: Iterable[Block] = (data.block,)
    if rows < data.N:
        parts = ((kept.part(a, a + rows), x[:, a : a + rows]) for a in range(0, data.N, rows))
    else:
        rows = data.N
    buffers = _borrow(data, net, rows)
    result = _through(parts, net, visit, combine, buffers)
    _give_back(data, buffers)
    return result


def _over_pieces(
    data: Data, net: FoldedNet, visit: Visit[Total], combine: Combine[Total], rows: int
) -> _Partial[Total]:
    def process(piece: Piece) -> _Partial[Total]:
        buffers = _borrow(data, net, rows)
        parts = (block for part in piece() for block in blocks(part, data.offset, buffers))
        result = _through(parts, net, visit, combine, buffers)
        _give_back(data, buffers)
        return result

    def combine_partial(a: _Partial[Total], b: _Partial[Total]) -> _Partial[Total]:
        if a[1] is None or b[1] is None:
            return a[0] + b[0], b[1] if a[1] is None else a[1]
        return a[0] + b[0], combine(a[1], b[1])

    threads = (
        data.threads if is_built_in(net.activation) else 1
    )  # a user's activation may be R code, which must run in one thread
    threads = threads_that_pay(threads, data.N * net.F.size)
    return combine_in_order(data.source.pieces(rows), process, combine_partial, threads) or (0, None)


def _through(
    parts: Iterable[Block], net: FoldedNet, visit: Visit[Total], combine: Combine[Total], buffers: Buffers
) -> _Partial[Total]:
    N, total = 0, None
    for block, x in parts:
        V, S = values_and_slopes(x, net.F, net.activation, buffers, net.noise)
        added = visit(NetBlock(block, x, V, S, buffers))
        total = added if total is None else combine(total, added)
        N += x.shape[1]
    return N, total


def _borrow(data: Data, net: FoldedNet, rows: int) -> Buffers:
    try:
        return data.spare[rows, net.F.shape[1]].pop()
    except (KeyError, IndexError):
        return make_buffers(len(net.F) - 1, net.F.shape[1], rows, data.source.dtype)


def _give_back(data: Data, buffers: Buffers) -> None:
    """Keep working memory for each thread, of the last few shapes; several threads may call this at once."""
    p2, rows = buffers.V.shape
    kept = data.spare.setdefault((rows, p2), [])
    if len(kept) < data.threads:
        kept.append(buffers)
    if len(data.spare) > _KEPT_SHAPES:
        for shape in list(data.spare)[:-_KEPT_SHAPES]:
            data.spare.pop(shape, None)
