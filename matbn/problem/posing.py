"""From a design to the least-squares problem that is solved for it, and what leads back to the design.

Rows and inputs are put in order, outcomes are centred and scaled, fixed effects and the linear part are factorised, and
the nets' inputs are whitened.
"""

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
from matbn.problem.least_squares import Problem, project
from matbn.problem.linear_part import TOL, LinearPart, factorise, no_columns
from matbn.problem.scaling import ScaledOutcomes, centre_and_scale, far_means, norm, scale_to_one
from matbn.problem.whitening import Inputs, whiten

EXACT = 1e-12  # residuals no larger than this share of the outcomes are rounding errors of an exact fit
MOST_NUMBERS = 500_000_000  # entries of the Jacobian, which effects and standard errors need as a whole
_STEPS = 4  # residuals of so many spacings between float64 numbers may be rounding errors


@dataclass(frozen=True)
class ModelOptions:
    """The settings of a model, as opposed to its data."""

    activation: Activation
    penalty: float  # λ
    linear_penalty: float = 0.0  # λ_lin
    tol: float = TOL  # of the linear part's columns, see `linear_part`


@dataclass(frozen=True, eq=False)
class Part:
    """The nodes of a net term that have the same inputs: all of them, unless a mask gives them different ones."""

    term: int
    columns: Array  # of the term's Z, in the order of `data_order`; with a basis all columns, in the user's order
    nodes: Array  # numbers of the term's nodes
    place: int  # number of this part when parts are sorted by term, and then by mask as the user has them
    basis: Array | None  # p × k, as in the term
    inputs: Inputs


@dataclass(frozen=True, eq=False)
class Posed:
    """A least-squares problem, with what is needed to take its solution back to the design's units and order."""

    options: ModelOptions
    problem: Problem
    parts: tuple[Part, ...]
    columns: Array  # k × N, the linear part's columns, centred and scaled, after effects and weights
    locations: Array  # k, what was subtracted from these columns; not 0 only beside an intercept
    exponents: Array  # k, the columns were then divided by 2 to these powers
    linear: LinearPart  # the factors of `columns`
    effects: FixedEffects | None
    order: Array  # the problem's row i is the design's row order[i]
    scaled: ScaledOutcomes  # the design's outcomes, in the design's order
    spread: float  # deviation of the scaled outcomes, by which the problem divides them once more
    exact: bool  # whether the linear part and the effects fit the outcomes exactly

    @property
    def scale(self) -> float:
        """Outcomes of the problem are those of y divided by this."""
        return float(np.ldexp(self.spread, self.scaled.exponent))

    @property
    def away(self) -> Array:
        """What a unit of each kept column's coefficient takes off the intercept."""
        found: Array = np.ldexp(self.locations, self.exponents[:1] - self.exponents)[self.linear.kept]
        return found

    def in_design_order(self, values: Array) -> Array:
        """Return one value for each of the problem's rows in the order of the design's."""
        by_design_row = np.empty_like(values)
        by_design_row[self.order] = values
        return by_design_row

    def scaled_columns(self, linear: Array) -> Array:
        """Return the kept columns, centred and scaled, of m rows of the linear part (or of their rates of change)."""
        kept = self.linear.kept
        found: Array = np.ldexp((linear - linear[:, :1] * self.locations)[:, kept], -self.exponents[kept])
        return found

    def coordinates(self, linear: Array) -> Array:
        """Return the coordinates of these rows in the basis Q (m × number of kept columns)."""
        found: Array = self.scaled_columns(linear) @ self.linear.inverse
        return found


