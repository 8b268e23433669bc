"""A net term's inputs, whitened: columns of mean 0 and variance about 1 that are nearly uncorrelated.

For inputs U = (Z - 1mᵀ)K the batch-normalised node a(b(ZΓ₁ⱼ)) is the plain node a(Uα_j + β_j). Kα_j = Γ₁ⱼγ_j are its
folded weights, and γ_j is its standard deviation before the activation.

With the inverse standard deviations Δ and the correlation matrix C let K = Δ·(C + τI)^(-1/2). The symmetric root does
not depend on the order of rows or the signs of eigenvectors, and keeps each column as close to its input as possible.
τ bounds the search's steps in directions in which the inputs hardly vary; directions without variation get no weight.

The penalty is the ridge ‖Δ⁻¹Kα_j‖² on the folded weights of standardised inputs, as in other packages; rescaling Γ₁ⱼ
does not evade it. In α it is α_jᵀPα_j with P = (C + τI)⁻¹.
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
_FLAT = 1e-7  # singular values of standardised inputs count as variation above this share of the largest
_FAINT = 1e-12  # and are no more than rounding errors below this share


@dataclass(frozen=True, eq=False)
class Inputs:
    """Whitened inputs of one term; a column of x is a sample."""

    x: Array  # p + 1 × N, Uᵀ with a row of ones below it
    mean: Array  # p, the mean of Z's rows
    K: Array  # p × p: whitened inputs are centred inputs times K
    P: Array  # p × p, the penalty's matrix, see above
    covariance: Array  # p × p, the covariance of U
    rank: int  # number of directions in which the inputs vary
    faint: int  # number of directions in which they vary by more than rounding, but too little to count


def whiten(Z: Array, w: Array | None, name: str, names: Sequence[str] = (), constants: bool = False) -> Inputs:
    """Whiten the inputs Z (N × p), with weighted moments.

    Inputs that do not vary are refused, by name. With `constants` they are allowed, and their rows of K are 0.
    """
    N, p = Z.shape
    sums = moments(slices(Z, np.zeros(N), w, Z.dtype), threads=1)
    constant = np.flatnonzero(sums.norms == 0)
    if len(constant) and not constants:
        which = ", ".join(names[k] for k in constant.tolist()) if names else f"at {places(constant)}"
        raise ArgumentError(f"{name} has constant inputs, {which}, from which a net can learn nothing; drop them")
    varies = sums.norms > 0
    scale = np.where(varies, np.sqrt(sums.weight) / np.where(varies, sums.norms, 1), 0)
    _, values, right = np.linalg.svd(sums.T * (scale / np.sqrt(sums.weight)), full_matrices=True)
    values = np.pad(values, (0, p - len(values)))
    rounding = N * UNIT_ROUNDOFF * values[0]
    varying = values > np.maximum(_FLAT * values[0], rounding)
    faint = int(((values > np.maximum(_FAINT * values[0], rounding)) & ~varying).sum())
    bounded = np.where(varying, np.square(values) + _BOUND, 1)

    def rotate_back(diagonal: Array) -> Array:
        product: Array = (right.T * diagonal) @ right
        return product

    K = scale[:, None] * rotate_back(varying / np.sqrt(bounded))
    assert sums.correction is not None
    x = np.empty((p + 1, N))
    np.matmul(K.T, (Z - sums.offset - sums.correction).T, out=x[:-1])
    x[-1] = 1
    covariance = rotate_back(varying * np.square(values) / bounded)
    return Inputs(x, sums.offset + sums.correction, K, rotate_back(1 / bounded), covariance, int(varying.sum()), faint)
