"""`Fit.get_prediction`: from what users pass to the rows that `predictions` takes."""

from dataclasses import replace
from typing import Any

import numpy as np

from matbn.arguments import Array, as_choice
from matbn.fitted.fitted_model import FittedModel
from matbn.fitted.prediction import New
from matbn.fitted.unseen_groups import codes_of, new_groups
from matbn.inference.predictions import NewRows, Predicted, own_rows, predictions_at
from matbn.inference.request import as_errors, as_level, checked_linearisation

INTERVALS = ("confidence", "prediction")


def get_prediction(
    fit: FittedModel,
    new: New | None,
    value: Array,
    unseen: str,
    interval: str,
    level: float,
    vcov: Any,
    correction: str,
) -> Predicted:
    """Return `Fit.get_prediction`'s predictions, of which the values are given."""
    as_choice("interval", interval, INTERVALS)
    level = as_level(level)
    errors = as_errors(fit, vcov, correction)
    linearisation = checked_linearisation(fit)
    if new is None:
        return predictions_at(linearisation, own_rows(linearisation.design), value, errors, level, interval)
    complete = ~np.isnan(value)
    some = new if complete.all() else _part(new, complete)
    m = len(some.linear)
    codes = [codes_of(effect, some.effects, m) for effect in fit.effects]
    rows = NewRows(some.inputs, some.linear, np.column_stack(codes) if codes else np.empty((m, 0), int))
    others = new_groups(fit, some.effects, some.outcomes, m) if unseen == "estimate" and codes else None
    return _at_all(predictions_at(linearisation, rows, value[complete], errors, level, interval, others), complete)


def _part(new: New, rows: Array) -> New:
    labels = {name: np.asarray(values)[rows] for name, values in new.effects.items()}
    return New(
        [Z[rows] for Z in new.inputs], new.linear[rows], labels, None if new.outcomes is None else new.outcomes[rows]
    )


def _at_all(some: Predicted, rows: Array) -> Predicted:
    """Return predictions at all rows, nan at those where something is missing."""

    def spread(values: Array) -> Array:
        everywhere = np.full(len(rows), np.nan)
        everywhere[rows] = values
        return everywhere

    value, error = spread(some.estimate), spread(some.error)
    return replace(some, estimate=value, error=error, lower=spread(some.lower), upper=spread(some.upper))
