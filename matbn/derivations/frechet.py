"""By differentials and traces, nodes × samples, as the second answer does it.

X is here the layer's input, p2 × m, with m samples as its columns; J = 11ᵀ is m × m, C = I - J/m, ∘ is
entrywise and ⟨A, B⟩ = tr(AᵀB). With

    X_c = XC
    X_s∘X_s = (1/d)(X_c∘X_c)J + eps,       equal entries along each row
    X_n = X_s^{∘-1}∘X_c
    X̂ = (γ1ᵀ)∘X_n + β1ᵀ

the differentials are dX_s = (1/d)(X_n∘dX_c)J and dX_n = X_s^{∘-1}∘(dX_c - X_n∘dX_s). Moving everything in
⟨∇X̂, dX̂⟩ over to dX, by ⟨A, B∘C⟩ = ⟨A∘B, C⟩ and the symmetry of J and C, gives

    ∇β = ∇X̂·1,   ∇γ = (X_n∘∇X̂)·1
    ∇X = X_s^{∘-1}∘(γ1ᵀ)∘(∇X̂·C - (1/d) X_n∘((X_n∘∇X̂)J))

The source has 1/m for 1/d. Here products with J and C are computed by row sums; neither matrix is formed.
"""

import numpy as np

from matbn.arguments import Array
from matbn.parameters import Net, NetGradient


def gradient(net: Net, y: Array) -> NetGradient:
    """Return loss and gradient by the closed form of ∇X."""
    parameters = net.parameters
    m = len(y)
    data = net.X.T  # p1 × m
    X = parameters.Gamma1.T @ data
    beta = 0.0 if parameters.beta is None else parameters.beta[:, None]
    if parameters.gamma is None:
        X_hat = X + beta
    else:
        gamma = parameters.gamma[:, None]
        X_c = _times_C(X)
        X_s = np.sqrt(_times_J(X_c * X_c) / net.d + net.eps)
        X_n = X_c / X_s
        X_hat = gamma * X_n + beta

    A = net.activation.value(X_hat)
    e = y - parameters.Gamma2 @ A
    grad_A = -2 / m * parameters.Gamma2[:, None] * e[None, :]
    grad_X_hat = grad_A * net.activation.slope(X_hat)

    if parameters.gamma is None:
        grad_gamma, grad_X = None, grad_X_hat
    else:
        grad_gamma = (X_n * grad_X_hat).sum(axis=1)
        grad_X = gamma / X_s * (_times_C(grad_X_hat) - X_n * _times_J(X_n * grad_X_hat) / net.d)
    return NetGradient(
        Gamma1=(grad_X @ data.T).T,
        gamma=grad_gamma,
        beta=None if parameters.beta is None else grad_X_hat.sum(axis=1),
        Gamma2=-2 / m * (A @ e),
        loss=e @ e / m,
    )


def _times_J(X: Array) -> Array:
    """Return XJ as a single column, for all its columns are equal."""
    sums: Array = X.sum(axis=1, keepdims=True)
    return sums


def _times_C(X: Array) -> Array:
    """Return XC."""
    centred: Array = X - _times_J(X) / X.shape[1]
    return centred
