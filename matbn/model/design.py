"""What is to be fitted, checked: outcomes, net terms, linear part, effects and weights."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from matbn.arguments import (
    Array,
    as_flag,
    as_groups,
    as_integer,
    as_matrix,
    as_real,
    as_text,
    as_texts,
    as_vector,
    places,
)
from matbn.errors import ArgumentError, ElementTypeError, ShapeError
from matbn.stream.rows import as_weights

INTERCEPT = "(Intercept)"  # the name of its coefficient, as in R
_FAR = 1e40  # size of weights, from which on squares and sums of them might overflow


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

    y: Array  # N, less the offset
    terms: tuple[NetTerm, ...]
    linear: Array  # N × k
    linear_names: tuple[str, ...]
    effects: tuple[Effect, ...]
    w: Array | None  # N, weights divided by a power of two
    weight_unit: float  # that power, 1 unless the weights are very large or small
    intercept: bool
    offset: Array | None = None  # N, which fitted values hold as well


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
    label = as_text("label", label)
    X, found = _as_columns("Z", Z, names, label)
    p = X.shape[1]
    size = as_integer("size", size, at_least=1)
    if p == 0:
        raise ShapeError("Z has no columns, but a net needs at least one input")
    if basis is not None and mask is not None:
        raise ArgumentError("basis and mask are both given, but a term has one structure; use two terms")
    if basis is not None:
        basis = as_real("basis", as_matrix("basis", basis))
        if basis.shape[0] != p or basis.shape[1] == 0:
            raise ShapeError(f"basis is {basis.shape[0]} × {basis.shape[1]}, but needs a row for each of {p} inputs")
    return NetTerm(X, size, found, basis, None if mask is None else _as_mask(mask, p, size), label)


def _as_columns(name: str, value: Any, names: Sequence[str] | None, prefix: str) -> tuple[Array, tuple[str, ...]]:
    """Return real numbers in named columns; without names, a data frame's own or numbered ones."""
    columns = getattr(value, "columns", None)
    X = as_real(name, as_matrix(name, _plain(value)))
    p = X.shape[1]
    if names is None:
        names = [f"{prefix}{k + 1}" for k in range(p)] if columns is None else [str(column) for column in columns]
    found = as_texts(f"names of {name}" if columns is None else f"columns of {name}", names)
    if len(found) != p:
        raise ShapeError(f"names has {len(found)} entries, but {name} has {p} columns")
    return X, found


def _plain(value: Any) -> Any:
    """Return a data frame's numbers where its columns have several types, or pandas' own with missing values."""
    if not hasattr(value, "columns") or not hasattr(value, "dtypes"):
        return value
    kinds = {getattr(kind, "kind", "O") for kind in value.dtypes}
    return value.to_numpy(dtype=float, na_value=np.nan) if kinds <= set("biuf") else value


def _as_mask(mask: ArrayLike, p: int, size: int) -> Array:
    given = as_real("mask", as_matrix("mask", mask))
    if given.shape != (p, size):
        raise ShapeError(f"mask is {given.shape[0]} × {given.shape[1]}, but must be {p} × {size}: inputs × nodes")
    if not np.isin(given, (0, 1)).all():
        raise ArgumentError("mask has entries that are neither 0 nor 1; it says whether a node may use an input")
    allowed = given.astype(bool)
    if not allowed.any(axis=0).all():
        raise ArgumentError(f"mask leaves no input to node {places(np.flatnonzero(~allowed.any(axis=0)))}")
    return allowed


def as_design(
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
    y = _own(as_real("y", as_vector("y", y)))
    N = len(y)
    if N == 0:
        raise ShapeError("y has no entries")
    terms = _as_terms(terms)
    for term in terms:
        if len(term.Z) != N:
            raise ShapeError(f"the inputs of {term.label!r} have {len(term.Z)} rows, but y has {N} entries")
    found = tuple(_as_effect(name, labels, N) for name, labels in _as_mapping(effects).items())
    w = None if weights is None else _own(as_weights("weights", weights, N))
    if w is not None:
        _check_weights(w, found)
    X, names = _as_linear(linear, linear_names, N)
    intercept = as_flag("intercept", intercept) and not found
    if intercept:
        X, names = np.column_stack([np.ones(N), X]), (INTERCEPT, *names)
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


def _as_terms(terms: Any) -> tuple[NetTerm, ...]:
    if terms is None or isinstance(terms, NetTerm):
        return () if terms is None else (terms,)
    if not isinstance(terms, Iterable):
        raise ElementTypeError(f"nets is a {type(terms).__name__}, but must be made by matbn.net(Z, size)")
    found = tuple(terms)
    for term in found:
        if not isinstance(term, NetTerm):
            raise ElementTypeError(f"nets hold a {type(term).__name__}, but must be made by matbn.net(Z, size)")
    return found


def _check_weights(w: Array, effects: tuple[Effect, ...]) -> None:
    """Refuse weights that leave nothing to fit, as a whole or in a group."""
    if not w.any():
        raise ArgumentError("weights are all zero; at least one row must count")
    for effect in effects:
        empty = np.bincount(effect.codes, w > 0) == 0
        if empty.any():
            shown = ", ".join(map(str, effect.levels[empty][:5]))
            raise ArgumentError(f"weights are all zero in groups of {effect.name!r}: {shown}; drop their rows")


def _as_linear(linear: Any, names: Sequence[str] | None, N: int) -> tuple[Array, tuple[str, ...]]:
    if linear is None:
        return np.empty((N, 0)), ()
    X, found = _as_columns("linear", as_columns(linear), names, "x")
    if len(X) != N:
        raise ShapeError(f"linear has {len(X)} rows, but y has {N} entries")
    if INTERCEPT in found:
        raise ArgumentError(f"linear has a column named {INTERCEPT!r}, which is the intercept's own name; rename it")
    return X, found


def as_columns(value: Any) -> Any:
    """Return one vector as a column, anything else as it is."""
    if getattr(value, "ndim", None) == 1:
        return np.ma.asarray(value)[:, None] if isinstance(value, np.ma.MaskedArray) else np.asarray(value)[:, None]
    if isinstance(value, list | tuple) and not any(hasattr(entry, "__len__") for entry in value):
        return np.asarray(value)[:, None]
    return value


def _as_mapping(effects: Any) -> dict[str, Any]:
    if effects is None:
        return {}
    if hasattr(effects, "items") and getattr(effects, "ndim", 2) != 1:  # a mapping, or a data frame, but no series
        names = as_texts("names of effects", (str(name) for name, _ in effects.items()))
        return dict(zip(names, (labels for _, labels in effects.items()), strict=True))
    return {str(getattr(effects, "name", None) or "effect"): effects}


def _as_effect(name: str, labels: Any, N: int) -> Effect:
    levels, codes = as_groups(f"effect {name!r}", labels, N)
    return Effect(name, codes, levels)


def some_rows(design: Design, rows: Array) -> Design:
    """Return some rows of a design, with the levels of effects that they have."""
    return replace(
        design,
        y=design.y[rows],
        terms=tuple(replace(term, Z=term.Z[rows]) for term in design.terms),
        linear=design.linear[rows],
        effects=tuple(_part_of_effect(effect, rows) for effect in design.effects),
        w=None if design.w is None else design.w[rows],
        offset=None if design.offset is None else design.offset[rows],
    )


def _part_of_effect(effect: Effect, rows: Array) -> Effect:
    present, codes = np.unique(effect.codes[rows], return_inverse=True)
    return replace(effect, codes=codes, levels=effect.levels[present])
