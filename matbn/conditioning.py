"""How far rounding errors grow where a node's inputs nearly cancel."""

import math

import numpy as np

from matbn.arguments import Array, counted
from matbn.batchnorm import UNIT_ROUNDOFF
from matbn.errors import PrecisionWarning, warn

_DOUBTFUL = 1e-9  # relative error from which a warning is due
_ROUNDINGS = 16.0  # of a sum's terms, that may add up
HARMLESS = _DOUBTFUL / (100 * UNIT_ROUNDOFF)  # the κ that is expected to cause it at most


def amplification(sizes: Array, inverse: Array, d: float) -> Array:
    """Return κ_j = Σ_k ‖X_ck‖|Γ₁ₖⱼ| / (s_j√d): the node's terms against the node.

    `sizes` is the numerator, `inverse` is 1/s. Any method in float64 loses about κ times the unit roundoff, since
    rounding X itself already moves the node by so much.
    """
    kappa: Array = sizes * inverse / math.sqrt(d)
    return kappa


def rounding_of_nodes(kappa: Array, gamma: Array, beta: Array | None) -> Array:
    """Return up to what |B_j| (p2) may be rounding alone where β_j is 0, and 0 elsewhere.

    There a row at the mean has B_j = 0, and a kink shall not take the sign of what rounding leaves. Elsewhere B_j is 0
    by chance only.
    """
    return np.where(beta == 0, _ROUNDINGS * UNIT_ROUNDOFF * kappa * np.abs(gamma), 0.0)


def has_zeros(beta: Array | None) -> bool:
    """Whether any shift is 0, so that B may be so at a row at the mean."""
    return beta is not None and bool(np.count_nonzero(beta) < len(beta))


def warn_of_rounding(kappa: Array) -> None:
    """Warn where so many digits cancel in a node that the result may be off by more than _DOUBTFUL."""
    worst = float(kappa.max())
    if worst <= HARMLESS:
        return
    node = counted(np.array([kappa.argmax()]))
    digits = max(0, int(-np.log10(worst * UNIT_ROUNDOFF)))
    warn(
        f"Gamma1 nearly cancels the inputs in node {node}: they vary {worst:.0e} times as much as their sum, so the"
        f" result keeps about {digits} digits; drop or recombine collinear inputs",
        PrecisionWarning,
    )
