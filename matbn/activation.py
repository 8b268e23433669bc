"""Activations a(b), each with its first and second derivative.

At a kink the derivative is the left one: relu′(0) = 0 and leaky_relu′(0) = 0.01, as PyTorch has it, and a″ is 0 there.
docs/engine.md says which values of B count as 0. Every function also takes complex arrays: it is continued analytically
from the real line (a rectifier by the sign of the real part), so that complex-step derivatives are exact.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import erfc

from matbn.arguments import Array, as_flag, as_number, as_text
from matbn.errors import ArgumentError, ElementTypeError, ShapeError

LEAKY_SLOPE = 0.01
_NEAR_0 = 1e-9


@dataclass(frozen=True, eq=False)
class Activation:
    """An activation, applied entry by entry; pass your own to any function that takes `activation`."""

    name: str
    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    curvature: Callable[[Array], Array]
    odd: bool = False  # whether a(-b) = -a(b), so that a node and its mirror image are the same
    homogeneous: bool = False  # whether a(cb) = c·a(b) for c > 0, so that a scale can move from γ to Γ₂
    jump: float | None = None  # of a′ at 0, the only place where it jumps; None where nothing is known

    def __reduce__(self) -> Any:
        """Pickle a built-in activation by its name, and a user's by its parts, which must be functions that pickle."""
        parts = (self.name, self.value, self.slope, self.curvature, self.odd, self.homogeneous, self.jump)
        return (as_activation, (self.name,)) if is_built_in(self) else (Activation, parts)


def _positive(b: Array) -> Array:
    return np.real(b) > 0


def _zero(b: Array) -> Array:
    return np.zeros_like(b)


relu = Activation(
    "relu",
    value=lambda b: np.where(np.real(b) <= 0, 0, b),  # in this order NaN stays NaN
    slope=lambda b: np.where(_positive(b), 1.0, 0.0),
    curvature=_zero,
    homogeneous=True,
    jump=1.0,
)

leaky_relu = Activation(
    "leaky_relu",
    value=lambda b: np.where(_positive(b), b, LEAKY_SLOPE * b),
    slope=lambda b: np.where(_positive(b), 1.0, LEAKY_SLOPE),
    curvature=_zero,
    homogeneous=True,
    jump=1 - LEAKY_SLOPE,
)


def _tanh_slope(b: Array) -> Array:
    decay = _decay(2 * b)  # keeps its digits where 1 - tanh² cancels
    slope: Array = 4 * decay / (1 + decay) ** 2
    return slope


tanh = Activation(
    "tanh", value=np.tanh, slope=_tanh_slope, curvature=lambda b: -2 * np.tanh(b) * _tanh_slope(b), odd=True, jump=0.0
)


def _decay(b: Array) -> Array:
    """Return exp(-|b|), which never overflows."""
    return np.exp(np.where(_positive(b), -b, b))


def _logistic(b: Array) -> Array:
    decay = _decay(b)
    value: Array = np.where(_positive(b), 1, decay) / (1 + decay)
    return value


def _logistic_slope(b: Array) -> Array:
    decay = _decay(b)
    slope: Array = decay / (1 + decay) ** 2
    return slope


def _logistic_curvature(b: Array) -> Array:
    curvature: Array = _logistic_slope(b) * (1 - 2 * _logistic(b))
    return curvature


logistic = Activation("logistic", _logistic, _logistic_slope, _logistic_curvature, jump=0.0)

softplus = Activation(
    "softplus",
    value=lambda b: relu.value(b) + np.log1p(_decay(b)),
    slope=_logistic,
    curvature=_logistic_slope,
    jump=0.0,
)


def _normal_cdf(b: Array) -> Array:
    return np.asarray(0.5 * erfc(-b / np.sqrt(2)))


def _normal_density(b: Array) -> Array:
    return np.asarray(np.exp(-(b**2) / 2) / np.sqrt(2 * np.pi))


gelu = Activation(
    "gelu",
    value=lambda b: b * _normal_cdf(b),
    slope=lambda b: _normal_cdf(b) + b * _normal_density(b),
    curvature=lambda b: 2 * _normal_density(b) - b * (b * _normal_density(b)),  # b² alone may overflow
    jump=0.0,
)

