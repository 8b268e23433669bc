"""The fitted values' derivatives by all parameters of the nets: what Gauss and Newton's approximation rests on.

The net is the folded one, p + 2 numbers a node, whose derivatives are independent of each other, where those by batch
norm's own parameters are not.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.fitting.problem import Layer, Problem, layers, projected, ridge_matrix
from matbn.fitting.profile import solved
from matbn.fitting.sweeps import Room, Workspace, nodes_of_block, over_blocks, workspace
from matbn.stopping import Stop

_FLAT = 1e-6  # curvature that is taken for the least, relative to the largest
_BLOCK_NUMBERS = 500_000  # of derivatives


def jacobian_rows(problem: Problem, theta: Array, Gamma2: Array, stop: Stop | None = None) -> Array:
    """Return derivatives by θ and by Γ₂, a row each, after effects and weights: as many rows of N as parameters."""
    J = np.empty((len(theta) + problem.nodes, len(problem.y)))
    _by_blocks(problem, theta, Gamma2, lambda rows, block: J.__setitem__((slice(None), rows), block), stop)
    return projected(problem, J)


def gauss_newton(problem: Problem, theta: Array, Gamma2: Array, stop: Stop | None = None) -> Array:
    """Return JᵀJ/1ᵀw for J = ∂(fitted values)/∂(θ, Γ₂) after effects, weights and the linear part.

    With effects it takes the memory of J, and that of a block else. `stop` may end it by KeyboardInterrupt.
    """
    n = len(theta) + problem.nodes
    Q = problem.linear.Q
    if problem.effects is not None:
        J = jacobian_rows(problem, theta, Gamma2, stop)
        gram, on_Q = J @ J.T, J @ Q.T
    else:
        gram, on_Q = np.zeros((n, n)), np.zeros((n, len(Q)))

        def add(rows: slice, J: Array) -> None:
            if problem.root_w is not None:
                J *= problem.root_w[rows]
            np.add(gram, J @ J.T, out=gram)
            np.add(on_Q, J @ Q[:, rows].T, out=on_Q)

        _by_blocks(problem, theta, Gamma2, add, stop)
    found: Array = (gram - on_Q @ on_Q.T) / problem.weight
    return found


def inverse_curvature(problem: Problem, theta: Array, work: Workspace) -> Array:
    """Return the inverse of the profiled loss's Hessian by Gauss and Newton's approximation, made positive definite."""
    n = len(theta)
    A = gauss_newton(problem, theta, solved(problem, theta, work).Gamma2, work.stop)
    A += problem.penalty * ridge_matrix(problem)
    profiled = A[:n, :n] - A[:n, n:] @ np.linalg.pinv(A[n:, n:], hermitian=True) @ A[n:, :n]
    values, vectors = np.linalg.eigh((profiled + profiled.T) / 2)
    found: Array = (vectors / (2 * np.maximum(values, _FLAT * values[-1]))) @ vectors.T
    return found


def _by_blocks(
    problem: Problem, theta: Array, Gamma2: Array, take: Callable[[slice, Array], None], stop: Stop | None
) -> None:
    """Hand over the derivatives of one block of rows after the other, without effects and weights."""
    parts = layers(problem, theta)
    work = workspace(problem, kept=False, stop=stop)
    longest = max(8, _BLOCK_NUMBERS // (len(theta) + problem.nodes))

    def block(rows: slice, room: Room) -> None:
        take(rows, _derivatives(parts, Gamma2, rows, *nodes_of_block(problem, parts, rows, work, room)))

    over_blocks(problem, replace(work, block=min(work.block, longest)), block, lambda a, b: None)


def _derivatives(parts: list[Layer], Gamma2: Array, rows: slice, V: Array, S: Array) -> Array:
    found = []
    for part in parts:
        slopes = S[part.nodes] * Gamma2[part.nodes, None]
        found.append((part.inputs.x[:, None, rows] * slopes).reshape(-1, slopes.shape[1]))
    return np.vstack([*found, V])
