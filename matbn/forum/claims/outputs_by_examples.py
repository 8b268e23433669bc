"""The derivation with i over outputs and j over examples, layout n_out × m, variance over m."""

from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.forum.claims.case import Case, batch_norm, derivative
from matbn.forum.claims.claim import Claim, Evidence

SOURCE = "derivation with outputs × examples"


def _loss(c: Case, Z: Array, gamma: Array, beta: Array) -> Any:
    """Return Σ dx_ij x_ij for Z n_out × m."""
    return (c.D * batch_norm(Z.T, gamma, beta, 0, c.eps)).sum()


def _normalised(c: Case) -> Array:
    """Return Ẑ, n_out × m."""
    return batch_norm(c.Z, np.ones_like(c.gamma), np.zeros_like(c.beta), 0, c.eps).T


def _d1(c: Case) -> Evidence:
    exact = derivative(lambda gamma: _loss(c, c.Z.T, gamma, c.beta), c.gamma)
    return Evidence(lambda: (c.D.T * _normalised(c)).sum(axis=1), exact)


def _d2(c: Case) -> Evidence:
    exact = derivative(lambda beta: _loss(c, c.Z.T, c.gamma, beta), c.beta)
    return Evidence(lambda: c.D.T.sum(axis=1), exact)


def _d3(c: Case) -> Evidence:
    def loss(Z_hat: Array) -> Any:
        return (c.D.T * (c.gamma[:, None] * Z_hat + c.beta[:, None])).sum()

    return Evidence(lambda: c.gamma[:, None] * c.D.T, derivative(loss, _normalised(c)))


def _d4(c: Case) -> Evidence:
    def claimed() -> Array:
        m, Z, Z_hat = c.N, c.Z.T, _normalised(c)
        dZ_hat = c.gamma[:, None] * c.D.T
        root = np.sqrt(Z.var(axis=1, keepdims=True) + c.eps)
        sums = dZ_hat.sum(axis=1, keepdims=True) + Z_hat * (dZ_hat * Z_hat).sum(axis=1, keepdims=True)
        dZ: Array = (m * dZ_hat - sums) / (m * root)
        return dZ

    return Evidence(claimed, derivative(lambda Z: _loss(c, Z, c.gamma, c.beta), c.Z.T))


CLAIMS = (
    Claim("D1", "dγ_i = Σ_j dx_ij ẑ_ij", _d1),
    Claim("D2", "dβ_i = Σ_j dx_ij", _d2),
    Claim("D3", "dẐ = γ⊙dX", _d3),
    Claim("D4", "dZ = 1/(m√(σ² + ε))·(m·dẐ - Σ dẐ - Ẑ Σ dẐ⊙Ẑ)", _d4),
)
