"""Checks of what a user passes: each returns a usable value or raises an error that says what to do.

Integers, booleans and lower precisions become float64. Complex numbers stay complex, so that
complex-step derivatives go through every function. Arrays are never copied without need: a
Fortran-ordered, strided or read-only float64 array is used where it lies.
"""

import math
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from matbn.errors import ArgumentError, ElementTypeError, NotFiniteError, ShapeError, VarianceError
from matbn.files import check_length

FIRST_INDEX = 0  # messages count positions from here; in an R session `matbn.rbridge` sets it to 1

Array = NDArray[Any]  # float64, or complex128 where a derivative is taken by complex steps


def as_matrix(name: str, value: ArrayLike) -> Array:
    """Return `value` as a two-dimensional array of finite float64 or complex128."""
    if _is_ready(value, 2, name):
        return value
    array = _as_numbers(name, value)
    if array.ndim != 2:
        raise ShapeError(f"{name} has shape {array.shape}, but must be a matrix (two dimensions)")
    return _finite(name, array)


def as_vector(name: str, value: ArrayLike, length: int | None = None, meaning: str = "") -> Array:
    """Return `value` as a vector of finite numbers; it may also be a single row or column, or a scalar.

    `meaning` tells the reader of an error where the expected `length` comes from.
    """
    if _is_ready(value, 1, name) and len(value) == (len(value) if length is None else length):
        return value
    array = _as_numbers(name, value)
    if array.ndim > 2 or (array.ndim == 2 and 1 not in array.shape):
        raise ShapeError(f"{name} has shape {array.shape}, but must be a vector")
    array = array.reshape(-1)
    if length is not None and len(array) != length:
        because = f": {meaning}" if meaning else ""
        raise ShapeError(f"{name} has {len(array)} entries, but {length} are needed{because}")
    return _finite(name, array)


def as_array(name: str, value: ArrayLike) -> Array:
    """Return `value` as an array of finite numbers in any number of dimensions."""
    return _finite(name, _as_numbers(name, value))


def as_real(name: str, array: Array) -> Array:
    """Return a real array as it is, and refuse a complex one, which only functions for complex steps can use."""
    if array.dtype.kind == "c":
        raise ElementTypeError(f"{name} is complex, but must be real here; take its real part")
    return array


