"""A net term's inputs, whitened: columns of mean 0 and about variance 1 that are hardly correlated.

For inputs U = (Z - 1mᵀ)K the batch-normalised node a(b(ZΓ₁ⱼ)) is the plain node a(Uα_j + β_j): Kα_j = Γ₁ⱼγ_j are its
folded weights, γ_j its deviation before the activation.

With the inverse standard deviations Δ and the correlation matrix C let K = Δ·(C + τI)^(-1/2). The symmetric root
depends on no order of rows and no sign of an eigenvector, and leaves each column as near to its input as can be; τ
bounds the search's steps in directions in which inputs hardly vary, and those in which they do not vary at all get no
weight.

The penalty is that of other packages on standardised inputs, the ridge ‖Δ⁻¹Kα_j‖² on folded weights, which no scale of
Γ₁ⱼ escapes: in α it is α_jᵀPα_j with P = (C + τI)⁻¹.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array, places
from matbn.batchnorm import UNIT_ROUNDOFF
from matbn.errors import ArgumentError
from matbn.stream.moments import moments
from matbn.stream.rows import slices

_BOUND = 1e-3  # τ
_FLAT = 1e-7  # singular values of standardised inputs above this share of the largest count as variation
_FAINT = 1e-12  # those above this share are more than rounding errors


@dataclass(frozen=True, eq=False)
class Inputs:
    """Whitened inputs of one term, samples side by side in memory."""

    x: Array  # p + 1 × N, Uᵀ with a row of ones below
    mean: Array  # p, the mean of Z's rows
    K: Array  # p × p: whitened inputs are centred inputs times K
    P: Array  # p × p, the penalty's matrix
    covariance: Array  # p × p, the covariance of U
    rank: int  # number of directions in which the inputs vary
    faint: int  # number of directions in which they vary by more than rounding, but too little to count


def whiten(Z: Array, w: Array | None, name: str, names: Sequence[str] = (), constants: bool = False) -> Inputs:
    """Whiten the inputs Z (N × p), with weighted moments.

    Inputs that do not vary are refused by name; with `constants` they are allowed, and their rows of K are 0.
    """
    N, p = Z.shape
    found = moments(slices(Z, np.zeros(N), w, Z.dtype), threads=1)
    constant = np.flatnonzero(found.norms == 0)
    if len(constant) and not constants:
        which = ", ".join(names[k] for k in constant.tolist()) if names else f"at {places(constant)}"
        raise ArgumentError(f"{name} has constant inputs, {which}, from which a net can learn nothing; drop them")
    varies = found.norms > 0
    scale = np.where(varies, np.sqrt(found.weight) / np.where(varies, found.norms, 1), 0)
    _, values, right = np.linalg.svd(found.T * (scale / np.sqrt(found.weight)), full_matrices=True)
    values = np.pad(values, (0, p - len(values)))
    rounding = N * UNIT_ROUNDOFF * values[0]
    varying = values > np.maximum(_FLAT * values[0], rounding)
    faint = int(((values > np.maximum(_FAINT * values[0], rounding)) & ~varying).sum())
    bounded = np.where(varying, np.square(values) + _BOUND, 1)

    def rotated(diagonal: Array) -> Array:
        product: Array = (right.T * diagonal) @ right
        return product

    K = scale[:, None] * rotated(varying / np.sqrt(bounded))
    assert found.correction is not None
    x = np.empty((p + 1, N))
    np.matmul(K.T, (Z - found.offset - found.correction).T, out=x[:-1])
    x[-1] = 1
    covariance = rotated(varying * np.square(values) / bounded)
    return Inputs(x, found.offset + found.correction, K, rotated(1 / bounded), covariance, int(varying.sum()), faint)
