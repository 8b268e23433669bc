"""Predictions from a fit alone, without its data or a solver."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.activation import evaluate
from matbn.arguments import Array, as_choice, as_matrix, as_real, places
from matbn.errors import ArgumentError, ElementTypeError, NotFiniteError, ShapeError
from matbn.fitted.fitted_model import FittedModel
from matbn.fitted.unseen_groups import codes_of, means_of_new, new_groups, unlabelled
from matbn.model.design import as_columns
from matbn.model.new_data import arrays_of, offset_of, outcomes_of

UNSEEN = ("error", "zero", "average", "estimate")


@dataclass(frozen=True, eq=False)
class New:
    """New rows to predict."""

    inputs: Sequence[Array]  # for each net, m × p
    linear: Array  # m × k, with the column of an intercept
    effects: Mapping[str, Array]  # for each effect, m group labels
    outcomes: Array | None = None  # m, nan where unknown
    offset: Any = 0.0  # m, or one for all rows


def predict_new(
    fit: FittedModel, data: Any, inputs: Any, linear: Any, effects: Any, outcomes: Any, unseen: str
) -> tuple[New | None, Array]:
    """Return the new rows that `Fit.predict` was given, None for the fit's own, and the predictions there."""
    as_choice("unseen", unseen, UNSEEN)
    new = new_rows(fit, data, inputs, linear, effects, outcomes, unseen)
    return new, fit.fitted if new is None else predict(fit, new, unseen)


def new_rows(
    fit: FittedModel, data: Any, inputs: Any, linear: Any, effects: Any, outcomes: Any = None, unseen: str = "error"
) -> New | None:
    """Return the new rows that `Fit.predict` was given as arrays; None if it was given none."""
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
    for name, values, known in (("effects", groups, fit.effects), ("inputs", matrices, fit.nets or _net_terms(fit))):
        if values and not known:
            raise ArgumentError(f"{name} is given, but the fit has none")
    given_columns = None if linear is None else as_real("linear", as_matrix("linear", as_columns(linear)))
    rows = _row_count(matrices, given_columns, groups)
    columns = np.empty((rows, 0)) if given_columns is None else given_columns
    if fit.intercept:
        columns = np.column_stack([np.ones(rows), columns])
    return New(matrices, columns, groups, _as_outcomes(outcomes, rows))


def _net_terms(fit: FittedModel) -> Any:
    """Return the net terms of a fit's design, which has them even if the fit needs no nets; True without a design."""
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
        values = as_real("outcomes", np.asarray(outcomes))
    except ValueError:
        raise ShapeError("outcomes are no vector; give one number for each new row") from None
    try:
        values = values.astype(float)
    except (TypeError, ValueError):
        raise ElementTypeError("outcomes are no numbers; give one for each new row, nan where it is unknown") from None
    if values.shape != (m,):
        raise ShapeError(f"outcomes have shape {values.shape}, but must have one number for each of {m} new rows")
    return values


def _row_count(matrices: list[Array], linear: Array | None, groups: Mapping[str, Any]) -> int:
    """Return the number of new rows; refuse parts that have different numbers of them."""
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
def predict(fit: FittedModel, new: New, unseen: str = "error") -> Array:
    """Return predictions at new rows; `Fit.predict` says what `unseen` means."""
    inputs, linear = new.inputs, new.linear
    if fit.nets and len(inputs) != len(fit.nets):
        raise ShapeError(f"the fit has {len(fit.nets)} nets, but inputs of {len(inputs)} are given")
    if linear.shape[1] != len(fit.coefficients):
        raise ShapeError(
            f"the linear part has {len(fit.coefficients)} columns ({', '.join(fit.coefficient_names)}), but"
            f" {linear.shape[1]} are given"
        )
    total: Array = linear @ np.nan_to_num(fit.coefficients) + new.offset
    for net, Z in zip(fit.nets, inputs, strict=False):  # there are no nets if the linear part fits exactly
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
        residuals = np.zeros_like(total)
        if new.outcomes is not None:
            residuals[groups.known] = new.outcomes[groups.known] - total[groups.known]
        total = total + means_of_new(groups, residuals)
    total[missing] = np.nan
    missing |= np.any([np.isnan(part).any(axis=1) for part in (*inputs, linear)], axis=0) | np.isnan(new.offset)
    bad = np.flatnonzero(~np.isfinite(total) & ~missing)
    if len(bad):
        raise NotFiniteError(
            f"predictions would not be finite in {len(bad)} rows, at {places(bad)}: values there are too large for"
            " float64, or the activation does not return finite numbers"
        )
    return total
