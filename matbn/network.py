"""The net ŷ = a(b(XΓ₁))Γ₂ of one hidden layer: forward pass, loss, and the plain net it folds to.

gamma=None gives the plain net ŷ = a(XΓ₁ + 1βᵀ)Γ₂, and beta=None in addition leaves out its bias. Neither
net has an output bias.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from matbn.activation import Activation, evaluate, may_have_kinks
from matbn.arguments import Array, finite_result
from matbn.batchnorm import UNIT_ROUNDOFF, Normalised, centre, normalise_centred
from matbn.conditioning import amplification, has_zeros, rounding_of_nodes
from matbn.errors import ArgumentError
from matbn.parameters import Net, Parameters, as_net, as_outcome


@dataclass(frozen=True)
class NetForward:
    """One forward pass over N samples, with every layer."""

    fitted: Array  # N, ŷ = VΓ₂
    V: Array  # N × p2, a(B)
    B: Array  # N × p2, what enters the activation
    X: Array  # N × p1, the inputs; with batch norm CX, so that ∂R/∂Γ₁ = (CX)ᵀ ∂R/∂Z keeps more digits
    normalised: Normalised | None  # H, s and d; None in a plain net
    kappa: Array | None  # p2, how much rounding grows in each node (see `matbn.conditioning`); None in a plain net


@np.errstate(all="ignore")
def net_forward(
    X: ArrayLike,
    Gamma1: ArrayLike,
    gamma: ArrayLike | None,
    beta: ArrayLike | None,
    Gamma2: ArrayLike,
    activation: str | Activation = "relu",
    ddof: float = 1,
    eps: float = 0.0,
) -> NetForward:
    """Return the fitted values ŷ = a(b(XΓ₁))Γ₂ and the layers on the way to them.

    Parameters
    ----------
    X
        N × p1 inputs, one sample a row.
    Gamma1, gamma, beta, Gamma2
        First-layer weights (p1 × p2), batch-norm scale and shift (p2 each), output weights (p2).
        gamma=None gives a plain net with bias beta, or without bias where beta is None too.
    activation
        A name in `matbn.ACTIVATIONS`, or an `Activation`.
    ddof, eps
        Batch norm divides by √(variance + eps), the variance being a sum of squares over N - ddof.

    Raises
    ------
    ShapeError, NotFiniteError, ElementTypeError, ArgumentError
        An argument does not fit.
    VarianceError
        N < 2, N <= ddof, or a node is constant and eps = 0.
    """
    return forward(as_net(X, Gamma1, gamma, beta, Gamma2, activation, ddof, eps))


@np.errstate(all="ignore")
def net_loss(
    X: ArrayLike,
    y: ArrayLike,
    Gamma1: ArrayLike,
    gamma: ArrayLike | None,
    beta: ArrayLike | None,
    Gamma2: ArrayLike,
    activation: str | Activation = "relu",
    ddof: float = 1,
    eps: float = 0.0,
) -> float:
    """Return R = ‖y - ŷ‖²/N for N outcomes y; arguments and errors as in `net_forward`.

    Complex arguments give a complex R, for complex-step derivatives.
    """
    net = as_net(X, Gamma1, gamma, beta, Gamma2, activation, ddof, eps)
    loss = mean_square(as_outcome(y, net) - forward(net).fitted)
    finite_result("R", np.asarray(loss))
    return loss


@np.errstate(all="ignore")
def fold(
    X: ArrayLike,
    Gamma1: ArrayLike,
    gamma: ArrayLike,
    beta: ArrayLike,
    Gamma2: ArrayLike,
    ddof: float = 1,
    eps: float = 0.0,
) -> Parameters:
    """Return the plain net that equals the batch-normalised one with the statistics of X.

    Its weights are A = Γ₁·diag(γ/s), its bias c = β - Aᵀx̄ and its output weights Γ₂, so that
    net_forward(X, A, None, c, Γ₂) has the same fitted values for the same activation, and at new rows it
    predicts with X's statistics held fixed.
    """
    if gamma is None or beta is None:
        raise ArgumentError("gamma or beta is None: a plain net has nothing to fold")
    net = as_net(X, Gamma1, gamma, beta, Gamma2, "identity", ddof, eps)
    centred, mean = centre(net.X)
    gamma = np.asarray(net.parameters.gamma)
    weights = net.parameters.Gamma1 / _normalise(centred, net).s * gamma  # γ/s alone may underflow
    bias = np.asarray(net.parameters.beta) - mean @ weights
    folded = Parameters(weights, None, bias, net.parameters.Gamma2)
    finite_result("the folded net", folded.theta)
    return folded


def forward(net: Net) -> NetForward:
    """Return the forward pass of a checked net."""
    parameters = net.parameters
    if parameters.gamma is None:
        X, normalised, kappa = net.X, None, None
        B = finite_result("X @ Gamma1", X @ parameters.Gamma1)  # a rectifier would hide an overflow below 0
        if parameters.beta is not None:
            B = B + parameters.beta
    else:
        X, _ = centre(net.X)
        normalised = _normalise(X, net)
        B = normalised.H * parameters.gamma + parameters.beta
        kappa = _amplification(X, parameters.Gamma1, normalised)
        if may_have_kinks(net.activation) and has_zeros(parameters.beta):  # rounding alone becomes 0
            B.real[np.abs(B.real) <= rounding_of_nodes(kappa, parameters.gamma, parameters.beta)] = 0
    V = evaluate(net.activation, "value", B)
    return NetForward(finite_result("the fitted values", V @ parameters.Gamma2), V, B, X, normalised, kappa)


def _amplification(X: Array, Gamma1: Array, normalised: Normalised) -> Array:
    """Return κ of each node, given the centred rows X; 0 where it overflows."""
    sizes = np.sqrt(np.einsum("ik,ik->k", X, X.conj()).real) @ np.abs(Gamma1)
    kappa = amplification(sizes, 1 / np.abs(normalised.s), normalised.d)
    return kappa if math.isfinite(kappa @ kappa) else np.where(np.isfinite(kappa), kappa, 0)


def mean_square(e: Array) -> float:
    """Return eᵀe/N, without conjugation where e is complex."""
    return np.dot(e, e) / len(e)  # type: ignore[no-any-return]


def _normalise(centred: Array, net: Net) -> Normalised:
    """Return the normalised layer of CX·Γ₁, which keeps digits that XΓ₁ would lose to large means."""
    Gamma1 = net.parameters.Gamma1
    # Rounding in the product leaves noise of this size in a node that is constant in exact arithmetic.
    size = np.max(np.abs(centred), axis=0) @ np.abs(Gamma1)
    noise = 4 * UNIT_ROUNDOFF * len(Gamma1) * size
    return normalise_centred(centred @ Gamma1, net.d, net.eps, noise, "X @ Gamma1")
