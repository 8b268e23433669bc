"""Derivatives of the fitted values by all parameters, and second derivatives of the loss.

Parameters are ordered θ = (vec Γ₁, γ, β, Γ₂), as `Parameters.theta` has them. Through the batch statistics, by Theorem
2 of docs/answer.md,

    ∂ŷ/∂Γ₂  = V
    ∂ŷ/∂β   = a′(B)·diag(Γ₂)
    ∂ŷ/∂γ   = (a′(B)⊙H)·diag(Γ₂)
    ∂ŷ/∂Γ₁ⱼ = diag(a′(B_j))·(γ_jΓ₂ⱼ/s_j)·(X_c - H_j(H_jᵀX_c)/d)

and in a plain net ∂ŷ/∂Γ₁ⱼ = diag(a′(B_j))·Γ₂ⱼ·X.
"""

import numpy as np
from numpy.typing import ArrayLike

from matbn.activation import Activation, evaluate
from matbn.arguments import Array, as_vector, finite_result
from matbn.batchnorm import normalisation_derivative
from matbn.network import NetForward, forward
from matbn.parameters import Net, Parameters, as_net, as_outcome


@np.errstate(all="ignore")
def net_jacobian(
    X: ArrayLike,
    Gamma1: ArrayLike,
    gamma: ArrayLike | None,
    beta: ArrayLike | None,
    Gamma2: ArrayLike,
    activation: str | Activation = "relu",
    ddof: float = 1,
    eps: float = 0.0,
) -> Array:
    """Return ∂ŷ/∂θᵀ (N × p2(p1+3)), θ = (vec Γ₁, γ, β, Γ₂), through the batch's mean and variance.

    Arguments and errors are those of `net_forward`; the columns of what is None are left out. With batch
    norm its rank is at most p2(p1+2), since Γ₁ⱼ and γ_j act only through Γ₁ⱼγ_j/s_j.
    """
    net = as_net(X, Gamma1, gamma, beta, Gamma2, activation, ddof, eps)
    layers = forward(net)
    N = len(layers.B)
    by_B = evaluate(net.activation, "slope", layers.B) * net.parameters.Gamma2
    if layers.normalised is None:
        by_Gamma1 = by_B[:, :, None] * layers.X[:, None, :]
    else:
        H, s, d = layers.normalised.H, layers.normalised.s, layers.normalised.d
        direction = layers.X[:, None, :] - H[:, :, None] * (H.T @ layers.X / d)[None, :, :]
        by_Gamma1 = (by_B * (net.parameters.gamma / s))[:, :, None] * direction
    blocks = [by_Gamma1.reshape(N, -1)]  # node after node: the columns of vec Γ₁
    if layers.normalised is not None:
        blocks.append(by_B * layers.normalised.H)
    if net.parameters.beta is not None:
        blocks.append(by_B)
    return finite_result("the Jacobian", np.hstack([*blocks, layers.V]))


@np.errstate(all="ignore")
def net_hessian_product(
    X: ArrayLike,
    y: ArrayLike,
    Gamma1: ArrayLike,
    gamma: ArrayLike | None,
    beta: ArrayLike | None,
    Gamma2: ArrayLike,
    direction: ArrayLike,
    activation: str | Activation = "relu",
    ddof: float = 1,
    eps: float = 0.0,
) -> Array:
    """Return ∂²R/∂θ∂θᵀ · direction, with direction and result ordered as θ = (vec Γ₁, γ, β, Γ₂).

    It is the differential of the exact gradient along the direction, a″ included, at about twice the
    gradient's cost; the Hessian is never formed. Other arguments and errors are those of `net_gradient`.
    """
    net = as_net(X, Gamma1, gamma, beta, Gamma2, activation, ddof, eps)
    size = len(net.parameters.theta)
    step = net.parameters.with_theta(as_vector("direction", direction, size, "(vec Gamma1, gamma, beta, Gamma2)"))
    product = _hessian_product(net, as_outcome(y, net), step).theta
    return finite_result("the Hessian product", product)


def _hessian_product(net: Net, y: Array, step: Parameters) -> Parameters:
    """Differentiate each line of `matbn.gradient`; a name that starts with d is that value's differential."""
    layers, Gamma2 = forward(net), net.parameters.Gamma2
    slope = evaluate(net.activation, "slope", layers.B)
    e = y - layers.fitted
    upstream = np.outer(-2 / len(y) * e, Gamma2)
    W = upstream * slope

    dB = _layer_differential(net, layers, step)
    dV = slope * dB
    de = -(dV @ Gamma2 + layers.V @ step.Gamma2)
    dupstream = -2 / len(y) * (np.outer(de, Gamma2) + np.outer(e, step.Gamma2))
    dW = dupstream * slope + upstream * evaluate(net.activation, "curvature", layers.B) * dB
    if layers.normalised is None:
        by_gamma, dby_Z = None, dW
    else:
        by_gamma, dby_Z = _adjoint_differential(net, layers, step, W, dW)
    return Parameters(
        Gamma1=layers.X.T @ dby_Z,
        gamma=by_gamma,
        beta=None if net.parameters.beta is None else dW.sum(axis=0),
        Gamma2=-2 / len(y) * (dV.T @ e + layers.V.T @ de),
    )


def _layer_differential(net: Net, layers: NetForward, step: Parameters) -> Array:
    """Return dB."""
    dB = layers.X @ step.Gamma1
    if layers.normalised is not None:
        dH = normalisation_derivative(dB, layers.normalised)
        dB = dH * net.parameters.gamma + layers.normalised.H * step.gamma
    return dB if step.beta is None else dB + step.beta


def _adjoint_differential(net: Net, layers: NetForward, step: Parameters, W: Array, dW: Array) -> tuple[Array, Array]:
    """Return the differentials of ∂R/∂γ = diag(HᵀW) =: g and ∂R/∂Z = (CW - H·diag(g)/d)·diag(γ/s)."""
    assert layers.normalised is not None
    H, s, d = layers.normalised.H, layers.normalised.s, layers.normalised.d
    gamma = net.parameters.gamma
    dZ = layers.X @ step.Gamma1
    dH = normalisation_derivative(dZ, layers.normalised)
    ds = np.einsum("ij,ij->j", H, dZ) / d

    g = np.einsum("ij,ij->j", H, W)
    dg = np.einsum("ij,ij->j", dH, W) + np.einsum("ij,ij->j", H, dW)
    Q = W - W.mean(axis=0) - H * (g / d)
    dQ = dW - dW.mean(axis=0) - dH * (g / d) - H * (dg / d)
    return dg, dQ * (gamma / s) + Q * ((step.gamma - gamma * (ds / s)) / s)
