"""Effective degrees of freedom of a penalised fit.

At a minimum let J be the weighted Jacobian of the fitted values by (α, β, Γ₂), projected off effects and linear part.
To first order the fit is a ridge regression on J, with hat matrix J(JᵀJ + λ·1ᵀw·R)⁻¹Jᵀ, so that

    edf = tr[(JᵀJ + λ·1ᵀw·R)⁻¹JᵀJ] + rank of the linear part and the effects
"""

import numpy as np
from scipy import linalg

from matbn.arguments import Array
from matbn.blas import one_blas_thread
from matbn.problem.jacobian import gauss_newton
from matbn.problem.least_squares import Problem, ridge_matrix
from matbn.problem.profile import solve
from matbn.problem.sweeps import Workspace


@one_blas_thread()
def effective_degrees(problem: Problem, theta: Array, work: Workspace) -> tuple[float, float]:
    """Return the net part's effective degrees of freedom and Σwe²/1ᵀw."""
    at = solve(problem, theta, work)
    values = linalg.eigh(gauss_newton(problem, theta, at.Gamma2, work), ridge_matrix(problem), eigvals_only=True)
    values = np.where(values > 1e-12 * values[-1], values, 0)
    shrunk = values / (values + problem.penalty) if problem.penalty > 0 else values > 0
    return float(np.sum(shrunk)), at.mean_square