@one_blas_thread()
def pose(design: Design, options: ModelOptions, constants: bool = False) -> Posed:
    """Return the problem of a design; `constants` says whether nets ignore inputs that do not vary, or refuse them."""
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
    scaled, none = _scaled_outcomes(design, order), no_columns(N)
    y, rows = scaled.y[order], N if w is None else int((w > 0).sum())
    raw = Problem(
        terms, sizes, options.activation, y, none, np.empty(0), root_w, effects, weight, options.penalty, rows
    )
    X = design.linear[order]
    locations = _locations(X) if design.intercept else np.zeros(X.shape[1])
    X, exponents = scale_to_one((X - locations).T, None if w is None else w > 0)
    columns = project_cleanly(raw, X)
    linear = _linear_part(raw, X, columns, design.intercept, options)
    y, on_y = project_cleanly(raw, raw.y[None])[0], np.zeros(len(linear.kept))
    for _ in range(1 if linear.T is not None else 2):  # the second pass removes what rounding left
        more = linear.Q @ y
        on_y += more
        y = y - more @ linear.Q
    spread = float(np.sqrt(y @ y / weight))
    exact = spread <= EXACT * norm(raw.y, w) / np.sqrt(weight) or _only_rounding(design, scaled, y, order, root_w)
    spread = 1.0 if exact else spread
    problem = replace(raw, y=y / spread, on_y=on_y / spread, linear=linear)
    return Posed(
        options, problem, tuple(parts), columns, locations, exponents, linear, effects, order, scaled, spread, exact
    )


def _scaled_outcomes(design: Design, order: Array) -> ScaledOutcomes:
    """Return the design's outcomes, centred and scaled, with sums in the problem's order of rows."""
    effects = tuple(replace(effect, codes=effect.codes[order]) for effect in design.effects)
    w = None if design.w is None else design.w[order]
    found = centre_and_scale(replace(design, y=design.y[order], effects=effects, w=w))
    y = np.empty_like(found.y)
    y[order] = found.y
    return replace(found, y=y)


def project_cleanly(problem: Problem, A: Array) -> Array:
    """Return M·A for rows A, with effects taken out twice, which removes what rounding left of large means."""
    if problem.effects is not None:
        A = problem.effects.within(A)
    return project(problem, A)


def _only_rounding(design: Design, scaled: ScaledOutcomes, left: Array, order: Array, root_w: Array | None) -> bool:
    """Return whether all residuals may be rounding errors: a few spacings between float64 numbers at the outcomes."""
    steps = _STEPS * np.ldexp(np.spacing(np.abs(design.y[order])), -scaled.exponent)
    return bool((np.abs(left) <= (steps if root_w is None else steps * root_w)).all())


def _locations(linear: Array) -> Array:
    """Return for each column its mean if that is far from 0, and else 0; the first, an intercept, has 0."""
    one = np.zeros(len(linear), int)
    found = []
    for column in linear.T[1:]:
        scaled, exponent = scale_to_one(column)
        found.append(np.ldexp(far_means(scaled, one)[0], exponent))
    return np.array([0.0, *found])


def _linear_part(raw: Problem, X: Array, columns: Array, intercept: bool, options: ModelOptions) -> LinearPart:
    """Factorise the linear part's columns, given as rows, with a ridge on the coefficients of standardised columns."""
    w = np.ones(X.shape[1]) if raw.root_w is None else np.square(raw.root_w)
    before = np.sqrt(np.square(X) @ w)
    for _ in range(2):  # the second pass removes what rounding left of the means
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
    return factorise(columns, lengths, ridge, options.tol, before)


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
    """Return how many numbers the effective degrees of freedom need; none where they are not computed."""
    return 0 if design.effects and N * parameters > MOST_NUMBERS else 3 * parameters**2


def _parts(
    number: int, place: int, term: NetTerm, rows: Array, order: Array, w: Array | None, constants: bool
) -> list[Part]:
    """Return a term's parts, one for each pattern of its mask, with whitened inputs; `place` is that of the first."""
    Z = term.Z[rows]
    if term.basis is not None:
        inputs = Z[:, order] @ term.basis[order]
        whole = whiten(inputs, w, f"{term.label} (inputs times basis)", constants=constants)
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
        own = whiten(Z[:, columns], w, term.label, names, constants)
        found.append(Part(number, columns, nodes, place + later, None, own))
    return found


def rank_of_linear_part(posed: Posed) -> int:
    """Return the rank of the linear part and the effects together."""
    return len(posed.linear.kept) + (0 if posed.effects is None else posed.effects.rank)


def degrees_of_linear_part(posed: Posed) -> float:
    """Return the effective degrees of freedom of the linear part and the effects: the rank, or fewer with a ridge."""
    return posed.linear.degrees + (0 if posed.effects is None else posed.effects.rank)
