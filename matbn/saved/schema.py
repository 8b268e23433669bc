"""Checks of the values in a saved fit: each takes a value and its path in the text, and returns the value if it passes.

A refusal is an ArgumentError such as "text: nets[0].Gamma1.values[2][1] is null, but must be a finite number".
"""

import re
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.saved.json_text import Refused

_REALS = ("<f8", ">f8")
_WHOLES = ("|i1", "|u1", *(f"{order}{kind}{size}" for order in "<>" for kind in "iu" for size in (2, 4, 8)))
_DATES = re.compile(r"[<>]M8\[\d{0,9}(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\]")
_SPANS = re.compile(r"[<>]m8\[\d{0,9}(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\]")
_NOT_FINITE = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}


def refuse(path: str, value: Any, wanted: str) -> NoReturn:
    """Raise an error that says where in the text a value is not what it must be."""
    raise ArgumentError(f"text: {path or 'the whole'} is {describe(value)}, but must be {wanted}")


def describe(value: Any) -> str:
    """Return a short description of a value from JSON."""
    if isinstance(value, Refused):
        return value.what
    if isinstance(value, dict):
        return f"an object with {len(value)} keys"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return ascii(value) if len(str(value)) <= 40 else f"{ascii(value)[:40]}…"


def members(value: Any, path: str, names: Sequence[str]) -> dict[str, Any]:
    """Return an object, which must have exactly these keys."""
    if not isinstance(value, dict):
        refuse(path, value, f"an object with the keys {', '.join(names)}")
    missing = [name for name in names if name not in value]
    unknown = [name for name in value if name not in names]
    if missing or unknown:
        wrong = f"lacks the key {missing[0]!r}" if missing else f"has the unknown key {unknown[0][:40]!a}"
        raise ArgumentError(f"text: {path or 'the whole'} {wrong}; its keys must be {', '.join(names)}")
    return value


def entries(value: Any, path: str, length: int | None = None) -> list[Any]:
    """Return a list, which must have the given length, if any."""
    if not isinstance(value, list) or (length is not None and len(value) != length):
        refuse(path, value, "a list" if length is None else f"a list of {length}")
    return value


def words(value: Any, path: str) -> str:
    """Return a text; half of a surrogate pair, which cannot be printed, is refused."""
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        refuse(path, value, "a text")
    return value


def flag(value: Any, path: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        refuse(path, value, "true or false")
    return value


def whole(value: Any, path: str, at_least: int = 0) -> int:
    """Return a whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or value < at_least:
        refuse(path, value, f"a whole number of at least {at_least}")
    return value


def number(value: Any, path: str, at_least: float = -np.inf, finite: bool = True) -> float:
    """Return a number; if it need not be finite, null stands for nan, and the texts "inf" and "-inf" for infinities."""
    if not finite and (value is None or (isinstance(value, str) and value in _NOT_FINITE)):
        return _NOT_FINITE[value or "nan"]
    if isinstance(value, bool) or not isinstance(value, int | float) or value < at_least:
        refuse(path, value, "a finite number" + (f" of at least {at_least:g}" if at_least > -np.inf else ""))
    return float(value)


def reals(value: Any, path: str, shape: tuple[int | None, ...], finite: bool = True) -> Array:
    """Return an array of numbers, which must have this shape; None stands for any length."""
    content = members(value, path, ("dtype", "values"))
    if content["dtype"] not in _REALS:
        refuse(f"{path}.dtype", content["dtype"], f"one of {', '.join(_REALS)}")
    return np.array(_nested(content["values"], f"{path}.values", shape, finite), dtype=content["dtype"])


def _nested(value: Any, path: str, shape: tuple[int | None, ...], finite: bool) -> list[Any]:
    rows = entries(value, path, shape[0])
    if len(shape) > 1:
        return [_nested(row, f"{path}[{k}]", shape[1:], finite) for k, row in enumerate(rows)]
    if set(map(type, rows)) <= {float, int}:
        return rows
    return [number(entry, f"{path}[{k}]", finite=finite) for k, entry in enumerate(rows)]


def labels(value: Any, path: str) -> Array:
    """Return the groups of a set of effects, which must be in rising order, each once, as `np.unique` returns them."""
    content = members(value, path, ("dtype", "values"))
    dtype, inside = words(content["dtype"], f"{path}.dtype"), f"{path}.values"
    values = entries(content["values"], inside)
    if not values:
        refuse(inside, values, "a list of one group or more")
    try:
        groups = _labels(dtype, values, path)
        rising = bool((groups[1:] > groups[:-1]).all())
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(f"text: {inside} hold no {dtype} that can be put in order: {error}") from None
    if not rising:
        refuse(inside, values, "in rising order, each group once")
    return groups


def _labels(dtype: str, values: list[Any], path: str) -> Array:
    inside = f"{path}.values"
    width = re.fullmatch(r"[<>]U(\d{1,9})", dtype)
    if width:
        longest = max(len(words(entry, f"{inside}[{k}]")) for k, entry in enumerate(values))
        if longest > int(width[1]):
            refuse(f"{path}.dtype", dtype, f"wide enough for texts of {longest} characters")
        return np.array(values, dtype=f"{dtype[:2]}{longest}")
    if dtype == "|b1":
        return np.array([flag(entry, f"{inside}[{k}]") for k, entry in enumerate(values)])
    if dtype == "|O":  # the dtype in which pandas may keep texts
        return np.array([level(entry, f"{inside}[{k}]") for k, entry in enumerate(values)], dtype=object)
    if dtype in _REALS:
        return np.array([number(entry, f"{inside}[{k}]") for k, entry in enumerate(values)], dtype=dtype)
    if dtype in _WHOLES:
        return np.array([whole(entry, f"{inside}[{k}]", -(2**63)) for k, entry in enumerate(values)], dtype=dtype)
    if _SPANS.fullmatch(dtype):
        counts = np.array([whole(entry, f"{inside}[{k}]", -(2**63)) for k, entry in enumerate(values)], dtype=np.int64)
        return counts.astype(dtype)
    if not _DATES.fullmatch(dtype):
        refuse(f"{path}.dtype", dtype, "that of numbers, texts, dates, spans of time, or true and false")
    dates = np.array([words(entry, f"{inside}[{k}]") for k, entry in enumerate(values)], dtype=dtype)
    if dates.astype(str).tolist() != values:  # numpy reads "today" too, which is another date tomorrow
        refuse(inside, values, f"dates as {dtype} prints them")
    return dates


def level(value: Any, path: str) -> str | float:
    """Return one level of a factor: a text, a number, or true or false."""
    if isinstance(value, str):
        return words(value, path)
    if not isinstance(value, int | float):
        refuse(path, value, "a text, a number, or true or false")
    return value
