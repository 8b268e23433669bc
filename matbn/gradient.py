"""The exact gradient of the loss in matrix form, and the choice among its derivations.

With e = y - ŷ and W = -(2/N)·(eΓ₂ᵀ)⊙a′(B), by Theorems 1 and 3 of docs/answer.md:

    ∂R/∂Γ₂ = -(2/N) Vᵀe
    ∂R/∂β  = Wᵀ1
    ∂R/∂γ  = diag(HᵀW) = (H⊙W)ᵀ1
    ∂R/∂Z  = (CW - H·diag(HᵀW)/d)·diag(γ/s)
    ∂R/∂Γ₁ = (CX)ᵀ ∂R/∂Z

A plain net has ∂R/∂Z = W and ∂R/∂Γ₁ = XᵀW. Where one row is far from all others, the terms of (CX)ᵀ ∂R/∂Z cancel, so
`matbn.stream.layer.by_parameters` computes ∂R/∂Γ₁ from (CX)ᵀW. docs/derivations.md leads from the question's formulas
to these functions.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from matbn.activation import Activation, evaluate, may_have_kinks
from matbn.arguments import Array, as_choice
from matbn.conditioning import has_zeros, rounding_of_nodes, warn_of_rounding
from matbn.derivations import frechet, graph, kronecker, loop, sums
from matbn.errors import ArgumentError, ElementTypeError
from matbn.memory import check_memory
from matbn.network import forward, mean_square
from matbn.parameters import Net, NetGradient, as_finite, as_net, as_outcome, is_complex
from matbn.stream.layer import by_parameters, chain_of_rows
from matbn.stream.one_off import one_off_gradient

_MANY_ROWS = 256  # from this many rows on, going through blocks takes less time than whole matrices


@np.errstate(all="ignore")
def net_gradient(
    X: ArrayLike,
    y: ArrayLike,
    Gamma1: ArrayLike,
    gamma: ArrayLike | None,
    beta: ArrayLike | None,
    Gamma2: ArrayLike,
    activation: str | Activation = "relu",
    ddof: float = 1,
    eps: float = 0.0,
    route: str = "matrix",
) -> NetGradient:
    """Return R = ‖y - ŷ‖²/N and its exact gradient, through the batch's mean and variance.

    Parameters
    ----------
    X, Gamma1, gamma, beta, Gamma2, activation, ddof, eps
        As in `net_forward`; y holds N outcomes.
    route
        "matrix" is the one to use; it goes through many rows block by block, as "stream" does through any number.
        "loop", "kronecker", "frechet", "graph" and "sums" are independent derivations of the same gradient, for
        study and for checking: see `matbn.derivations`.

    Returns
    -------
    A `NetGradient` with `.loss`, `.Gamma1` (p1 × p2), `.gamma`, `.beta` and `.Gamma2` (p2 each); `.gamma`
    and `.beta` are None where the argument is.

    Raises
    ------
    The errors of `net_forward`.
    """
    as_choice("route", route, tuple(ROUTES))
    net = as_net(X, Gamma1, gamma, beta, Gamma2, activation, ddof, eps)
    y = as_outcome(y, net)
    if route in DERIVATIONS:
        if is_complex(net, y):
            raise ElementTypeError(f"route {route!r} takes real numbers only; use route='matrix' for complex steps")
        net = _for_derivation(net, route)
    return as_finite(ROUTES[route](net, y))


def _for_derivation(net: Net, route: str) -> Net:
    """Return the net as derivations need it: with nodes that vary, centred inputs, and squares in float64's range."""
    N, p2 = len(net.X), len(net.parameters.Gamma2)
    if route == "kronecker":
        check_memory(f"route 'kronecker' with Jacobians of {p2} × {N:,} × {N:,} entries", 3 * p2 * N**2, "take another")
    layers = forward(net)
    evaluate(net.activation, "slope", layers.B)  # refuses what derivations, which do not check it, cannot use
    if layers.normalised is None:
        return net
    s = layers.normalised.s
    if not ((s > 1e-140) & (s < 1e140)).all():
        raise ArgumentError(
            f"route {route!r} squares the nodes' values, and the squares leave float64's range here;"
            " use route='matrix', or rescale X"
        )
    activation = net.activation
    if may_have_kinks(activation) and has_zeros(net.parameters.beta):
        noise = rounding_of_nodes(layers.kappa, net.parameters.gamma, net.parameters.beta)  # type: ignore[arg-type]
        activation = _with_zeros(activation, noise.max())
    return replace(net, X=layers.X, activation=activation)


def _with_zeros(activation: Activation, noise: float) -> Activation:
    """Return the activation that takes values of B up to `noise` in size as 0."""

    def of(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
        return lambda B: function(np.where(np.abs(B) <= noise, 0.0, B))

    return Activation(activation.name, of(activation.value), of(activation.slope), of(activation.curvature))


def gradient(net: Net, y: Array) -> NetGradient:
    """Return loss and gradient of a checked net, in blocks of rows where there are many."""
    return streamed_gradient(net, y) if len(y) >= _MANY_ROWS else gradient_in_memory(net, y)


def streamed_gradient(net: Net, y: Array) -> NetGradient:
    """Return loss and gradient in blocks of rows, however few there are."""
    return one_off_gradient(net, y) or gradient_in_memory(net, y)


def gradient_in_memory(net: Net, y: Array) -> NetGradient:
    """Return loss and gradient by the equations at the top of this module, with every layer in memory."""
    layers = forward(net)
    parameters = net.parameters
    e = y - layers.fitted
    W = np.outer(-2 / len(y) * e, parameters.Gamma2) * evaluate(net.activation, "slope", layers.B)
    if layers.normalised is None:
        dGamma1, dgamma, dbeta = layers.X.T @ W, None, W.sum(axis=0)
    else:
        warn_of_rounding(layers.kappa)  # type: ignore[arg-type]
        chain = chain_of_rows(layers.X, layers.normalised, parameters, net.eps)
        dGamma1, dgamma, dbeta = by_parameters(layers.X.T @ W, W.sum(axis=0), chain, parameters)
    return NetGradient(
        Gamma1=dGamma1,
        gamma=dgamma,
        beta=None if parameters.beta is None else dbeta,
        Gamma2=-2 / len(y) * (layers.V.T @ e),
        loss=mean_square(e),
    )


DERIVATIONS: dict[str, Callable[[Net, Array], NetGradient]] = {
    "loop": loop.gradient,
    "kronecker": kronecker.gradient,
    "frechet": frechet.gradient,
    "graph": graph.gradient,
    "sums": sums.gradient,
}
ROUTES = {"matrix": gradient, **DERIVATIONS, "stream": streamed_gradient}
