"""What is to be fitted, checked: outcomes, net terms, linear part, effects and weights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from matbn.arguments import Array, as_integer, as_matrix, as_vector, counted
from matbn.errors import ArgumentError, ElementTypeError, NotFiniteError, ShapeError
from matbn.stream.rows import as_weights

_FAR = 1e100  # size of weights, from which on squares and sums of them might overflow


@dataclass(frozen=True, eq=False)
class NetTerm:
    """One net Σ a(b(ZΓ₁))Γ₂ of a model; several add up. `net` makes it."""

    Z: Array  # N × p inputs
    size: int  # nodes
    names: tuple[str, ...]  # p, of the inputs
    basis: Array | None  # p × k: Γ₁ = basis·Θ
    mask: Array | None  # p × size, which inputs a node may use
    label: str


@dataclass(frozen=True, eq=False)
class Effect:
    """One set of fixed effects."""

    name: str
    codes: Array  # N, group of each row, 0 to the number of levels - 1
    levels: Array  # the groups' names


@dataclass(frozen=True, eq=False)
class Design:
    """A model's data; an intercept is the linear part's first column."""

    y: Array  # N
    terms: tuple[NetTerm, ...]
    linear: Array  # N × k
    linear_names: tuple[str, ...]
    effects: tuple[Effect, ...]
    w: Array | None  # N, weights divided by a power of two
    weight_unit: float  # that power, 1 unless the weights are very large or small
    intercept: bool


def net(
    Z: ArrayLike,
    size: int,
    *,
    basis: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    label: str = "net",
) -> NetTerm:
    """Describe a net of `size` nodes on the inputs Z (N × p), for `fit`.

    Parameters
    ----------
    basis
        p × k: first-layer weights are basis·Θ with Θ free, for example smooth over a season.
    mask
        p × size, true where a node may use an input; elsewhere its weight is 0.
    names, label
        Of the inputs and of the term, in what a fit reports.

    Raises
    ------
    ShapeError, ElementTypeError, NotFiniteError, ArgumentError
        An argument does not fit.
    """
    columns = getattr(Z, "columns", None)
    Z = as_matrix("Z", Z)
    p = Z.shape[1]
    size = as_integer("size", size, at_least=1)
    if p == 0:
        raise ShapeError("Z has no columns, but a net needs at least one input")
    if names is None:
        names = [f"{label}{k + 1}" for k in range(p)] if columns is None else [str(name) for name in columns]
    if len(names) != p:
        raise ShapeError(f"names has {len(names)} entries, but Z has {p} columns")
    if basis is not None and mask is not None:
        raise ArgumentError("basis and mask are both given, but a term has one structure; use two terms")
    if basis is not None:
        basis = as_matrix("basis", basis)
        if basis.shape[0] != p or basis.shape[1] == 0:
            raise ShapeError(f"basis is {basis.shape[0]} × {basis.shape[1]}, but needs a row for each of {p} inputs")
    return NetTerm(Z, size, tuple(names), basis, None if mask is None else _as_mask(mask, p, size), label)


def _as_mask(mask: ArrayLike, p: int, size: int) -> Array:
    allowed = as_matrix("mask", mask).astype(bool)
    if allowed.shape != (p, size):
        raise ShapeError(f"mask is {allowed.shape[0]} × {allowed.shape[1]}, but must be {p} × {size}: inputs × nodes")
    if not allowed.any(axis=0).all():
        raise ArgumentError(f"mask leaves no input to node {counted(np.flatnonzero(~allowed.any(axis=0)))}")
    return allowed


def design(
    y: ArrayLike,
    terms: Sequence[NetTerm] | NetTerm = (),
    linear: ArrayLike | None = None,
    effects: Any = None,
    weights: ArrayLike | None = None,
    linear_names: Sequence[str] | None = None,
    intercept: bool = True,
) -> Design:
    """Check a model's arrays against each other; `effects` is one sequence of group labels, or a mapping of some.

    An intercept is added if wanted and there are no effects, which take its place.
    """
    y = _own(as_vector("y", y))
    N = len(y)
    if N == 0:
        raise ShapeError("y has no entries")
    terms = (terms,) if isinstance(terms, NetTerm) else tuple(terms)
    for term in terms:
        if not isinstance(term, NetTerm):
            raise ElementTypeError(f"nets hold a {type(term).__name__}, but must be made by matbn.net(Z, size)")
        if len(term.Z) != N:
            raise ShapeError(f"the inputs of {term.label!r} have {len(term.Z)} rows, but y has {N} entries")
    found = tuple(_as_effect(name, labels, N) for name, labels in _as_mapping(effects).items())
    w = None if weights is None else _own(as_weights("weights", weights, N))
    if w is not None and not w.any():
        raise ArgumentError("weights are all zero; at least one row must count")
    X, names = _as_linear(linear, linear_names, N)
    if not isinstance(intercept, bool):
        raise ElementTypeError(f"intercept is {intercept!r}, but must be True or False")
    intercept = intercept and not found
    if intercept:
        X, names = np.column_stack([np.ones(N), X]), ("(Intercept)", *names)
    else:
        X = _own(X)
    largest = 1.0 if w is None else float(w.max())
    unit = 1.0 if 1 / _FAR < largest < _FAR else float(np.ldexp(1.0, np.frexp(largest)[1] - 1))
    w = None if w is None else w / unit
    return Design(y, tuple(map(_own_term, terms)), X, names, found, w, unit, intercept)


def _own_term(term: NetTerm) -> NetTerm:
    Z = as_matrix(f"the inputs of {term.label!r}", term.Z)
    return replace(term, Z=_own(Z), basis=None if term.basis is None else _own(term.basis))


def _own(array: Array) -> Array:
    """Return a copy: standard errors ask for the data after the fit, when the user's arrays may hold something else."""
    return np.array(array)


def _as_linear(linear: ArrayLike | None, names: Sequence[str] | None, N: int) -> tuple[Array, tuple[str, ...]]:
    if linear is None:
        return np.empty((N, 0)), ()
    columns = getattr(linear, "columns", None)
    X = np.asarray(linear)
    X = as_matrix("linear", X[:, None] if X.ndim == 1 else X)
    if len(X) != N:
        raise ShapeError(f"linear has {len(X)} rows, but y has {N} entries")
    if names is None:
        names = [f"x{k + 1}" for k in range(X.shape[1])] if columns is None else [str(name) for name in columns]
    if len(names) != X.shape[1]:
        raise ShapeError(f"linear_names has {len(names)} entries, but linear has {X.shape[1]} columns")
    return X, tuple(names)


def _as_mapping(effects: Any) -> dict[str, Any]:
    if effects is None:
        return {}
    if hasattr(effects, "items") and getattr(effects, "ndim", 2) != 1:  # a mapping, or a data frame, but no series
        return {str(name): labels for name, labels in effects.items()}
    return {str(getattr(effects, "name", None) or "effect"): effects}


def _as_effect(name: str, labels: Any, N: int) -> Effect:
    array = np.asarray(labels)
    if array.ndim != 1 or len(array) != N:
        raise ShapeError(f"effect {name!r} has shape {array.shape}, but must have one label for each of {N} rows")
    missing = (
        array != array if array.dtype.kind in "fc" else np.array([label is None or label != label for label in array])
    )
    if missing.any():
        bad = np.flatnonzero(missing)
        raise NotFiniteError(f"effect {name!r} has {len(bad)} missing labels, at {counted(bad)}; drop those rows")
    levels, codes = np.unique(array, return_inverse=True)
    return Effect(name, codes, levels)
