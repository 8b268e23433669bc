"""The derivation that divides the variance by m - 1, node by node."""

from collections.abc import Callable
from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.forum.claims.case import Case, batch_norm, derivative
from matbn.forum.claims.claim import Claim, Evidence

SOURCE = "derivation with m - 1"


class _Node:
    """The case's first node, in the derivation's symbols; its loss is L = Σ D_i y_i."""

    def __init__(self, c: Case) -> None:
        self.x, self.D, self.eps = c.Z[:, 0], c.D[:, 0], c.eps
        self.gamma, self.beta = float(c.gamma[0]), float(c.beta[0])
        self.m = c.N
        self.mu = self.x.mean()
        self.variance = self.x.var(ddof=1)
        self.s = np.sqrt(self.variance + self.eps)
        self.x_hat = (self.x - self.mu) / self.s
        self.D_hat = self.gamma * self.D  # ∂L/∂x̂

    def loss(self, x: Array, mu: Array | float, variance: Array | float) -> Any:
        """Return L with the mean and variance held fixed at the given values."""
        x_hat = (x - mu) / np.sqrt(variance + self.eps)
        return self.D @ (self.gamma * x_hat + self.beta)

    def gradient(self) -> Array:
        """Return ∂L/∂x through mean and variance, by complex steps."""

        def loss(x: Array) -> Any:
            Y = batch_norm(x[:, None], np.array([self.gamma]), np.array([self.beta]), 1, self.eps)
            return self.D @ Y[:, 0]

        return derivative(loss, self.x)

    def closing_line(self, last_sum: Array | float) -> Array:
        """Return γ/(ms)·(m·D_i - Σ D_j - m/(m - 1)·x̂_i·last_sum)."""
        inner = self.m * self.D - self.D.sum() - self.m / (self.m - 1) * self.x_hat * last_sum
        gradient: Array = self.gamma / (self.m * self.s) * inner
        return gradient


def _e1(c: Case) -> Evidence:
    node = _Node(c)

    def claimed() -> Array:
        """Return the sum of the three ways from x_i to L, with 1/(m - 1) wherever the variance enters."""
        by_variance = np.sum(node.D_hat * (node.x - node.mu)) * -0.5 * node.s**-3
        by_mu = -np.sum(node.D_hat) / node.s
        through_variance = by_variance * 2 * (node.x - node.mu) / (node.m - 1)
        gradient: Array = node.D_hat / node.s + through_variance + by_mu / node.m
        return gradient

    return Evidence(claimed, node.gradient())


def _e2(c: Case) -> Evidence:
    node = _Node(c)
    one, zero = np.ones(1), np.zeros(1)
    return Evidence(
        lambda: (node.x - node.mu) * (np.sqrt(node.variance) + node.eps) ** -0.5,
        batch_norm(node.x[:, None], one, zero, 1, node.eps)[:, 0],
        (node.x - node.mu) * (node.variance + node.eps) ** -0.5,
    )


def _e3(c: Case) -> Evidence:
    node = _Node(c)
    by_mu = derivative(lambda mu: node.loss(node.x, mu[0], node.variance), np.array([node.mu]))

    def term(power: float) -> Array:
        return np.array([-np.sum(node.D_hat) * (node.variance + node.eps) ** power / node.m])

    return Evidence(lambda: term(0.5), by_mu / node.m, term(-0.5))


def _closing(last_sum: Callable[[_Node], Array | float]) -> Callable[[Case], Evidence]:
    def evidence(c: Case) -> Evidence:
        node = _Node(c)
        right = node.closing_line(np.sum(node.x_hat * node.D))
        return Evidence(lambda: node.closing_line(last_sum(node)), node.gradient(), right)

    return evidence


def _e6(c: Case) -> Evidence:
    node = _Node(c)

    def claimed() -> Array:
        by_variance = np.sum(node.D_hat * (node.x - node.mu)) * -0.5 * (node.variance + node.eps) ** -1.5
        return np.array([by_variance, 0.0])

    def variance(mu: Array) -> Any:
        return np.sum((node.x - mu[0]) ** 2) / (node.m - 1)

    exact = (
        derivative(lambda v: node.loss(node.x, node.mu, v[0]), np.array([node.variance])),
        derivative(variance, np.array([node.mu])),
    )
    return Evidence(claimed, np.concatenate(exact))


CLAIMS = (
    Claim("E1", "1/(m - 1) throughout: the derivation is consistent with d = m - 1", _e1),
    Claim("E2", "x̂ = (x - μ)(σ_B + ε)^{-1/2}", _e2, "σ_B² + ε is meant: x̂ = (x - μ)(σ_B² + ε)^{-1/2}."),
    Claim(
        "E3",
        "∂L/∂μ·∂μ/∂x_i = -(1/m)·Σ_j ∂L/∂x̂_j·(σ² + ε)^{1/2}",
        _e3,
        "The exponent is -1/2, as ∂x̂_j/∂μ = -(σ² + ε)^{-1/2}; the line before the last repeats the slip.",
    ),
    Claim(
        "E4",
        "closing line with the last sum Σ_j (x_j - μ)·∂L/∂y_i",
        _closing(lambda node: np.sum(node.x - node.mu) * node.D),
        "The sum is Σ_j x̂_j·∂L/∂y_j: the index of the gradient is j, and the deviation is divided by √(σ² + ε)."
        " As written it is 0, for deviations sum to 0.",
    ),
    Claim(
        "E5",
        "closing line with the last sum Σ_j (x_j - μ)·∂L/∂y_j",
        _closing(lambda node: np.sum((node.x - node.mu) * node.D)),
        "The sum is Σ_j x̂_j·∂L/∂y_j: without the division it is too large by the factor √(σ² + ε).",
    ),
    Claim("E6", "∂L/∂σ² = Σ_i ∂L/∂x̂_i·(x_i - μ)·(-1/2)(σ² + ε)^{-3/2}, and ∂σ²/∂μ = 0", _e6),
)