sine = Activation("sine", np.sin, np.cos, lambda b: -np.sin(b), odd=True, jump=0.0)

identity = Activation("identity", lambda b: b, np.ones_like, _zero, odd=True, homogeneous=True, jump=0.0)

ACTIVATIONS = {a.name: a for a in (relu, leaky_relu, tanh, logistic, softplus, gelu, sine, identity)}


def is_built_in(activation: Activation) -> bool:
    """Return whether an activation is one of matbn's own, and not a user's, of which nothing may be assumed."""
    return activation is ACTIVATIONS.get(activation.name)


def may_have_kinks(activation: Activation) -> bool:
    """Return whether a′ may jump: in a rectifier, and in a user's activation that gives no `jump`."""
    return activation.jump != 0


def as_activation(activation: str | Activation) -> Activation:
    """Return the activation of that name, or the given one as it is."""
    if isinstance(activation, Activation):
        as_text("an activation's name", activation.name)
        for part in ("value", "slope", "curvature"):
            if not callable(getattr(activation, part)):
                raise ElementTypeError(
                    f"{part} of activation {activation.name!r} is a {type(getattr(activation, part)).__name__}, but"
                    " must be a function"
                )
        _check_facts(activation)
        return activation
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ArgumentError(
            f"activation is {activation!r}, but must be one of {', '.join(ACTIVATIONS)}, or an Activation"
        )
    return ACTIVATIONS[activation]


def _check_facts(activation: Activation) -> None:
    """Refuse what a user's activation says of itself if it is not so at some points, for fits rely on it."""
    if is_built_in(activation):
        return
    what = f"activation {activation.name!r}"
    odd, homogeneous = (
        as_flag(f"odd of {what}", activation.odd),
        as_flag(f"homogeneous of {what}", activation.homogeneous),
    )
    b = np.array([[-2.5, -1.0, -0.3, 0.3, 1.0, 2.5]])
    if odd and not np.allclose(evaluate(activation, "value", -b), -evaluate(activation, "value", b)):
        raise ArgumentError(f"{what} is said to be odd, but a(-b) is not -a(b)")
    if homogeneous and not np.allclose(evaluate(activation, "value", 2 * b), 2 * evaluate(activation, "value", b)):
        raise ArgumentError(f"{what} is said to be homogeneous, but a(2b) is not 2a(b)")
    if activation.jump is not None:
        left, right = evaluate(activation, "slope", np.array([[-_NEAR_0, _NEAR_0]]))[0]
        if not np.isclose(right - left, as_number(f"jump of {what}", activation.jump), atol=1e-6):
            raise ArgumentError(
                f"{what} is said to have the jump {activation.jump:g}, but its slope jumps by {right - left:g}"
            )


def evaluate(activation: Activation, part: str, B: Array) -> Array:
    """Return a part ("value", "slope" or "curvature") of an activation at B; a user's function is checked."""
    given = B.view()
    given.flags.writeable = False  # a function that writes into its argument would change B
    function = getattr(activation, part)
    if is_built_in(activation):
        built_in: Array = function(given)
        return built_in
    what = f"{part} of activation {activation.name!r}"
    try:
        result = function(given)
    except Exception as error:  # whatever the user's function raises becomes the cause
        raise ArgumentError(f"{what} stops with {type(error).__name__}: {error}") from error
    if not isinstance(result, np.ndarray) or isinstance(result, np.ma.MaskedArray):
        raise ElementTypeError(f"{what} returns {type(result).__name__}, but must return an array of numbers")
    if result.dtype.kind not in "fciu":
        raise ElementTypeError(f"{what} returns elements of type {result.dtype}, not numbers")
    if result.dtype.kind == "c" and B.dtype.kind != "c":
        raise ElementTypeError(f"{what} returns complex numbers where its argument is real")
    if result.shape != B.shape:
        raise ShapeError(f"{what} returns shape {result.shape} for {B.shape}")
    return np.asarray(result)
