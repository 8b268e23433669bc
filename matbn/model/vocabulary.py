"""The functions that a formula in a saved fit may call, with how each may be called.

They are formulaic's transformations and contrasts and a choice of NumPy's functions, which take arrays to arrays and
touch nothing else. A saved formula is evaluated with these names and the data's columns alone.
"""

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

_MODULES = ("np", "numpy")
_CONSTANTS = ("e", "pi")  # of NumPy's
NUMBERS = tuple(f"{module}.{name}" for module in _MODULES for name in _CONSTANTS)
CONTRASTS = ("Treatment", "Sum", "Poly", "Helmert", "Diff")  # of formulaic's, which C(g, Sum) may name uncalled


@dataclass(frozen=True)
class Signature:
    """How a function may be called: its first argument holds a column, the others have names."""

    positional: int  # at most
    keywords: tuple[str, ...] = ()  # in the order in which they follow the first argument
    sizes: tuple[str, ...] = ()  # those that say how many columns come out
    learns: bool = False  # from the data; the text of a call is then the key of what it has learnt
    column: bool = True  # whether its first argument must hold one


_SPLINE = ("df", "knots", "lower_bound", "upper_bound", "constraints", "extrapolation", "cyclic")
_B_SPLINE = ("df", "knots", "degree", "include_intercept", "lower_bound", "upper_bound", "extrapolation")


def _contrasts(*keywords: str) -> Signature:
    return Signature(len(keywords), keywords, column=False)


_FORMULAIC = {
    **dict.fromkeys(("log", "log2", "log10", "exp", "exp2", "exp10", "I"), Signature(1)),
    **dict.fromkeys(("cc", "cr", "cs"), Signature(6, _SPLINE, ("df",), learns=True)),
    "bs": Signature(8, _B_SPLINE, ("df", "degree"), learns=True),
    "center": Signature(1, learns=True),
    "scale": Signature(4, ("center", "scale", "ddof"), learns=True),
    "standardize": Signature(4, ("center", "rescale", "ddof"), learns=True),
    "poly": Signature(3, ("degree", "raw"), ("degree",), learns=True),
    "lag": Signature(2, ("k",), learns=True),
    "Q": Signature(1, learns=True),
    "C": Signature(2, ("contrasts", "levels", "spans_intercept")),
    "hashed": Signature(3, ("levels", "contrasts", "spans_intercept"), ("levels",)),
    "Treatment": _contrasts("reference"),
    "Sum": _contrasts(),
    "Poly": _contrasts("scores"),
    "Helmert": _contrasts("reverse", "scale"),
    "Diff": _contrasts("backward"),
    "contr.treatment": _contrasts("base"),
    "contr.SAS": _contrasts("base"),
    "contr.sum": _contrasts(),
    "contr.poly": _contrasts("scores"),
    "contr.helmert": _contrasts("reverse", "scale"),
    "contr.diff": _contrasts("backward"),
    "contr.custom": _contrasts("contrasts", "names"),
}

_UFUNCS = """abs absolute fabs sign sqrt cbrt square reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin
arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh hypot floor ceil rint trunc add subtract multiply divide
true_divide floor_divide mod remainder power float_power maximum minimum fmax fmin isnan isinf isfinite signbit
logical_and logical_or logical_not logical_xor equal not_equal less less_equal greater greater_equal heaviside deg2rad
rad2deg radians degrees"""

# Their later arguments are arrays to write into: how many come in place is bounded, and `out` is no keyword.
_NUMPY = {name: Signature(getattr(np, name).nin) for name in _UFUNCS.split()} | {
    "where": Signature(3),
    "clip": Signature(3, ("a_min", "a_max")),
    "round": Signature(2, ("decimals",)),
    "nan_to_num": Signature(1),
    "sinc": Signature(1),
    "array": Signature(1, column=False),
    "linspace": Signature(3, ("start", "stop", "num"), ("num",), column=False),
    **{name: Signature(1) for name in ("mean", "median", "min", "max", "sum", "nanmean", "nanmedian")},
    **{name: Signature(1, ("ddof",)) for name in ("std", "var")},
    "quantile": Signature(2),
    "percentile": Signature(2),
}

# Functions that mean the same in R's formulas; a formula may call them without an import.
_SHARED = """sqrt expm1 log1p sin cos tan sinh cosh tanh sign floor trunc mean median"""

_BUILT_IN = {"abs": Signature(1)}

# A net's mask and basis are never evaluated again, but their text is checked like the rest.
_MATRIX_MAKERS = """array asarray ones zeros full eye identity diag tri tril triu linspace arange repeat tile kron
column_stack hstack vstack concatenate"""
_MATRICES = {name: Signature(5, ("dtype", "axis", "k"), column=False) for name in _MATRIX_MAKERS.split()}


def _everywhere(functions: Mapping[str, Signature]) -> dict[str, Signature]:
    return {f"{module}.{name}": signature for module in _MODULES for name, signature in functions.items()}


_BARE = {name: signature for name, signature in _NUMPY.items() if not hasattr(builtins, name)}  # as R has them
IN_TERMS = {**_BARE, **_BUILT_IN, **_FORMULAIC, **_everywhere(_NUMPY)}
IN_OPTIONS = IN_TERMS | _MATRICES | _everywhere(_MATRICES)


def names() -> dict[str, Any]:
    """Return what the names of a saved formula stand for, beside the data's columns and formulaic's own."""
    chosen = {name: getattr(np, name) for name in (*_NUMPY, *_CONSTANTS)}
    module = SimpleNamespace(**chosen)
    built_in = {name: getattr(builtins, name) for name in _BUILT_IN}
    bare = {name: chosen[name] for name in _BARE if name not in _FORMULAIC}
    return bare | built_in | dict.fromkeys(_MODULES, module)


def shared() -> dict[str, Any]:
    """Return the functions that a formula may call in both languages, beside formulaic's and Python's own."""
    return {name: getattr(np, name) for name in _SHARED.split()}
