"""The first layer as a plain one, and the derivative of this fold.

With o the offset of x (see `kernel`) and δ = m - o what is missing to the mean m of X's rows,

    B = [X - 1oᵀ, 1]·F,   F = [A; cᵀ],   A = Γ₁·diag(γ/s),   c = β - Aᵀδ

and in a plain net o = 0, A = Γ₁ and c = β: an offset would turn exact zeros of B into rounding errors, of which a
rectifier takes the sign, and round small rows where others are large. Sums over the rows give derivatives by F; the
chain rule here turns them into those by Γ₁, γ and β.

With batch norm and β_j = 0, rows at the mean have B_j = 0, but for rounding: no B_j is known that is smaller than the
rounding of its terms, and what stays below this `noise` counts as 0 at a kink.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from matbn.arguments import Array, places
from matbn.batchnorm import UNIT_ROUNDOFF, Normalised
from matbn.conditioning import HARMLESS, amplification, has_zeros, rounding_of_nodes, warn_of_rounding
from matbn.errors import ArgumentError, NotFiniteError, VarianceError
from matbn.parameters import Parameters

_SAFE = {"d": 1e150, "f": 1e15}  # sizes whose products, and sums of these, each precision holds
_UNEVEN = 30.0  # times as much spread in one column as in another, from which one projection loses digits that matter


class Chain(NamedTuple):
    """What the chain rule through batch norm needs."""

    correction: Array | None  # p1, δ; None for 0
    inverse: Array  # p2, 1/s, s = √(variance + eps)
    scale: Array  # p2, γ/s
    pull: Array  # p1 × p2, SΓ₁·diag(1/(s²d)), S = X_cᵀDX_c: ds = s⊙(pull⊙dΓ₁)ᵀ1
    left: Array | None  # p2, eps/s² = 1 - diag(Γ₁ᵀpull), where columns are uneven


class Fold(NamedTuple):
    """A first layer folded into a plain one."""

    F: Array  # p1 + 1 × p2
    noise: Array | None = None  # p2, up to which |B| counts as 0 at a kink; None for 0
    chain: Chain | None = None  # None in a plain net


class Statistics(NamedTuple):
    """What the data say about the nodes XΓ₁."""

    correction: Array | None  # p1, δ
    norms: Array  # p1, of X_c's columns
    norm: float  # ‖X_c‖, of all
    uneven: bool  # see `is_uneven`
    SGamma1: Array  # p1 × p2
    squares: Array  # p2, diag(Γ₁ᵀSΓ₁)
    d: float
    eps: float


def plain_fold(parameters: Parameters) -> Fold:
    """Take a plain net as it is, on data without an offset."""
    beta = np.zeros(len(parameters.Gamma2)) if parameters.beta is None else parameters.beta
    return Fold(np.vstack([parameters.Gamma1, beta]))


def batchnorm_fold(parameters: Parameters, found: Statistics, kinked: bool) -> Fold:
    """Fold a batch-normalised net, with `noise` where the activation may have kinks.

    Warns where a node's terms nearly cancel; raises where it is constant, or its square out of range.
    """
    assert parameters.gamma is not None
    variance = found.squares / found.d
    if found.eps:
        variance += found.eps
    inverse = 1 / np.sqrt(variance)
    # By Cauchy and Schwarz κ is at most the root of this; where it is harmless, so are all squares.
    bound = found.norm**2 / found.d * np.vdot(parameters.Gamma1, parameters.Gamma1)
    if not bound * (inverse @ inverse) < HARMLESS**2:
        _look_closely(parameters.Gamma1, found, inverse)
    scale: Array = parameters.gamma * inverse
    F = np.empty((len(parameters.Gamma1) + 1, len(scale)))
    A = np.multiply(parameters.Gamma1, scale, out=F[:-1])
    F[-1] = parameters.beta
    if found.correction is not None:
        F[-1] -= found.correction @ A
    pull = found.SGamma1 * (inverse * inverse / found.d)
    left = found.eps / variance if found.uneven else None
    noise = None
    if kinked and has_zeros(parameters.beta):
        kappa = amplification(found.norms @ np.abs(parameters.Gamma1), inverse, found.d)
        noise = rounding_of_nodes(kappa, parameters.gamma, parameters.beta)
    return Fold(F, noise, Chain(found.correction, inverse, scale, pull, left))


def chain_of_rows(X: Array, normalised: Normalised | None, parameters: Parameters, eps: float) -> Chain | None:
    """Return what the chain rule needs of a net whose layers are at hand, from its centred rows X (N × p1)."""
    if normalised is None:
        return None
    inverse = 1 / normalised.s
    return Chain(
        correction=None,
        inverse=inverse,
        scale=parameters.gamma * inverse,  # type: ignore[operator]
        pull=X.T @ normalised.H * (inverse / normalised.d),
        left=np.square(math.sqrt(eps) * inverse),
    )


def _look_closely(Gamma1: Array, found: Statistics, inverse: Array) -> None:
    sizes = found.norms @ np.abs(Gamma1)
    kappa = amplification(sizes, inverse, found.d)
    limit = 1 / (8 * UNIT_ROUNDOFF * len(Gamma1))
    if not (sizes < 1e150).all() or (found.eps == 0 and ((sizes > 0) & (sizes < 1e-150)).any()):
        raise ArgumentError("X @ Gamma1 has a node whose square leaves float64's range; rescale Gamma1 or X")
    constant = np.flatnonzero(~(kappa < limit))  # also where it is not a number
    if found.eps == 0 and len(constant):
        raise VarianceError(
            f"X @ Gamma1 has zero variance in nodes {places(constant)}: batch norm divides by their standard"
            " deviation; drop them or set eps > 0"
        )
    warn_of_rounding(kappa)


def refuse_overflow(largest: float, F: Array, dtype: np.dtype[Any]) -> None:
    """Refuse a layer whose B may overflow, which an activation would hide; no entry of X exceeds `largest` in size."""
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
    """Whether the columns' spreads are so different that a node may be one column but for rounding."""
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
    dGamma1 = M - chain.pull * along_Gamma1[..., None, :]
    if chain.left is not None:
        # In exact arithmetic just `left` of it is left; where terms cancelled, rounding left more: a second step.
        excess = np.add.reduce(parameters.Gamma1 * dGamma1, axis=-2) - chain.left * along_Gamma1
        dGamma1 -= chain.pull * excess[..., None, :]
    if chain.scale.dtype == dGamma1.dtype:
        dGamma1 *= chain.scale
    else:  # complex steps of γ alone
        dGamma1 = dGamma1 * chain.scale
    return dGamma1, along_Gamma1 * chain.inverse, by_beta


def along(direction: Parameters, chain: Chain | None, parameters: Parameters) -> Array:
    """Return dF (p1+1 × p2) for a step of Γ₁, γ and β."""
    step = direction.Gamma1
    if chain is None:
        dF = np.vstack([step, np.zeros(step.shape[1])])
    else:
        relative_ds = (chain.pull * step).sum(axis=0)  # ds/s
        turn = step - parameters.Gamma1 * relative_ds  # s·d(Γ₁/s)
        if chain.left is not None:  # as above
            turn -= parameters.Gamma1 * ((chain.pull * turn).sum(axis=0) - chain.left * relative_ds)
        dA = turn * chain.scale + parameters.Gamma1 * (direction.gamma * chain.inverse)
        dF = np.vstack([dA, np.zeros(len(chain.scale)) if chain.correction is None else -(chain.correction @ dA)])
    if direction.beta is not None:
        dF[-1] += direction.beta
    return dF
