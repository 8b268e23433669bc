"""Levenberg and Marquardt's steps on the profiled loss.

A step solves (JᵀJ/1ᵀw + λR + μI)δ = -½∇ over θ and Γ₂ at once. J is the Jacobian of the fitted values, projected off
the linear part, and R the penalty's matrix. Only the entries of δ for θ are used, for Γ₂ is solved for again. Near a
minimum with small residuals such steps converge in a few iterations where quasi-Newton steps take many. Far from it,
in long flat valleys, they take more iterations, each of which costs the products JᵀJ. So the default solver polishes
with them, and only the solver "lm" searches with them throughout. The normal equations lose half the digits of a step,
but not of the minimum, since the gradient is exact.
"""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from matbn.arguments import Array
from matbn.problem.jacobian import gauss_newton
from matbn.problem.least_squares import Problem, ridge_matrix
from matbn.problem.profile import Solved, solve
from matbn.problem.sweeps import Workspace
from matbn.search.bfgs import Pace
from matbn.search.kinks import least_decrease
from matbn.search.minimum import CONVERGED, INTERRUPTED, ITERATIONS, NO_DECREASE, Minimum, SearchOptions, Watch

_FIRST_DAMPING = 1e-3  # μ, relative to the largest diagonal entry
_LARGEST_DAMPING = 1e12  # likewise


def minimise_damped(
    problem: Problem, work: Workspace, theta: Array, options: SearchOptions, watch: Watch | None = None
) -> Minimum:
    """Search the profiled loss from θ."""
    at = solve(problem, theta, work)
    evaluations, growth, damping = 1, 2.0, _FIRST_DAMPING
    shrinking = problem.penalty * ridge_matrix(problem)
    pace = Pace(least_decrease(problem.activation, options.tolerance))
    for iteration in range(options.iterations):
        if pace.too_slow(iteration, at.loss):
            return _minimum(theta, at, iteration, evaluations, NO_DECREASE)
        if np.abs(at.gradient).max(initial=0) <= options.tolerance:
            return _minimum(theta, at, iteration, evaluations, CONVERGED)
        A = gauss_newton(problem, theta, at.Gamma2, work) + shrinking
        size = A.diagonal().max()
        while True:
            step = _step(A, damping * size, at.gradient)
            promised = step @ (damping * size * step - 0.5 * at.gradient)
            new = solve(problem, theta + step, work)
            evaluations += 1
            gain = (at.loss - new.loss) / max(promised, np.finfo(float).tiny)
            if gain > 0 or _flatter(at, new):
                break
            damping, growth = damping * growth, growth * 2
            if damping > _LARGEST_DAMPING:
                return _minimum(theta, at, iteration, evaluations, NO_DECREASE)
        theta, at = theta + step, new
        damping *= max(1 / 3, 1 - (2 * min(gain, 1.0) - 1) ** 3)
        growth = 2.0
        if watch is not None and watch(iteration + 1, at.loss, theta):
            return _minimum(theta, at, iteration + 1, evaluations, INTERRUPTED)
    return _minimum(theta, at, options.iterations, evaluations, ITERATIONS)


def _step(A: Array, damping: float, gradient: Array) -> Array:
    """Return the step's entries for θ; the gradient by Γ₂ is 0, for Γ₂ minimises the loss at θ."""
    right = np.zeros(len(A))
    right[: len(gradient)] = -0.5 * gradient
    damped = A.copy()
    damped.flat[:: len(A) + 1] += damping
    try:
        step: Array = cho_solve(cho_factor(damped), right)[: len(gradient)]
    except LinAlgError:
        step = right[: len(gradient)] / damping
    return step


def _flatter(at: Solved, new: Solved) -> bool:
    """Return whether the losses differ by rounding only, and the gradient has become smaller."""
    alike = new.loss <= at.loss * (1 + 1e-14)
    return alike and float(np.abs(new.gradient).max()) < 0.9 * float(np.abs(at.gradient).max())


def _minimum(theta: Array, at: Solved, iterations: int, evaluations: int, status: str) -> Minimum:
    return Minimum(theta, at.loss, at.gradient, iterations, evaluations, status)
