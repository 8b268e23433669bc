"""Checked data: a net with its inputs, its parameters, and its gradient; nothing is computed here."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from matbn.activation import Activation, as_activation
from matbn.arguments import Array, as_matrix, as_number, as_vector, finite_result, variance_divisor
from matbn.errors import ArgumentError, ShapeError


@dataclass(frozen=True, eq=False)
class Parameters:
    """Parameters of ŷ = a(b(XΓ₁))Γ₂, or of the plain net ŷ = a(XΓ₁ + 1βᵀ)Γ₂ where gamma is None."""

    Gamma1: Array  # p1 × p2, first-layer weights
    gamma: Array | None  # p2, batch-norm scale; None: no batch norm
    beta: Array | None  # p2, batch-norm shift, or a plain net's bias; None: no bias
    Gamma2: Array  # p2, output weights

    @property
    def theta(self) -> Array:
        """All entries as one vector θ = (vec Γ₁, γ, β, Γ₂), without what is None."""
        parts = (self.Gamma1.reshape(-1, order="F"), self.gamma, self.beta, self.Gamma2)
        return np.concatenate([part for part in parts if part is not None])

    def with_theta(self, theta: ArrayLike) -> "Parameters":
        """Return parameters of these shapes with the entries of the vector θ."""
        own = self.theta
        theta = as_vector("theta", theta, len(own), "(vec Gamma1, gamma, beta, Gamma2)")
        p1, p2 = self.Gamma1.shape
        pieces = iter(np.split(theta[p1 * p2 :], (len(own) - p1 * p2) // p2))
        return Parameters(
            theta[: p1 * p2].reshape((p1, p2), order="F"),
            None if self.gamma is None else next(pieces),
            None if self.beta is None else next(pieces),
            next(pieces),
        )


@dataclass(frozen=True, eq=False)
class NetGradient(Parameters):
    """The gradient of R = ‖y - ŷ‖²/N: each field holds ∂R/∂ of the parameter it is named after."""

    loss: float  # R itself


@dataclass(frozen=True, eq=False)
class Net:
    """A net with its inputs and conventions, checked; the functions on nets work on this."""

    X: Array  # N × p1
    parameters: Parameters
    activation: Activation
    d: float  # N - ddof, the divisor of the variance
    eps: float  # added to the variance


def as_parameters(Gamma1: ArrayLike, gamma: ArrayLike | None, beta: ArrayLike | None, Gamma2: ArrayLike) -> Parameters:
    """Return the parameters, their shapes checked against each other."""
    Gamma1 = as_matrix("Gamma1", Gamma1)
    p1, p2 = Gamma1.shape
    if p1 == 0 or p2 == 0:
        raise ShapeError(f"Gamma1 is {p1} × {p2}, but a net needs at least one input and one node")
    if gamma is not None and beta is None:
        raise ArgumentError("beta is None, but batch norm needs a shift; give zeros, or gamma=None for a plain net")
    meaning = f"one for each node, and Gamma1 is {p1} × {p2}"
    return Parameters(
        Gamma1,
        None if gamma is None else as_vector("gamma", gamma, p2, meaning),
        None if beta is None else as_vector("beta", beta, p2, meaning),
        as_vector("Gamma2", Gamma2, p2, meaning),
    )


def as_net(
    X: ArrayLike,
    Gamma1: ArrayLike,
    gamma: ArrayLike | None,
    beta: ArrayLike | None,
    Gamma2: ArrayLike,
    activation: str | Activation,
    ddof: float,
    eps: float,
) -> Net:
    """Return the net that the arguments of the public functions describe, checked."""
    X = as_matrix("X", X)
    parameters = as_parameters(Gamma1, gamma, beta, Gamma2)
    N, p1 = X.shape
    if p1 != len(parameters.Gamma1):
        raise ShapeError(f"X has {p1} columns, but Gamma1 has {len(parameters.Gamma1)} rows; they must be equal")
    if N == 0:
        raise ShapeError("X has no rows")
    eps = as_number("eps", eps, at_least=0)
    d = N - as_number("ddof", ddof, at_least=0) if gamma is None else variance_divisor(N, ddof)
    return Net(X, parameters, as_activation(activation), d, eps)


def as_finite(gradient: NetGradient) -> NetGradient:
    """Return a gradient as it is, or refuse it where it overflowed."""
    # A sum of squares is faster than a mask; where it overflows, `finite_result` looks at each entry.
    total = gradient.loss + np.vdot(gradient.Gamma1, gradient.Gamma1) + np.vdot(gradient.Gamma2, gradient.Gamma2)
    if gradient.beta is not None:
        total += np.vdot(gradient.beta, gradient.beta)
    if gradient.gamma is not None:
        total += np.vdot(gradient.gamma, gradient.gamma)
    if not math.isfinite(abs(total)):
        finite_result("R or its gradient", np.append(gradient.theta, gradient.loss))
    return gradient


def is_complex(net: Net, y: Array) -> bool:
    """Return whether anything in a net or its outcomes is complex, as complex-step derivatives need it."""
    return net.X.dtype.kind == "c" or y.dtype.kind == "c" or has_complex(net.parameters)


def has_complex(p: Parameters) -> bool:
    """Return whether any of the parameters is complex."""
    return (
        p.Gamma1.dtype.kind == "c"
        or p.Gamma2.dtype.kind == "c"
        or (p.gamma is not None and p.gamma.dtype.kind == "c")
        or (p.beta is not None and p.beta.dtype.kind == "c")
    )


def as_outcome(y: ArrayLike, net: Net) -> Array:
    """Return the outcomes, checked: one for each row of the inputs."""
    return as_vector("y", y, len(net.X), "one for each row of X")
