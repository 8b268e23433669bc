"""A net term's inputs, whitened: columns of mean 0 and variance 1 that are not correlated.

For whitened inputs U the batch-normalised node a(b(ZΓ₁ⱼ)) is the plain node a(Uα_j + β_j): its variance is ‖α_j‖², so
γ_j = ‖α_j‖ and Γ₁ⱼ is the direction of α_j. A ridge on α and β is a ridge on γ and β, which the scale of Γ₁ⱼ does not
reach.

U = (Z - 1mᵀ)K with K = Δ·C^(-1/2), Δ the inverse standard deviations and C the correlation matrix. The symmetric root
depends on no order of rows and no sign of an eigenvector, and leaves each column as near to its input as can be;
directions in which inputs do not vary get no weight.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array, counted
from matbn.batchnorm import UNIT_ROUNDOFF
from matbn.errors import ArgumentError
from matbn.stream.moments import moments
from matbn.stream.rows import slices

_FLAT = 1e-7  # smallest singular value of standardised inputs, relative to the largest, that counts as variation


@dataclass(frozen=True, eq=False)
class Inputs:
    """Whitened inputs of one term, samples side by side in memory."""

    x: Array  # p + 1 × N, Uᵀ with a row of ones below
    mean: Array  # p, of Z's rows
    K: Array  # p × p, from centred to whitened inputs
    rank: int  # number of directions in which the inputs vary


def whitened(Z: Array, w: Array | None, name: str, names: Sequence[str] = ()) -> Inputs:
    """Whiten the inputs Z (N × p), with weighted moments; refuse those that do not vary, by their names if given."""
    N, p = Z.shape
    found = moments(slices(Z, np.zeros(N), w, Z.dtype), threads=1)
    constant = np.flatnonzero(found.norms == 0)
    if len(constant):
        which = ", ".join(names[k] for k in constant.tolist()) if names else f"at {counted(constant)}"
        raise ArgumentError(f"{name} has constant inputs, {which}, from which a net can learn nothing; drop them")
    scale = np.sqrt(found.weight) / found.norms
    _, values, right = np.linalg.svd(found.T * (scale / np.sqrt(found.weight)), full_matrices=False)
    varying = values > max(_FLAT, N * UNIT_ROUNDOFF) * values[0]
    right = right[varying]
    K = scale[:, None] * (right.T / values[varying]) @ right
    assert found.correction is not None
    x = np.empty((p + 1, N))
    np.matmul(K.T, (Z - found.offset - found.correction).T, out=x[:-1])
    x[-1] = 1
    return Inputs(x, found.offset + found.correction, K, int(varying.sum()))
