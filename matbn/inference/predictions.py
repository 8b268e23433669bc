"""Predictions with standard errors, and intervals for means and for new outcomes.

At a new row with derivatives r, let h be the influence of the fit's rows on the effects of the row's groups
(`FixedEffects.influence`). Errors ε then change the prediction by

    h·ε + (r - h·D_raw)·G⁻¹D·(√w⊙ε),

D_raw being the derivatives at the fit's rows before fixed effects are taken out: the effects take up what they can of
r. Without effects h = 0. Where a new group's effect is estimated from its own outcomes, the mean influence on those
rows is taken off, and σ²/n added to the variance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.arguments import Array, shown_place
from matbn.fitted.unseen_groups import NewGroups, means_of_new
from matbn.inference.covariance import Errors, degrees, variances
from matbn.inference.estimates import Estimates
from matbn.inference.linearisation import Linearisation, check_determined
from matbn.model.design import Design
from matbn.problem.least_squares import FirstLayer
from matbn.problem.posing import Part
from matbn.stream.kernel import Buffers, values_and_slopes

_AT_ONCE = 4_000_000  # numbers of influence that are held at the same time


@dataclass(frozen=True, eq=False)
class NewRows:
    """Where to predict."""

    inputs: Sequence[Array]  # m × p of each term
    linear: Array  # m × k, an intercept included
    groups: Array  # m × number of fixed effects, a code of the fit's for each, -1 for none
    offset: Any = 0.0  # m, or one for all rows


@dataclass(frozen=True, eq=False, kw_only=True)
class Predicted(Estimates):
    """Predictions, an entry for each row, with the errors of the mean."""

    interval: str  # what the bounds are for: "confidence", the mean, or "prediction", a new outcome of weight 1
    sigma: float  # standard deviation of a new outcome of weight 1 about the mean

    @property
    def value(self) -> Array:
        """The predictions."""
        return self.estimate


def own_rows(design: Design) -> NewRows:
    """Return the rows of a fit's design."""
    offset = 0.0 if design.offset is None else design.offset
    return NewRows([term.Z for term in design.terms], design.linear, groups_of(design), offset)


def groups_of(design: Design) -> Array:
    """Return the groups of a design's rows as codes (N × number of fixed effects)."""
    codes = [effect.codes for effect in design.effects]
    return np.column_stack(codes) if codes else np.empty((len(design.y), 0), int)


def influence_on(linearisation: Linearisation, rows: NewRows, new: NewGroups | None = None) -> Array:
    """Return the influence of the fit's rows on predictions at new rows (m × N)."""
    influence = _influence(linearisation, rows, _own_derivatives(linearisation))
    return influence if new is None else influence - means_of_new(new, influence)


def _influence(linearisation: Linearisation, rows: NewRows, own: Array) -> Array:
    r = without_fixed_effects(linearisation, rows)[1]
    effects, root_w = linearisation.posed.effects, linearisation.posed.problem.root_w
    h = None
    if effects is not None:
        h = effects.influence(rows.groups)
        r = r - h @ own
    check_determined(linearisation, r, [f"row {shown_place(k)}" for k in range(len(r))])
    influence: Array = r @ linearisation.inverse @ linearisation.D
    if h is not None:
        influence += h if root_w is None else np.divide(h, root_w, out=np.zeros_like(h), where=root_w > 0)
    return influence


def _own_derivatives(linearisation: Linearisation) -> Array:
    """Return D_raw (N × K), which only fixed effects need."""
    if linearisation.posed.effects is None:
        return np.empty((0, 0))
    return without_fixed_effects(linearisation, own_rows(linearisation.design))[1][linearisation.posed.order]


def _some(rows: NewRows, part: slice) -> NewRows:
    return NewRows([Z[part] for Z in rows.inputs], rows.linear[part], rows.groups[part])


def predictions_at(
    linearisation: Linearisation,
    rows: NewRows,
    value: Array,
    errors: Errors,
    level: float,
    interval: str,
    new: NewGroups | None = None,
) -> Predicted:
    """Return predictions with errors and bounds; only the covariance's diagonal is formed."""
    m, scale = len(rows.linear), linearisation.scale
    of_outcome = linearisation.variance * linearisation.design.weight_unit
    if new is None:  # for some rows at a time, as each has N numbers of influence
        step = max(1, _AT_ONCE // len(linearisation.e))
        own = _own_derivatives(linearisation)
        parts = (_influence(linearisation, _some(rows, slice(start, start + step)), own) for start in range(0, m, step))
        variance = np.concatenate([np.empty(0), *(variances(linearisation, errors, part) for part in parts)])
    else:
        variance = variances(linearisation, errors, influence_on(linearisation, rows, new))
        variance = variance + np.append(of_outcome / new.counts, 0)[new.code]
    with np.errstate(invalid="ignore"):
        error = scale * np.sqrt(variance)
    spread = scale * np.sqrt(variance + of_outcome) if interval == "prediction" else error
    df, sigma = degrees(linearisation, errors), scale * float(np.sqrt(of_outcome))
    more = {"spread": spread, "interval": interval, "sigma": sigma}
    return Predicted.with_bounds(value, error, level, str(errors), df, **more)


def without_fixed_effects(linearisation: Linearisation, rows: NewRows) -> tuple[Array, Array]:
    """Return the sum of nets, linear part and offset at rows (m), and its derivatives by the coordinates (m × K).

    The derivatives are those of the sum divided by the fit's scale.
    """
    value: Array = rows.linear @ np.nan_to_num(linearisation.coefficients) + rows.offset
    by_first, by_output = [], []
    for part, own, Gamma2 in linearisation.first_layers:
        x = whitened_rows(rows.inputs[part.term], part, own)
        room = Buffers(x, x, *np.empty((2, len(Gamma2), x.shape[1])))
        V, S = values_and_slopes(x, own.F, linearisation.posed.problem.activation, room)
        value = value + linearisation.scale * (Gamma2 @ V)
        by_first.append((x[:, None, :] * (S * Gamma2[:, None])).reshape(-1, x.shape[1]))
        by_output.append(V)
    return value, np.vstack([*by_first, *by_output, linearisation.posed.coordinates(rows.linear).T]).T


def whitened_rows(Z: Array, part: Part, own: FirstLayer) -> Array:
    """Return a term's inputs at new rows as the search sees them (p + 1 × m)."""
    Z = Z[:, part.columns]
    x = np.ones((own.F.shape[0], len(Z)))
    x[:-1] = (((Z if part.basis is None else Z @ part.basis) - own.inputs.mean) @ own.inputs.K).T
    return x
