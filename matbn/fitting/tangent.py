"""The fitted values' derivatives by all parameters of the nets: what Gauss and Newton's approximation rests on.

The net is the folded one, p + 2 numbers a node, whose derivatives are independent of each other, where those by batch
norm's own parameters are not.
"""

import numpy as np

from matbn.arguments import Array
from matbn.fitting.problem import Problem, layers, projected
from matbn.fitting.sweeps import forward, workspace


def jacobian_rows(problem: Problem, theta: Array, Gamma2: Array) -> Array:
    """Return derivatives by θ and by Γ₂, a row each, after effects and weights: as many rows of N as parameters."""
    parts = layers(problem, theta)
    N = len(problem.y)
    work = workspace(problem, kept=True)
    forward(problem, parts, work)
    assert work.V is not None
    assert work.S is not None
    rows = []
    for part in parts:
        slopes = work.S[part.nodes] * Gamma2[part.nodes, None]
        rows.append((part.inputs.x[:, None, :] * slopes).reshape(-1, N))
    return projected(problem, np.vstack([*rows, work.V]))


def gauss_newton(problem: Problem, theta: Array, Gamma2: Array) -> Array:
    """Return JᵀJ/1ᵀw for J = ∂(fitted values)/∂(θ, Γ₂) after effects, weights and the linear part."""
    J = jacobian_rows(problem, theta, Gamma2)
    on_Q = J @ problem.linear.Q.T
    found: Array = (J @ J.T - on_Q @ on_Q.T) / problem.weight
    return found
