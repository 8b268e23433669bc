"""Minima at kinks: where B = 0 for some rows of a rectifier, the loss may have a minimum at which it has no gradient.

A kink is a row i and a node j with B_ij = cᵀθ = 0, for a vector c that holds the row's inputs. From the side B < 0 to
the side B > 0 the loss's gradient changes by s·c, where s = -(2/1ᵀw)·u_i·Γ₂ⱼ·(jump of a′ at 0) and u is the weighted
residual. Where s > 0 the loss bends upwards. With g for the gradient on the side B < 0 of all such kinks, the
subgradients at θ are

    g + Σ t_k·s_k·c_k,    0 ≤ t_k ≤ 1.

If the smallest of them is 0, no direction leads down, to first order; else the steepest descent is opposite to it.
Where s < 0 the loss bends downwards. No minimum lies there, so that such kinks are left out.

A search by gradients approaches such a minimum in ever smaller steps. The search here then takes θ to lie on all kinks
nearby, and goes on among the θ that lie on them, where the loss is smooth. Where that ends, kinks with t_k strictly
between 0 and 1 are kept, and the others are let go.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import svd

from matbn.activation import Activation
from matbn.arguments import Array
from matbn.problem.jacobian import inverse_curvature
from matbn.problem.least_squares import Problem, first_layers, project
from matbn.problem.profile import Solved, objective, solve
from matbn.problem.sweeps import Workspace
from matbn.search.bfgs import minimise
from matbn.search.minimum import AT_KINK, CONVERGED, INTERRUPTED, ITERATIONS, Minimum, SearchOptions, Watch

_REACH, _FARTHEST = 1e-5, 1e-2  # |B|/‖(α, β)‖ up to which a kink counts as nearby, at first and at most
_ROUNDS = 50
_MOST = 3  # kinks for each entry of θ; a node with more of them is 0 nearly everywhere
_LARGEST = 1_000  # entries of θ up to which kinks are searched
_FIRST_STEP, _LAST_STEP = 1e-2, 1e-14  # length of the first step down, and largest entry of the last
_SUFFICIENT = 1e-4  # share of the decrease by the slope that a step must bring
_ALIKE = 1e-7  # relative difference of losses that count as equal
_LEAST_DECREASE = 0.1  # share of the loss, as a multiple of the gradient's tolerance
_DEPENDENT = 1e-9  # singular value, relative to the largest, that counts as 0


def least_decrease(activation: Activation, tolerance: float) -> float:
    """Return the share by which `bfgs.minimise` must lower the loss to go on; 0, for no such bound, without kinks."""
    return _LEAST_DECREASE * tolerance if activation.jump else 0.0


def minimum_at_kinks(problem: Problem, work: Workspace, end: Minimum, options: SearchOptions, watch: Watch) -> Minimum:
    """Search on to a minimum at kinks from where a search has ended; return the best θ met if there is none nearby."""
    if work.V is None or len(end.theta) > _LARGEST:
        return end
    best, at, reach = end, end, _REACH
    kinks = _nearby_kinks(problem, work, at.theta, reach)
    for _ in range(_ROUNDS):
        if len(kinks) > _MOST * len(at.theta):
            break
        vectors = _kink_vectors(problem, kinks)
        at = _search_on_kinks(problem, work, at, vectors, options, watch)
        best = min(best, at, key=lambda minimum: minimum.loss)
        if at.status in (ITERATIONS, INTERRUPTED):
            return replace(best, status=at.status)
        if at.status == CONVERGED:
            inside, subgradient = _smallest_subgradient(problem, work, at.theta, kinks, vectors)
            if np.abs(subgradient).max() <= options.tolerance:
                minimum = replace(at, gradient=subgradient, status=AT_KINK if len(kinks) else CONVERGED)
                return minimum if minimum.loss <= best.loss * (1 + _ALIKE) else best
            lower = _step_down(problem, work, at, subgradient)
            if lower is None:
                break
            at, kinks = lower, kinks[inside]
            continue
        known = len(kinks)  # the search has stopped at kinks that are not among these
        while len(kinks) == known and reach <= _FARTHEST:
            kinks = np.unique(np.vstack([kinks, _nearby_kinks(problem, work, at.theta, reach)]), axis=0)
            reach *= 1 if len(kinks) > known else 10
        if len(kinks) == known:
            break
    return replace(best, status=end.status)


def _search_on_kinks(
    problem: Problem, work: Workspace, at: Minimum, vectors: Array, options: SearchOptions, watch: Watch
) -> Minimum:
    """Search among the θ that are orthogonal to the kinks' vectors c, which are those that lie on the kinks."""
    evaluate = objective(problem, work)
    _, sizes, right = svd(vectors) if len(vectors) else (None, np.empty(0), np.eye(len(at.theta)))
    rank = int((sizes > _DEPENDENT * sizes.max(initial=0)).sum())
    across, along = right[:rank], right[rank:]
    theta = at.theta - (across @ at.theta) @ across

    def within(z: Array) -> tuple[float, Array]:
        loss, gradient = evaluate(theta + z @ along)
        return loss, along @ gradient

    def see(iteration: int, loss: float | None, z: Array) -> bool:
        return watch(at.iterations + iteration, loss, theta + z @ along)

    inverse = inverse_curvature(problem, theta, work, along)
    end = minimise(
        within,
        np.zeros(len(along)),
        options.tolerance / max(1.0, np.sqrt(len(along))),
        max(0, options.iterations - at.iterations),
        see,
        inverse,
    )
    done, evaluations = at.iterations + end.iterations, at.evaluations + end.evaluations
    return Minimum(theta + end.theta @ along, end.loss, end.gradient @ along, done, evaluations, end.status)


