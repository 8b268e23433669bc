"""The backpropagation post: samples × features, variance over N; it leaves the backward pass unfinished."""

from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.forum.claims.case import Case, batch_norm, derivative, jacobian
from matbn.forum.claims.claim import Claim, Evidence

SOURCE = "backpropagation post"


def _normalised(c: Case) -> Array:
    return batch_norm(c.Z, np.ones_like(c.gamma), np.zeros_like(c.beta), 0, c.eps)


def _output(c: Case, Z: Array, gamma: Array, beta: Array) -> Array:
    return batch_norm(Z, gamma, beta, 0, c.eps)


def _p1(c: Case) -> Evidence:
    x = c.Z[:, 0]

    def variance(x: Array) -> Any:
        return np.sum((x - np.sum(x) / c.N) ** 2) / c.N

    exact = (derivative(lambda x: np.sum(x) / c.N, x), derivative(variance, x))
    return Evidence(lambda: (np.full(c.N, 1 / c.N), 2 * (x - x.mean()) / c.N), exact)


def _p2(c: Case) -> Evidence:
    one = slice(0, 1)
    z, gamma, beta = c.Z[:, one], c.gamma[one], c.beta[one]
    s = np.sqrt(z.var() + c.eps)
    h = (z - z.mean()) / s
    C = np.eye(c.N) - 1 / c.N
    return Evidence(
        lambda: (gamma * C - h @ h.T / c.N) / s,
        jacobian(lambda z: _output(c, z, gamma, beta), z),
        gamma * (C - h @ h.T / c.N) / s,
    )


def _p3(c: Case) -> Evidence:
    H = _normalised(c)
    # The derivative of each output by its own node's scale: one number for each sample and node.
    exact = np.imag(_output(c, c.Z, c.gamma + 1e-30j, c.beta)) / 1e-30
    return Evidence(lambda: np.ones((c.N, 1)) * H.sum(axis=0), exact, H)


def _p4(c: Case) -> Evidence:
    def claimed() -> Array:
        mu = c.Z - c.Z.mean(axis=1, keepdims=True)
        variance = np.dot((c.Z - mu).T, c.Z - mu) / c.N
        normalised = (c.Z - mu) / np.sqrt(variance + c.eps)
        output: Array = np.dot(c.gamma, normalised) + c.beta
        return output

    deviation = c.Z - c.Z.mean(axis=0)
    corrected = deviation / np.sqrt((deviation**2).mean(axis=0) + c.eps) * c.gamma + c.beta
    return Evidence(claimed, _output(c, c.Z, c.gamma, c.beta), corrected)


def _p5(c: Case) -> Evidence:
    def loss(Z: Array, gamma: Array, beta: Array) -> Any:
        return (c.D * _output(c, Z, gamma, beta)).sum()

    def claimed() -> tuple[Array, ...]:
        by_Z = jacobian(lambda Z: _output(c, Z, c.gamma, c.beta), c.Z)
        upstream = c.D.ravel(order="F")
        return (c.D.sum(axis=0), (c.D * _normalised(c)).sum(axis=0), (upstream @ by_Z).reshape(c.Z.shape, order="F"))

    exact = (
        derivative(lambda beta: loss(c.Z, c.gamma, beta), c.beta),
        derivative(lambda gamma: loss(c.Z, gamma, c.beta), c.gamma),
        derivative(lambda Z: loss(Z, c.gamma, c.beta), c.Z),
    )
    return Evidence(claimed, exact)


CLAIMS = (
    Claim("P1", "dμ/dx = 1/N, dσ²/dx = 2(x - μ)/N", _p1),
    Claim(
        "P2",
        "a column's Jacobian is (γC - hhᵀ/N)/s, with γ on the first term only",
        _p2,
        "γ multiplies the whole: γ/s·(C - hhᵀ/N), since y = γh + β.",
    ),
    Claim(
        "P3",
        "dy_jk/dγ_k = Σ_j x̂_jk",
        _p3,
        "There is no sum: dy_jk/dγ_k = x̂_jk. The sum over j comes with the loss, dL/dγ_k = Σ_j dL/dy_jk·x̂_jk.",
    ),
    Claim(
        "P4",
        "the forward code: mean over a row, the name mu for the deviation, dot products for variance and scale",
        _p4,
        "The mean runs over samples (axis 0), X - mu is then the deviation, the variance is its mean square for each"
        " node and the scale multiplies entry by entry. As posted, X - mu is the row mean and the dot product a"
        " p × p matrix.",
    ),
    Claim("P5", "dβ = Σ_j dL/dy_j, and the chain rules for γ and for x, which sum over every output", _p5),
)
