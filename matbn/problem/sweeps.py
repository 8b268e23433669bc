"""The two sweeps over the rows that one evaluation takes.

The first computes the nodes, and the sums that Γ₂ is solved from; the second, with Γ₂ known, the residual and the sums
over samples that are the gradient. Rows go in blocks that stay in cache, in threads where they are many. The nodes and
their slopes are kept between the sweeps where memory allows, and else computed twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from matbn.arguments import Array
from matbn.problem.least_squares import FirstLayer, Problem, project
from matbn.stopping import Stop
from matbn.stream.kernel import Buffers, values_and_slopes, weighted_product
from matbn.stream.sizes import block_rows, even_blocks
from matbn.threads import combine_in_order, threads_that_pay

_KEPT_BYTES = 2**30  # nodes and slopes up to this size are stored between the sweeps

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Room:
    """Working memory for one block of rows."""

    scaled: Array  # (largest p + 1) × rows
    V: Array | None  # nodes × rows, where the workspace does not store them
    S: Array | None  # slopes a′ likewise


@dataclass(frozen=True, eq=False)
class Workspace:
    """Working memory of one search, and how it goes through the rows."""

    V: Array | None  # nodes × N, where they are stored between the sweeps
    S: Array | None  # nodes × N, a′
    block: int  # rows in a block
    threads: int
    stop: Stop = field(default_factory=Stop)  # checked before each block
    spare: list[Room] = field(default_factory=list)  # working memory that no thread uses at the moment


@dataclass(frozen=True, eq=False)
class ForwardSums:
    """The first sweep's sums, from which Γ₂ is solved."""

    gram: Array  # nodes × nodes, VᵀMᵀMV
    on_Q: Array  # nodes × k, VᵀMᵀQ
    on_y: Array  # nodes, VᵀMᵀy

    def __add__(self, other: "ForwardSums") -> "ForwardSums":
        return ForwardSums(self.gram + other.gram, self.on_Q + other.on_Q, self.on_y + other.on_y)


@dataclass(frozen=True, eq=False)
class BackwardSums:
    """The second sweep's sums: squared residuals, and the gradient by layer."""

    squares: float  # eᵀe
    by_layer: list[Array]  # x·diag(u)·a′ᵀ of each term (p + 1 × nodes), u the residual times root weights
    by_linear: list[Array]  # V·u and Q·e, where they were asked for

    def __add__(self, other: "BackwardSums") -> "BackwardSums":
        both = (
            [a + b for a, b in zip(mine, theirs, strict=True)]
            for mine, theirs in ((self.by_layer, other.by_layer), (self.by_linear, other.by_linear))
        )
        return BackwardSums(self.squares + other.squares, *both)


def workspace(problem: Problem, threads: int = 1, kept: bool | None = None, stop: Stop | None = None) -> Workspace:
    """Allocate working memory for at most so many threads, and for no more than pay off.

    `kept` says whether node values are stored between the sweeps; by default they are where memory allows.
    """
    stop = Stop() if stop is None else stop
    N, nodes = len(problem.y), problem.nodes
    threads = max(1, threads_that_pay(threads, products(problem)))
    block = block_rows(max(len(term.x) for term in problem.terms), nodes, 8)
    if kept is None:
        kept = problem.effects is not None or 16 * nodes * N <= _KEPT_BYTES
    if not kept:
        return Workspace(None, None, block, threads, stop)
    return Workspace(np.empty((nodes, N)), np.empty((nodes, N)), block, threads, stop)


def products(problem: Problem) -> int:
    """Return how many multiplications one evaluation of the loss takes."""
    return 2 * len(problem.y) * problem.theta_size


def forward(problem: Problem, parts: list[FirstLayer], work: Workspace) -> ForwardSums:
    """Compute the nodes and return the sums of the first sweep."""

    def block(rows: slice, room: Room) -> ForwardSums | None:
        V, _ = nodes_of_block(problem, parts, rows, work, room)
        if problem.effects is not None:
            return None
        return _sums(V if problem.root_w is None else V * problem.root_w[rows], problem, rows)

    found = over_blocks(problem, work, block, lambda a, b: None if a is None or b is None else a + b)
    if found is None:  # the within transformation needs all rows at once
        assert work.V is not None
        MV = project(problem, work.V)
        found = over_blocks(problem, work, lambda rows, _: _sums(MV[:, rows], problem, rows), ForwardSums.__add__)
    return found


