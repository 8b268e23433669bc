"""Predictions with standard errors, and intervals for means and for new outcomes.

At a new row with derivatives r, in groups whose effects are moved by the rows' errors as h says
(`FixedEffects.influence`), a prediction moves by

    h·ε + (r - h·D_raw)·G⁻¹D·(√w⊙ε),

D_raw being the derivatives at the fit's rows before effects are taken out: of what r says, the effects take up what
they can. Without effects h = 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, special

from matbn.arguments import Array
from matbn.fitting.posing import Part
from matbn.fitting.problem import Layer, layers
from matbn.fitting.profile import solved
from matbn.fitting.sweeps import workspace
from matbn.inference.covariance import Errors, covariance, degrees
from matbn.inference.linearised import Linearised
from matbn.stream.kernel import Buffers, layer


@dataclass(frozen=True, eq=False)
class NewRows:
    """Where to predict."""

    inputs: Sequence[Array]  # m × p of each term
    linear: Array  # m × k, an intercept included
    groups: Array  # m × number of effects, a code of the fit's for each, -1 for none


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions, an entry for each row."""

    value: Array
    error: Array  # of the mean
    lower: Array
    upper: Array
    level: float
    interval: str  # "confidence", for the mean, or "prediction", for a new outcome of weight 1
    kind: str
    df: float
    variance: float  # of a new outcome of weight 1


def moves_of(fit: Linearised, theta: Array, rows: NewRows) -> Array:
    """Return the moves of predictions at new rows (m × N)."""
    r = _derivatives(fit, theta, rows)
    if fit.posed.effects is None:
        found: Array = r @ fit.inverse @ fit.D
        return found
    h = fit.posed.effects.influence(rows.groups)
    own = NewRows([term.Z for term in fit.design.terms], fit.design.linear, np.empty((len(fit.e), 0)))
    r = r - h @ _derivatives(fit, theta, own)[fit.posed.order]
    root_w = fit.posed.problem.root_w
    found = r @ fit.inverse @ fit.D
    found += h if root_w is None else np.divide(h, root_w, out=np.zeros_like(h), where=root_w > 0)
    return found


def with_errors(
    fit: Linearised, theta: Array, rows: NewRows, value: Array, errors: Errors, level: float, interval: str
) -> Predicted:
    """Return predictions with errors and bounds; only the covariance's diagonal is formed."""
    moves = moves_of(fit, theta, rows)
    variance = np.array([covariance(fit, errors, move[None])[0, 0] for move in moves])
    with np.errstate(invalid="ignore"):
        error = np.sqrt(variance)
    spread = np.sqrt(variance + fit.variance) if interval == "prediction" else error
    df = degrees(fit, errors)
    half = special.stdtrit(df, (1 + level) / 2) * spread
    return Predicted(value, error, value - half, value + half, level, interval, str(errors), df, fit.variance)


def _derivatives(fit: Linearised, theta: Array, rows: NewRows) -> Array:
    """Return derivatives by the coordinates (m × K)."""
    problem, posed = fit.posed.problem, fit.posed
    columns: list[Array] = []
    if len(theta):
        Gamma2 = solved(problem, theta, workspace(problem)).Gamma2
        nodes = []
        for part, own in zip(posed.parts, layers(problem, theta), strict=True):
            x = whitened_rows(rows.inputs[part.term], part, own)
            V, S = _nodes(x, own, fit)
            slopes = S * (posed.scale * Gamma2[own.nodes])[:, None]
            columns.append((x[:, None, :] * slopes).reshape(-1, x.shape[1]))
            nodes.append(V)
        columns += nodes
    kept = posed.linear.kept
    columns.append(linalg.solve_triangular(posed.linear.R, rows.linear[:, kept].T, trans="T"))
    return np.vstack(columns).T


def whitened_rows(Z: Array, part: Part, own: Layer) -> Array:
    """Return a term's inputs at new rows as the search sees them (p + 1 × m)."""
    Z = Z[:, part.columns]
    x = np.ones((own.F.shape[0], len(Z)))
    x[:-1] = (((Z if part.basis is None else Z @ part.basis) - own.inputs.mean) @ own.inputs.K).T
    return x


def _nodes(x: Array, own: Layer, fit: Linearised) -> tuple[Array, Array]:
    shape = (own.F.shape[1], x.shape[1])
    return layer(x, own.F, fit.posed.problem.activation, Buffers(x, x, np.empty(shape), np.empty(shape)))


def codes_of(fit: Linearised, labels: Mapping[str, Array]) -> Array:
    """Return groups as the fit's codes, -1 where it has not seen them."""
    found = [np.full(len(next(iter(labels.values()))), -1) for _ in fit.design.effects] if labels else []
    for code, effect in zip(found, fit.design.effects, strict=True):
        given = np.asarray(labels[effect.name])
        place = np.minimum(np.searchsorted(effect.levels, given), len(effect.levels) - 1)
        seen = effect.levels[place] == given
        code[seen] = place[seen]
    return np.column_stack(found) if found else np.empty((0, 0), int)
