"""`Fit.get_prediction`: from what users pass to the rows that `predictions` takes."""

from typing import Any

import numpy as np

from matbn.arguments import Array, as_choice
from matbn.fitting.predict import New
from matbn.fitting.result import Fit
from matbn.fitting.unseen import codes_of, new_groups
from matbn.inference.predictions import NewRows, Predicted, own_rows, with_errors
from matbn.inference.request import as_level, estimated, requested

INTERVALS = ("confidence", "prediction")


def predicted_with_errors(
    fit: Fit,
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
    as_level(level)
    errors = requested(fit, vcov, correction)
    found = estimated(fit)
    if new is None:
        return with_errors(found, own_rows(found), value, errors, level, interval)
    m = len(new.linear)
    codes = [codes_of(effect, new.effects, m) for effect in fit.effects]
    groups = np.column_stack(codes) if codes else np.empty((m, 0), int)
    others = new_groups(fit, new.effects, new.outcomes, m) if unseen == "estimate" and codes else None
    return with_errors(found, NewRows(new.inputs, new.linear, groups), value, errors, level, interval, others)
