"""The profiled loss: all that enters linearly is solved for, and the first layers alone are left (variable projection).

    f(α, β) = min over Γ₂ and b of the loss (see `problem`)

Its gradient is that of the loss at the minimising Γ₂ and b, held there (envelope theorem; Golub and Pereyra 1973 for
the idea): since the residual e has no part left in X_lin or the effects, ∂f/∂V = -(2/1ᵀw)·(√w⊙e)Γ₂ᵀ.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dposv

from matbn.arguments import Array
from matbn.problem.least_squares import Problem, first_layers, join_layers, ridge
from matbn.problem.sweeps import Workspace, backward, forward

_TOO_FLAT = 1e-10  # pivots or eigenvalues of VᵀMV below this share of the largest count as 0


@dataclass(frozen=True, eq=False)
class Solved:
    """The minimum over Γ₂ and b at some first layers θ, with the profiled loss and its gradient."""

    loss: float  # f
    gradient: Array  # ∂f/∂θ
    Gamma2: Array  # nodes
    on_Q: Array  # k, coordinates of the linear part: the residual is e = y - MVΓ₂ - Qᵀ·on_Q
    mean_square: float  # eᵀe/1ᵀw
    rank: int  # of MV if λ = 0, else the number of nodes


def solve(problem: Problem, theta: Array, work: Workspace) -> Solved:
    """Return the profiled loss and its gradient."""
    parts = first_layers(problem, theta)
    sums = forward(problem, parts, work)
    if not (np.isfinite(sums.gram).all() and np.isfinite(sums.on_y).all()):
        return _nowhere(problem, theta)
    gram = sums.gram - sums.on_Q @ sums.on_Q.T
    gram /= problem.weight
    gram.flat[:: len(gram) + 1] += problem.penalty
    Gamma2, rank = _solution(gram, sums.on_y / problem.weight)
    on_Q = -(Gamma2 @ sums.on_Q)
    found = backward(problem, parts, Gamma2, on_Q, work)
    shrinking = ridge(problem, theta)
    loss = found.squares / problem.weight + problem.penalty * float(Gamma2 @ Gamma2 + theta @ shrinking)
    if problem.linear.T is not None:
        loss += float(np.square(problem.linear.T @ (problem.on_y + on_Q)).sum()) / problem.weight
    factors = Gamma2 * (-2 / problem.weight)
    gradient = join_layers([total * factors[part.nodes] for total, part in zip(found.by_layer, parts, strict=True)])
    gradient += (2 * problem.penalty) * shrinking
    if not (np.isfinite(loss) and np.isfinite(gradient).all()):
        return _nowhere(problem, theta)
    return Solved(loss, gradient, Gamma2, on_Q, found.squares / problem.weight, rank)


def _nowhere(problem: Problem, theta: Array) -> Solved:
    """Return an infinite loss with a zero gradient, for θ where the loss is not finite: no search steps there."""
    return Solved(
        np.inf, np.zeros_like(theta), np.zeros(problem.nodes), np.zeros(len(problem.on_y)), np.inf, problem.nodes
    )


def objective(problem: Problem, work: Workspace) -> Callable[[Array], tuple[float, Array]]:
    """Return the function of θ that a search minimises: the profiled loss with its gradient."""

    def evaluate(theta: Array) -> tuple[float, Array]:
        found = solve(problem, theta, work)
        return found.loss, found.gradient

    return evaluate


def _solution(gram: Array, right: Array) -> tuple[Array, int]:
    """Return the solution of smallest norm of gram·x = right, and the numerical rank of gram."""
    factor, solution, failed = dposv(gram, right)
    if not failed:
        pivots = np.square(factor.diagonal())
        if pivots.min() > _TOO_FLAT * pivots.max():
            return solution, len(right)
    values, vectors = np.linalg.eigh(gram)
    kept = values > _TOO_FLAT * values[-1]
    vectors = vectors[:, kept]
    return vectors @ (vectors.T @ right / values[kept]), int(kept.sum())