def as_number(name: str, value: object, at_least: float | None = None) -> float:
    """Return `value` as a finite float, no smaller than `at_least`."""
    if isinstance(value, np.ndarray) and value.size == 1 and not np.ma.is_masked(value):
        value = value.item()
    if type(value) is not float and (isinstance(value, bool) or not isinstance(value, Real)):
        raise ElementTypeError(f"{name} is {value!r}, but must be a real number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or (at_least is not None and number < at_least):
        bound = "" if at_least is None else f", {at_least:g} or larger"
        raise ArgumentError(f"{name} is {number!r}, but must be a finite number{bound}")
    return number


def as_integer(name: str, value: object, at_least: int = 0) -> int:
    """Return `value` as an integer, no smaller than `at_least`."""
    number = as_number(name, value)
    if not number.is_integer() or number < at_least:
        raise ArgumentError(f"{name} is {number:g}, but must be a whole number, {at_least} or larger")
    return int(value) if isinstance(value, Integral) else int(number)


def as_choice(name: str, value: object, choices: tuple[str, ...]) -> str:
    """Return `value` if it is one of `choices`."""
    if not isinstance(value, str) or value not in choices:
        raise ArgumentError(f"{name} is {value!r}, but must be one of {', '.join(map(repr, choices))}")
    return value


def as_flag(name: str, value: object) -> bool:
    """Return `value` if it is true or false."""
    if not isinstance(value, bool | np.bool_):
        raise ElementTypeError(f"{name} is {value!r}, but must be True or False")
    return bool(value)


def as_text(name: str, value: object) -> str:
    """Return `value` if it is text."""
    if not isinstance(value, str):
        raise ElementTypeError(f"{name} is {value!r}, but must be text")
    return value


def as_list(name: str, value: Any) -> list[Any]:
    """Return the entries of a sequence; one text or number is a list of one."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [value]
    try:
        return list(value)
    except TypeError:  # sparse arrays, for example, look iterable but are not
        raise ElementTypeError(f"{name} is a {type(value).__name__}, but must be a list") from None


def as_texts(name: str, value: Any) -> tuple[str, ...]:
    """Return the texts of a sequence, which must all differ."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ElementTypeError(f"{name} is {value!r}, but must be a sequence of texts")
    texts = tuple(as_text(f"an entry of {name}", entry) for entry in as_list(name, value))
    if len(set(texts)) < len(texts):
        twice = next(text for text in texts if texts.count(text) > 1)
        raise ArgumentError(f"{name} has {twice!r} more than once; give each entry a name of its own")
    return texts


def as_groups(name: str, labels: Any, N: int) -> tuple[Array, Array]:
    """Return the groups' sorted labels, and for each of N rows the position of its group among them (from 0)."""
    try:
        array = np.asarray(labels)
    except ValueError:  # lists of different lengths
        array = np.array(labels, object)
    if array.shape != (N,):
        raise ShapeError(f"{name} has shape {array.shape}, but must have one label for each of {N} rows")
    if array.dtype.kind in "US" and isinstance(labels, list | tuple):
        array = np.array(labels, object)  # else numbers in a list with texts would become texts
    missing = np.ma.getmaskarray(labels) if isinstance(labels, np.ma.MaskedArray) else _missing(array)
    if missing.any():
        bad = np.flatnonzero(missing)
        raise NotFiniteError(f"{name} has {len(bad)} missing labels, at {places(bad)}; drop those rows")
    try:
        if array.dtype.kind == "O":
            set(array.tolist())  # refuses lists, for example: they can be sorted, but not be looked up
        levels, codes = np.unique(array, return_inverse=True)
    except (TypeError, ValueError):
        kinds = ", ".join(sorted({type(label).__name__ for label in array.tolist()})[:4])
        raise ElementTypeError(
            f"{name} has labels without an order ({kinds}); make all of them text, or numbers"
        ) from None
    return levels, codes


def _missing(labels: Array) -> Array:
    """Return which labels are nan, NaT, None or pandas' NA."""
    if labels.dtype.kind == "O":
        return np.array([is_missing(label) for label in labels.tolist()], bool)
    if labels.dtype.kind in "fcmM":
        return np.isnan(labels) if labels.dtype.kind in "fc" else np.isnat(labels)
    return np.zeros(len(labels), bool)


def is_missing(label: object) -> bool:
    """Return whether a label is nan, NaT, None or pandas' NA."""
    try:
        return label is None or bool(label != label)
    except (TypeError, ValueError):  # a comparison with pandas' NA is NA; one of arrays has many answers
        return not isinstance(label, np.ndarray)


def finite_result(name: str, result: Array) -> Array:
    """Return a result as it is, or refuse it where it overflowed.

    Functions that end with this run under `numpy.errstate(all="ignore")`: an error says more than the
    warnings on the way to it.
    """
    if not (_surely_finite(result) or np.isfinite(result).all()):
        raise NotFiniteError(
            f"{name} would not be finite: the arguments are too large or too small for float64, or the activation"
            " does not return finite numbers; rescale the data"
        )
    return result


def shown_place(index: int) -> int:
    """Return a position as messages show it: counted from 0, or from 1 in R."""
    return index + FIRST_INDEX


def places(positions: Array) -> str:
    """Return the text that shows the first few positions (k indices, or k × 2 rows and columns) in a message."""
    shown = [", ".join(map(str, np.atleast_1d(position) + FIRST_INDEX)) for position in positions[:4]]
    if positions.ndim == 2 and positions.shape[1] > 1:
        shown = [f"({position})" for position in shown]
    return f"{', '.join(shown)}{', …' if len(positions) > 4 else ''} (counted from {FIRST_INDEX})"


def variance_divisor(N: int, ddof: object, name: str = "ddof") -> float:
    """Return d = N - ddof, by which a batch variance is divided; it must be positive, and N at least 2."""
    ddof = as_number(name, ddof, at_least=0)
    if N < 2:
        raise VarianceError(f"there are {N} samples, but batch norm needs at least 2 to have a variance")
    if ddof >= N:
        raise VarianceError(
            f"there are {N} samples and {name} is {ddof:g}, so the variance divisor N - {name} is not positive;"
            f" use more samples or a smaller {name}"
        )
    return N - ddof


def _as_numbers(name: str, value: ArrayLike) -> Array:
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        masked = int(np.ma.getmaskarray(value).sum())
        raise NotFiniteError(f"{name} has {masked} masked entries; drop or fill them first")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"{name} is not a rectangular array: {error}") from None
    check_length(name, array)
    if array.dtype == np.float64 or array.dtype == np.complex128:
        return array
    with np.errstate(over="ignore"):  # a long double may be too large; it is then refused as infinite
        if array.dtype.kind in "biuf":
            return array.astype(np.float64)
        if array.dtype.kind == "c":
            return array.astype(np.complex128)
    raise ElementTypeError(
        f"{name} holds {_kinds_of_entries(value, array)}, not numbers;"
        " convert it first, for example with numpy.asarray(..., dtype=float)"
    )


def _kinds_of_entries(value: object, array: Array) -> str:
    if array.ndim == 0:
        return f"one object of type {type(value).__name__}"
    if array.dtype == object:
        kinds = sorted({type(entry).__name__ for entry in array.flat})
        return f"Python objects ({', '.join(kinds[:4])})"
    return f"elements of type {array.dtype}"


def _is_ready(value: object, ndim: int, name: str) -> TypeGuard[Array]:
    """Return whether `value` can be used as it is; this usual case must cost next to nothing."""
    if type(value) is not np.ndarray or value.ndim != ndim or value.dtype.char != "d" or not value.dtype.isnative:
        return False
    check_length(name, value)
    return _surely_finite(value)


def _surely_finite(array: Array) -> bool:
    """Return whether a sum proves that all entries are finite; that is much faster than a mask, and rarely fails."""
    if array.size <= 10_000 and array.dtype.char == "d":
        return math.isfinite(np.vdot(array, array))
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()))


def _finite(name: str, array: Array) -> Array:
    if _surely_finite(array):
        return array
    bad = np.argwhere(~np.isfinite(array))
    if len(bad) == 0:
        return array
    raise NotFiniteError(
        f"{name} has {len(bad)} entries that are missing (NaN) or infinite, at {places(bad)};"
        " drop those samples or fill them in"
    )
