"""What the transformations in a saved formula have learnt from the data: their states, by the text of the call.

Dicts become lists of pairs in JSON, since their keys may be numbers. A state has the keys that formulaic gives it:
ddof, center and scale for scale() and the like; alpha and norms2, the coefficients of a recurrence, for poly(); knots
and bounds for splines.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from matbn.errors import ArgumentError
from matbn.saved.schema import describe, entries, flag, members, number, reals, refuse


def learnt_content(states: Mapping[str, Any]) -> Any:
    """Return formulaic's states in the form in which JSON holds them."""
    if isinstance(states, Mapping):
        return {"pairs": [[_plain(key), learnt_content(value)] for key, value in states.items()]}
    return _plain(states)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value.item()
    if isinstance(value, np.ndarray):
        return {"dtype": "<f8", "values": value.astype(float).tolist()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value


def learnt_states(value: Any, path: str, calls: set[str]) -> dict[str, Any]:
    """Return the states of these calls from their form in JSON, with every key and value checked."""
    states = _pairs(value, path)
    if states.keys() != calls:
        differing = describe(min(map(str, states.keys() ^ calls)))
        what = "lacks what {} has learnt" if calls - states.keys() else "holds {}, which the formula does not call"
        raise ArgumentError(f"text: {path} {what.format(differing)}")
    return {call: _state(call, state, f"{path}[{call!r}]") for call, state in states.items()}


def _pairs(value: Any, path: str) -> dict[Any, Any]:
    content_by_key: dict[Any, Any] = {}
    for k, entry in enumerate(entries(members(value, path, ("pairs",))["pairs"], f"{path}.pairs")):
        key, content = entries(entry, f"{path}.pairs[{k}]", 2)
        if not isinstance(key, str | int) or isinstance(key, bool) or key in content_by_key:
            refuse(f"{path}.pairs[{k}][0]", key, "a text or a whole number that is the key of no other pair")
        content_by_key[key] = content
    return content_by_key


def _state(call: str, value: Any, path: str) -> dict[str, Any]:
    state = _pairs(value, path)
    keys = _KEYS[call.partition("(")[0]]
    if not keys or (not state and call.startswith("poly(")):  # raw powers learn nothing
        keys = {}
    if state.keys() != keys.keys():
        refuse(path, list(state), f"pairs with the keys {', '.join(keys)}" if keys else "without pairs")
    checked = {key: check(state[key], f"{path}.{key}") for key, check in keys.items()}
    if keys is _POLYNOMIAL:
        degree = len(checked["alpha"])
        if checked["alpha"].keys() != set(range(degree)) or checked["norms2"].keys() != set(range(degree + 1)):
            refuse(path, list(checked["norms2"]), "the powers from 0 on in alpha, and one more in norms2")
    return {key: checked[key] for key in state}


def _offset(value: Any, path: str) -> Any:
    """Return a number, an array with a number for each column, or None."""
    if value is None:
        return None
    if not isinstance(value, dict):
        return _number_as_written(value, path)
    if isinstance(value.get("values"), list):
        return reals(value, path, (None,))
    return _number_as_written(members(value, path, ("dtype", "values"))["values"], path)


def _number_as_written(value: Any, path: str) -> Any:
    """Return a number, whole numbers as int, so that it is written again as it was read."""
    number(value, path)
    return value


def _divisor(value: Any, path: str) -> Any:
    divisor = _offset(value, path)
    if divisor is not None and not np.all(divisor):
        refuse(path, value, "a number other than 0")
    return divisor


def _numbers_by_power(value: Any, path: str) -> dict[int, float]:
    return {key: number(entry, f"{path}[{key!r}]") for key, entry in _pairs(value, path).items()}


def _positive_by_power(value: Any, path: str) -> dict[int, float]:
    numbers = _numbers_by_power(value, path)
    for power, entry in numbers.items():
        if entry <= 0:
            refuse(f"{path}[{power!r}]", entry, "a number above 0")
    return numbers


def _knots(value: Any, path: str) -> list[float]:
    knots = [number(entry, f"{path}[{k}]") for k, entry in enumerate(entries(value, path))]
    if any(a > b for a, b in pairwise(knots)):
        refuse(path, value, "in rising order")
    return knots


def _constraints(value: Any, path: str) -> Any:
    return None if value is None else reals(value, path, (None, None))


_Check = Callable[[Any, str], Any]
_SCALE: Mapping[str, _Check] = {"ddof": _number_as_written, "center": _offset, "scale": _divisor}
_POLYNOMIAL: Mapping[str, _Check] = {"alpha": _numbers_by_power, "norms2": _positive_by_power}
_SPLINE: Mapping[str, _Check] = {**dict.fromkeys(("lower_bound", "upper_bound"), _number_as_written), "knots": _knots}
_CUBIC = {**_SPLINE, "constraints": _constraints, "cyclic": flag}
_KEYS: Mapping[str, Mapping[str, _Check]] = {
    **dict.fromkeys(("scale", "center", "standardize"), _SCALE),
    "poly": _POLYNOMIAL,
    "bs": _SPLINE,
    **dict.fromkeys(("cs", "cr", "cc"), _CUBIC),
    "lag": {},
    "Q": {},
}
