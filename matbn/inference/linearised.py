"""A fit as the linear regression that it is to first order.

Let D hold, row by row, the fitted values' derivatives by the folded net's parameters and the linear part's columns,
after effects and root weights. The penalised least-squares solution moves with the errors ε by

    δ = G⁻¹D·M·ε,    G = DDᵀ + λ·1ᵀw·R

(R the penalty's matrix), which is what every covariance here starts from. The folded net has p + 2 parameters a node,
which are identified, but for signs, orders of nodes and, with a rectifier, the scale that passes between the layers;
batch norm's own parameters are not (Theorem 6 of docs/answer.md), and get no standard errors. Directions in which D
does not move (a rectifier's scale, the inputs of a node whose output is 0, collinear outputs) are not identified,
whatever the penalty makes of them: what depends on them is refused. Without a penalty G is singular then, and its
pseudo-inverse is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from matbn.arguments import Array
from matbn.errors import InferenceError
from matbn.fitted.fitted_model import FittedModel, told_apart
from matbn.fitted.units import shown_signs
from matbn.model.design import Design
from matbn.problem.coordinates import of_problem
from matbn.problem.jacobian import jacobian_rows
from matbn.problem.least_squares import ridge_matrix
from matbn.problem.posing import Part, Posed, posed_problem
from matbn.problem.profile import solved
from matbn.problem.sweeps import workspace

_ROUNDING = 1e-7  # entries of a unit vector that count as 0
_DEPENDS = 1e-6  # share of the terms of r·free that counts as more than rounding
_SINGULAR = 1e-13  # eigenvalue of DDᵀ with unit diagonal, relative to the largest, that counts as 0


@dataclass(frozen=True, eq=False)
class Linearised:
    """A fit's derivatives and residuals, rows in the problem's order, outcomes divided by `scale`."""

    design: Design
    posed: Posed
    theta: Array  # the fit's
    coefficients: Array  # the linear part's, nan where a column was dropped
    D: Array  # K × N, M·derivatives by (θ, Γ₂) and M·(linear part as orthonormal columns)
    inverse: Array  # K × K, of G
    free: Array  # K × ., directions of the coordinates in which no fitted value moves
    e: Array  # N, √w·residual/scale
    leverage: Array  # N, of the whole model, effects included
    edf: float  # effective degrees of freedom, their sum
    effects_rank: int
    names: tuple[str, ...]  # of the identified parameters: folded weights, then the linear part
    to_parameters: Array  # parameters × K, the parameters in units of their own
    units: Array  # of the parameters

    @property
    def scale(self) -> float:
        """By which outcomes are divided here."""
        return self.posed.scale

    @property
    def N(self) -> int:
        """Number of rows that count."""
        return len(self.e) if self.design.w is None else int((self.design.w > 0).sum())

    @property
    def rank(self) -> int:
        """Rank of the derivatives: how many of the nets' and the linear part's parameters the data determine."""
        return len(self.D) - int(self.free.shape[1])

    @property
    def df_residual(self) -> float:
        """N - edf."""
        return self.N - self.edf

    @property
    def variance(self) -> float:
        """Σwe²/(N - edf), of the scaled outcomes."""
        return float(self.e @ self.e) / self.df_residual


def linearised(fit: FittedModel) -> Linearised:
    """Take derivatives at a fit."""
    design, theta = fit.design, fit.theta
    assert design is not None
    assert theta is not None
    posed = posed_problem(design, fit.options)
    problem = posed.problem
    theta = of_problem(posed, theta)
    n = len(theta)
    Gamma2 = np.empty(0)
    if n:
        Gamma2 = solved(problem, theta, workspace(problem)).Gamma2
        J = jacobian_rows(problem, theta, Gamma2)
        penalty = ridge_matrix(problem)
    else:
        J, penalty = np.empty((0, len(design.y))), np.empty((0, 0))
    D = np.vstack([J, problem.linear.Q])
    ridge = problem.penalty * problem.weight * linalg.block_diag(penalty, np.zeros((len(problem.linear.Q),) * 2))
    if problem.linear.T is not None:
        ridge[len(J) :, len(J) :] = problem.linear.T.T @ problem.linear.T
    DDt = D @ D.T
    free = _undetermined(DDt)
    inverse = _inverse(DDt + ridge, free.shape[1] if fit.penalty == 0 else 0)
    root_w = 1.0 if problem.root_w is None else problem.root_w
    leverage = np.einsum("kn,kn->n", D, inverse @ D)
    if posed.effects is not None:
        leverage = leverage + posed.effects.leverage()
    names, to_parameters, units = _parameters(design, posed, len(J), shown_signs(problem.activation, Gamma2))
    return Linearised(
        design=design,
        posed=posed,
        theta=theta,
        coefficients=fit.coefficients,
        D=D,
        inverse=inverse,
        free=free,
        e=np.ldexp(fit.residuals[posed.order], -posed.calm.exponent) / posed.spread * root_w,
        leverage=leverage,
        edf=float(leverage.sum()),
        effects_rank=0 if posed.effects is None else posed.effects.rank,
        names=names,
        to_parameters=to_parameters,
        units=units,
    )


def determined(fit: Linearised, r: Array) -> Array:
    """Return for each row of r whether the data determine that combination of the coordinates."""
    sizes = np.abs(np.nan_to_num(r)) @ np.abs(fit.free)
    found: Array = (np.abs(np.nan_to_num(r) @ fit.free) <= _DEPENDS * sizes).all(axis=1)
    return found


def check_determined(fit: Linearised, r: Array, names: Sequence[str]) -> None:
    """Refuse what neither the data nor a penalty determines."""
    if fit.posed.problem.penalty > 0 or not fit.free.size:
        return
    open_ends = [name for name, fixed in zip(names, determined(fit, r), strict=True) if not fixed]
    if open_ends:
        raise InferenceError(
            f"{', '.join(open_ends[:4])}: not determined by the data (rank {fit.rank} of {len(fit.D)}), so that"
            " there is no standard error; fit fewer nodes, or with a penalty"
        )


def _undetermined(DDt: Array) -> Array:
    """Return a basis of the directions in which D's rows depend on each other, coordinates in units of equal effect."""
    if not len(DDt):
        return np.empty((0, 0))
    size = np.sqrt(DDt.diagonal())
    size[size <= _SINGULAR * size.max()] = np.inf
    values, vectors = np.linalg.eigh(DDt / np.outer(size, size))
    free = vectors[:, values <= _SINGULAR * values[-1]]
    free = np.where(np.abs(free) < _ROUNDING, 0, free)
    return np.where(np.isinf(size)[:, None], free, free / np.where(np.isinf(size), 1, size)[:, None])


