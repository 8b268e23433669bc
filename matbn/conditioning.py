"""How much rounding errors grow where the inputs of a node nearly cancel."""

import math

import numpy as np

from matbn.arguments import Array, places
from matbn.batchnorm import UNIT_ROUNDOFF
from matbn.errors import PrecisionWarning, warn

_DOUBTFUL = 1e-9  # relative error from which a warning is due
_ROUNDINGS = 16.0  # how many rounding errors of a sum's terms may add up
HARMLESS = _DOUBTFUL / (100 * UNIT_ROUNDOFF)  # the largest κ from which no such error is expected


def amplification(sizes: Array, inverse: Array, d: float) -> Array:
    """Return κ_j = Σ_k ‖X_ck‖|Γ₁ₖⱼ| / (s_j√d): how large the terms of node j are relative to their sum.

    `sizes` is the numerator, `inverse` is 1/s. Any method in float64 has a relative error of about κ times the unit
    roundoff, since rounding X itself already changes the node by so much.
    """
    kappa: Array = sizes * inverse / math.sqrt(d)
    return kappa


def rounding_of_nodes(kappa: Array, gamma: Array, beta: Array | None) -> Array:
    """Return the largest |B_j| (p2) that may be rounding error alone: more than 0 only where β_j is 0.

    With β_j = 0 a row at the mean has B_j = 0 exactly, and rounding must not decide on which side of a kink it lies.
    With another β_j, B_j is 0 by chance only.
    """
    return np.where(beta == 0, _ROUNDINGS * UNIT_ROUNDOFF * kappa * np.abs(gamma), 0.0)


def has_zeros(beta: Array | None) -> bool:
    """Return whether any shift is 0, so that B may be exactly 0 at a row at the mean."""
    return beta is not None and bool(np.count_nonzero(beta) < len(beta))


def warn_of_rounding(kappa: Array) -> None:
    """Warn where so many digits cancel in a node that the result may be off by more than _DOUBTFUL."""
    worst = float(kappa.max())
    if worst <= HARMLESS:
        return
    node = places(np.array([kappa.argmax()]))
    digits = max(0, int(-np.log10(worst * UNIT_ROUNDOFF)))
    warn(
        f"Gamma1 nearly cancels the inputs in node {node}: they vary {worst:.0e} times as much as their sum, so the"
        f" result keeps about {digits} digits; drop or recombine collinear inputs",
        PrecisionWarning,
    )
