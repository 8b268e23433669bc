"""Minimisation by BFGS: quasi-Newton steps with an Armijo line search.

Profiled losses of nets are cheap and have some hundred parameters, so that a search should need few evaluations and
little work beside them; a step that is accepted at once costs one evaluation. The inverse Hessian starts as a multiple
of the identity, scaled by the first step, and is updated by the secant condition. Close to the minimum, where losses
differ by rounding errors only, a step is accepted if it makes the slope along it smaller.
"""

from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array
from matbn.search.minimum import CONVERGED, INTERRUPTED, ITERATIONS, NO_DECREASE, Evaluate, Minimum, Watch

_SUFFICIENT = 1e-4  # share of the decrease by the slope that a step must bring
_NOISE = 1e-14  # relative rounding error of a loss
_PACE_STEPS = 25  # steps after which the decrease is judged
_FLATTER = 0.9  # share of the slope that may be left


@dataclass(eq=False)
class Pace:
    """How fast a search makes the loss smaller, judged every `_PACE_STEPS` steps."""

    least_decrease: float  # share of the loss by which it must fall between two judgements; 0 for no such bound
    before: float = np.inf  # the loss at the last judgement

    def too_slow(self, iteration: int, loss: float) -> bool:
        """Return whether this iteration is one to judge at, and the loss has fallen by too little since the last."""
        if not self.least_decrease or iteration % _PACE_STEPS:
            return False
        slow = self.before - loss <= self.least_decrease * loss
        self.before = loss
        return slow


def minimise(
    evaluate: Evaluate,
    theta: Array,
    tolerance: float,
    iterations: int,
    watch: Watch | None = None,
    inverse: Array | None = None,
    least_decrease: float = 0.0,
) -> Minimum:
    """Search from theta until no entry of the gradient exceeds `tolerance`, or `watch` stops it.

    `inverse` approximates the inverse Hessian and is positive definite. If 25 steps together do not make the loss
    smaller by the share `least_decrease` of it, the search ends with the status NO_DECREASE.
    """
    loss, gradient = evaluate(theta)
    evaluations, n = 1, len(theta)
    H, fresh = (np.eye(n), True) if inverse is None else (inverse.copy(), False)

    pace = Pace(least_decrease)
    for iteration in range(iterations):
        if pace.too_slow(iteration, loss):
            return Minimum(theta, loss, gradient, iteration, evaluations, NO_DECREASE)
        largest = np.abs(gradient).max(initial=0)
        if largest <= tolerance:
            return Minimum(theta, loss, gradient, iteration, evaluations, CONVERGED)
        step = H @ gradient
        np.negative(step, out=step)
        if fresh:
            step *= 0.1 / np.linalg.norm(gradient)
        slope = float(gradient @ step)
        if not slope < 0:
            H, fresh = np.eye(n), True
            continue
        length = 1.0
        while True:
            new_loss, new_gradient = evaluate(theta + length * step)
            evaluations += 1
            if new_loss <= loss + _SUFFICIENT * length * slope:
                break
            if new_loss <= loss + _NOISE * abs(loss) and abs(new_gradient @ step) <= -_FLATTER * slope:
                break
            excess = new_loss - loss - length * slope
            guess = -slope * length**2 / (2 * excess) if np.isfinite(excess) else 0.0
            length = min(max(guess, 0.1 * length), 0.5 * length)
            if length * np.abs(step).max() < 1e-14 * max(1.0, np.abs(theta).max()):
                if fresh:
                    return Minimum(theta, loss, gradient, iteration, evaluations, NO_DECREASE)
                length = 0.0
                break
        if length == 0:
            H, fresh = np.eye(n), True
            continue
        step *= length
        change = new_gradient - gradient
        theta, loss, gradient = theta + step, new_loss, new_gradient
        H, fresh = _update(H, step, change, fresh)
        if watch is not None and watch(iteration + 1, loss, theta):
            return Minimum(theta, loss, gradient, iteration + 1, evaluations, INTERRUPTED)
    return Minimum(theta, loss, gradient, iterations, evaluations, ITERATIONS)


def _update(H: Array, step: Array, change: Array, fresh: bool) -> tuple[Array, bool]:
    """Return H updated so that H·change = step (the secant condition); unchanged unless the curvature is positive."""
    curvature = float(step @ change)
    if curvature <= 1e-12 * np.linalg.norm(step) * np.linalg.norm(change):
        return H, fresh
    if fresh:
        H = np.eye(len(step)) * (curvature / (change @ change))
    direction = H @ change
    # (I - s yᵀ/c) H (I - y sᵀ/c) + s sᵀ/c as one symmetric update: s zᵀ + z sᵀ with z half of the first, less Hy.
    z = step * (0.5 * (1 + change @ direction / curvature)) - direction
    update = np.outer(step, z / curvature)
    H += update
    H += update.T
    return H, False
