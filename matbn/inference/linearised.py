"""A fit as the linear regression that it is to first order.

Let D hold, row by row, the fitted values' derivatives by the folded net's parameters and the linear part's columns,
after effects and root weights. The penalised least-squares solution moves with the errors ε by

    δ = G⁻¹D·M·ε,    G = DDᵀ + λ·1ᵀw·R

(R the penalty's matrix), which is what every covariance here starts from. The folded net has p + 2 parameters a node,
which are identified, but for signs, orders of nodes and, with a rectifier, the scale that passes between the layers;
batch norm's own parameters are not, and get no standard errors. Where G is singular, its pseudo-inverse is used, and
quantities that it leaves undetermined are refused.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from matbn.arguments import Array
from matbn.fitting.design import Design
from matbn.fitting.posing import Options, Part, Posed, posed_problem
from matbn.fitting.problem import ridge_matrix
from matbn.fitting.profile import solved
from matbn.fitting.sweeps import workspace
from matbn.fitting.tangent import jacobian_rows
from matbn.fitting.units import shown_signs

_SINGULAR = 1e-10  # eigenvalue of G with unit diagonal, relative to the largest, that counts as 0


@dataclass(frozen=True, eq=False)
class Linearised:
    """A fit's derivatives and residuals, rows in the problem's order, outcomes in the user's units."""

    design: Design
    posed: Posed
    D: Array  # K × N, M·derivatives by (θ, Γ₂) and M·(linear part as orthonormal columns)
    inverse: Array  # K × K, of G
    rank: int  # of G, where there is no penalty
    e: Array  # N, √w·residual
    leverage: Array  # N, of the whole model, effects included
    edf: float  # effective degrees of freedom, their sum
    effects_rank: int
    names: tuple[str, ...]  # of the identified parameters: folded weights, then the linear part
    to_parameters: Array  # parameters × K

    @property
    def N(self) -> int:
        """Number of rows that count."""
        return len(self.e) if self.design.w is None else int((self.design.w > 0).sum())

    @property
    def df_residual(self) -> float:
        """N - edf."""
        return self.N - self.edf

    @property
    def variance(self) -> float:
        """Σwe²/(N - edf)."""
        return float(self.e @ self.e) / self.df_residual


def linearised(design: Design, options: Options, theta: Array, residuals: Array) -> Linearised:
    """Take derivatives at a fit's θ (see `problem.layers`); `residuals` are the fit's, in the design's order."""
    posed = posed_problem(design, options)
    problem, scale = posed.problem, posed.scale
    n = len(theta)
    Gamma2 = np.empty(0)
    if n:
        Gamma2 = solved(problem, theta, workspace(problem)).Gamma2
        J = jacobian_rows(problem, theta, Gamma2)
        J[:n] *= scale  # the problem's outcomes are y/scale
        penalty = ridge_matrix(problem)
        penalty[:n, :n] *= scale**2
    else:
        J, penalty = np.empty((0, len(design.y))), np.empty((0, 0))
    D = np.vstack([J, problem.linear.Q])
    ridge = problem.penalty * problem.weight * linalg.block_diag(penalty, np.zeros((len(problem.linear.Q),) * 2))
    if problem.linear.T is not None:
        ridge[len(J) :, len(J) :] = problem.linear.T.T @ problem.linear.T
    inverse, rank = _inverse(D @ D.T + ridge)
    root_w = 1.0 if problem.root_w is None else problem.root_w
    leverage = np.einsum("kn,kn->n", D, inverse @ D)
    if posed.effects is not None:
        leverage = leverage + posed.effects.leverage()
    names, to_parameters = _parameters(design, posed, len(J), shown_signs(problem.activation, Gamma2))
    return Linearised(
        design=design,
        posed=posed,
        D=D,
        inverse=inverse,
        rank=rank,
        e=residuals[posed.order] * root_w,
        leverage=leverage,
        edf=float(leverage.sum()),
        effects_rank=0 if posed.effects is None else posed.effects.rank,
        names=names,
        to_parameters=to_parameters,
    )


def _inverse(G: Array) -> tuple[Array, int]:
    """Return the inverse, or the pseudo-inverse of a singular G, and the rank."""
    if not len(G):
        return G, 0
    size = np.sqrt(np.maximum(G.diagonal(), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(G / np.outer(size, size))
    kept = values > _SINGULAR * values[-1]
    vectors = vectors[:, kept] / size[:, None]
    return (vectors / values[kept]) @ vectors.T, int(kept.sum())


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


def _parameters(design: Design, posed: Posed, nets: int, signs: Array) -> tuple[tuple[str, ...], Array]:
    """Return the identified parameters' names, and each as a combination of the coordinates.

    A node's are its folded weights A = Γ₁γ by input, c = β - mᵀA and Γ₂.
    """
    K = nets + len(posed.linear.kept)
    first_output = nets - len(signs)
    names: list[str] = []
    rows: list[Array] = []
    several = len(design.terms) > 1
    prefixes = [f"{term.label}:" if several else "" for term in design.terms]
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
        for j, (_, _, output) in enumerate(places[k]):
            names.append(f"{prefixes[k]}Gamma2[{j + 1}]")
            rows.append(signs[output - first_output] * np.eye(1, K, output)[0])
    linear = np.full((len(design.linear_names), K), np.nan)
    kept = posed.linear.kept
    linear[kept] = 0
    linear[kept, nets:] = linalg.solve_triangular(posed.linear.R, np.eye(len(kept)))
    return (*names, *design.linear_names), np.vstack([*rows, linear]) if rows else linear
