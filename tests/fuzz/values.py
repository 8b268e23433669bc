"""What may come instead of an argument, by name, so that a call can be written down as text and made again."""

import datetime
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

# Values that take an argument's place.
ODD: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "0": lambda: 0,
    "1": lambda: 1,
    "-1": lambda: -1,
    "2.5": lambda: 2.5,
    "1e9": lambda: 1e9,
    "10**30": lambda: 10**30,
    "1e308": lambda: 1e308,
    "1e-320": lambda: 1e-320,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-inf": lambda: float("-inf"),
    "1j": lambda: 1j,
    "Decimal": lambda: Decimal(1),
    "Fraction": lambda: Fraction(1, 3),
    "NA": lambda: pd.NA,
    "empty text": lambda: "",
    "text": lambda: "no such thing",
    "bytes": lambda: b"bytes",
    "null character": lambda: "a\0b",
    "surrogate": lambda: "\udcff",
    "long text": lambda: "x" * 100_000,
    "formula": lambda: "y ~ x",
    "tilde": lambda: "~ g",
    "tilde two": lambda: "~ g + h",
    "open bracket": lambda: "~ (g",
    "HC3": lambda: "HC3",
    "empty list": lambda: [],
    "list": lambda: [1, 2, 3],
    "texts": lambda: ["x", "z1"],
    "mixed list": lambda: [1, "a", None],
    "ragged": lambda: [[1, 2], [3]],
    "nested": lambda: [[[[1.0]]]],
    "tuple": lambda: (1, 2),
    "set": lambda: {1, 2},
    "dict": lambda: {"g": [1, 2]},
    "empty dict": dict,
    "generator": lambda: (k for k in range(3)),
    "range": lambda: range(4),
    "function": lambda: len,
    "class": lambda: int,
    "object": object,
    "module": lambda: np,
    "slice": lambda: slice(None),
    "date": lambda: datetime.date(2020, 1, 1),
    "timestamp": lambda: pd.Timestamp("2020-01-01"),
    "empty array": lambda: np.empty(0),
    "scalar array": lambda: np.array(1.0),
    "no rows": lambda: np.empty((0, 3)),
    "no columns": lambda: np.empty((3, 0)),
    "three dimensions": lambda: np.ones((2, 2, 2)),
    "vector": lambda: np.arange(5.0),
    "matrix": lambda: np.arange(12.0).reshape(4, 3),
    "text array": lambda: np.array(["a", "b"]),
    "object array": lambda: np.array([1, "a", None], dtype=object),
    "dates": lambda: np.array(["2020-01-01", "NaT"], dtype="M8[D]"),
    "record": lambda: np.zeros(3, dtype=[("a", float), ("b", int)]),
    "sparse": lambda: sp.eye_array(3),
    "masked": lambda: np.ma.masked_greater(np.arange(5.0), 2),
    "frame": lambda: pd.DataFrame({"x": [1.0, 2.0], "g": ["a", "b"]}),
    "empty frame": pd.DataFrame,
    "series": lambda: pd.Series([1.0, 2.0], index=["a", "a"]),
    "categories": lambda: pd.Categorical(["a", "b", None]),
}


def _with_entry(value: float) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        changed = np.array(array, dtype=float)
        if changed.size:
            changed.flat[changed.size // 2] = value
        return changed

    return change


def _as(dtype: str) -> Callable[[Any], Any]:
    return lambda array: np.asarray(array).astype(dtype)


# Changes of an argument that is an array; a list is made an array first.
CHANGES: dict[str, Callable[[Any], Any]] = {
    "* 1e8": lambda a: np.asarray(a) * 1e8,
    "* 1e150": lambda a: np.asarray(a) * 1e150,
    "* 1e200": lambda a: np.asarray(a) * 1e200,
    "* 1e308": lambda a: np.asarray(a) * 1e308,
    "* 1e-150": lambda a: np.asarray(a) * 1e-150,
    "* 1e-200": lambda a: np.asarray(a) * 1e-200,
    "* 1e-310": lambda a: np.asarray(a) * 1e-310,
    "* 0": lambda a: np.asarray(a) * 0.0,
    "+ 1e12": lambda a: np.asarray(a) + 1e12,
    "constant": lambda a: np.ones_like(np.asarray(a, dtype=float)),
    "an outlier": _with_entry(1e14),
    "a huge outlier": _with_entry(1e300),
    "a nan": _with_entry(np.nan),
    "an inf": _with_entry(np.inf),
    "a zero": _with_entry(0.0),
    "negative": lambda a: -np.abs(np.asarray(a)),
    "integers": lambda a: np.asarray(a).astype(int),
    "booleans": lambda a: np.asarray(a) > 0,
    "float32": _as("f4"),
    "float16": _as("f2"),
    "long double": _as("g"),
    "complex": lambda a: np.asarray(a) + 1j,
    "objects": lambda a: np.asarray(a).astype(object),
    "texts": lambda a: np.asarray(a).astype(str),
    "transposed": lambda a: np.asarray(a).T,
    "one row less": lambda a: np.asarray(a)[:-1],
    "one row": lambda a: np.asarray(a)[:1],
    "two rows": lambda a: np.asarray(a)[:2],
    "one more dimension": lambda a: np.asarray(a)[None],
    "rows twice": lambda a: np.repeat(np.asarray(a), 2, axis=0),
    "equal columns": lambda a: np.repeat(np.asarray(a)[..., :1], np.shape(a)[-1], axis=-1),
    "columns first": lambda a: np.asfortranarray(a),
    "strided": lambda a: np.repeat(np.asarray(a), 2, axis=0)[::2],
    "backwards": lambda a: np.asarray(a)[::-1],
    "read only": lambda a: _read_only(np.array(a)),
    "other byte order": lambda a: np.asarray(a).astype(">f8"),
    "list": lambda a: np.asarray(a).tolist(),
    "frame": lambda a: pd.DataFrame(np.asarray(a)),
    "masked": lambda a: np.ma.array(np.asarray(a), mask=np.asarray(a) > 1),
}


def _read_only(array: Any) -> Any:
    array.flags.writeable = False
    return array


def changed(value: Any, change: str) -> Any:
    """Return an argument after a change of this name; a change that this argument cannot take leaves it as it is."""
    if change in ODD:
        return ODD[change]()
    if not isinstance(value, np.ndarray) or not value.ndim:
        return value
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of making the value
        try:
            return CHANGES[change](value)
        except (ValueError, TypeError, IndexError):
            return value