def backward(
    problem: Problem, parts: list[FirstLayer], Gamma2: Array, on_Q: Array, work: Workspace, everything: bool = False
) -> BackwardSums:
    """Return the sums of the second sweep, with the residual e = y - MVΓ₂ - Qᵀ·on_Q; it overwrites stored slopes.

    With `everything`, the sums by Γ₂ and by the linear part come too; they are 0 where these were solved for.
    """
    e = None
    if problem.effects is not None:  # the within transformation needs all rows at once
        assert work.V is not None
        e = problem.y - project(problem, (Gamma2 @ work.V)[None])[0] - on_Q @ problem.linear.Q

    def block(rows: slice, room: Room) -> BackwardSums:
        kept = work.V is not None and work.S is not None
        V, S = _kept(work, rows) if kept else nodes_of_block(problem, parts, rows, work, room)
        block_e = _residual(problem, Gamma2, on_Q, V, rows) if e is None else e[rows]
        u = block_e if problem.root_w is None else block_e * problem.root_w[rows]
        sums = []
        for part in parts:
            slopes = S[part.nodes]
            buffers = Buffers(part.inputs.x, room.scaled[: len(part.inputs.x)], slopes, slopes)
            sums.append(weighted_product(part.inputs.x[:, rows], slopes, u, buffers))
        by_linear = [V @ u, problem.linear.Q[:, rows] @ block_e] if everything else []
        return BackwardSums(float(block_e @ block_e), sums, by_linear)

    return over_blocks(problem, work, block, BackwardSums.__add__)


def net_output(problem: Problem, parts: list[FirstLayer], Gamma2: Array, work: Workspace) -> Array:
    """Return V·Γ₂ (N)."""
    output = np.empty(len(problem.y))

    def block(rows: slice, room: Room) -> None:
        output[rows] = Gamma2 @ nodes_of_block(problem, parts, rows, work, room)[0]

    over_blocks(problem, work, block, lambda a, b: None)
    return output


def _sums(V: Array, problem: Problem, rows: slice) -> ForwardSums:
    return ForwardSums(V @ V.T, V @ problem.linear.Q[:, rows].T, V @ problem.y[rows])


def _residual(problem: Problem, Gamma2: Array, on_Q: Array, V: Array, rows: slice) -> Array:
    output: Array = Gamma2 @ V
    if problem.root_w is not None:
        output *= problem.root_w[rows]
    np.subtract(problem.y[rows], output, out=output)
    output -= on_Q @ problem.linear.Q[:, rows]
    return output


def _kept(work: Workspace, rows: slice) -> tuple[Array, Array]:
    assert work.V is not None
    assert work.S is not None
    return work.V[:, rows], work.S[:, rows]


def nodes_of_block(
    problem: Problem, parts: list[FirstLayer], rows: slice, work: Workspace, room: Room
) -> tuple[Array, Array]:
    """Compute V and a′ of a block, and return them: stored with the workspace, or else in the block's own memory."""
    if room.V is None or room.S is None:
        V, S = _kept(work, rows)
    else:
        length = rows.stop - rows.start
        V, S = room.V[:, :length], room.S[:, :length]
    for part in parts:
        buffers = Buffers(part.inputs.x, room.scaled, V[part.nodes], S[part.nodes])
        values, _ = values_and_slopes(part.inputs.x[:, rows], part.F, problem.activation, buffers)
        if not np.may_share_memory(values, buffers.V):  # a user's activation does not write in place
            buffers.V[:] = values
    return V, S


def over_blocks(
    problem: Problem,
    work: Workspace,
    process: Callable[[slice, Room], Result],
    combine: Callable[[Result, Result], Result],
) -> Result:
    """Process all blocks and combine their results in order; raise KeyboardInterrupt where the stop asks for it."""

    def piece(bounds: tuple[int, int]) -> Result:
        work.stop.check()
        try:
            room = work.spare.pop()
        except IndexError:  # other threads use all that there is
            room = _room(problem, work)
        result = process(slice(*bounds), room)
        work.spare.append(room)
        return result

    pieces = list(even_blocks(len(problem.y), work.block))
    if len(pieces) == 1:
        return piece(pieces[0])
    return combine_in_order(pieces, piece, combine, work.threads)  # type: ignore[return-value]


def _room(problem: Problem, work: Workspace) -> Room:
    widest = max(len(term.x) for term in problem.terms)
    scaled = np.empty((widest, work.block))
    if work.V is not None:
        return Room(scaled, None, None)
    return Room(scaled, np.empty((problem.nodes, work.block)), np.empty((problem.nodes, work.block)))
