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
from matbn.memory import check_memory
from matbn.network import NetForward, forward
from matbn.parameters import Net, Parameters, as_net, as_outcome
from matbn.stream.layer import Chain, by_parameters, chain_of_rows, differential_of_fold


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

    Arguments and errors are those of `net_forward`; a parameter that is None has no columns. With batch
    norm its rank is at most p2(p1+2), since Γ₁ⱼ and γ_j act only through Γ₁ⱼγ_j/s_j.
    """
    net = as_net(X, Gamma1, gamma, beta, Gamma2, activation, ddof, eps)
    N, parameters = len(net.X), len(net.parameters.theta)
    check_memory(f"the Jacobian, {N:,} × {parameters:,},", 2 * N * parameters, "take fewer rows, or nodes")
    layers = forward(net)
    slope, Gamma2 = evaluate(net.activation, "slope", layers.B), net.parameters.Gamma2
    chain = chain_of_rows(layers.X, layers.normalised, net.parameters, net.eps)
    by_Gamma1, by_gamma, by_beta = by_parameters(layers.X[:, :, None] * slope[:, None, :], slope, chain, net.parameters)
    blocks = [(by_Gamma1 * Gamma2).transpose(0, 2, 1).reshape(N, -1)]  # node after node: the columns of vec Γ₁
    if by_gamma is not None:
        blocks.append(by_gamma * Gamma2)
    if net.parameters.beta is not None:
        blocks.append(by_beta * Gamma2)
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
    """Differentiate the gradient's equations line by line; a name that starts with d is a differential."""
    layers, Gamma2 = forward(net), net.parameters.Gamma2
    chain = chain_of_rows(layers.X, layers.normalised, net.parameters, net.eps)
    slope = evaluate(net.activation, "slope", layers.B)
    e = y - layers.fitted
    upstream = np.outer(-2 / len(y) * e, Gamma2)
    W = upstream * slope

    dF = differential_of_fold(step, chain, net.parameters)
    dB = layers.X @ dF[:-1] + dF[-1]
    dV = slope * dB
    de = -(dV @ Gamma2 + layers.V @ step.Gamma2)
    dupstream = -2 / len(y) * (np.outer(de, Gamma2) + np.outer(e, step.Gamma2))
    dW = dupstream * slope + upstream * evaluate(net.activation, "curvature", layers.B) * dB
    by_Gamma1, by_gamma = _through_batchnorm(net, layers, chain, step, layers.X.T @ W, layers.X.T @ dW)
    return Parameters(
        Gamma1=by_Gamma1,
        gamma=by_gamma,
        beta=None if net.parameters.beta is None else dW.sum(axis=0),
        Gamma2=-2 / len(y) * (dV.T @ e + layers.V.T @ de),
    )


def _through_batchnorm(
    net: Net, layers: NetForward, chain: Chain | None, step: Parameters, M: Array, dM: Array
) -> tuple[Array, Array | None]:
    """Return the differentials of ∂R/∂Γ₁ and ∂R/∂γ from M = (CX)ᵀW and dM.

    With K = (CX)ᵀH·diag(1/(s·d)) (`log_s_by_Gamma1`) and t = diag(Γ₁ᵀM), ∂R/∂γ = t/s and ∂R/∂Γ₁ = D·diag(γ/s), where
    D = M - K·diag(t). That diag(Γ₁ᵀD) = t·eps/s² restores digits that cancel (see `by_parameters`).
    """
    if layers.normalised is None or chain is None:
        return dM, None
    Gamma1, s, K = net.parameters.Gamma1, layers.normalised.s, chain.log_s_by_Gamma1
    dlog_s = _diagonal(K, step.Gamma1)
    dK = layers.X.T @ ((layers.X @ step.Gamma1) / s) / (s * layers.normalised.d) - 2 * K * dlog_s
    t = _diagonal(Gamma1, M)
    dt = _diagonal(step.Gamma1, M) + _diagonal(Gamma1, dM)
    D = M - K * t
    D -= K * (_diagonal(Gamma1, D) - chain.eps_share * t)
    dD = dM - dK * t - K * dt
    known = chain.eps_share * (dt - 2 * dlog_s * t)
    dD -= K * (_diagonal(step.Gamma1, D) + _diagonal(Gamma1, dD) - known)
    dscale = step.gamma / s - chain.scale * dlog_s
    return dD * chain.scale + D * dscale, (dt - t * dlog_s) / s


def _diagonal(A: Array, B: Array) -> Array:
    """Return diag(AᵀB)."""
    diagonal: Array = np.add.reduce(A * B, axis=0)
    return diagonal
