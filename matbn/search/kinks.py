"""Minima at kinks: where some rows meet a rectifier's kink, at B = 0, the loss may have a minimum without a gradient.

Let row i meet the kink of node j, so that B_ij = cᵀθ = 0 for a vector c that holds the row's inputs. On crossing it the
loss's slope changes by s·c, where s = -(2/1ᵀw)·u_i·Γ₂ⱼ·(jump of a′ at 0) and u is the weighted residual. Where s > 0
the loss bends upwards. With g for its gradient on the side of all these kinks where B < 0, its subgradients are

    g + Σ t_k·s_k·c_k,    0 ≤ t_k ≤ 1.

If the smallest of them is 0, no direction leads down, to first order; else the steepest way down is opposite to it.
Where s < 0 the loss bends downwards, which is no place for a minimum, so that such kinks are left out.

A search by gradients comes near such a minimum in ever smaller steps. What it has come near is then taken to be met:
among the θ that keep these rows at these kinks the loss is smooth, and is searched further. At its end, rows with t_k
between 0 and 1 are held by the loss itself, and others are let go.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.linalg import svd

from matbn.activation import Activation
from matbn.arguments import Array
from matbn.problem.jacobian import inverse_curvature
from matbn.problem.least_squares import Problem, layers, project
from matbn.problem.profile import Solved, objective, solved
from matbn.problem.sweeps import Workspace
from matbn.search.bfgs import minimise
from matbn.search.minimum import AT_KINK, CONVERGED, INTERRUPTED, ITERATIONS, Minimum, SearchOptions, Watch

_REACH, _FARTHEST = 1e-5, 1e-2  # |B|/‖(α, β)‖ of a kink that is taken to be met, at first and at last
_ROUNDS = 50
_MOST = 3  # kinks for each entry of θ; a node that meets more is 0 nearly everywhere
_LARGEST = 1_000  # entries of θ
_SHORT, _SHORTEST = 1e-2, 1e-14  # length of the first step down, and largest entry of the last
_SUFFICIENT = 1e-4  # share of the decrease that the slope promises
_ALIKE = 1e-7  # relative difference of losses
_LITTLE = 0.1  # share of the loss, for each unit of the gradient that is tolerated
_DEPENDENT = 1e-9  # singular value, relative to the largest, that counts as 0


def little(activation: Activation, tolerance: float) -> float:
    """Return the share of the loss that `bfgs.minimise` takes for too little, where no gradient vanishes."""
    return _LITTLE * tolerance if activation.jump else 0.0


def minimum_at_kinks(problem: Problem, work: Workspace, end: Minimum, options: SearchOptions, watch: Watch) -> Minimum:
    """Go on to a minimum at kinks from where a search has ended; the best by then, if none is found near it."""
    if work.V is None or len(end.theta) > _LARGEST:
        return end
    best, at, reach = end, end, _REACH
    kinks = _near(problem, work, at.theta, reach)
    for _ in range(_ROUNDS):
        if len(kinks) > _MOST * len(at.theta):
            break
        vectors = _vectors(problem, kinks)
        at = _held(problem, work, at, vectors, options, watch)
        best = min(best, at, key=lambda one: one.loss)
        if at.status in (ITERATIONS, INTERRUPTED):
            return replace(best, status=at.status)
        if at.status == CONVERGED:
            inside, least = _smallest_subgradient(problem, work, at.theta, kinks, vectors)
            if np.abs(least).max() <= options.tolerance:
                found = replace(at, gradient=least, status=AT_KINK if len(kinks) else CONVERGED)
                return found if found.loss <= best.loss * (1 + _ALIKE) else best
            down = _stepped_down(problem, work, at, least)
            if down is None:
                break
            at, kinks = down, kinks[inside]
            continue
        met = len(kinks)  # the search has come to others
        while len(kinks) == met and reach <= _FARTHEST:
            kinks = np.unique(np.vstack([kinks, _near(problem, work, at.theta, reach)]), axis=0)
            reach *= 1 if len(kinks) > met else 10
        if len(kinks) == met:
            break
    return replace(best, status=end.status)


def _held(
    problem: Problem, work: Workspace, at: Minimum, vectors: Array, options: SearchOptions, watch: Watch
) -> Minimum:
    """Search among the θ that are orthogonal to the vectors."""
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
    """Return which t_k are between 0 and 1, and the smallest subgradient."""
    from scipy.optimize import lsq_linear  # takes longer to import than matbn

    at, u = _residual(problem, work, theta)
    if not len(kinks):
        return np.empty(0, bool), at.gradient
    assert work.V is not None
    nodes, rows = kinks.T
    assert problem.activation.jump is not None
    changes = (-2 / problem.weight * problem.activation.jump * u[rows] * at.Gamma2[nodes])[:, None] * vectors
    left = at.gradient - (work.V[nodes, rows] > 0) @ changes
    upwards = u[rows] * at.Gamma2[nodes] < 0
    inside = np.zeros(len(kinks), bool)
    if not upwards.any():
        return inside, left
    found: Any = lsq_linear(changes[upwards].T, -left, (0, 1), method="bvls")
    inside[upwards] = found.active_mask == 0
    return inside, left + found.x @ changes[upwards]


def _stepped_down(problem: Problem, work: Workspace, at: Minimum, subgradient: Array) -> Minimum | None:
    """Take a step opposite to the smallest subgradient; None where none makes the loss smaller."""
    length, evaluations = _SHORT / float(np.linalg.norm(subgradient)), at.evaluations
    promised = _SUFFICIENT * float(subgradient @ subgradient)
    while length * np.abs(subgradient).max() > _SHORTEST:
        theta = at.theta - length * subgradient
        loss = solved(problem, theta, work).loss
        evaluations += 1
        if loss <= at.loss - length * promised:
            return replace(at, theta=theta, loss=loss, evaluations=evaluations)
        length /= 4
    return None


def _near(problem: Problem, work: Workspace, theta: Array, reach: float) -> Array:
    """Return nodes and rows (k × 2) that are near to a kink at which the loss bends upwards."""
    at, u = _residual(problem, work, theta)
    found = []
    for part in layers(problem, theta):
        near = np.abs(part.F.T @ part.inputs.x) <= reach * np.linalg.norm(part.F, axis=0)[:, None]
        near &= np.outer(at.Gamma2[part.nodes], u) < 0
        found.append(np.argwhere(near) + np.array([part.nodes.start, 0]))
    return np.vstack(found)


def _residual(problem: Problem, work: Workspace, theta: Array) -> tuple[Solved, Array]:
    """Return what is solved for at θ, and the weighted residual u (N)."""
    at = solved(problem, theta, work)
    assert work.V is not None
    e = problem.y - project(problem, (at.Gamma2 @ work.V)[None])[0] - at.on_Q @ problem.linear.Q
    return at, e if problem.root_w is None else e * problem.root_w


def _vectors(problem: Problem, kinks: Array) -> Array:
    """Return for nodes and rows the vectors c (k × n) for which cᵀθ is the node's value at the row."""
    n = sum(len(term.x) * size for term, size in zip(problem.terms, problem.sizes, strict=True))
    found = np.zeros((len(kinks), n))
    for part in layers(problem, np.arange(n)):
        own = np.flatnonzero((kinks[:, 0] >= part.nodes.start) & (kinks[:, 0] < part.nodes.stop))
        places = part.F[:, kinks[own, 0] - part.nodes.start].T
        found[own[:, None], places] = part.inputs.x[:, kinks[own, 1]].T
    return found
