"""Predictions of a fit, which is all that is needed of it: no data, no solver."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.activation import evaluate
from matbn.arguments import Array, as_matrix, as_real, places
from matbn.errors import ArgumentError, ElementTypeError, NotFiniteError, ShapeError
from matbn.fitted.fitted_model import FittedModel
from matbn.fitted.unseen_groups import codes_of, means_of_new, new_groups, unlabelled
from matbn.model.design import as_columns
from matbn.model.new_data import arrays_of, offset_of, outcomes_of


@dataclass(frozen=True, eq=False)
class New:
    """New rows."""

    inputs: Sequence[Array]  # m × p of each net
    linear: Array  # m × k, an intercept included
    effects: Mapping[str, Array]  # m group labels of each
    outcomes: Array | None = None  # m, nan where unknown
    offset: Array | None = None  # m


def new_rows(
    fit: FittedModel, data: Any, inputs: Any, linear: Any, effects: Any, outcomes: Any = None, unseen: str = "error"
) -> New | None:
    """Return `Fit.predict`'s new rows as arrays; None for the fit's own."""
    given = not (isinstance(inputs, tuple | list) and not inputs) or linear is not None or effects is not None
    if data is None and not given:
        return None
    if fit.recipe is not None:
        if data is None:
            raise ArgumentError("the fit has a formula: give new rows as a data frame, predict(data)")
        parts = arrays_of(fit.recipe, data)
        if outcomes is None and unseen == "estimate":
            outcomes = outcomes_of(fit.recipe, data)
        return New(*parts, _as_outcomes(outcomes, len(parts[1])), offset_of(fit.recipe, data))
    if data is not None:
        raise ArgumentError("the fit was made from arrays: give inputs=, linear= and effects=, not data")
    matrices = [as_real(f"inputs[{k}]", as_matrix(f"inputs[{k}]", Z)) for k, Z in enumerate(_as_inputs(inputs))]
    if effects is not None and (not hasattr(effects, "items") or getattr(effects, "ndim", 2) == 1):
        effects = {fit.effects[0].name if fit.effects else "effect": effects}
    groups = {} if effects is None else dict(effects.items())
    for name, values, known in (("effects", groups, fit.effects), ("inputs", matrices, fit.nets or _terms(fit))):
        if values and not known:
            raise ArgumentError(f"{name} is given, but the fit has none")
    found = None if linear is None else as_real("linear", as_matrix("linear", as_columns(linear)))
    rows = _rows(matrices, found, groups)
    columns = np.empty((rows, 0)) if found is None else found
    if fit.intercept:
        columns = np.column_stack([np.ones(rows), columns])
    return New(matrices, columns, groups, _as_outcomes(outcomes, rows))


def _terms(fit: FittedModel) -> Any:
    """Return a fit's net terms, which leave no nets where the linear part fits exactly; True where it has no data."""
    return True if fit.design is None else fit.design.terms


def _as_inputs(inputs: Any) -> list[Any]:
    if isinstance(inputs, str) or not isinstance(inputs, Iterable):
        raise ElementTypeError(f"inputs is a {type(inputs).__name__}, but must be a list: one matrix for each net")
    if getattr(inputs, "ndim", 3) == 2:  # one matrix, or a data frame
        return [inputs]
    return list(inputs)


def _as_outcomes(outcomes: Any, m: int) -> Array | None:
    if outcomes is None:
        return None
    try:
        found = as_real("outcomes", np.asarray(outcomes))
    except ValueError:
        raise ShapeError("outcomes are no vector; give one number for each new row") from None
    try:
        found = found.astype(float)
    except (TypeError, ValueError):
        raise ElementTypeError("outcomes are no numbers; give one for each new row, nan where it is unknown") from None
    if found.shape != (m,):
        raise ShapeError(f"outcomes have shape {found.shape}, but must have one number for each of {m} new rows")
    return found


def _rows(matrices: list[Array], linear: Array | None, groups: Mapping[str, Any]) -> int:
    """Return how many new rows there are, if all parts have equally many."""
    lengths = {f"inputs[{k}]": len(Z) for k, Z in enumerate(matrices)}
    if linear is not None:
        lengths["linear"] = len(linear)
    lengths |= {f"effects {name!r}": len(np.atleast_1d(np.asarray(labels))) for name, labels in groups.items()}
    if len(set(lengths.values())) != 1:
        given = ", ".join(f"{name} has {rows}" for name, rows in lengths.items()) or "there are none"
        raise ShapeError(f"new rows must be equally many in all parts: {given}")
    (rows,) = set(lengths.values())
    if rows == 0:
        raise ShapeError("there are no new rows")
    return rows


@np.errstate(all="ignore")
def predicted(fit: FittedModel, new: New, unseen: str = "error") -> Array:
    """Return predictions at new rows; `unseen` says what groups get that the fit has not seen, see `Fit.predict`."""
    inputs, linear = new.inputs, new.linear
    if fit.nets and len(inputs) != len(fit.nets):
        raise ShapeError(f"the fit has {len(fit.nets)} nets, but inputs of {len(inputs)} are given")
    if linear.shape[1] != len(fit.coefficients):
        raise ShapeError(
            f"the linear part has {len(fit.coefficients)} columns ({', '.join(fit.coefficient_names)}), but"
            f" {linear.shape[1]} are given"
        )
    offset = np.zeros(len(linear)) if new.offset is None else new.offset
    total: Array = linear @ np.nan_to_num(fit.coefficients) + offset
    for net, Z in zip(fit.nets, inputs, strict=False):  # no nets where the linear part fitted exactly
        if Z.shape[1] != len(net.names):
            raise ShapeError(f"{net.label!r} has {len(net.names)} inputs, but {Z.shape[1]} columns are given")
        total = total + evaluate(fit.activation, "value", (Z - net.mean) @ net.A + net.beta) @ net.Gamma2
    missing = unlabelled(new.effects, len(total)) if fit.effects else np.zeros(len(total), bool)
    for effect in fit.effects:
        codes = codes_of(effect, new.effects, len(total))
        others = {"average": effect.average}.get(unseen, 0.0)
        if unseen == "error" and ((codes < 0) & ~missing).any():
            unknown = np.unique(np.asarray(new.effects[effect.name])[(codes < 0) & ~missing])
            raise ArgumentError(
                f"{effect.name!r} has groups that the fit has not seen: {', '.join(map(str, unknown[:5]))};"
                " unseen='average' or 'zero' predicts them nevertheless, 'estimate' from known outcomes"
            )
        total = total + np.where(codes < 0, others, effect.estimates[codes])
    if unseen == "estimate" and fit.effects:
        groups = new_groups(fit, new.effects, new.outcomes, len(total))
        left = np.zeros_like(total)
        if new.outcomes is not None:
            left[groups.known] = new.outcomes[groups.known] - total[groups.known]
        total = total + means_of_new(groups, left)
    total[missing] = np.nan
    missing |= np.any([np.isnan(part).any(axis=1) for part in (*inputs, linear, offset[:, None])], axis=0)
    bad = np.flatnonzero(~np.isfinite(total) & ~missing)
    if len(bad):
        raise NotFiniteError(
            f"predictions would not be finite in {len(bad)} rows, at {places(bad)}: values there are too large for"
            " float64, or the activation does not return finite numbers"
        )
    return total
