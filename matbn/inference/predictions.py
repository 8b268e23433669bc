"""Predictions with standard errors, and intervals for means and for new outcomes.

At a new row with derivatives r, in groups whose effects are moved by the rows' errors as h says
(`FixedEffects.influence`), a prediction moves by

    h·ε + (r - h·D_raw)·G⁻¹D·(√w⊙ε),

D_raw being the derivatives at the fit's rows before effects are taken out: of what r says, the effects take up what
they can. Without effects h = 0. Where a new group's effect is estimated from its own outcomes, the mean of those rows'
moves is taken off, and σ²/n added to the variance.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array
from matbn.fitted.unseen_groups import NewGroups, means_of_new
from matbn.inference.covariance import Errors, degrees, variances
from matbn.inference.estimates import Estimates
from matbn.inference.linearised import Linearised, check_determined
from matbn.problem.least_squares import Layer, layers
from matbn.problem.posing import Part
from matbn.problem.profile import solved
from matbn.problem.sweeps import workspace
from matbn.stream.kernel import Buffers, values_and_slopes

_AT_ONCE = 4_000_000  # moves that are held at the same time


@dataclass(frozen=True, eq=False)
class NewRows:
    """Where to predict."""

    inputs: Sequence[Array]  # m × p of each term
    linear: Array  # m × k, an intercept included
    groups: Array  # m × number of effects, a code of the fit's for each, -1 for none


@dataclass(frozen=True, eq=False, kw_only=True)
class Predicted(Estimates):
    """Predictions, an entry for each row, with the errors of the mean."""

    interval: str  # which bounds: "confidence", of the mean, or "prediction", of a new outcome of weight 1
    sigma: float  # standard deviation of a new outcome of weight 1 about the mean

    @property
    def value(self) -> Array:
        """The predictions."""
        return self.estimate


def own_rows(fit: Linearised) -> NewRows:
    """Return the rows of the fit's design."""
    design = fit.design
    codes = [effect.codes for effect in design.effects]
    groups = np.column_stack(codes) if codes else np.empty((len(fit.e), 0), int)
    return NewRows([term.Z for term in design.terms], design.linear, groups)


def moves_of(fit: Linearised, rows: NewRows, new: NewGroups | None = None) -> Array:
    """Return the moves of predictions at new rows (m × N)."""
    found = _moves(fit, rows, _own_derivatives(fit))
    return found if new is None else found - means_of_new(new, found)


def _moves(fit: Linearised, rows: NewRows, own: Array) -> Array:
    r = without_effects(fit, rows)[1]
    h = None
    if fit.posed.effects is not None:
        h = fit.posed.effects.influence(rows.groups)
        r = r - h @ own
    check_determined(fit, r, [f"row {k}" for k in range(len(r))])
    found: Array = r @ fit.inverse @ fit.D
    if h is not None:
        root_w = fit.posed.problem.root_w
        found += h if root_w is None else np.divide(h, root_w, out=np.zeros_like(h), where=root_w > 0)
    return found


def _own_derivatives(fit: Linearised) -> Array:
    """Return D_raw (N × K), which only effects need."""
    if fit.posed.effects is None:
        return np.empty((0, 0))
    return without_effects(fit, own_rows(fit))[1][fit.posed.order]


def _some(rows: NewRows, part: slice) -> NewRows:
    return NewRows([Z[part] for Z in rows.inputs], rows.linear[part], rows.groups[part])


def with_errors(
    fit: Linearised,
    rows: NewRows,
    value: Array,
    errors: Errors,
    level: float,
    interval: str,
    new: NewGroups | None = None,
) -> Predicted:
    """Return predictions with errors and bounds; only the covariance's diagonal is formed."""
    m = len(rows.linear)
    of_outcome = fit.variance * fit.design.weight_unit
    if new is None:  # the moves of some rows at a time: there are N for each
        step = max(1, _AT_ONCE // len(fit.e))
        own = _own_derivatives(fit)
        parts = (_moves(fit, _some(rows, slice(start, start + step)), own) for start in range(0, m, step))
        variance = np.concatenate([np.empty(0), *(variances(fit, errors, moves) for moves in parts)])
    else:
        variance = variances(fit, errors, moves_of(fit, rows, new))
        variance = variance + np.append(of_outcome / new.counts, 0)[new.code]
    with np.errstate(invalid="ignore"):
        error = fit.scale * np.sqrt(variance)
    spread = fit.scale * np.sqrt(variance + of_outcome) if interval == "prediction" else error
    about = {"level": level, "kind": str(errors), "df": degrees(fit, errors), "interval": interval}
    sigma = fit.scale * float(np.sqrt(of_outcome))
    return Predicted.with_bounds(value, error, spread=spread, sigma=sigma, **about)


def without_effects(fit: Linearised, rows: NewRows) -> tuple[Array, Array]:
    """Return the nets' and the linear part's sum at rows (m), and its derivatives by the coordinates (m × K).

    The derivatives are those of the sum divided by the fit's scale.
    """
    problem, posed = fit.posed.problem, fit.posed
    value: Array = rows.linear @ np.nan_to_num(fit.coefficients)
    columns: list[Array] = []
    if len(fit.theta):
        Gamma2 = solved(problem, fit.theta, workspace(problem)).Gamma2
        nodes = []
        for part, own in zip(posed.parts, layers(problem, fit.theta), strict=True):
            x = whitened_rows(rows.inputs[part.term], part, own)
            V, S = _nodes(x, own, fit)
            value = value + fit.scale * (Gamma2[own.nodes] @ V)
            columns.append((x[:, None, :] * (S * Gamma2[own.nodes][:, None])).reshape(-1, x.shape[1]))
            nodes.append(V)
        columns += nodes
    columns.append(posed.coordinates(rows.linear).T)
    return value, np.vstack(columns).T


def whitened_rows(Z: Array, part: Part, own: Layer) -> Array:
    """Return a term's inputs at new rows as the search sees them (p + 1 × m)."""
    Z = Z[:, part.columns]
    x = np.ones((own.F.shape[0], len(Z)))
    x[:-1] = (((Z if part.basis is None else Z @ part.basis) - own.inputs.mean) @ own.inputs.K).T
    return x


def _nodes(x: Array, own: Layer, fit: Linearised) -> tuple[Array, Array]:
    shape = (own.F.shape[1], x.shape[1])
    return values_and_slopes(x, own.F, fit.posed.problem.activation, Buffers(x, x, np.empty(shape), np.empty(shape)))
