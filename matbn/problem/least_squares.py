"""The least-squares problem of a fit, with fixed effects and linear part already prepared.

    y = V·Γ₂ + X_lin·b + effects + e,    V = [a(U₁α₁ + 1β₁ᵀ), a(U₂α₂ + 1β₂ᵀ), …]

for net terms with whitened inputs U (see `whitening`). Let M put the roots of the weights on all rows, after the within
transformation. What is minimised over α, β, Γ₂ and b is

    ‖M(y - VΓ₂ - X_lin·b)‖²/1ᵀw + λ(Σαᵀ_jPα_j + κ‖β‖² + ‖Γ₂‖²) + bᵀDb/1ᵀw

where P belongs to a term's inputs, κ is SHIFT (others leave shifts unpenalised; then there might be no minimum), and
D = 0 by default. `linear_part` has the factors by which b is solved for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from matbn.activation import Activation
from matbn.arguments import Array
from matbn.problem.fixed_effects import FixedEffects
from matbn.problem.linear_part import LinearPart
from matbn.problem.whitening import Inputs

SHIFT = 0.01  # κ


@dataclass(frozen=True, eq=False)
class Problem:
    """All that a search needs; rows are sorted by the largest effect's groups, and within them as `data_order` says."""

    terms: tuple[Inputs, ...]
    sizes: tuple[int, ...]  # nodes of each term
    activation: Activation
    y: Array  # N, M·y less its projection on the linear part
    linear: LinearPart  # the factors of M·X_lin
    on_y: Array  # k, Q·M·y
    root_w: Array | None  # N, roots of the weights
    effects: FixedEffects | None
    weight: float  # 1ᵀw
    penalty: float  # λ
    rows: int  # number of rows with a positive weight, where equal rows count as often as there are

    @property
    def nodes(self) -> int:
        """Number of nodes of all terms."""
        return sum(self.sizes)

    @property
    def theta_size(self) -> int:
        """Length of θ."""
        return sum(size * len(term.x) for size, term in zip(self.sizes, self.terms, strict=True))


@dataclass(frozen=True, eq=False)
class FirstLayer:
    """A term's first layer."""

    nodes: slice  # which of all nodes are this term's
    inputs: Inputs
    F: Array  # p + 1 × size, [α; βᵀ]


def first_layers(problem: Problem, theta: Array) -> list[FirstLayer]:
    """Take θ apart: each term has its [α; βᵀ], p + 1 × nodes in C order."""
    found, node, start = [], 0, 0
    for inputs, size in zip(problem.terms, problem.sizes, strict=True):
        stop = start + len(inputs.x) * size
        found.append(FirstLayer(slice(node, node + size), inputs, theta[start:stop].reshape(len(inputs.x), size)))
        node, start = node + size, stop
    return found


def join_layers(by_term: Sequence[Array]) -> Array:
    """Return θ for the [α; βᵀ] of each term (p + 1 × nodes)."""
    return np.concatenate([part.reshape(-1) for part in by_term])


def ridge(problem: Problem, theta: Array) -> Array:
    """Return Rθ, where θᵀRθ is the penalty on the first layers."""
    return join_layers(
        [np.vstack([part.inputs.P @ part.F[:-1], SHIFT * part.F[-1:]]) for part in first_layers(problem, theta)]
    )


def ridge_matrix(problem: Problem) -> Array:
    """Return R, for which (θ, Γ₂)ᵀR(θ, Γ₂) is the penalty divided by λ."""
    blocks: list[Array] = []
    for inputs, size in zip(problem.terms, problem.sizes, strict=True):
        of_node: Any = linalg.block_diag(inputs.P, SHIFT * np.eye(1))
        blocks.append(np.kron(of_node, np.eye(size)))
    found: Any = linalg.block_diag(*blocks, np.eye(problem.nodes))
    return np.asarray(found)


def project(problem: Problem, A: Array) -> Array:
    """Return M·A for rows A: effects taken out, times root weights; A itself where there are neither."""
    if problem.effects is not None:
        A = problem.effects.within(A)
    return A if problem.root_w is None else A * problem.root_w
