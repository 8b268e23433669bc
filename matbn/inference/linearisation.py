"""A fit as the linear regression that it is to first order.

Let D hold, row by row, the fitted values' derivatives by the folded net's parameters and the linear part's columns,
after fixed effects and root weights. To first order, errors ε change the penalised least-squares solution by

    δ = G⁻¹D·M·ε,    G = DDᵀ + λ·1ᵀw·R

(R the penalty's matrix), which is what every covariance here starts from. The folded net has p + 2 parameters a node,
which are identified, but for signs, the order of nodes and, with a rectifier, the scale that may pass between the
layers; batch norm's own parameters are not (Theorem 6 of docs/answer.md), and get no standard errors. Directions of
the parameters along which no fitted value changes (a rectifier's scale, the inputs of a node whose output is 0,
collinear outputs) are not identified, whatever the penalty makes of them: what depends on them is refused. Without a
penalty G is then singular, and its pseudo-inverse is used.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from matbn.arguments import Array
from matbn.errors import InferenceError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.identified import Parameter, identified_parameters, in_coordinates
from matbn.model.design import Design
from matbn.problem.coordinates import signs_to_show, theta_of_problem
from matbn.problem.jacobian import jacobian_rows
from matbn.problem.least_squares import FirstLayer, first_layers, ridge_matrix
from matbn.problem.posing import Part, Posed, pose
from matbn.problem.profile import solve
from matbn.problem.sweeps import workspace

_ROUNDING = 1e-7  # entries of a unit vector that count as 0
_DEPENDS = 1e-6  # share of the terms of r·free that counts as more than rounding
_SINGULAR = 1e-13  # eigenvalue of DDᵀ with unit diagonal, relative to the largest, that counts as 0


@dataclass(frozen=True, eq=False)
class Linearisation:
    """A fit's derivatives and residuals, rows in the problem's order, outcomes divided by `scale`.

    The K coordinates are the problem's: θ, Γ₂ and the linear part's orthonormal columns.
    """

    design: Design
    posed: Posed
    theta: Array  # the nets' first layers, as the problem has them
    Gamma2: Array  # nodes, output weights for scaled outcomes
    coefficients: Array  # the linear part's, nan where a column was dropped
    D: Array  # K × N, M·derivatives by (θ, Γ₂) and M·(linear part as orthonormal columns)
    inverse: Array  # K × K, of G
    free: Array  # K × ., directions of the coordinates along which no fitted value changes
    e: Array  # N, √w·residual/scale
    leverage: Array  # N, of the whole model, fixed effects included
    edf: float  # effective degrees of freedom, the sum of the leverages
    fixed_effects_rank: int
    parameters: tuple[Parameter, ...]  # the identified ones
    to_parameters: Array  # parameters × K, which gives them in units of their own
    units: Array  # of the parameters

    @property
    def scale(self) -> float:
        """What outcomes are divided by here."""
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

    @property
    def first_layers(self) -> list[tuple[Part, FirstLayer, Array]]:
        """The nets' parts, each with its first layer and its output weights; none if the linear part fits exactly."""
        if not len(self.theta):
            return []
        pairs = zip(self.posed.parts, first_layers(self.posed.problem, self.theta), strict=True)
        return [(part, own, self.Gamma2[own.nodes]) for part, own in pairs]


def linearise(fit: FittedModel) -> Linearisation:
    """Return a fit's linear regression; the fit must have its data."""
    design, theta = fit.design, fit.theta
    assert design is not None
    assert theta is not None
    posed = pose(design, fit.options)
    problem = posed.problem
    theta = theta_of_problem(posed, theta)
    Gamma2, J, penalty = np.empty(0), np.empty((0, len(design.y))), np.empty((0, 0))
    if len(theta):
        Gamma2 = solve(problem, theta, workspace(problem)).Gamma2
        J, penalty = jacobian_rows(problem, theta, Gamma2), ridge_matrix(problem)
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
    parameters = identified_parameters(fit)
    to_parameters, units = in_coordinates(parameters, design, posed, signs_to_show(problem.activation, Gamma2))
    return Linearisation(
        design=design,
        posed=posed,
        theta=theta,
        Gamma2=Gamma2,
        coefficients=fit.coefficients,
        D=D,
        inverse=inverse,
        free=free,
        e=np.ldexp(fit.residuals[posed.order], -posed.scaled.exponent) / posed.spread * root_w,
        leverage=leverage,
        edf=float(leverage.sum()),
        fixed_effects_rank=0 if posed.effects is None else posed.effects.rank,
        parameters=parameters,
        to_parameters=to_parameters,
        units=units,
    )


def are_determined(linearisation: Linearisation, r: Array) -> Array:
    """Return for each row of r whether the data determine that combination of the coordinates."""
    free, r = linearisation.free, np.nan_to_num(r)
    return np.asarray((np.abs(r @ free) <= _DEPENDS * (np.abs(r) @ np.abs(free))).all(axis=1))


def check_determined(linearisation: Linearisation, r: Array, names: Sequence[str]) -> None:
    """Refuse what neither the data nor a penalty determines."""
    if linearisation.posed.problem.penalty > 0 or not linearisation.free.size:
        return
    open_ends = [name for name, fixed in zip(names, are_determined(linearisation, r), strict=True) if not fixed]
    if open_ends:
        raise InferenceError(
            f"{', '.join(open_ends[:4])}: not determined by the data (rank {linearisation.rank} of"
            f" {len(linearisation.D)}), so that there is no standard error; fit fewer nodes, or with a penalty"
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
    return np.asarray((vectors / values) @ vectors.T)
