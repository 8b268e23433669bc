"""JSON text read strictly: what Python's reader lets through but no fit holds is found, and told of by its place.

Of two equal keys that reader takes the last, and it knows NaN and takes 1e999 for infinity. Here each of these becomes
a `Refused` where it stands, so that the check of the content, which knows the path, can say where that is.
"""

import json
from dataclasses import dataclass
from typing import Any

from matbn.errors import ArgumentError, ElementTypeError

_DIGITS = 19  # of the longest whole number that 64 bits hold


@dataclass(frozen=True)
class Refused:
    """What stands in the text but may not, in words."""

    what: str


def read(text: str) -> Any:
    """Return what a JSON text holds; an ArgumentError says at which line and column it is none."""
    if not isinstance(text, str):
        raise ElementTypeError(f"text is a {type(text).__name__}, but must be a str, as Fit.to_json() returns it")
    if not text.strip():
        raise ArgumentError("text is empty, but must be what Fit.to_json() has returned")
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_int=_whole, parse_float=_decimal, parse_constant=Refused
        )
    except json.JSONDecodeError as error:
        raise ArgumentError(
            f"text is no JSON at line {error.lineno}, column {error.colno}: {error.msg}; it may be cut off or damaged"
        ) from None
    except RecursionError:
        raise ArgumentError("text nests brackets more deeply than any fit; it must come from Fit.to_json()") from None


def _object(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    return Refused(f"an object with the key {next(key for key in keys if keys.count(key) > 1)!r} twice")


def _whole(digits: str) -> Any:
    return int(digits) if len(digits) <= _DIGITS else Refused(f"a whole number of {len(digits)} digits")


def _decimal(digits: str) -> Any:
    value = float(digits)
    return value if abs(value) < float("inf") else Refused(f"{digits[:20]}, which 64 bits cannot hold")
