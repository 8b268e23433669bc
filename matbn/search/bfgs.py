"""Minimisation by BFGS: quasi-Newton steps with an Armijo line search.

Profiled losses of nets are cheap and have some hundred parameters, so that what counts is few evaluations and little
work besides; a step that is taken at once costs one evaluation. The inverse Hessian starts at the size that the first
step tells and follows the secant condition. Close to the minimum, where losses differ by rounding only, a step is taken
that makes the slope along it smaller.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array
from matbn.search.minimum import CONVERGED, INTERRUPTED, ITERATIONS, NO_DECREASE, Minimum, Watch

_SUFFICIENT = 1e-4  # share of the decrease that the slope promises
_NOISE = 1e-14  # relative rounding error of a loss
_SOME = 25  # steps
_FLATTER = 0.9  # share of the slope that may be left


@dataclass(eq=False)
class Pace:
    """How much smaller some steps together make the loss."""

    little: float  # share of the loss that is too little; 0 for none
    before: float = np.inf  # the loss some steps ago

    def too_slow(self, iteration: int, loss: float) -> bool:
        """Take note of the loss; return whether it is time to see that it has hardly become smaller."""
        if not self.little or iteration % _SOME:
            return False
        slow = self.before - loss <= self.little * loss
        self.before = loss
        return slow


def minimise(
    evaluate: Callable[[Array], tuple[float, Array]],
    theta: Array,
    tolerance: float,
    iterations: int,
    watch: Watch | None = None,
    inverse: Array | None = None,
    little: float = 0.0,
) -> Minimum:
    """Search from theta until no entry of the gradient exceeds `tolerance`, or `watch` stops it.

    `inverse` is an approximation of the inverse Hessian, positive definite. `little` is a share of the loss: where some
    steps together do not make it smaller by as much, the search ends as if none did.
    """
    loss, gradient = evaluate(theta)
    evaluations, n = 1, len(theta)
    H, fresh = (np.eye(n), True) if inverse is None else (inverse.copy(), False)

    pace = Pace(little)
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
        H, fresh = _updated(H, step, change, fresh)
        if watch is not None and watch(iteration + 1, loss, theta):
            return Minimum(theta, loss, gradient, iteration + 1, evaluations, INTERRUPTED)
    return Minimum(theta, loss, gradient, iterations, evaluations, ITERATIONS)


def _updated(H: Array, step: Array, change: Array, fresh: bool) -> tuple[Array, bool]:
    """Return H after the secant condition H·change = step; as it was where the curvature is not positive."""
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
