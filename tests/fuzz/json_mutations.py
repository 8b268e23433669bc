"""Random damage to the JSON text of a fit, one place at a time, with the place that was changed."""

import copy
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

# What Python's writer would not write stands in the text by these names until the text is whole.
_RAW = ("NaN", "Infinity", "-Infinity", "1e999", "-1e400", "9" * 5_000, "[" * 3_000 + "]" * 3_000, "1" + "0" * 30)
_VALUES = (None, True, False, 0, -1, 1, 7, 10**18, 0.0, -0.5, 1e300, 1e-300, "", "x", "nan", "inf", "\ud800", [], {})


@dataclass(frozen=True)
class Mutation:
    """A damaged text and where it was damaged: keys and places from the top, empty for the text as a whole."""

    text: str
    path: tuple[Any, ...]
    kind: str


def mutated(text: str, rng: np.random.Generator) -> Mutation:
    """Return a text that differs from a fit's in one place."""
    kind = str(rng.choice(_KINDS))
    if kind in _ON_TEXT:
        return Mutation(_ON_TEXT[kind](text, rng), (), kind)
    content = json.loads(text)
    path = _place(content, rng)
    changed = _ON_VALUES[kind](content, path, rng)
    return Mutation(changed, path, kind)


def _place(content: Any, rng: np.random.Generator) -> tuple[Any, ...]:
    """Return a path: at each level it ends with some probability, so that places near the top are not rare."""
    path: list[Any] = []
    while isinstance(content, dict | list) and len(content) and (not path or rng.uniform() < 0.85):
        keys = list(content) if isinstance(content, dict) else range(len(content))
        path.append(keys[int(rng.integers(len(keys)))])
        content = content[path[-1]]
    return tuple(path)


def at(content: Any, path: tuple[Any, ...]) -> Any:
    """Return what stands at a path."""
    for key in path:
        content = content[key]
    return content


def _written(content: Any) -> str:
    text = json.dumps(content)
    for k, raw in enumerate(_RAW):
        text = text.replace(f'"\\u0000raw{k}\\u0000"', raw)
    return text


def _put(content: Any, path: tuple[Any, ...], value: Any) -> str:
    at(content, path[:-1])[path[-1]] = value
    return _written(content)


def _delete(content: Any, path: tuple[Any, ...], rng: np.random.Generator) -> str:
    del at(content, path[:-1])[path[-1]]
    return _written(content)


def _value(content: Any, path: tuple[Any, ...], rng: np.random.Generator) -> str:
    return _put(content, path, copy.deepcopy(_VALUES[int(rng.integers(len(_VALUES)))]))


def _raw(content: Any, path: tuple[Any, ...], rng: np.random.Generator) -> str:
    return _put(content, path, f"\0raw{rng.integers(len(_RAW))}\0")


def _slightly(content: Any, path: tuple[Any, ...], rng: np.random.Generator) -> str:
    """Change a value to another of its kind."""
    value = at(content, path)
    if isinstance(value, bool):
        return _put(content, path, not value)
    if isinstance(value, int):
        return _put(content, path, value + int(rng.choice([-1, 1, 5])))
    if isinstance(value, float):
        return _put(content, path, value * float(rng.choice([-1, 0.5, 1.001, 2, 0])) + float(rng.choice([0, 1e-9, 1])))
    if isinstance(value, str) and value:
        k = int(rng.integers(len(value)))
        return _put(
            content, path, value[:k] + str(rng.choice(list("xa 0+*(`{]~|.'"))) + value[k + int(rng.integers(2)) :]
        )
    return _list(content, path, rng)


def _swap_type(content: Any, path: tuple[Any, ...], rng: np.random.Generator) -> str:
    value = at(content, path)
    return _put(content, path, [str(value), [value], {"values": value}, {str(value)[:9]: value}][int(rng.integers(4))])


def _list(content: Any, path: tuple[Any, ...], rng: np.random.Generator) -> str:
    """Lengthen, shorten, shuffle or turn around the list at or above a place."""
    while path and not isinstance(at(content, path), list):
        path = path[:-1]
    values = at(content, path)
    if not path or not values:
        return _value(content, path or ("N",), rng)
    how = int(rng.integers(4))
    changed = [values + values[-1:], values[:-1], [values[k] for k in rng.permutation(len(values))], values[::-1]][how]
    return _put(content, path, changed)


def _other(content: Any, path: tuple[Any, ...], rng: np.random.Generator) -> str:
    """Put another part of the same fit in the place."""
    other = copy.deepcopy(at(content, _place(content, rng)))
    return _put(content, path, other)


def _add_key(content: Any, path: tuple[Any, ...], rng: np.random.Generator) -> str:
    while not isinstance(at(content, path), dict):
        path = path[:-1]
    at(content, path)[str(rng.choice(["new", "__class__", "", "py/object"]))] = 1
    return _written(content)


def _double_key(content: Any, path: tuple[Any, ...], rng: np.random.Generator) -> str:
    while not isinstance(at(content, path), dict) or not at(content, path):
        path = path[:-1]
    found = at(content, path)
    key = list(found)[int(rng.integers(len(found)))]
    found["\0twice"] = 0
    return _written(content).replace('"\\u0000twice"', json.dumps(key))


def _cut(text: str, rng: np.random.Generator) -> str:
    return text[: int(rng.integers(len(text)))]


def _drop(text: str, rng: np.random.Generator) -> str:
    k = int(rng.integers(len(text)))
    return text[:k] + text[k + int(rng.integers(1, 4)) :]


def _character(text: str, rng: np.random.Generator) -> str:
    k = int(rng.integers(len(text)))
    return text[:k] + str(rng.choice(list('0159-+.eE"\\[]{},: nN\0\n\x7f'))) + text[k + 1 :]


_ON_TEXT = {"cut": _cut, "drop": _drop, "character": _character}
_ON_VALUES = {
    "delete": _delete,
    "value": _value,
    "raw": _raw,
    "slightly": _slightly,
    "swap_type": _swap_type,
    "list": _list,
    "other": _other,
    "add_key": _add_key,
    "double_key": _double_key,
}
_KINDS = (*_ON_TEXT, *_ON_VALUES, "slightly", "slightly")
