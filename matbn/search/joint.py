"""The loss as a function of all parameters at once: nothing is solved for but the fixed effects.

    F(θ, Γ₂, c) = ‖M(y - VΓ₂) - Qᵀ(Qy + √1ᵀw·c)‖²/1ᵀw + penalties

for the linear part's coordinates c, scaled so that all parameters change the fitted values by about as much. F has the
minima of the profiled loss, but a search takes longer to reach them: this solver serves comparisons.
"""

from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.problem.least_squares import Problem, first_layers, join_layers, ridge
from matbn.problem.profile import solve
from matbn.problem.sweeps import Workspace, backward, forward
from matbn.search.bfgs import minimise
from matbn.search.kinks import least_decrease
from matbn.search.lbfgs import minimise_limited
from matbn.search.minimum import Evaluate, Minimum, SearchOptions, Watch
from matbn.search.profiled import MANY


def minimise_jointly(problem: Problem, work: Workspace, theta: Array, options: SearchOptions, watch: Watch) -> Minimum:
    """Search over all parameters, from θ and the Γ₂ and c solved for there; the result holds θ alone."""
    start = joint_start(problem, theta, work)
    evaluate = joint_objective(problem, work)

    def see(iteration: int, loss: float | None, at: Array) -> bool:
        return watch(iteration, loss, at[: len(theta)])

    if len(start) > MANY:
        end = minimise_limited(evaluate, start, options.tolerance, options.iterations, see)
    else:
        least = least_decrease(problem.activation, options.tolerance)
        end = minimise(evaluate, start, options.tolerance, options.iterations, see, None, least)
    return replace(end, theta=end.theta[: len(theta)])


def joint_objective(problem: Problem, work: Workspace) -> Evaluate:
    """Return the function of (θ, Γ₂, c), as one vector, that gives F and its gradient."""
    n = problem.theta_size
    root = np.sqrt(problem.weight)

    def evaluate(everything: Array) -> tuple[float, Array]:
        theta, Gamma2, c = np.split(everything, [n, n + problem.nodes])
        parts = first_layers(problem, theta)
        forward(problem, parts, work)
        sums = backward(problem, parts, Gamma2, root * c, work, everything=True)
        shrinking = ridge(problem, theta)
        loss = sums.squares / problem.weight + problem.penalty * float(Gamma2 @ Gamma2 + theta @ shrinking)
        by_c = -2 / root * sums.by_linear[1]
        if problem.linear.T is not None:
            on_T = problem.linear.T @ (problem.on_y + root * c)
            loss += float(on_T @ on_T) / problem.weight
            by_c += 2 / root * (problem.linear.T.T @ on_T)
        factors = Gamma2 * (-2 / problem.weight)
        by_theta = join_layers([total * factors[part.nodes] for total, part in zip(sums.by_layer, parts, strict=True)])
        by_Gamma2 = -2 / problem.weight * sums.by_linear[0]
        twice = 2 * problem.penalty
        gradient = np.concatenate([by_theta + twice * shrinking, by_Gamma2 + twice * Gamma2, by_c])
        if not (np.isfinite(loss) and np.isfinite(gradient).all()):
            return np.inf, np.zeros_like(gradient)
        return loss, gradient

    return evaluate


def joint_start(problem: Problem, theta: Array, work: Workspace) -> Array:
    """Return (θ, Γ₂, c) with the Γ₂ and c that minimise the loss at θ."""
    at = solve(problem, theta, work)
    return np.concatenate([theta, at.Gamma2, at.on_Q / np.sqrt(problem.weight)])
