"""SciPy's L-BFGS, for so many parameters that BFGS's matrix would cost more than the loss."""

from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.search.minimum import CONVERGED, INTERRUPTED, ITERATIONS, NO_DECREASE, Evaluate, Minimum, Watch

_MEMORY = 30  # steps that are remembered


def minimise_limited(
    evaluate: Evaluate, theta: Array, tolerance: float, iterations: int, watch: Watch | None = None
) -> Minimum:
    """Search from theta until no entry of the gradient exceeds `tolerance`, or `watch` stops it."""
    from scipy.optimize import minimize  # takes longer to import than matbn

    stopped, iteration = False, 0

    def callback(intermediate_result: Any) -> None:
        nonlocal stopped, iteration
        iteration += 1
        if watch is not None and watch(iteration, float(intermediate_result.fun), intermediate_result.x.copy()):
            stopped = True
            raise StopIteration

    options: Any = {"gtol": tolerance, "ftol": 0, "maxiter": iterations, "maxfun": 100 * iterations, "maxcor": _MEMORY}
    end: Any = minimize(evaluate, theta, jac=True, method="L-BFGS-B", callback=callback, options=options)
    if stopped:
        status = INTERRUPTED
    elif np.abs(end.jac).max(initial=0) <= tolerance:
        status = CONVERGED
    else:
        status = ITERATIONS if end.nit >= iterations else NO_DECREASE
    return Minimum(end.x, float(end.fun), end.jac, end.nit, end.nfev, status)
