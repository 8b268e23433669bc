"""The least-squares problem of a fit, and its loss with all that is linear solved for.

    y = V·Γ₂ + X_lin·b + effects + e,    V = [a(U₁α₁ + 1β₁ᵀ), a(U₂α₂ + 1β₂ᵀ), …]

for net terms with whitened inputs U (see `inputs`). Let M put the roots of the weights on all rows, after the within
transformation and before the projection off X_lin. It takes effects and b out, and what the search sees is

    f(α, β) = min over Γ₂ of  ‖M(y - VΓ₂)‖²/1ᵀw + λ(‖α‖² + ‖β‖² + ‖Γ₂‖²)

Its gradient is that of the sum at the minimising Γ₂, held there (envelope theorem); and since the residual e has no
part left in X_lin or the effects, ∂f/∂V = -(2/1ᵀw)·(√w⊙e)Γ₂ᵀ.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dposv

from matbn.activation import Activation
from matbn.arguments import Array
from matbn.fitting.inputs import Inputs
from matbn.fitting.panel import FixedEffects
from matbn.stream.kernel import Buffers, back, layer
from matbn.stream.sizes import block_rows, even_blocks

_TOO_FLAT = 1e-10  # smallest pivot of VᵀMV, relative to the largest, that the solution may rest on


@dataclass(frozen=True, eq=False)
class Problem:
    """All that a search needs; rows in the order of the effects."""

    terms: tuple[Inputs, ...]
    sizes: tuple[int, ...]  # nodes of each term
    activation: Activation
    y: Array  # N, M·y
    Q: Array  # k × N, orthonormal rows that span the linear part after effects and weights
    root_w: Array | None  # N
    effects: FixedEffects | None
    weight: float  # 1ᵀw
    penalty: float  # λ

    @property
    def nodes(self) -> int:
        """Number of nodes of all terms."""
        return sum(self.sizes)


@dataclass(frozen=True, eq=False)
class Solved:
    """What the linear part's solution gives at some α and β."""

    loss: float  # f
    gradient: Array  # by (α, β): term after term, p + 1 × nodes each, in C order
    Gamma2: Array  # nodes
    e: Array  # N, M(y - VΓ₂)
    rank: int  # of MV, where λ = 0


@dataclass(frozen=True, eq=False)
class Workspace:
    """Working memory of one search."""

    V: Array  # nodes × N
    S: Array  # nodes × N, a′
    scaled: Array  # largest p + 1 × rows of a block


def workspace(problem: Problem) -> Workspace:
    """Allocate it."""
    shape = (problem.nodes, len(problem.y))
    widest = max(len(term.x) for term in problem.terms)
    return Workspace(np.empty(shape), np.empty(shape), np.empty((widest, _block(problem))))


def solved(problem: Problem, theta: Array, work: Workspace) -> Solved:
    """Return the profiled loss and its gradient."""
    parts = _parts(problem, theta)
    _fill(problem, parts, work)
    V = projected(problem, work.V)
    on_Q = V @ problem.Q.T
    gram = V @ V.T
    gram -= on_Q @ on_Q.T
    gram /= problem.weight
    gram.flat[:: len(gram) + 1] += problem.penalty
    Gamma2, rank = _solution(gram, V @ problem.y / problem.weight)
    e = problem.y - Gamma2 @ V
    e += (Gamma2 @ on_Q) @ problem.Q
    loss = float(e @ e) / problem.weight + problem.penalty * float(Gamma2 @ Gamma2 + theta @ theta)
    u = e if problem.root_w is None else e * problem.root_w
    gradient = _gradient(problem, parts, Gamma2 * (-2 / problem.weight), u, work)
    gradient += (2 * problem.penalty) * theta
    return Solved(loss, gradient, Gamma2, e, rank)


def objective(problem: Problem, work: Workspace) -> Callable[[Array], tuple[float, Array]]:
    """Return the profiled loss and its gradient as a search takes them."""

    def evaluate(theta: Array) -> tuple[float, Array]:
        found = solved(problem, theta, work)
        return found.loss, found.gradient

    return evaluate


def first_layers(problem: Problem, theta: Array) -> list[Array]:
    """Return each term's [α; βᵀ], p + 1 × nodes."""
    return [F for _, _, F in _parts(problem, theta)]


def projected(problem: Problem, A: Array) -> Array:
    """Return rows after effects and weights, but not yet off the linear part; A itself where there are neither."""
    if problem.effects is not None:
        A = problem.effects.within(A)
    return A if problem.root_w is None else A * problem.root_w


_Part = tuple[slice, Inputs, Array]  # a term's nodes among all, its inputs, and its [α; βᵀ]


def _parts(problem: Problem, theta: Array) -> list[_Part]:
    parts, node, start = [], 0, 0
    for term, size in zip(problem.terms, problem.sizes, strict=True):
        stop = start + len(term.x) * size
        parts.append((slice(node, node + size), term, theta[start:stop].reshape(len(term.x), size)))
        node, start = node + size, stop
    return parts


def _fill(problem: Problem, parts: list[_Part], work: Workspace) -> None:
    """Write V and a′ of all nodes."""
    for start, stop in even_blocks(len(problem.y), _block(problem)):
        for rows, term, F in parts:
            buffers = Buffers(term.x, work.scaled, work.V[rows, start:stop], work.S[rows, start:stop])
            V, _ = layer(term.x[:, start:stop], F, problem.activation, buffers)
            if not np.may_share_memory(V, buffers.V):  # an activation that is not written in place
                buffers.V[:] = V


def _gradient(problem: Problem, parts: list[_Part], Gamma2: Array, u: Array, work: Workspace) -> Array:
    """Return x·diag(u)·a′ᵀ·diag(Γ₂) of all terms as one vector; overwrites a′."""
    sums = [np.zeros(F.shape) for _, _, F in parts]
    for start, stop in even_blocks(len(problem.y), _block(problem)):
        for total, (rows, term, _) in zip(sums, parts, strict=True):
            S = work.S[rows, start:stop]
            buffers = Buffers(term.x, work.scaled[: len(term.x)], S, S)
            total += back(term.x[:, start:stop], S, u[start:stop], buffers)
    return np.concatenate([(total * Gamma2[rows]).reshape(-1) for total, (rows, _, _) in zip(sums, parts, strict=True)])


def _block(problem: Problem) -> int:
    return block_rows(max(len(term.x) for term in problem.terms), problem.nodes, 8)


def _solution(gram: Array, right: Array) -> tuple[Array, int]:
    """Return the least-squares solution of smallest norm, and the rank that it rests on."""
    factor, solution, failed = dposv(gram, right)
    if not failed:
        pivots = np.square(factor.diagonal())
        if pivots.min() > _TOO_FLAT * pivots.max():
            return solution, len(right)
    values, vectors = np.linalg.eigh(gram)
    kept = values > _TOO_FLAT * values[-1]
    vectors = vectors[:, kept]
    return vectors @ (vectors.T @ right / values[kept]), int(kept.sum())


def jacobian_rows(problem: Problem, theta: Array, Gamma2: Array, work: Workspace) -> Array:
    """Return the fitted values' derivatives by each node's (α, β) and by Γ₂, a row each, after effects and weights.

    It takes as many rows of N numbers as there are parameters.
    """
    parts = _parts(problem, theta)
    _fill(problem, parts, work)
    rows = [
        ((work.S[nodes] * Gamma2[nodes, None])[:, None, :] * term.x).reshape(-1, len(problem.y))
        for nodes, term, _ in parts
    ]
    return projected(problem, np.vstack([*rows, work.V]))
