"""The third answer: the computational graph's nine steps, and the exercise that it quotes."""

from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.forum.claims.case import Case, batch_norm, derivative
from matbn.forum.claims.claim import Claim, Evidence

SOURCE = "third answer"


def _g1(c: Case) -> Evidence:
    def loss(Z: Array, gamma: Array, beta: Array) -> Any:
        return (c.D * batch_norm(Z, gamma, beta, 0, c.eps)).sum()

    exact = (
        derivative(lambda Z: loss(Z, c.gamma, c.beta), c.Z),
        derivative(lambda gamma: loss(c.Z, gamma, c.beta), c.gamma),
        derivative(lambda beta: loss(c.Z, c.gamma, beta), c.beta),
    )
    return Evidence(lambda: _nine_steps_back(c), exact)


def _nine_steps_back(c: Case) -> tuple[Array, Array, Array]:
    """Return dx, dgamma and dbeta, all nodes at once, from the upstream gradient D."""
    N, x, dout = c.N, c.Z, c.D
    xmu = x - x.mean(axis=0)
    sqrtvar = np.sqrt((xmu**2).mean(axis=0) + c.eps)
    ivar = 1 / sqrtvar
    xhat = xmu * ivar

    dbeta = dout.sum(axis=0)  # 9
    dgamma, dxhat = (dout * xhat).sum(axis=0), dout * c.gamma  # 8
    divar, dxmu = (dxhat * xmu).sum(axis=0), dxhat * ivar  # 7
    dsqrtvar = -divar / sqrtvar**2  # 6
    dvar = dsqrtvar / (2 * sqrtvar)  # 5
    dsq = np.ones_like(x) * dvar / N  # 4
    dxmu = dxmu + 2 * xmu * dsq  # 3
    dmu = -dxmu.sum(axis=0)  # 2
    return dxmu + dmu / N, dgamma, dbeta  # 1


def _g2(c: Case) -> Evidence:
    def claimed() -> Array:
        deviation = c.Z - c.Z.mean(axis=0)
        variance = (deviation**2).sum() / c.N  # over everything: one number for all nodes
        normalised = deviation - np.sqrt(variance + c.eps)
        output: Array = c.gamma * normalised + c.beta
        return output

    centred = c.Z - c.Z.mean(axis=0)
    corrected = c.gamma * centred / np.sqrt((centred**2).mean(axis=0) + c.eps) + c.beta
    return Evidence(claimed, batch_norm(c.Z, c.gamma, c.beta, 0, c.eps), corrected)


CLAIMS = (
    Claim("G1", "the nine-step backward pass gives dx, dγ and dβ", _g1),
    Claim(
        "G2",
        "the exercise's forward pass: one variance summed over everything, and the root subtracted",
        _g2,
        "Each node has its own variance, Σ(z - μ)²/N over its samples, and the deviation is divided by"
        " √(variance + eps); names that the exercise leaves undefined are read as what they must mean."
        " Its update rule for running statistics, new = momentum·old + (1 - momentum)·batch, is sound.",
    ),
)
