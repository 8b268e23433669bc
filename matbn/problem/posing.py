"""A design as a least-squares problem: rows and inputs in order, effects and linear part prepared, inputs whitened."""

from dataclasses import dataclass, replace

import numpy as np

from matbn.activation import Activation
from matbn.arguments import Array
from matbn.blas import one_blas_thread
from matbn.errors import ArgumentError
from matbn.memory import check_memory
from matbn.model.design import Design, NetTerm
from matbn.problem.data_order import column_order, row_order
from matbn.problem.fixed_effects import FixedEffects, first_effect, fixed_effects
from matbn.problem.least_squares import Problem, projected
from matbn.problem.linear_part import TOL, LinearPart, factorised, no_columns
from matbn.problem.scaling import Calm, calmed, evened, far, norm
from matbn.problem.whitening import Inputs, whitened

EXACT = 1e-12  # what rounding leaves of outcomes that are fitted exactly, relative to them
MOST_NUMBERS = 500_000_000  # of derivatives, which are held at once with fixed effects, and for errors
_STEPS = 4  # between neighbouring float64 numbers, which rounding alone may account for


@dataclass(frozen=True)
class ModelOptions:
    """What of a model is no data."""

    activation: Activation
    penalty: float  # λ
    linear_penalty: float = 0.0  # λ_lin
    tol: float = TOL  # of the linear part's columns, see `linear_part`


@dataclass(frozen=True, eq=False)
class Part:
    """Nodes of one term that have the same inputs."""

    term: int
    columns: Array  # of Z, in the order of `canonical`; with a basis all, in the user's
    nodes: Array  # of the term
    place: int  # among all parts, in the user's order of terms, and of inputs in masks
    basis: Array | None
    inputs: Inputs


@dataclass(frozen=True, eq=False)
class Posed:
    """A design as a problem, and the way back."""

    options: ModelOptions
    problem: Problem
    parts: tuple[Part, ...]
    columns: Array  # k × N, the linear part's calm columns after effects and weights
    locations: Array  # k, that were taken off its columns where they are far from 0 beside an intercept
    exponents: Array  # k, of the powers of two by which they were then divided
    linear: LinearPart  # of the calm columns
    effects: FixedEffects | None
    order: Array  # rows of the design in the problem's order
    calm: Calm  # the design's outcomes, in its order
    spread: float  # of the calm outcomes, by which the problem's are divided
    exact: bool  # whether the linear part and the effects leave nothing of y

    @property
    def scale(self) -> float:
        """What the problem's outcomes are divided by, in y's units."""
        return float(np.ldexp(self.spread, self.calm.exponent))

    @property
    def away(self) -> Array:
        """By how much each coefficient of a calm column that is kept takes the intercept's down."""
        found: Array = np.ldexp(self.locations, self.exponents[:1] - self.exponents)[self.linear.kept]
        return found

    def calm_columns(self, linear: Array) -> Array:
        """Return the columns that are kept, of rows of the linear part (m × k) or of their rates of change, calm."""
        kept = self.linear.kept
        found: Array = np.ldexp((linear - linear[:, :1] * self.locations)[:, kept], -self.exponents[kept])
        return found

    def coordinates(self, linear: Array) -> Array:
        """Return such rows as combinations of Q's (m × number of kept columns)."""
        found: Array = self.calm_columns(linear) @ self.linear.inverse
        return found


@one_blas_thread()
def posed_problem(design: Design, options: ModelOptions, constants: bool = False) -> Posed:
    """Prepare a design; `constants` says whether nets may have inputs that do not vary, which they then ignore."""
    N = len(design.y)
    _check_size(design)
    codes = [effect.codes for effect in design.effects]
    of_terms = [column_order(term, design.y, design.w) for term in design.terms]
    order = row_order(design, of_terms, codes[first_effect(codes)] if codes else None)
    w = None if design.w is None else design.w[order]
    effects = fixed_effects([code[order] for code in codes], w) if codes else None
    root_w = None if w is None else np.sqrt(w)
    weight = float(N if w is None else w.sum())
    parts: list[Part] = []
    for k, term in enumerate(design.terms):
        parts += _parts(k, len(parts), term, order, of_terms[k], w, constants)

    terms, sizes = tuple(part.inputs for part in parts), tuple(len(part.nodes) for part in parts)
    calm, none = _calmed(design, order), no_columns(N)
    y, rows = calm.y[order], N if w is None else int((w > 0).sum())
    raw = Problem(
        terms, sizes, options.activation, y, none, np.empty(0), root_w, effects, weight, options.penalty, rows
    )
    X = design.linear[order]
    locations = _locations(X) if design.intercept else np.zeros(X.shape[1])
    X, exponents = evened((X - locations).T, None if w is None else w > 0)
    columns = cleanly_projected(raw, X)
    linear = _linear_part(raw, X, columns, design.intercept, options)
    y, on_y = cleanly_projected(raw, raw.y[None])[0], np.zeros(len(linear.kept))
    for _ in range(1 if linear.T is not None else 2):  # the second time takes off what rounding left
        more = linear.Q @ y
        on_y += more
        y = y - more @ linear.Q
    spread = float(np.sqrt(y @ y / weight))
    exact = spread <= EXACT * norm(raw.y, w) / np.sqrt(weight) or _only_rounding(design, calm, y, order, root_w)
    spread = 1.0 if exact else spread
    problem = replace(raw, y=y / spread, on_y=on_y / spread, linear=linear)
    return Posed(
        options, problem, tuple(parts), columns, locations, exponents, linear, effects, order, calm, spread, exact
    )


