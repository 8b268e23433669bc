"""Check a gradient against derivatives that nobody wrote by hand.

Along a direction D the derivative of f at A is ⟨∂f/∂A, D⟩. It is measured by the complex step,

    Im f(A + ihD)/h,   h = 1e-30,

in which nothing cancels, where f takes complex arrays and is analytic; otherwise by fourth-order
central differences. Directions are random, each entry in units of its own size (or of a thousandth of the entries'
mean size, where it is smaller than that), so that an error in any entry that matters shows.

A complex step through |z|, a real part or a conjugate silently gives a wrong number, so it is used only
where differences confirm its first digits. At a kink (a rectifier at exactly 0) no
derivative exists, and neither does a meaningful check.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from matbn.arguments import Array, as_array, as_integer
from matbn.errors import ArgumentError, ElementTypeError, ShapeError
from matbn.memory import check_memory
from matbn.random_streams import Stream, generator

COMPLEX_STEP = "complex step"
CENTRAL_DIFFERENCES = "central differences"
# A complex step is off by about 1e-15 times the condition number of f; differences lose half the digits.
TOLERANCES = {COMPLEX_STEP: 1e-9, CENTRAL_DIFFERENCES: 1e-6}
_STEPS = (1e-2, 1e-3, 1e-4, 1e-5)


@dataclass(frozen=True)
class GradientCheck:
    """Result of `check_gradient`; prints as a small table."""

    method: str  # "complex step" or "central differences"
    errors: dict[str, float]  # largest relative error for each argument
    tolerance: float

    @property
    def ok(self) -> bool:
        """Whether every error is within the tolerance."""
        return all(error <= self.tolerance for error in self.errors.values())

    def __str__(self) -> str:
        """Return a headline and a line for each argument."""
        headline = f"gradient check by {self.method}: {'passed' if self.ok else 'FAILED'}"
        width = max(map(len, self.errors))
        lines = [
            f"  {name:<{width}}  relative error {error:.1e}{'' if error <= self.tolerance else '  <-- wrong'}"
            for name, error in self.errors.items()
        ]
        return "\n".join([f"{headline} (tolerance {self.tolerance:g})", *lines])


def check_gradient(
    f: Callable[..., Any], gradient: Any, at: Any, *, directions: int = 8, seed: int = 0
) -> GradientCheck:
    """Compare a gradient of the scalar function f with its measured derivatives.

    Parameters
    ----------
    f
        Function with a real value. Where it also takes complex arrays, the check is exact to rounding.
    gradient
        Function of the same arguments that returns the gradient, or its value at `at`.
    at
        Where to check: one array, for f(A); a tuple of arrays, for f(A, B); or a dictionary, for f(a=A, b=B).
        The gradient has the same form; for a dictionary it may also be an object with such attributes.
    directions, seed
        How many random directions for each argument, and the seed that draws them.

    Returns
    -------
    A `GradientCheck` with `.ok`, `.method` and `.errors`: for each argument the largest difference between
    ⟨gradient, D⟩ and the measured derivative, relative to the size of the gradient in units of the argument
    (or of 1e-4·|f|, where the gradient is smaller than that).

    Raises
    ------
    ArgumentError, ShapeError
        f is not a finite real scalar at `at`, or the gradient's form or shapes are not those of `at`.

    Examples
    --------
    >>> check_gradient(lambda A: (A**3).sum(), lambda A: 3 * A**2, [[1.0, 2.0], [3.0, 4.0]]).ok
    True
    """
    if not callable(f):
        raise ElementTypeError(f"f is of type {type(f).__name__}, but must be a function")
    call, arguments = _arguments(f, at)
    if not arguments:
        raise ArgumentError("at is empty: there is nothing to check")
    claimed = _claimed_gradient(gradient, at, arguments)
    value = _value_at(call, arguments)
    rng = generator(as_integer("seed", seed), Stream.DIRECTIONS)
    count = as_integer("directions", directions, at_least=1)
    numbers = sum(A.size for A in arguments.values())
    check_memory(f"{count:,} directions of {numbers:,} numbers", count * (numbers + 16), "take fewer directions")
    probes = {name: [rng.standard_normal(A.shape) * _unit(A) for _ in range(count)] for name, A in arguments.items()}

    differences = {
        name: [_central_difference(call, arguments, name, D) for D in drawn] for name, drawn in probes.items()
    }
    with np.errstate(all="ignore"):  # `_error_scale` refuses what overflows
        sizes = {name: _error_scale(name, claimed[name] * _unit(A), value) for name, A in arguments.items()}
    measured = _complex_steps(call, arguments, probes)
    method = COMPLEX_STEP
    if measured is None or not _agree(measured, differences, sizes):
        measured, method = differences, CENTRAL_DIFFERENCES
    errors = {name: _largest_error(probes[name], measured[name], claimed[name], sizes[name]) for name in arguments}
    return GradientCheck(method, errors, TOLERANCES[method])


def _arguments(f: Callable[..., Any], at: Any) -> tuple[Callable[[dict[str, Array]], Any], dict[str, Array]]:
    """Return f as a function of a dictionary, and that dictionary."""
    if isinstance(at, Mapping):
        named = {str(name): _real(str(name), A) for name, A in at.items()}
        return lambda arguments: f(**_copies(arguments)), named
    if isinstance(at, tuple):
        numbered = {f"argument {i}": _real(f"argument {i}", A) for i, A in enumerate(at, start=1)}
        return lambda arguments: f(*_copies(arguments).values()), numbered
    return lambda arguments: f(arguments["at"].copy()), {"at": _real("at", at)}


def _copies(arguments: dict[str, Array]) -> dict[str, Array]:
    """Return the arguments as arrays that a function may write into."""
    return {name: A.copy() for name, A in arguments.items()}


def _real(name: str, value: ArrayLike) -> Array:
    array = as_array(name, value)
    if np.iscomplexobj(array):
        raise ElementTypeError(f"{name} is complex, but gradients are checked along real directions only")
    return array


def _claimed_gradient(gradient: Any, at: Any, arguments: dict[str, Array]) -> dict[str, Array]:
    """Return the gradient as a dictionary with the arguments' names and shapes."""
    if callable(gradient):
        gradient = gradient(**_copies(arguments)) if isinstance(at, Mapping) else gradient(*_copies(arguments).values())
    if isinstance(at, Mapping):
        parts = {name: _named_part(gradient, name) for name in arguments}
    elif isinstance(at, tuple):
        if not isinstance(gradient, tuple | list) or len(gradient) != len(at):
            raise ArgumentError(f"gradient must be a tuple of {len(at)} arrays, one for each argument of f")
        parts = dict(zip(arguments, gradient, strict=True))
    else:
        parts = {"at": gradient}
    checked = {}
    for name, part in parts.items():
        checked[name] = _real(f"gradient by {name}", part)
        if checked[name].shape != arguments[name].shape:
            raise ShapeError(
                f"gradient by {name} has shape {checked[name].shape}, but {name} has {arguments[name].shape}"
            )
    return checked


