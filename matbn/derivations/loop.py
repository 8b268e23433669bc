"""One scalar after the other, as in the question's loops.

The derivative by one parameter at a time is carried forward through its own node to the loss:

    for Γ₁[k,j]:  ∂z_i = x_ik
                  ∂μ   = (1/N) Σ_i ∂z_i
                  ∂σ   = (1/(dσ)) Σ_i (z_i - μ)(∂z_i - ∂μ)        as σ² = Σ_i (z_i - μ)²/d + eps
                  ∂h_i = (∂z_i - ∂μ - h_i ∂σ)/σ
                  ∂b_i = γ_j ∂h_i
    for γ_j:      ∂b_i = h_i
    for β_j:      ∂b_i = 1
    and then      ∂R   = -(2/N) Σ_i e_i Γ₂[j] a′(b_i) ∂b_i

This is forward differentiation; every other derivation here goes backward from the loss.
"""

import math
from collections.abc import Callable, Iterable

import numpy as np

from matbn.arguments import Array
from matbn.parameters import Net, NetGradient


def gradient(net: Net, y: Array) -> NetGradient:
    """Return loss and gradient, one scalar at a time."""
    gamma, beta, Gamma2 = net.parameters.gamma, net.parameters.beta, net.parameters.Gamma2
    N, p1 = net.X.shape
    p2 = len(Gamma2)
    samples = range(N)
    nodes = [_Node(net, j, 1.0 if gamma is None else gamma[j], 0.0 if beta is None else beta[j]) for j in range(p2)]
    e = [float(y[i]) - _sum(nodes[j].v[i] * Gamma2[j] for j in range(p2)) for i in samples]

    def loss_derivative(j: int, db: Callable[[int], float]) -> float:
        """Return ∂R for a parameter whose derivative of b_i in node j is db(i)."""
        terms = [e[i] * float(Gamma2[j]) * nodes[j].slope[i] * db(i) for i in samples]
        derivative: float = -2 / N * _sum(terms)
        return derivative

    dGamma1 = np.empty((p1, p2))
    dgamma, dbeta, dGamma2 = np.empty(p2), np.empty(p2), np.empty(p2)
    for j, node in enumerate(nodes):
        for k in range(p1):
            db = node.forward([net.X[i, k] for i in samples])
            dGamma1[k, j] = loss_derivative(j, db.__getitem__)
        dgamma[j] = loss_derivative(j, node.h.__getitem__)
        dbeta[j] = loss_derivative(j, lambda i: 1.0)
        dGamma2[j] = -2 / N * _sum(e[i] * node.v[i] for i in samples)
    return NetGradient(
        Gamma1=dGamma1,
        gamma=None if gamma is None else dgamma,
        beta=None if beta is None else dbeta,
        Gamma2=dGamma2,
        loss=_sum(e_i * e_i for e_i in e) / N,
    )


class _Node:
    """The N values that pass through one node, as lists of numbers."""

    def __init__(self, net: Net, j: int, gamma: float, beta: float) -> None:
        N, p1 = net.X.shape
        self.gamma, self.d, self.batch_norm = gamma, net.d, net.parameters.gamma is not None
        z = [_sum(net.X[i, k] * net.parameters.Gamma1[k, j] for k in range(p1)) for i in range(N)]
        if self.batch_norm:
            mu = _sum(z) / N
            self.sigma = math.sqrt(_sum((z_i - mu) * (z_i - mu) for z_i in z) / net.d + net.eps)
            self.h = [(z_i - mu) / self.sigma for z_i in z]
        else:
            self.h = z
        b = np.array([gamma * h_i + beta for h_i in self.h])
        self.v = net.activation.value(b).tolist()
        self.slope: list[float] = net.activation.slope(b).tolist()

    def forward(self, dz: list[float]) -> list[float]:
        """Return ∂b_1 … ∂b_N, given ∂z_1 … ∂z_N."""
        if not self.batch_norm:
            return dz
        dmu = _sum(dz) / len(dz)
        centred_dz = [dz_i - dmu for dz_i in dz]
        # (z_i - μ)/σ is h_i, so ∂σ = Σ h_i (∂z_i - ∂μ)/d.
        dsigma = _sum(h_i * dz_i for h_i, dz_i in zip(self.h, centred_dz, strict=True)) / self.d
        return [self.gamma * (dz_i - h_i * dsigma) / self.sigma for h_i, dz_i in zip(self.h, centred_dz, strict=True)]


def _sum(terms: Iterable[float]) -> float:
    """Return the sum with a single rounding; NaN where it overflows."""
    try:
        return math.fsum(terms)
    except (OverflowError, ValueError):  # the sum is too large, or has infinite terms of both signs
        return math.nan
