"""`Fit.predict` with standard errors: from what users pass to the rows that `predictions` takes."""

from typing import Any

import numpy as np

from matbn.arguments import Array, as_choice, as_number
from matbn.errors import ArgumentError
from matbn.fitting.predict import New
from matbn.fitting.result import Fit
from matbn.inference.predictions import NewRows, Predicted, codes_of, with_errors
from matbn.inference.request import estimated, requested

INTERVALS = ("confidence", "prediction")


def predicted_with_errors(
    fit: Fit, new: New | None, value: Array, interval: str, level: float, vcov: Any, correction: str
) -> Predicted:
    """Return predictions with errors and bounds; the error of a group that was not seen is that of the rest."""
    as_choice("interval", interval, INTERVALS)
    if not 0 < as_number("level", level) < 1:
        raise ArgumentError(f"level is {level}, but must lie between 0 and 1")
    errors = requested(fit, vcov, correction)
    found = estimated(fit)
    assert fit.theta is not None
    if new is None:
        design = found.design
        groups = (
            np.column_stack([effect.codes for effect in design.effects]) if design.effects else np.empty((fit.N, 0))
        )
        rows = NewRows([term.Z for term in design.terms], design.linear, groups)
    else:
        inputs, linear, effects = new
        rows = NewRows(inputs, linear, codes_of(found, effects))
    return with_errors(found, fit.theta, rows, value, errors, level, interval)
