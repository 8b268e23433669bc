"""Batch normalisation of a layer: forward, differential, adjoint and Jacobian.

For Z (N × p), with column means μ, d = N - ddof and s_j = √(‖Z_j - μ_j‖²/d + eps):

    H = (Z - 1μᵀ)·diag(1/s)            normalised
    Y = H·diag(γ) + 1βᵀ                 scaled and shifted

The differential of H is a symmetric map of each column (Theorem 2 of docs/answer.md),

    dH = (C·dZ - H·diag(Hᵀ dZ)/d)·diag(1/s),   C = I - 11ᵀ/N,

so the same function carries derivatives forward (dZ to dH) and back (∂R/∂H to ∂R/∂Z). It is exact
for every ddof and eps; the variance is divided by d, not by N.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from matbn.arguments import Array, as_choice, as_matrix, as_number, as_vector, finite_result, places, variance_divisor
from matbn.errors import ElementTypeError, NotFiniteError, ShapeError, VarianceError
from matbn.memory import check_memory

LAYOUTS = ("rows", "columns")
UNIT_ROUNDOFF = float(np.finfo(np.float64).eps) / 2


@dataclass(frozen=True)
class Normalised:
    """A normalised layer of N samples × p nodes, with what its derivative needs."""

    H: Array  # N × p, columns of mean 0 and, where eps = 0, of variance 1
    s: Array  # p, the divisors √(variance + eps)
    d: float  # N - ddof, the divisor of the variance


@dataclass(frozen=True)
class BatchNormCache:
    """What `bn_backward` needs of a forward pass."""

    normalised: Normalised
    gamma: Array  # p
    layout: str  # "rows" or "columns": where the samples of Y are
    batch_statistics: bool  # False where running statistics, constant in Z, were used


class BatchNormOutput(NamedTuple):
    """Result of `bn_forward`; unpacks as `Y, cache`."""

    Y: Array  # as Z: N × p, or p × N with layout="columns"
    cache: BatchNormCache


class BatchNormGradient(NamedTuple):
    """Result of `bn_backward`; unpacks as `dZ, dgamma, dbeta`."""

    Z: Array  # as Z
    gamma: Array  # p
    beta: Array  # p


@np.errstate(all="ignore")
def bn_forward(
    Z: ArrayLike, gamma: ArrayLike, beta: ArrayLike, ddof: float = 1, eps: float = 0.0, *, layout: str = "rows"
) -> BatchNormOutput:
    """Normalise each node of Z over its samples, then scale by gamma and shift by beta.

    Parameters
    ----------
    Z
        N × p; or p × N with layout="columns".
    gamma, beta
        p scales and p shifts.
    ddof, eps
        The variance is divided by N - ddof, and eps is added to it. 1 and 0 are R's `scale`; 0 and a
        small eps are what deep-learning frameworks use.
    layout
        Where the samples are: "rows" or "columns".

    Returns
    -------
    Y and the cache for `bn_backward`.

    Raises
    ------
    VarianceError
        N < 2, N <= ddof, or a node is constant and eps = 0.
    """
    Z = samples_in_rows(Z, layout)
    gamma, beta = scale_and_shift(gamma, beta, Z.shape[1])
    d = variance_divisor(len(Z), ddof)
    centred, _ = centre(Z)
    # In a node that is constant in exact arithmetic, the last bits may vary, for example after a product.
    noise = 4 * UNIT_ROUNDOFF * np.maximum.reduce(np.abs(Z), axis=0)
    normalised = normalise_centred(centred, d, as_number("eps", eps, at_least=0), noise, "Z")
    Y = finite_result("Y", normalised.H * gamma + beta)
    return BatchNormOutput(like_layout(Y, layout), BatchNormCache(normalised, gamma.copy(), layout, True))


@np.errstate(all="ignore")
def bn_backward(dY: ArrayLike, cache: BatchNormCache) -> BatchNormGradient:
    """Return the gradients with respect to Z, gamma and beta, given dY = ∂R/∂Y (in the layout of Y).

    With batch statistics, ∂R/∂Z = (C·dY - H·diag(Hᵀ dY)/d)·diag(γ/s); with running statistics, which
    do not depend on Z, ∂R/∂Z = dY·diag(γ/s). In both cases ∂R/∂γ = diag(Hᵀ dY) and ∂R/∂β = dYᵀ1.
    """
    if not isinstance(cache, BatchNormCache):
        raise ElementTypeError(
            f"cache is of type {type(cache).__name__}, but must be the cache that bn_forward returned"
        )
    dY = samples_in_rows(dY, cache.layout, "dY")
    normalised = cache.normalised
    if dY.shape != normalised.H.shape:
        given, needed = (like_layout(array, cache.layout).shape for array in (dY, normalised.H))
        raise ShapeError(f"dY is {given}, but the forward pass gave Y as {needed}")
    if cache.batch_statistics:
        dZ = normalisation_derivative(dY, normalised) * cache.gamma
    else:
        dZ = dY * (cache.gamma / normalised.s)
    finite_result("the gradient by Z", dZ)
    dgamma = finite_result("the gradient by gamma", np.einsum("ij,ij->j", normalised.H, dY))
    dbeta = finite_result("the gradient by beta", dY.sum(axis=0))
    return BatchNormGradient(like_layout(dZ, cache.layout), dgamma, dbeta)


@np.errstate(all="ignore")
def bn_jacobian(z: ArrayLike, gamma: float = 1.0, ddof: float = 1, eps: float = 0.0) -> Array:
    """Return the N × N Jacobian ∂y/∂zᵀ of one batch-normalised node, γ/s·(C - hhᵀ/d); it is symmetric."""
    z = as_vector("z", z)
    check_memory(f"the Jacobian, {len(z):,} × {len(z):,},", 3 * len(z) ** 2, "take fewer samples")
    gamma = as_number("gamma", gamma)
    _, cache = bn_forward(z[:, None], [gamma], [0.0], ddof, eps)
    h, s, d = cache.normalised.H[:, 0], cache.normalised.s[0], cache.normalised.d
    return finite_result("the Jacobian", (np.eye(len(z)) - 1 / len(z) - np.outer(h, h) / d) * (gamma / s))


def centre(Z: Array) -> tuple[Array, Array]:
    """Return Z - 1μᵀ and μ, accurate also where means are large against the spread.

    The mean of the residuals corrects the first mean, whose rounding error would otherwise stay in
    every row. A constant column becomes exactly 0: its residuals are all the same small multiple of
    the last digit, so that their mean is exact.
    """
    mean = Z.sum(axis=0) / len(Z)
    centred = Z - mean
    correction = centred.sum(axis=0) / len(Z)
    centred -= correction
    return centred, mean + correction


def normalise_centred(centred: Array, d: float, eps: float, noise: Array, name: str) -> Normalised:
    """Normalise columns of mean 0; a column with no entry larger than `noise` counts as constant.

    Errors call the matrix `name`.
    """
    largest = np.maximum.reduce(np.abs(centred), axis=0)
    constant = largest <= noise
    if eps == 0 and constant.any():
        raise VarianceError(
            f"{name} has zero variance in nodes {places(np.flatnonzero(constant))}: batch norm divides by their"
            " standard deviation; drop them or set eps > 0"
        )
    # Divided by the largest entry, entries have squares that neither overflow nor all underflow.
    root_eps = math.sqrt(eps)
    unit = np.maximum(largest, root_eps)
    s = unit * np.sqrt(np.square(centred / unit).sum(axis=0) / d + (root_eps / unit) ** 2)
    if not np.isfinite(s).all():
        raise NotFiniteError(f"{name} has entries too large for a variance in float64; rescale the data")
    return Normalised(centred / s, s, d)


def normalisation_derivative(G: Array, normalised: Normalised) -> Array:
    """Return (C·G - H·diag(HᵀG)/d)·diag(1/s): dH for G = dZ, and ∂R/∂Z for G = ∂R/∂H."""
    H, s, d = normalised.H, normalised.s, normalised.d
    derivative: Array = (G - G.mean(axis=0) - H * (np.einsum("ij,ij->j", H, G) / d)) / s
    return derivative


def samples_in_rows(Z: ArrayLike, layout: str, name: str = "Z") -> Array:
    """Return Z as N × p: a transposed view where its samples are columns."""
    as_choice("layout", layout, LAYOUTS)
    matrix = as_matrix(name, Z)
    return matrix if layout == "rows" else matrix.T


def like_layout(Y: Array, layout: str) -> Array:
    """Return an N × p result in the user's layout."""
    return Y if layout == "rows" else Y.T


def scale_and_shift(gamma: ArrayLike, beta: ArrayLike, p: int) -> tuple[Array, Array]:
    """Return gamma and beta as vectors of p."""
    return as_vector("gamma", gamma, p, "one for each node"), as_vector("beta", beta, p, "one for each node")
