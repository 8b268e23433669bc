"""Derivatives of the fitted values by all parameters of the nets, on which the Gauss-Newton approximation rests.

The parameters are those of the folded net, p + 2 numbers a node. Derivatives by batch norm's own parameters would
depend on each other.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.problem.least_squares import FirstLayer, Problem, first_layers, project, ridge_matrix
from matbn.problem.profile import solve
from matbn.problem.sweeps import Result, Room, Workspace, nodes_of_block, over_blocks, workspace
from matbn.stopping import Stop

_FLAT = 1e-6  # curvatures below this share of the largest are raised to it
_BLOCK_NUMBERS = 500_000  # derivatives in a block of rows


def jacobian_rows(problem: Problem, theta: Array, Gamma2: Array, stop: Stop | None = None) -> Array:
    """Return the derivatives by (θ, Γ₂), parameters × N, after effects and weights."""
    J = np.empty((len(theta) + problem.nodes, len(problem.y)))
    work = workspace(problem, kept=False, stop=stop)

    def put(rows: slice, block: Array) -> None:
        J[:, rows] = block

    _by_blocks(problem, theta, Gamma2, put, lambda a, b: None, work)
    return project(problem, J)


def gauss_newton(problem: Problem, theta: Array, Gamma2: Array, like: Workspace) -> Array:
    """Return J(I - QᵀQ)Jᵀ/1ᵀw of `products_of_derivatives`: half the Hessian by (θ, Γ₂), the linear part solved for."""
    gram, on_Q = products_of_derivatives(problem, theta, Gamma2, like)
    return np.asarray((gram - on_Q @ on_Q.T) / problem.weight)


def products_of_derivatives(problem: Problem, theta: Array, Gamma2: Array, like: Workspace) -> tuple[Array, Array]:
    """Return JJᵀ and JQᵀ for the derivatives J of the fitted values by (θ, Γ₂) (as rows), after effects and weights.

    With effects it takes the memory of J, and else that of a block for each thread. The number of threads and the stop,
    which may end it by KeyboardInterrupt, are those of the workspace `like`.
    """
    Q = problem.linear.Q

    def products(rows: slice, J: Array) -> tuple[Array, Array]:
        if problem.effects is None and problem.root_w is not None:
            J *= problem.root_w[rows]
        return J @ J.T, J @ Q[:, rows].T

    def both(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
        return a[0] + b[0], a[1] + b[1]

    work = workspace(problem, like.threads, kept=False, stop=like.stop)
    if problem.effects is None:
        return _by_blocks(problem, theta, Gamma2, products, both, work)
    J = jacobian_rows(problem, theta, Gamma2, like.stop)
    return over_blocks(problem, work, lambda rows, _: products(rows, J[:, rows]), both)


def inverse_curvature(problem: Problem, theta: Array, work: Workspace, along: Array | None = None) -> Array:
    """Return the inverse of the profiled loss's Gauss-Newton Hessian, made positive definite.

    Where the search is held in a subspace, `along` has its orthonormal basis as rows.
    """
    n = len(theta)
    A = gauss_newton(problem, theta, solve(problem, theta, work).Gamma2, work)
    A += problem.penalty * ridge_matrix(problem)
    profiled = A[:n, :n] - A[:n, n:] @ np.linalg.pinv(A[n:, n:], hermitian=True) @ A[n:, :n]
    if along is not None:
        profiled = along @ profiled @ along.T
    values, vectors = np.linalg.eigh((profiled + profiled.T) / 2)
    found: Array = (vectors / (2 * np.maximum(values, _FLAT * values.max(initial=0)))) @ vectors.T
    return found


def _by_blocks(
    problem: Problem,
    theta: Array,
    Gamma2: Array,
    take: Callable[[slice, Array], Result],
    combine: Callable[[Result, Result], Result],
    work: Workspace,
) -> Result:
    """Apply `take` to the derivatives of each block of rows, before effects and weights, and combine the results."""
    parts = first_layers(problem, theta)
    longest = max(8, _BLOCK_NUMBERS // (len(theta) + problem.nodes))

    def block(rows: slice, room: Room) -> Result:
        return take(rows, _derivatives(parts, Gamma2, rows, *nodes_of_block(problem, parts, rows, work, room)))

    return over_blocks(problem, replace(work, block=min(work.block, longest)), block, combine)


def _derivatives(parts: list[FirstLayer], Gamma2: Array, rows: slice, V: Array, S: Array) -> Array:
    found = []
    for part in parts:
        slopes = S[part.nodes] * Gamma2[part.nodes, None]
        found.append((part.inputs.x[:, None, rows] * slopes).reshape(-1, slopes.shape[1]))
    return np.vstack([*found, V])
