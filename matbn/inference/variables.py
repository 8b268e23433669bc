"""Which variables a fit has, and its rows where one of them is changed."""

from typing import Any

import numpy as np

from matbn.arguments import Array, as_choice, as_list
from matbn.errors import ArgumentError, ElementTypeError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.identified import Columns
from matbn.inference.predictions import NewRows, groups_of
from matbn.model.frame import variables_by_column
from matbn.model.new_data import arrays_of, offset_of
from matbn.problem.scaling import norm_about_mean

_STEP = 1e-4  # for differences of formulas, in standard deviations of the variable


def variables_of(fit: FittedModel, offset: bool = True) -> list[str]:
    """Return the columns of a formula's data that its right side uses, its offset or not, or the arrays' columns."""
    if fit.recipe is None:
        names = [name for net in fit.nets for name in net.names]
        return list(dict.fromkeys([*names, *(name for name in fit.coefficient_names if name != "(Intercept)")]))
    needed: set[str] = set()
    for spec in filter(None, (fit.recipe.linear, *fit.recipe.nets, fit.recipe.offset if offset else None)):
        needed |= set(map(str, spec.required_variables))
    return [name for name in map(str, fit.data.columns) if name in needed]


def numbers_of(fit: FittedModel) -> list[str]:
    """Return the names of the variables that are numbers."""
    if fit.recipe is None:
        return variables_of(fit)
    return [name for name in variables_of(fit) if fit.data[name].dtype.kind in "fiu"]


def as_variable(name: Any, known: list[str]) -> str:
    """Return a variable's name, checked."""
    if not known:
        raise ArgumentError(f"variable is {name!r}, but the fit has none")
    return as_choice("variable", name, tuple(known))


def as_variables(names: Any, known: list[str]) -> list[str]:
    """Return variables' names, checked; without any, all that are known."""
    if names is None:
        return known
    listed = as_list("variables", names)
    if not all(isinstance(name, str) for name in listed):
        raise ElementTypeError(f"variables are {names!r}, but must be names")
    return [as_variable(name, known) for name in listed]


def columns_of(fit: FittedModel, name: str) -> Columns:
    """Return which columns of each net and of the linear part a variable is part of."""
    if fit.recipe is None:
        linear = [frozenset([column]) for column in fit.coefficient_names]
        nets = [[frozenset([column]) for column in net.names] for net in fit.nets]
    else:
        intercept = [frozenset[str]()] if fit.recipe.intercept else []
        linear = [*intercept, *variables_by_column(fit.recipe.linear, fit.data)]
        nets = [variables_by_column(spec, fit.data) for spec in fit.recipe.nets]
    parts: list[tuple[int | None, list[frozenset[str]]]] = [(None, linear), *enumerate(nets)]
    return {part: [k for k, own in enumerate(columns) if name in own] for part, columns in parts}


def with_variable(fit: FittedModel, name: str, value: Any) -> NewRows:
    """Return the fit's rows with a variable set to one value, or to a value for each row; the groups stay."""
    assert fit.design is not None
    groups = groups_of(fit.design)
    if fit.recipe is not None:
        try:
            data = fit.data.assign(**{name: value})
        except (TypeError, ValueError) as error:  # pandas cannot hold it
            raise ArgumentError(f"{name!r} cannot be set to {value!r}: {error}") from None
        inputs, linear, _ = arrays_of(fit.recipe, data)
        return NewRows(inputs, linear, groups, offset_of(fit.recipe, data))

    try:
        values = np.broadcast_to(np.asarray(value, dtype=float), fit.N)[:, None]
    except (TypeError, ValueError):
        raise ElementTypeError(f"{name!r} holds numbers, but is set to {value!r}") from None

    def changed(columns: Array, names: tuple[str, ...]) -> Array:
        here = np.array([own == name for own in names])
        return np.where(here, values, columns)

    inputs = [changed(term.Z, term.names) for term in fit.design.terms]
    return NewRows(inputs, changed(fit.design.linear, fit.coefficient_names), groups)


def change_with(fit: FittedModel, name: str) -> NewRows:
    """Return the rates at which inputs, linear columns and offset change with a variable, at the fit's rows."""
    values = values_of(fit, name).astype(float)
    h = _STEP * max(norm_about_mean(values, None) / float(np.sqrt(len(values))), np.finfo(float).tiny)
    up, down = values + h, values - h
    above, below = with_variable(fit, name, up), with_variable(fit, name, down)
    step = up - down  # what rounding leaves of 2h beside a large location

    def rate(plus: Array, minus: Array) -> Array:
        return (plus - minus) / step[:, None]

    inputs = [rate(plus, minus) for plus, minus in zip(above.inputs, below.inputs, strict=True)]
    return NewRows(inputs, rate(above.linear, below.linear), above.groups, (above.offset - below.offset) / step)


def values_of(fit: FittedModel, name: str) -> Array:
    """Return a variable at the fit's rows."""
    if fit.recipe is not None:
        return np.asarray(fit.data[name].to_numpy())
    assert fit.design is not None
    for term in fit.design.terms:
        if name in term.names:
            return term.Z[:, term.names.index(name)]
    return fit.design.linear[:, fit.coefficient_names.index(name)]
