"""The second answer: differentials and traces, nodes × samples, J = 11ᵀ, variance over m."""

from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.forum.claims.case import Case, batch_norm, derivative, jacobian
from matbn.forum.claims.claim import Claim, Evidence

SOURCE = "second answer"


class _Layer:
    """The case's layer transposed to p2 × m, in the answer's symbols."""

    def __init__(self, c: Case) -> None:
        self.X, self.D, self.eps = c.Z.T, c.D.T, c.eps  # D is ∇X̂
        self.gamma, self.beta = c.gamma, c.beta
        self.m = c.N
        self.J = np.ones((self.m, self.m))
        self.C = np.eye(self.m) - self.J / self.m
        self.X_c = self.X @ self.C
        self.X_s = self.deviation(self.X_c)
        self.X_n = self.X_c / self.X_s

    def deviation(self, X_c: Array) -> Array:
        """Return X_s, equal entries along each row."""
        root: Array = np.sqrt((X_c * X_c) @ self.J / self.m + self.eps)
        return root

    def loss(self, X: Array, gamma: Array, beta: Array) -> Any:
        """Return Σ ∇X̂∘X̂."""
        return (self.D.T * batch_norm(X.T, gamma, beta, 0, self.eps)).sum()

    def gradient_X(self) -> Array:
        """Return ∇X by complex steps."""
        return derivative(lambda X: self.loss(X, self.gamma, self.beta), self.X)


def _f1(c: Case) -> Evidence:
    layer = _Layer(c)
    ones = np.ones(layer.m)
    return Evidence(
        lambda: ((layer.X_n * layer.D) @ ones, layer.D @ ones),
        (
            derivative(lambda gamma: layer.loss(layer.X, gamma, layer.beta), layer.gamma),
            derivative(lambda beta: layer.loss(layer.X, layer.gamma, beta), layer.beta),
        ),
    )


def _f2(c: Case) -> Evidence:
    layer = _Layer(c)
    dX_c = c.rng.normal(size=layer.X.shape) @ layer.C
    exact = np.imag(layer.deviation(layer.X_c + 1e-30j * dX_c)) / 1e-30
    return Evidence(lambda: (layer.X_n * dX_c) @ layer.J / layer.m, exact)


def _f3(c: Case) -> Evidence:
    layer = _Layer(c)
    exact = jacobian(lambda X_c: X_c / layer.deviation(X_c), layer.X_c)
    return Evidence(lambda: exact.T, exact)


def _f4(c: Case) -> Evidence:
    layer = _Layer(c)

    def claimed() -> Array:
        gamma = np.outer(layer.gamma, np.ones(layer.m))
        inner = layer.D @ layer.C - layer.X_n * ((layer.X_n * layer.D) @ layer.J) / layer.m
        gradient: Array = 1 / layer.X_s * gamma * inner
        return gradient

    return Evidence(claimed, layer.gradient_X())


def _f5(c: Case) -> Evidence:
    layer = _Layer(c)

    def claimed() -> Array:
        grad_X_n = layer.gamma[:, None] * layer.D
        row_mean = grad_X_n.mean(axis=1, keepdims=True)
        along_X_n = (grad_X_n * layer.X_n).mean(axis=1, keepdims=True)
        gradient: Array = (grad_X_n - row_mean - layer.X_n * along_X_n) / layer.X_s
        return gradient

    return Evidence(claimed, layer.gradient_X())


CLAIMS = (
    Claim("F1", "∇γ = (X_n∘∇X̂)1, ∇β = ∇X̂·1", _f1),
    Claim("F2", "dX_s = m⁻¹(X_n∘dX_c)J, also with eps > 0", _f2),
    Claim("F3", "the Jacobian of X_n by X_c is symmetric", _f3),
    Claim("F4", "∇X = X_s^{∘-1}∘(γ1ᵀ)∘(∇X̂·C - m⁻¹X_n∘((X_n∘∇X̂)J))", _f4),
    Claim("F5", "the compact backward code: gradient, less its row mean, less X_n times its row mean with X_n", _f5),
)