def _smallest_subgradient(
    problem: Problem, work: Workspace, theta: Array, kinks: Array, vectors: Array
) -> tuple[Array, Array]:
    """Return which t_k are strictly between 0 and 1, and the smallest subgradient."""
    from scipy.optimize import lsq_linear  # takes longer to import than matbn

    at, u = _solve_with_residual(problem, work, theta)
    if not len(kinks):
        return np.empty(0, bool), at.gradient
    assert work.V is not None
    nodes, rows = kinks.T
    assert problem.activation.jump is not None
    changes = (-2 / problem.weight * problem.activation.jump * u[rows] * at.Gamma2[nodes])[:, None] * vectors
    g = at.gradient - (work.V[nodes, rows] > 0) @ changes
    upwards = u[rows] * at.Gamma2[nodes] < 0
    inside = np.zeros(len(kinks), bool)
    if not upwards.any():
        return inside, g
    t: Any = lsq_linear(changes[upwards].T, -g, (0, 1), method="bvls")
    inside[upwards] = t.active_mask == 0
    return inside, g + t.x @ changes[upwards]


def _step_down(problem: Problem, work: Workspace, at: Minimum, subgradient: Array) -> Minimum | None:
    """Return where a step opposite to the smallest subgradient leads; None if no length makes the loss smaller."""
    length, evaluations = _FIRST_STEP / float(np.linalg.norm(subgradient)), at.evaluations
    promised = _SUFFICIENT * float(subgradient @ subgradient)
    while length * np.abs(subgradient).max() > _LAST_STEP:
        theta = at.theta - length * subgradient
        loss = solve(problem, theta, work).loss
        evaluations += 1
        if loss <= at.loss - length * promised:
            return replace(at, theta=theta, loss=loss, evaluations=evaluations)
        length /= 4
    return None


def _nearby_kinks(problem: Problem, work: Workspace, theta: Array, reach: float) -> Array:
    """Return the nodes and rows (k × 2) of nearby kinks at which the loss bends upwards."""
    at, u = _solve_with_residual(problem, work, theta)
    kinks = []
    for part in first_layers(problem, theta):
        near = np.abs(part.F.T @ part.inputs.x) <= reach * np.linalg.norm(part.F, axis=0)[:, None]
        near &= np.outer(at.Gamma2[part.nodes], u) < 0
        kinks.append(np.argwhere(near) + np.array([part.nodes.start, 0]))
    return np.vstack(kinks)


def _solve_with_residual(problem: Problem, work: Workspace, theta: Array) -> tuple[Solved, Array]:
    """Return the profiled loss with its minimising Γ₂ at θ, and the weighted residual u (N)."""
    at = solve(problem, theta, work)
    assert work.V is not None
    e = problem.y - project(problem, (at.Gamma2 @ work.V)[None])[0] - at.on_Q @ problem.linear.Q
    return at, e if problem.root_w is None else e * problem.root_w


def _kink_vectors(problem: Problem, kinks: Array) -> Array:
    """Return each kink's vector c (k × n), for which cᵀθ is the node's value B at the row."""
    n = problem.theta_size
    vectors = np.zeros((len(kinks), n))
    for part in first_layers(problem, np.arange(n)):
        own = np.flatnonzero((kinks[:, 0] >= part.nodes.start) & (kinks[:, 0] < part.nodes.stop))
        places = part.F[:, kinks[own, 0] - part.nodes.start].T
        vectors[own[:, None], places] = part.inputs.x[:, kinks[own, 1]].T
    return vectors
