"""A design as a least-squares problem: rows in order, effects and linear part prepared, inputs whitened."""

from dataclasses import dataclass, replace

import numpy as np

from matbn.activation import Activation
from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.fitting.design import Design, NetTerm
from matbn.fitting.inputs import Inputs, whitened
from matbn.fitting.linear import LinearPart, factorised, no_columns
from matbn.fitting.panel import FixedEffects, fixed_effects, sorting
from matbn.fitting.problem import Problem, projected

MIDDLE = 1e-3  # penalty, at which the search for another begins
_EXACT = 1e-12  # what rounding leaves of outcomes that are fitted exactly, relative to them


@dataclass(frozen=True)
class Options:
    """How to search."""

    activation: Activation
    penalty: float | str  # "gcv" or "cv": chosen by it
    starts: int
    seed: int
    tolerance: float  # of the gradient, for standardised outcomes
    iterations: int
    linear_penalty: float = 0.0
    solver: str = "profiled"  # see `search.SOLVERS`


@dataclass(frozen=True, eq=False)
class Part:
    """Nodes of one term that have the same inputs."""

    term: int
    columns: Array  # of Z
    nodes: Array  # of the term
    basis: Array | None
    inputs: Inputs


@dataclass(frozen=True, eq=False)
class Posed:
    """A design as a problem, and the way back."""

    problem: Problem
    parts: tuple[Part, ...]
    linear: LinearPart
    effects: FixedEffects | None
    order: Array  # rows of the design in the problem's order
    scale: float  # of y, by which the problem's outcomes are divided
    exact: bool  # whether the linear part and the effects leave nothing of y


def posed_problem(design: Design, options: Options, constants: bool = False) -> Posed:
    """Prepare a design; `constants` says whether nets may have inputs that do not vary, which they then ignore."""
    N = len(design.y)
    codes = [effect.codes for effect in design.effects]
    order = sorting(codes) if codes else np.arange(N)
    w = None if design.w is None else design.w[order]
    effects = fixed_effects([code[order] for code in codes], w) if codes else None
    root_w = None if w is None else np.sqrt(w)
    weight = float(N if w is None else w.sum())
    parts = tuple(part for k, term in enumerate(design.terms) for part in _parts(k, term, order, w, constants))

    penalty = MIDDLE if isinstance(options.penalty, str) else options.penalty
    terms, sizes = tuple(part.inputs for part in parts), tuple(len(part.nodes) for part in parts)
    raw = Problem(
        terms, sizes, options.activation, design.y[order], no_columns(N), np.empty(0), root_w, effects, weight, penalty
    )
    linear = _linear_part(raw, design.linear[order].T, options.linear_penalty)
    y = projected(raw, raw.y[None])[0]
    on_y = linear.Q @ y
    y = y - on_y @ linear.Q
    whole = raw.y if root_w is None else raw.y * root_w
    if not np.isfinite(whole @ whole):
        raise ArgumentError("y has entries too large to be squared in float64; rescale it")
    scale = float(np.sqrt(y @ y / weight))
    exact = scale**2 * weight <= _EXACT**2 * float(whole @ whole)
    scale = 1.0 if exact else scale
    problem = replace(raw, y=y / scale, on_y=on_y / scale, linear=linear)
    return Posed(problem, parts, linear, effects, order, scale, exact)


def _linear_part(raw: Problem, X: Array, penalty: float) -> LinearPart:
    """Factorise the linear part's columns (as rows), with a ridge on their standardised coefficients."""
    weighted = X if raw.root_w is None else X * raw.root_w
    lengths = np.linalg.norm(weighted, axis=1)
    ridge = None
    if penalty > 0:
        w = None if raw.root_w is None else np.square(raw.root_w)
        centred = X - np.average(X, axis=1, weights=w)[:, None]
        ridge = penalty * np.square(centred if raw.root_w is None else centred * raw.root_w).sum(axis=1)
    return factorised(projected(raw, X), lengths, ridge)


def _parts(number: int, term: NetTerm, order: Array, w: Array | None, constants: bool) -> list[Part]:
    """Whiten a term's inputs, once for each pattern of its mask."""
    Z = term.Z[order]
    if term.basis is not None:
        inputs = whitened(Z @ term.basis, w, f"{term.label} (inputs times basis)", constants=constants)
        return [Part(number, np.arange(Z.shape[1]), np.arange(term.size), term.basis, inputs)]
    mask = np.ones((Z.shape[1], term.size), bool) if term.mask is None else term.mask
    patterns, member = np.unique(mask, axis=1, return_inverse=True)
    found = []
    for k, pattern in enumerate(patterns.T):
        columns = np.flatnonzero(pattern)
        found.append(
            Part(
                number,
                columns,
                np.flatnonzero(member.reshape(-1) == k),
                None,
                whitened(Z[:, columns], w, term.label, [term.names[column] for column in columns], constants),
            )
        )
    return found


def rank_of(posed: Posed) -> int:
    """Return the rank of the linear part and the effects together."""
    return len(posed.linear.kept) + (0 if posed.effects is None else posed.effects.rank)


def degrees_of(posed: Posed) -> float:
    """Return their effective degrees of freedom, which a ridge on the linear part makes fewer than the rank."""
    return posed.linear.degrees + (0 if posed.effects is None else posed.effects.rank)
