"""Which variables there are, and how a fit's inputs change with one of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from matbn.arguments import Array, as_choice, as_number
from matbn.errors import ArgumentError
from matbn.fitting.frame import arrays_of
from matbn.fitting.result import Fit
from matbn.inference.effects import Effects, rates, with_errors
from matbn.inference.predictions import NewRows
from matbn.inference.request import estimated, requested

_STEP = 1e-4  # of a variable, relative to its deviation, by which formulas are differentiated


def marginal_effects(
    fit: Fit, variables: Sequence[str] | None, average: bool, vcov: Any, correction: str, level: float
) -> Effects:
    """Return `Fit.marginal_effects`' effects."""
    if not 0 < as_number("level", level) < 1:
        raise ArgumentError(f"level is {level}, but must lie between 0 and 1")
    errors = requested(fit, vcov, correction)
    found = estimated(fit)
    assert fit.theta is not None
    design = found.design
    rows = NewRows([term.Z for term in design.terms], design.linear, np.empty((fit.N, 0)))
    names, values, moves = [], [], []
    known = _variables(fit)
    for name in known if variables is None else variables:
        as_choice("variable", name, tuple(known))
        change = _change(fit, name)
        value, r = rates(found, fit.theta, rows, change)
        value += change.linear @ np.nan_to_num(fit.coefficients)
        if average:
            value = np.atleast_1d(np.average(value, weights=design.w))
            r = np.average(r, axis=0, weights=design.w)[None]
        names += [name] if average else [f"{name}[{k}]" for k in range(len(value))]
        values.append(value)
        moves.append(r)
    return with_errors(found, tuple(names), np.concatenate(values), np.vstack(moves), errors, level)


def _variables(fit: Fit) -> list[str]:
    """Return the numeric columns of a formula's data that its right side needs, or the names of arrays' columns."""
    if fit.recipe is None:
        names = [name for net in fit.nets for name in net.names]
        return list(dict.fromkeys([*names, *(name for name in fit.coefficient_names if name != "(Intercept)")]))
    needed = set()
    for spec in (fit.recipe.linear, *fit.recipe.nets):
        needed |= set(map(str, spec.required_variables))
    return [name for name in map(str, fit.data.columns) if name in needed and fit.data[name].dtype.kind in "fiu"]


def _change(fit: Fit, name: str) -> NewRows:
    """Return the rates at which inputs and linear columns change with a variable, at the fit's rows."""
    assert fit.design is not None
    if fit.recipe is None:
        names = [term.names for term in fit.design.terms]
        inputs = [np.tile([float(own == name) for own in of_term], (fit.N, 1)) for of_term in names]
        linear = np.tile([float(own == name) for own in fit.coefficient_names], (fit.N, 1))
        return NewRows(inputs, linear, np.empty((fit.N, 0)))
    column = fit.data[name].astype(float)
    h = _STEP * max(float(column.std()), 1e-300)
    sides = [arrays_of(fit.recipe, fit.data.assign(**{name: column + side * h})) for side in (1, -1)]

    def rate(plus: Array, minus: Array) -> Array:
        return (plus - minus) / (2 * h)

    inputs = [rate(plus, minus) for plus, minus in zip(sides[0][0], sides[1][0], strict=True)]
    return NewRows(inputs, rate(sides[0][1], sides[1][1]), np.empty((fit.N, 0)))
