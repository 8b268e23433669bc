"""`Fit.get_prediction`: from what users pass to the rows that `predictions` takes."""

from dataclasses import replace
from typing import Any

import numpy as np

from matbn.arguments import Array, as_choice
from matbn.fitted.fitted_model import FittedModel
from matbn.fitted.prediction import New
from matbn.fitted.unseen_groups import codes_of, new_groups
from matbn.inference.covariance import Errors
from matbn.inference.linearised import Linearised
from matbn.inference.predictions import NewRows, Predicted, own_rows, with_errors
from matbn.inference.request import as_level, estimated, requested

INTERVALS = ("confidence", "prediction")


def predicted_with_errors(
    fit: FittedModel,
    new: New | None,
    value: Array,
    unseen: str,
    interval: str,
    level: float,
    vcov: Any,
    correction: str,
) -> Predicted:
    """Return predictions with errors and bounds."""
    as_choice("interval", interval, INTERVALS)
    level = as_level(level)
    errors = requested(fit, vcov, correction)
    found = estimated(fit)
    if new is None:
        return with_errors(found, own_rows(found), value, errors, level, interval)
    complete = ~np.isnan(value)
    if not complete.all():
        some = _at(found, fit, _part(new, complete), value[complete], unseen, errors, level, interval)
        return _spread(some, complete)
    return _at(found, fit, new, value, unseen, errors, level, interval)


def _at(
    found: Linearised,
    fit: FittedModel,
    new: New,
    value: Array,
    unseen: str,
    errors: Errors,
    level: float,
    interval: str,
) -> Predicted:
    """Return predictions at new rows in which nothing is missing."""
    m = len(new.linear)
    codes = [codes_of(effect, new.effects, m) for effect in fit.effects]
    groups = np.column_stack(codes) if codes else np.empty((m, 0), int)
    others = new_groups(fit, new.effects, new.outcomes, m) if unseen == "estimate" and codes else None
    return with_errors(found, NewRows(new.inputs, new.linear, groups), value, errors, level, interval, others)


def _part(new: New, rows: Array) -> New:
    labels = {name: np.asarray(values)[rows] for name, values in new.effects.items()}
    return New(
        [Z[rows] for Z in new.inputs], new.linear[rows], labels, None if new.outcomes is None else new.outcomes[rows]
    )


def _spread(some: Predicted, rows: Array) -> Predicted:
    """Return predictions at all rows, nan at those where something is missing."""

    def at_all(values: Array) -> Array:
        found = np.full(len(rows), np.nan)
        found[rows] = values
        return found

    columns = {name: at_all(getattr(some, name)) for name in ("estimate", "error", "lower", "upper")}
    return replace(some, **columns)
