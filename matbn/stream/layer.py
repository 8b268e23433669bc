"""The first layer as a plain one, and the derivative of this fold.

With o the offset of x (see `kernel`) and δ = m - o what is missing to the mean m of X's rows,

    B = [X - 1oᵀ, 1]·F,   F = [A; cᵀ],   A = Γ₁·diag(γ/s),   c = β - Aᵀδ

and in a plain net A = Γ₁, c = β + Γ₁ᵀo. Sums over the rows give derivatives by F; the chain rule here turns them into
those by Γ₁, γ and β.
"""

import math
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array, counted
from matbn.batchnorm import UNIT_ROUNDOFF
from matbn.conditioning import amplification, warn_of_rounding
from matbn.errors import ArgumentError, VarianceError
from matbn.parameters import Parameters


@dataclass(frozen=True, eq=False)
class Fold:
    """A first layer folded into a plain one, with what the chain rule needs."""

    F: Array  # p1 + 1 × p2
    offset: Array  # p1, o
    correction: Array | None  # p1, δ; None for 0
    s: Array | None  # p2, √(variance + eps); None in a plain net, as the next three
    scale: Array | None  # p2, γ/s
    pull: Array | None  # p1 × p2, SΓ₁·diag(1/(s²d)), S = X_cᵀDX_c: ds = s⊙(pull⊙dΓ₁)ᵀ1
    left: Array | None  # p2, eps/s² = 1 - diag(Γ₁ᵀpull)


def plain_fold(parameters: Parameters, offset: Array) -> Fold:
    """Fold a plain net: nothing but the offset moves."""
    F = np.vstack([parameters.Gamma1, offset @ parameters.Gamma1])
    if parameters.beta is not None:
        F[-1] += parameters.beta
    return Fold(F, offset, None, None, None, None, None)


def batchnorm_fold(
    parameters: Parameters, offset: Array, correction: Array | None, s: Array, SGamma1: Array, d: float, eps: float
) -> Fold:
    """Fold a batch-normalised net with these statistics."""
    F = np.empty((len(offset) + 1, len(s)))
    scale = parameters.gamma / s
    A = np.multiply(parameters.Gamma1, scale, out=F[:-1])
    F[-1] = parameters.beta
    if correction is not None:
        F[-1] -= correction @ A
    variance = s * s
    return Fold(F, offset, correction, s, scale, SGamma1 / (variance * d), eps / variance)


def deviations(squares: Array, sizes: Array, p1: int, d: float, eps: float) -> Array:
    """Return s = √(squares/d + eps), from the nodes' sums of squares and the sizes Σ_k ‖X_ck‖|Γ₁ₖⱼ| of their terms.

    Warns where a node's terms nearly cancel; raises where it is constant, or its square out of range.
    """
    s: Array = np.sqrt(squares / d + eps)
    kappa = amplification(sizes, s, d)
    worst = float(kappa.max())
    limit = 1 / (8 * UNIT_ROUNDOFF * p1)
    inverse = 1 / s
    if not (worst < limit and math.isfinite(s @ s + inverse @ inverse)):
        if not ((s < 1e150) & (sizes < 1e150)).all() or (eps == 0 and ((sizes > 0) & (sizes < 1e-150)).any()):
            raise ArgumentError("X @ Gamma1 has a node whose square leaves float64's range; rescale Gamma1 or X")
        constant = np.flatnonzero(~(kappa < limit))
        if eps == 0 and len(constant):
            raise VarianceError(
                f"X @ Gamma1 has zero variance in nodes {counted(constant)}: batch norm divides by their standard"
                " deviation; drop them or set eps > 0"
            )
    warn_of_rounding(kappa, worst)
    return s


def by_parameters(by_F: Array, fold: Fold, parameters: Parameters) -> tuple[Array, Array | None, Array]:
    """Return the derivatives by Γ₁ (… × p1 × p2), γ and β (… × p2) from those by F (… × p1+1 × p2)."""
    by_A, by_beta = by_F[..., :-1, :], by_F[..., -1, :]
    if fold.s is None:
        return by_A + fold.offset[:, None] * by_beta[..., None, :], None, by_beta
    M = by_A.copy() if fold.correction is None else by_A - fold.correction[:, None] * by_beta[..., None, :]
    along_Gamma1 = np.add.reduce(parameters.Gamma1 * M, axis=-2)
    M -= fold.pull * along_Gamma1[..., None, :]
    # In exact arithmetic just this is left of it; where M cancelled, rounding left more, which a second step takes off.
    left = np.add.reduce(parameters.Gamma1 * M, axis=-2) - fold.left * along_Gamma1
    M -= fold.pull * left[..., None, :]
    M *= fold.scale
    return M, along_Gamma1 / fold.s, by_beta


def along(direction: Parameters, fold: Fold, parameters: Parameters) -> Array:
    """Return dF (p1+1 × p2) for a step of Γ₁, γ and β."""
    step = direction.Gamma1
    if fold.s is None or fold.pull is None:
        dF = np.vstack([step, fold.offset @ step])
    else:
        ds = fold.s * (fold.pull * step).sum(axis=0)
        dA = step * fold.scale + parameters.Gamma1 * ((np.asarray(direction.gamma) - fold.scale * ds) / fold.s)
        dF = np.vstack([dA, np.zeros(len(fold.s)) if fold.correction is None else -(fold.correction @ dA)])
    if direction.beta is not None:
        dF[-1] += direction.beta
    return dF
