"""Effective degrees of freedom of a penalised fit.

At a minimum let J be the weighted Jacobian of the fitted values by (α, β, Γ₂), projected off effects and linear part.
To first order the fit is a ridge regression on J, with hat matrix J(JᵀJ + λ·1ᵀw·R)⁻¹Jᵀ, so that

    edf = tr[(JᵀJ + λ·1ᵀw·R)⁻¹JᵀJ] + rank of the linear part and the effects

A ridge on the linear part makes its degrees fewer than the rank, and takes tr[S⁻¹JᵀQᵀTᵀTQJ] off besides, with S the
inverted matrix and the factors Q and T of `problem.linear_part`: what nets and linear part share is shrunk once.
"""

import numpy as np
from scipy import linalg

from matbn.arguments import Array
from matbn.blas import one_blas_thread
from matbn.problem.jacobian import products_of_derivatives
from matbn.problem.least_squares import Problem, ridge_matrix
from matbn.problem.profile import solve
from matbn.problem.sweeps import Workspace


@one_blas_thread()
def effective_degrees(problem: Problem, theta: Array, work: Workspace) -> tuple[float, float]:
    """Return the net part's effective degrees of freedom and Σwe²/1ᵀw."""
    at = solve(problem, theta, work)
    gram, on_Q = products_of_derivatives(problem, theta, at.Gamma2, work)
    curvature, ridge = (gram - on_Q @ on_Q.T) / problem.weight, ridge_matrix(problem)
    values = linalg.eigh(curvature, ridge, eigvals_only=True)
    values = np.where(values > 1e-12 * values[-1], values, 0)
    degrees = float(np.sum(values / (values + problem.penalty) if problem.penalty > 0 else values > 0))
    if problem.linear.T is not None and problem.penalty > 0:
        shared = on_Q @ problem.linear.T.T
        shrunk = linalg.solve(curvature + problem.penalty * ridge, shared, assume_a="pos")
        degrees -= float(np.sum(shrunk * shared)) / problem.weight
    return degrees, at.mean_square
