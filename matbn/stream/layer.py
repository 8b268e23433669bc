"""Fold the batch-normalised first layer into a plain one, and differentiate this fold.

With o the offset of x (see `kernel`) and δ = m - o its distance to the mean m of X's rows,

    B = [X - 1oᵀ, 1]·F,   F = [A; cᵀ],   A = Γ₁·diag(γ/s),   c = β - Aᵀδ

and in a plain net o = 0, A = Γ₁ and c = β: an offset would turn exact zeros of B into rounding errors, whose sign a
rectifier would take, and would round small rows where others are large. Sums over the rows give derivatives by F; the
chain rule here turns them into derivatives by Γ₁, γ and β.

With batch norm and β_j = 0, rows at the mean have B_j = 0 in exact arithmetic. In floating point a B_j below the
rounding error of its terms, the `noise`, counts as 0 at a kink.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from matbn.arguments import Array, places
from matbn.batchnorm import UNIT_ROUNDOFF, Normalised
from matbn.conditioning import HARMLESS, amplification, has_zeros, rounding_of_nodes, warn_of_rounding
from matbn.errors import ArgumentError, NotFiniteError, VarianceError
from matbn.parameters import Parameters

_SAFE = {"d": 1e150, "f": 1e15}  # numbers up to this size have products, and sums of these, that do not overflow
_UNEVEN = 30.0  # ratio of two columns' spreads, from which a single projection loses digits that matter


class Chain(NamedTuple):
    """What the chain rule through batch norm needs."""

    correction: Array | None  # p1, δ; None for 0
    inverse: Array  # p2, 1/s, s = √(variance + eps)
    scale: Array  # p2, γ/s
    log_s_by_Gamma1: Array  # p1 × p2, column j: ∂log(s_j)/∂Γ₁ⱼ = SΓ₁ⱼ/(s_j²d), S = X_cᵀDX_c
    eps_share: Array | None  # p2, eps/s² = 1 - diag(Γ₁ᵀ·log_s_by_Gamma1); None where columns are even


class FoldedLayer(NamedTuple):
    """A first layer as a plain one: Bᵀ = xᵀF."""

    F: Array  # p1 + 1 × p2
    noise: Array | None = None  # p2, up to which |B| counts as 0 at a kink; None for 0
    chain: Chain | None = None  # None in a plain net


class NodeStatistics(NamedTuple):
    """NodeStatistics of the data that determine the variances of the nodes XΓ₁."""

    correction: Array | None  # p1, δ
    norms: Array  # p1, of X_c's columns
    norm: float  # ‖X_c‖
    uneven: bool  # see `is_uneven`
    SGamma1: Array  # p1 × p2
    squares: Array  # p2, diag(Γ₁ᵀSΓ₁)
    d: float
    eps: float


def plain_fold(parameters: Parameters) -> FoldedLayer:
    """Return the first layer of a plain net, for data without an offset."""
    beta = np.zeros(len(parameters.Gamma2)) if parameters.beta is None else parameters.beta
    return FoldedLayer(np.vstack([parameters.Gamma1, beta]))


def batchnorm_fold(parameters: Parameters, statistics: NodeStatistics, kinked: bool) -> FoldedLayer:
    """Return the folded first layer of a batch-normalised net, with `noise` where the activation may have kinks.

    Warns where the terms of a node nearly cancel; raises where a node is constant or its square leaves float64's range.
    """
    assert parameters.gamma is not None
    variance = statistics.squares / statistics.d
    if statistics.eps:
        variance += statistics.eps
    inverse = 1 / np.sqrt(variance)
    # By the Cauchy–Schwarz inequality κ² is at most bound/s²; where that is harmless, no square overflows either.
    bound = statistics.norm**2 / statistics.d * np.vdot(parameters.Gamma1, parameters.Gamma1)
    if not bound * (inverse @ inverse) < HARMLESS**2:
        _check_cancellation(parameters.Gamma1, statistics, inverse)
    scale: Array = parameters.gamma * inverse
    F = np.empty((len(parameters.Gamma1) + 1, len(scale)))
    A = np.multiply(parameters.Gamma1, scale, out=F[:-1])
    F[-1] = parameters.beta
    if statistics.correction is not None:
        F[-1] -= statistics.correction @ A
    log_s_by_Gamma1 = statistics.SGamma1 * (inverse * inverse / statistics.d)
    eps_share = statistics.eps / variance if statistics.uneven else None
    noise = None
    if kinked and has_zeros(parameters.beta):
        kappa = amplification(statistics.norms @ np.abs(parameters.Gamma1), inverse, statistics.d)
        noise = rounding_of_nodes(kappa, parameters.gamma, parameters.beta)
    return FoldedLayer(F, noise, Chain(statistics.correction, inverse, scale, log_s_by_Gamma1, eps_share))


def chain_of_rows(X: Array, normalised: Normalised | None, parameters: Parameters, eps: float) -> Chain | None:
    """Return what the chain rule needs, from centred rows X (N × p1) and their normalised layer (None: a plain net)."""
    if normalised is None:
        return None
    inverse = 1 / normalised.s
    return Chain(
        correction=None,
        inverse=inverse,
        scale=parameters.gamma * inverse,  # type: ignore[operator]
        log_s_by_Gamma1=X.T @ normalised.H * (inverse / normalised.d),
        eps_share=np.square(math.sqrt(eps) * inverse),
    )


def _check_cancellation(Gamma1: Array, statistics: NodeStatistics, inverse: Array) -> None:
    sizes = statistics.norms @ np.abs(Gamma1)
    kappa = amplification(sizes, inverse, statistics.d)
    limit = 1 / (8 * UNIT_ROUNDOFF * len(Gamma1))
    if not (sizes < 1e150).all() or (statistics.eps == 0 and ((sizes > 0) & (sizes < 1e-150)).any()):
        raise ArgumentError("X @ Gamma1 has a node whose square leaves float64's range; rescale Gamma1 or X")
    constant = np.flatnonzero(~(kappa < limit))  # NaN counts as constant, too
    if statistics.eps == 0 and len(constant):
        raise VarianceError(
            f"X @ Gamma1 has zero variance in nodes {places(constant)}: batch norm divides by their standard"
            " deviation; drop them or set eps > 0"
        )
    warn_of_rounding(kappa)


def refuse_overflow(largest: float, F: Array, dtype: np.dtype[Any]) -> None:
    """Refuse a layer whose B may overflow, which an activation could hide; `largest` bounds the entries of X."""
    safe = _SAFE[dtype.char]
    if largest < safe and np.vdot(F, F) < safe * safe:
        return
    size, limit = np.abs(F), np.finfo(dtype).max
    if not (largest * size[:-1].sum(axis=0) + size[-1] < limit).all() or not size.max() < limit:
        raise NotFiniteError(
            f"X @ Gamma1, or what batch norm makes of it, would not be finite in {dtype.name}: the arguments are too"
            " large; rescale the data"
        )


def is_uneven(norms: Array) -> bool:
    """Return whether columns differ so much in spread that a node may equal one of them up to rounding."""
    varying = norms[norms > 0]
    return len(varying) > 0 and bool(varying.max() > _UNEVEN * varying.min())


def by_parameters(
    by_A: Array, by_beta: Array, chain: Chain | None, parameters: Parameters
) -> tuple[Array, Array | None, Array]:
    """Return the derivatives by Γ₁ (… × p1 × p2), γ and β (… × p2) from those by A (… × p1 × p2) and c (… × p2)."""
    if chain is None:
        return by_A, None, by_beta
    M = by_A if chain.correction is None else by_A - chain.correction[:, None] * by_beta[..., None, :]
    along_Gamma1 = np.add.reduce(parameters.Gamma1 * M, axis=-2)
    dGamma1 = M - chain.log_s_by_Gamma1 * along_Gamma1[..., None, :]
    if chain.eps_share is not None:
        # In exact arithmetic `eps_share` of it remains; where terms cancel, a second projection removes the excess.
        excess = np.add.reduce(parameters.Gamma1 * dGamma1, axis=-2) - chain.eps_share * along_Gamma1
        dGamma1 -= chain.log_s_by_Gamma1 * excess[..., None, :]
    if chain.scale.dtype == dGamma1.dtype:
        dGamma1 *= chain.scale
    else:  # complex steps of γ alone
        dGamma1 = dGamma1 * chain.scale
    return dGamma1, along_Gamma1 * chain.inverse, by_beta


def differential_of_fold(direction: Parameters, chain: Chain | None, parameters: Parameters) -> Array:
    """Return dF (p1+1 × p2) for the direction (dΓ₁, dγ, dβ)."""
    step = direction.Gamma1
    if chain is None:
        dF = np.vstack([step, np.zeros(step.shape[1])])
    else:
        dlog_s = (chain.log_s_by_Gamma1 * step).sum(axis=0)  # ds/s
        projection = step - parameters.Gamma1 * dlog_s  # s·d(Γ₁/s)
        if chain.eps_share is not None:  # a second projection, as in `by_parameters`
            excess = (chain.log_s_by_Gamma1 * projection).sum(axis=0) - chain.eps_share * dlog_s
            projection -= parameters.Gamma1 * excess
        dA = projection * chain.scale + parameters.Gamma1 * (direction.gamma * chain.inverse)
        dF = np.vstack([dA, np.zeros(len(chain.scale)) if chain.correction is None else -(chain.correction @ dA)])
    if direction.beta is not None:
        dF[-1] += direction.beta
    return dF