def _named_part(gradient: Any, name: str) -> ArrayLike:
    part = gradient.get(name) if isinstance(gradient, Mapping) else getattr(gradient, name, None)
    if part is None:
        raise ArgumentError(f"gradient has no entry {name!r}, which `at` has")
    return part  # type: ignore[no-any-return]


def _value_at(call: Callable[[dict[str, Array]], Any], arguments: dict[str, Array]) -> float:
    value = as_array("f(at)", call(arguments))
    if value.size != 1 or np.iscomplexobj(value):
        raise ArgumentError(f"f(at) is {value!r}, but must be one real number")
    return float(value.item())


def _unit(A: Array) -> Array:
    """Return the size in which each entry is varied: its own, or a thousandth of the mean size where it is near 0."""
    size = np.abs(A)
    return np.maximum(size, 1e-3 * size.mean() or 1.0) if A.size else size


def _error_scale(name: str, terms: Array, value: float) -> float:
    """Return what errors are measured against: the norm of the gradient in units of the argument, or 1e-4·|f|."""
    largest = float(np.max(np.abs(terms), initial=0.0))
    norm = largest * float(np.linalg.norm(terms / largest)) if 0 < largest < np.inf else largest
    size = max(norm, 1e-4 * abs(value))
    if not np.isfinite(size) or 0 < size < 1e-290:
        raise ArgumentError(f"the gradient by {name} times {name} is out of float64's range; rescale the problem")
    return size


def _with_step(arguments: dict[str, Array], name: str, step: Array) -> dict[str, Array]:
    return {**arguments, name: arguments[name] + step}


def _central_difference(
    call: Callable[[dict[str, Array]], Any], arguments: dict[str, Array], name: str, D: Array
) -> float:
    """Return the derivative along D, by the step length that agrees best with the next longer one."""

    def at_step(h: float) -> float:
        f1, g1, f2, g2 = (_scalar(call(_with_step(arguments, name, k * h * D))).real for k in (1, -1, 2, -2))
        return (8 * (f1 - g1) - (f2 - g2)) / (12 * h)

    with np.errstate(all="ignore"):  # a long step may overflow, and is not chosen then
        estimates = [at_step(h) for h in _STEPS]
        changes = np.abs(np.diff(estimates))
    if not np.isfinite(changes).any():
        raise ArgumentError(f"f is not finite near {name}, so it has no derivative to measure there")
    return estimates[int(np.nanargmin(changes)) + 1]


def _complex_steps(
    call: Callable[[dict[str, Array]], Any], arguments: dict[str, Array], probes: dict[str, list[Array]]
) -> dict[str, list[float]] | None:
    """Return the derivatives by complex steps, or None where f does not take complex arrays."""
    h = 1e-30
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            return {
                name: [_scalar(call(_with_step(arguments, name, 1j * h * D))).imag / h for D in drawn]
                for name, drawn in probes.items()
            }
    except Exception:  # whatever f raises on complex arrays, it does not take them
        return None


def _scalar(value: Any) -> complex:
    return complex(np.asarray(value).item())


def _agree(measured: dict[str, list[float]], differences: dict[str, list[float]], sizes: dict[str, float]) -> bool:
    return all(np.allclose(measured[name], differences[name], rtol=1e-3, atol=1e-3 * sizes[name]) for name in measured)


def _largest_error(probes: list[Array], measured: list[float], claimed: Array, size: float) -> float:
    gaps = [abs(float(np.sum(claimed * D)) - m) for D, m in zip(probes, measured, strict=True)]
    return max(gaps) / max(size, np.finfo(float).tiny)