def _calmed(design: Design, order: Array) -> Calm:
    """Return the design's calm outcomes, in its order; what is taken off them is summed in that of the problem."""
    effects = tuple(replace(effect, codes=effect.codes[order]) for effect in design.effects)
    w = None if design.w is None else design.w[order]
    found = calmed(replace(design, y=design.y[order], effects=effects, w=w))
    y = np.empty_like(found.y)
    y[order] = found.y
    return replace(found, y=y)


def cleanly_projected(problem: Problem, A: Array) -> Array:
    """Return M·A for rows A; what rounding leaves of large group means is taken off too."""
    if problem.effects is not None:
        A = problem.effects.within(A)
    return projected(problem, A)


def _only_rounding(design: Design, calm: Calm, left: Array, order: Array, root_w: Array | None) -> bool:
    """Whether what is left of each outcome is no more than few steps from one float64 number to the next there."""
    steps = _STEPS * np.ldexp(np.spacing(np.abs(design.y[order])), -calm.exponent)
    return bool((np.abs(left) <= (steps if root_w is None else steps * root_w)).all())


def _locations(linear: Array) -> Array:
    """Return the means of columns (but the first, an intercept) that are far from 0."""
    one = np.zeros(len(linear), int)
    found = []
    for column in linear.T[1:]:
        calm, exponent = evened(column)
        found.append(np.ldexp(far(calm, one)[0], exponent))
    return np.array([0.0, *found])


def _linear_part(raw: Problem, X: Array, columns: Array, intercept: bool, options: ModelOptions) -> LinearPart:
    """Factorise the linear part's columns (as rows), with a ridge on their standardised coefficients."""
    w = np.ones(X.shape[1]) if raw.root_w is None else np.square(raw.root_w)
    before = np.sqrt(np.square(X) @ w)
    for _ in range(2):  # the second time takes off what rounding left of the means
        X = X - (X @ w / raw.weight)[:, None]
    centred = np.sqrt(np.square(X) @ w)
    lengths = np.linalg.norm(columns, axis=1)
    if intercept:
        lengths[1:] = centred[1:]
    ridge = options.linear_penalty * np.square(centred) if options.linear_penalty > 0 else None
    if ridge is not None and not np.isfinite(ridge).all():
        raise ArgumentError(
            f"linear_penalty is {options.linear_penalty:g}, which times the columns' squares leaves float64's range;"
            " take a smaller one"
        )
    return factorised(columns, lengths, ridge, options.tol, before)


def _check_size(design: Design) -> None:
    """Refuse nets that would take more memory than there is, before anything of their size is made."""
    inputs = [term.Z.shape[1] if term.basis is None else term.basis.shape[1] for term in design.terms]
    nodes = sum(term.size for term in design.terms)
    parameters = sum(term.size * (p + 2) for term, p in zip(design.terms, inputs, strict=True))
    N = len(design.y)
    check_memory(
        f"a fit with {nodes:,} nodes and {parameters:,} parameters",
        N * sum(p + 1 for p in inputs) + (2 * N * nodes if design.effects else 0) + _squares(design, N, parameters),
        "take a smaller size",
    )


def _squares(design: Design, N: int, parameters: int) -> int:
    """Return how many numbers are in the matrices that effective degrees of freedom take, where they are computed."""
    return 0 if design.effects and N * parameters > MOST_NUMBERS else 3 * parameters**2


def _parts(
    number: int, place: int, term: NetTerm, rows: Array, order: Array, w: Array | None, constants: bool
) -> list[Part]:
    """Whiten a term's inputs, once for each pattern of its mask; the first pattern's place is given."""
    Z = term.Z[rows]
    if term.basis is not None:
        inputs = Z[:, order] @ term.basis[order]
        whole = whitened(inputs, w, f"{term.label} (inputs times basis)", constants=constants)
        return [Part(number, np.arange(Z.shape[1]), np.arange(term.size), place, term.basis, whole)]
    mask = np.ones((Z.shape[1], term.size), bool) if term.mask is None else term.mask
    patterns, member = np.unique(mask[order], axis=1, return_inverse=True)
    users = np.unique(mask, axis=1)
    found = []
    for k, pattern in enumerate(patterns.T):
        columns = order[pattern]
        nodes = np.flatnonzero(member.reshape(-1) == k)
        later = int(np.flatnonzero((users == mask[:, nodes[:1]]).all(axis=0))[0])
        names = [term.names[column] for column in columns]
        own = whitened(Z[:, columns], w, term.label, names, constants)
        found.append(Part(number, columns, nodes, place + later, None, own))
    return found


def rank_of(posed: Posed) -> int:
    """Return the rank of the linear part and the effects together."""
    return len(posed.linear.kept) + (0 if posed.effects is None else posed.effects.rank)


def degrees_of(posed: Posed) -> float:
    """Return their effective degrees of freedom, which a ridge on the linear part makes fewer than the rank."""
    return posed.linear.degrees + (0 if posed.effects is None else posed.effects.rank)
