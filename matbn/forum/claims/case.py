"""The random case on which claims are judged, and derivatives that use no formula.

`derivative` differentiates a definition by complex steps, one entry at a time. Verdicts depend only on it and
on the definitions below (batch norm, the net, the loss), and on nothing that matbn derives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.arguments import Array


@dataclass(frozen=True)
class Case:
    """A net with random data. It uses tanh, so that no verdict depends on a kink or on a slope of 0 or 1.

    For claims about the batch-norm layer alone, its input is Z = XΓ₁ and L = Σ D⊙Y is a loss with the
    upstream gradient ∂L/∂Y = D.
    """

    X: Array  # N × p1
    y: Array  # N
    Gamma1: Array  # p1 × p2
    gamma: Array  # p2
    beta: Array  # p2
    Gamma2: Array  # p2
    D: Array  # N × p2
    eps: float  # for sources that add one to the variance
    rng: np.random.Generator  # for the random numbers of single claims

    @property
    def N(self) -> int:
        """Number of samples."""
        return len(self.X)

    @property
    def Z(self) -> Array:
        """Return XΓ₁."""
        return self.X @ self.Gamma1

    def fitted(self, Z: Array, gamma: Array, beta: Array) -> Array:
        """Return ŷ = tanh(b(Z))Γ₂ under the question's convention (ddof 1, eps 0)."""
        fitted: Array = np.tanh(batch_norm(Z, gamma, beta, 1, 0.0)) @ self.Gamma2
        return fitted

    def loss(self, Gamma1: Array | None = None, gamma: Array | None = None, beta: Array | None = None) -> Any:
        """Return R = ‖y - ŷ‖²/N, with some parameters replaced."""
        e = self.y - self.fitted(
            self.X @ (self.Gamma1 if Gamma1 is None else Gamma1),
            self.gamma if gamma is None else gamma,
            self.beta if beta is None else beta,
        )
        return e @ e / self.N

    @property
    def B(self) -> Array:
        """Return b(XΓ₁)."""
        return batch_norm(self.Z, self.gamma, self.beta, 1, 0.0)

    @property
    def H(self) -> Array:
        """Return the normalised layer, R's scale(XΓ₁)."""
        return batch_norm(self.Z, np.ones_like(self.gamma), np.zeros_like(self.beta), 1, 0.0)

    @property
    def sigma(self) -> Array:
        """Return the nodes' standard deviations, R's sd."""
        sigma: Array = self.Z.std(axis=0, ddof=1)
        return sigma

    @property
    def e(self) -> Array:
        """Return the residuals y - ŷ."""
        return self.y - self.fitted(self.Z, self.gamma, self.beta)

    @property
    def stub(self) -> Array:
        """Return a′(b(XΓ₁))⊙(-2eΓ₂ᵀ), as the question writes it, without 1/N."""
        stub: Array = tanh_slope(self.B) * np.outer(-2 * self.e, self.Gamma2)
        return stub

    @property
    def W(self) -> Array:
        """Return ∂R/∂B, the stub with its 1/N."""
        W: Array = self.stub / self.N
        return W


def draw_case(seed: int) -> Case:
    """Draw sizes, data and parameters."""
    rng = np.random.default_rng(seed)
    N, p1, p2 = int(rng.integers(10, 16)), int(rng.integers(4, 7)), int(rng.integers(2, 5))
    p2 = min(p2, p1)
    X = rng.normal(1.0, 2.0, (N, p1))
    return Case(
        X,
        rng.normal(size=N),
        rng.normal(size=(p1, p2)),
        rng.uniform(0.5, 2.0, p2),
        rng.normal(size=p2),
        rng.normal(size=p2),
        rng.normal(size=(N, p2)),
        float(rng.uniform(0.1, 1.0)),
        rng,
    )


def batch_norm(Z: Array, gamma: Array, beta: Array, ddof: int, eps: float) -> Array:
    """Return batch norm by its definition, samples in rows."""
    deviation = Z - Z.sum(axis=0) / len(Z)
    variance = (deviation * deviation).sum(axis=0) / (len(Z) - ddof)
    scaled: Array = gamma * (deviation / np.sqrt(variance + eps)) + beta
    return scaled


def tanh_slope(B: Array) -> Array:
    """Return the derivative of tanh."""
    slope: Array = 1 / np.cosh(B) ** 2
    return slope


def derivative(f: Callable[[Array], Any], A: Array) -> Array:
    """Return ∂f/∂A entry by entry, by complex steps; f is scalar and the result has A's shape."""
    step = 1e-30
    result = np.empty(np.shape(A))
    for index in np.ndindex(result.shape):
        A_step = np.array(A, dtype=complex)
        A_step[index] += 1j * step
        result[index] = np.imag(f(A_step)) / step
    return result


def jacobian(f: Callable[[Array], Array], A: Array) -> Array:
    """Return ∂vec f/∂vec(A)ᵀ by complex steps, vec stacking columns."""
    step = 1e-30
    columns = []
    for index in np.ndindex(np.shape(A)[::-1]):
        A_step = np.array(A, dtype=complex)
        A_step[index[::-1]] += 1j * step
        columns.append(np.imag(f(A_step)).ravel(order="F") / step)
    return np.array(columns).T
