"""`Fit.marginal_effects`: from variables to rates of change, to effects with errors."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from matbn.arguments import as_flag
from matbn.errors import ArgumentError
from matbn.fitting.result import Fit
from matbn.inference.effects import Effects, rates, with_errors
from matbn.inference.predictions import own_rows
from matbn.inference.request import as_level, estimated, requested
from matbn.inference.variables import as_variables, change_with, numbers_of


def marginal_effects(
    fit: Fit, variables: Sequence[str] | None, average: bool, vcov: Any, correction: str, level: float
) -> Effects:
    """Return `Fit.marginal_effects`' effects."""
    level = as_level(level)
    as_flag("average", average)
    errors = requested(fit, vcov, correction)
    found = estimated(fit)
    names = as_variables(variables, numbers_of(fit))
    if not names:
        raise ArgumentError("there are no numeric variables whose effects could be computed")
    labels, values, derivatives = [], [], []
    for name in names:
        value, r = rates(found, own_rows(found), change_with(fit, name))
        if average:
            value = np.atleast_1d(np.average(value, weights=found.design.w))
            r = np.average(r, axis=0, weights=found.design.w)[None]
        labels += [name] if average else [f"{name}[{k}]" for k in range(len(value))]
        values.append(value)
        derivatives.append(r)
    return with_errors(found, tuple(labels), np.concatenate(values), np.vstack(derivatives), errors, level)
