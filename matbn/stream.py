"""The gradient in blocks of rows that stay in cache, for data of many rows.

For weights Γ₁ and a fixed X the batch statistics need no normalised layer. With X_c = CX, Z_c = X_cΓ₁ and
s_j = √(‖Z_cj‖²/d + eps), the whole first layer is B = X_cA + 1βᵀ, A = Γ₁·diag(γ/s), and sums over rows are all
that the gradient needs of W = -(2/N)(eΓ₂ᵀ)⊙a′(B):

    M      = X_cᵀW
    ∂R/∂β  = Wᵀ1,   ∂R/∂Γ₂ = -(2/N)Vᵀe,   R = eᵀe/N
    ∂R/∂γ  = diag(HᵀW) = diag(Γ₁ᵀM)/s                                =: g
    ∂R/∂Γ₁ = [M - X_cᵀZ_c·diag(g/(sd))]·diag(γ/s)

(X_cᵀCW = X_cᵀW, as the columns of X_c sum to 0 but for rounding, and X_cᵀH = X_cᵀZ_c·diag(1/s) is in the last.)

Two sweeps over the rows give them: the first the moments Z_cᵀZ_c and X_cᵀZ_c, the second M and the rest. Inside a
block, nodes are rows, so that sums run along memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matbn.activation import ACTIVATIONS
from matbn.arguments import Array
from matbn.batchnorm import UNIT_ROUNDOFF
from matbn.parameters import Net, NetGradient, is_complex

_BLOCK_NUMBERS = 200_000  # about what a core's second-level cache holds


@dataclass(frozen=True)
class _Layer:
    """The first layer as a plain one: B = (X - 1·meanᵀ)·weights + 1·shiftᵀ."""

    mean: Array | float  # p1
    weights: Array  # p1 × p2
    shift: Array | None  # p2


@dataclass(frozen=True)
class _Moments:
    """What the batch statistics need of the rows."""

    mean: Array  # p1, of X's columns, rounded
    correction: Array  # p1, what is missing to the mean; their sum would round it away
    XtZ: Array  # p1 × p2, X_cᵀX_cΓ₁
    s: Array  # p2, √(variance + eps)


def gradient(net: Net, y: Array) -> NetGradient | None:
    """Return loss and gradient.

    None where a variance is 0 or out of range, which slower code then explains, for complex numbers, and for
    an activation of the user's own, which may count on nodes being columns.
    """
    parameters = net.parameters
    own = net.activation is not ACTIVATIONS.get(net.activation.name)
    if own or is_complex(net, y):
        return None
    if parameters.gamma is None:
        largest = np.maximum(net.X.max(axis=0), -net.X.min(axis=0))
        if not np.isfinite(largest @ np.abs(parameters.Gamma1)).all():
            return None
        loss, dGamma1, dbeta, dGamma2 = _sweep(net, y, _Layer(0.0, parameters.Gamma1, parameters.beta))
        return NetGradient(dGamma1, None, None if parameters.beta is None else dbeta, dGamma2, loss)
    moments = _moments(net)
    if moments is None:
        return None
    scale = parameters.gamma / moments.s
    weights = parameters.Gamma1 * scale
    layer = _Layer(moments.mean, weights, np.asarray(parameters.beta) - moments.correction @ weights)
    loss, M, dbeta, dGamma2 = _sweep(net, y, layer)
    M -= np.outer(moments.correction, dbeta)
    g = np.einsum("ij,ij->j", parameters.Gamma1, M) / moments.s
    dGamma1 = M * scale - moments.XtZ * (g / moments.s * scale / net.d)
    return NetGradient(dGamma1, g, dbeta, dGamma2, loss)


def _moments(net: Net) -> _Moments | None:
    Gamma1 = net.parameters.Gamma1
    N, (p1, p2) = len(net.X), Gamma1.shape
    mean = np.ones(N) @ net.X / N
    sum_X, sum_Z = np.zeros(p1), np.zeros(p2)
    XtZ, ZtZ, largest = np.zeros((p1, p2)), np.zeros(p2), np.zeros(p1)
    for rows in _blocks(net):
        X = _centred(net.X[rows], mean)
        Z = Gamma1.T @ X
        sum_X += X.sum(axis=1)
        sum_Z += Z.sum(axis=1)
        ZtZ += np.einsum("jn,jn->j", Z, Z)
        XtZ += X @ Z.T
        np.maximum(largest, np.maximum(X.max(axis=1), -X.min(axis=1)), out=largest)
    # The rounding error of the first mean is in every row; what it adds to sums of squares is known exactly.
    ZtZ -= sum_Z**2 / N
    XtZ -= np.outer(sum_X, sum_Z) / N
    noise = 4 * UNIT_ROUNDOFF * p1 * (largest @ np.abs(Gamma1))
    if net.eps == 0 and not (ZtZ > N * noise**2).all():
        return None
    terms = np.append(ZtZ, np.outer(largest[largest > 0], np.sqrt(np.maximum(ZtZ, 0))))
    if not ((terms > 1e-280) & (terms < 1e280)).all():
        return None
    return _Moments(mean, sum_X / N, XtZ, np.sqrt(ZtZ / net.d + net.eps))


def _sweep(net: Net, y: Array, layer: _Layer) -> tuple[float, Array, Array, Array]:
    """Return R, (X - 1·meanᵀ)ᵀW, Wᵀ1 and ∂R/∂Γ₂."""
    Gamma2, activation = net.parameters.Gamma2, net.activation
    N, (p1, p2) = len(y), layer.weights.shape
    squares, M, sum_W, by_Gamma2 = 0.0, np.zeros((p1, p2)), np.zeros(p2), np.zeros(p2)
    for rows in _blocks(net):
        X = _centred(net.X[rows], layer.mean)
        B = layer.weights.T @ X
        if layer.shift is not None:
            B += layer.shift[:, None]
        V = activation.value(B)
        e = y[rows] - Gamma2 @ V
        W = activation.slope(B) * Gamma2[:, None]
        W *= -2 / N * e
        squares += e @ e
        M += X @ W.T
        sum_W += W.sum(axis=1)
        by_Gamma2 += V @ e
    return squares / N, M, sum_W, -2 / N * by_Gamma2


def _centred(X: Array, mean: Array | float) -> Array:
    """Return (X - 1·meanᵀ)ᵀ with each node's samples side by side in memory, however X lies."""
    centred = np.empty(X.T.shape, dtype=np.result_type(X, mean))
    return np.subtract(X.T, mean if isinstance(mean, float) else mean[:, None], out=centred)


def _blocks(net: Net) -> Iterator[slice]:
    p1, p2 = net.parameters.Gamma1.shape
    size = max(64, _BLOCK_NUMBERS // (p1 + 3 * p2))
    for start in range(0, len(net.X), size):
        yield slice(start, start + size)
