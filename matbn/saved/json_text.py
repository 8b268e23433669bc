"""JSON text read strictly: an error names the place of what Python's reader accepts although no fit holds it.

Of two equal keys that reader keeps the last; it accepts NaN, and reads 1e999 as infinity. Here each of these becomes a
`Refused` in its place. The checks of the content, which know the path to each value, then raise the error.
"""

import json
from dataclasses import dataclass
from typing import Any

from matbn.errors import ArgumentError, ElementTypeError

_DIGITS = 19  # digits of the longest whole number that 64 bits hold


@dataclass(frozen=True)
class Refused:
    """Something in the text that no fit holds."""

    what: str  # its description in an error message


def read(text: str) -> Any:
    """Return the content of a JSON text; an ArgumentError gives the line and column of what is not JSON."""
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
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    keys = [key for key, _ in pairs]
    return Refused(f"an object with the key {next(key for key in keys if keys.count(key) > 1)!r} twice")


def _whole(digits: str) -> Any:
    return int(digits) if len(digits) <= _DIGITS else Refused(f"a whole number of {len(digits)} digits")


def _decimal(digits: str) -> Any:
    value = float(digits)
    return value if abs(value) < float("inf") else Refused(f"{digits[:20]}, which 64 bits cannot hold")