def _inverse(G: Array, free: int) -> Array:
    """Return the inverse of G; where it is singular, with so many `free` directions, its pseudo-inverse."""
    if not len(G):
        return G
    size = np.sqrt(np.maximum(G.diagonal(), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(G / np.outer(size, size))
    values, vectors = values[free:], vectors[:, free:] / size[:, None]
    found: Array = (vectors / values) @ vectors.T
    return found


_Place = tuple[Part, Array, int]  # of a node: its part, coordinates of [α; β], and that of Γ₂


def _places(design: Design, posed: Posed) -> list[list[_Place]]:
    """Return where each term's nodes have their coordinates in (θ, Γ₂)."""
    lengths = [len(part.inputs.x) for part in posed.parts]
    outputs = sum(length * len(part.nodes) for length, part in zip(lengths, posed.parts, strict=True))
    found: list[dict[int, _Place]] = [{} for _ in design.terms]
    start = 0
    for length, part in zip(lengths, posed.parts, strict=True):
        size = len(part.nodes)
        for j, node in enumerate(part.nodes):
            found[part.term][int(node)] = (part, start + j + size * np.arange(length), outputs + j)
        start += length * size
        outputs += size
    return [[places[j] for j in range(len(places))] for places in found]


def _parameters(design: Design, posed: Posed, nets: int, signs: Array) -> tuple[tuple[str, ...], Array, Array]:
    """Return the identified parameters' names, each as a combination of the coordinates, and their units.

    A node's are its folded weights A = Γ₁γ by input, c = β - mᵀA and Γ₂.
    """
    K = nets + len(posed.linear.kept)
    first_output = nets - len(signs)
    names: list[str] = []
    rows: list[Array] = []
    units: list[float] = []
    several = len(design.terms) > 1
    labels = told_apart([term.label for term in design.terms])
    prefixes = [f"{label}:" if several else "" for label in labels]
    places = _places(design, posed) if nets else [[] for _ in design.terms]
    for k, term in enumerate(design.terms):
        for j, (part, at, output) in enumerate(places[k]):
            folded = np.zeros((len(term.names), K))
            bias = np.zeros(K)
            sign = signs[output - first_output]
            basis = part.inputs.K if part.basis is None else part.basis @ part.inputs.K
            folded[np.ix_(part.columns, at[:-1])] = sign * basis
            bias[at[-1]] = sign
            bias[at[:-1]] = -sign * (part.inputs.mean @ part.inputs.K)
            names += [f"{prefixes[k]}A[{name},{j + 1}]" for name in term.names] + [f"{prefixes[k]}c[{j + 1}]"]
            rows += [*folded, bias]
            units += [1.0] * (len(folded) + 1)
        for j, (_, _, output) in enumerate(places[k]):
            names.append(f"{prefixes[k]}Gamma2[{j + 1}]")
            rows.append(signs[output - first_output] * np.eye(1, K, output)[0])
            units.append(posed.scale)
    linear = np.full((len(design.linear_names), K), np.nan)
    kept = posed.linear.kept
    linear[kept] = 0
    linear[kept, nets:] = posed.linear.inverse
    if design.intercept:
        linear[0, nets:] -= posed.away @ posed.linear.inverse
    of_linear = np.ldexp(posed.spread, posed.calm.exponent - posed.exponents)
    return (*names, *design.linear_names), np.vstack([*rows, linear]), np.append(units, of_linear)
