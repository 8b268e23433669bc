"""How far rounding errors grow where a node's inputs nearly cancel."""

import math
import sys
import warnings

import numpy as np

from matbn.arguments import Array, counted
from matbn.batchnorm import UNIT_ROUNDOFF, Normalised
from matbn.errors import PrecisionWarning

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


def amplification_of_rows(X: Array, Gamma1: Array, normalised: Normalised) -> Array:
    """Return κ of centred rows X (N × p1) and their normalised nodes."""
    sizes = np.sqrt(np.einsum("ik,ik->k", X, X.conj()).real) @ np.abs(Gamma1)
    return amplification(sizes, 1 / np.abs(normalised.s), normalised.d)


def rounding_of_nodes(kappa: Array, gamma: Array, beta: Array) -> Array:
    """Return up to what |B_j| (p2) may be rounding alone, at rows as large as most: a kink takes no sign from it."""
    return _ROUNDINGS * UNIT_ROUNDOFF * (kappa * np.abs(gamma) + np.abs(beta))


def warn_of_rounding(kappa: Array) -> None:
    """Warn where so many digits cancel in a node that the result may be off by more than _DOUBTFUL."""
    worst = float(kappa.max())
    if worst <= HARMLESS:
        return
    node = counted(np.array([kappa.argmax()]))
    digits = max(0, int(-np.log10(worst * UNIT_ROUNDOFF)))
    warnings.warn(
        f"Gamma1 nearly cancels the inputs in node {node}: they vary {worst:.0e} times as much as their sum, so the"
        f" result keeps about {digits} digits; drop or recombine collinear inputs",
        PrecisionWarning,
        stacklevel=_frames_of_matbn(),
    )


def _frames_of_matbn() -> int:
    """Return the stack level, as seen by `warn_of_rounding`, of the user's own line."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in ("matbn", "numpy", "contextlib"):
        level, frame = level + 1, frame.f_back
    return level
