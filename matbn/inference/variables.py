"""Which variables a fit has, and its rows where one of them is changed."""

from typing import Any

import numpy as np

from matbn.arguments import Array, as_choice, as_list
from matbn.errors import ArgumentError, ElementTypeError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.linearised import Linearised
from matbn.inference.predictions import NewRows
from matbn.model.frame import variables_by_column
from matbn.model.new_data import arrays_of
from matbn.problem.scaling import norm_about_mean

_STEP = 1e-4  # of a variable, relative to its deviation, by which formulas are differentiated


def variables_of(fit: FittedModel) -> list[str]:
    """Return the columns of a formula's data that its right side needs, or the names of arrays' columns."""
    if fit.recipe is None:
        names = [name for net in fit.nets for name in net.names]
        return list(dict.fromkeys([*names, *(name for name in fit.coefficient_names if name != "(Intercept)")]))
    needed: set[str] = set()
    for spec in (fit.recipe.linear, *fit.recipe.nets):
        needed |= set(map(str, spec.required_variables))
    return [name for name in map(str, fit.data.columns) if name in needed]


def numbers_of(fit: FittedModel) -> list[str]:
    """Return those of the variables that are numbers."""
    if fit.recipe is None:
        return variables_of(fit)
    return [name for name in variables_of(fit) if fit.data[name].dtype.kind in "fiu"]


def as_variable(name: Any, known: list[str]) -> str:
    """Check a variable's name."""
    if not known:
        raise ArgumentError(f"variable is {name!r}, but the fit has none")
    return as_choice("variable", name, tuple(known))


def as_variables(names: Any, known: list[str]) -> list[str]:
    """Check variables' names; all that are known where there are none."""
    if names is None:
        return known
    found = as_list("variables", names)
    if not all(isinstance(name, str) for name in found):
        raise ElementTypeError(f"variables are {names!r}, but must be names")
    return [as_variable(name, known) for name in found]


def parameters_of(fit: FittedModel, found: Linearised, name: str) -> list[int]:
    """Return which identified parameters (of `found.names`) belong to columns that a variable is part of."""
    if fit.recipe is None:
        linear = [frozenset([column]) for column in fit.coefficient_names]
        nets = [[frozenset([column]) for column in net.names] for net in fit.nets]
    else:
        intercept = [frozenset[str]()] if fit.recipe.intercept else []
        linear = [*intercept, *variables_by_column(fit.recipe.linear, fit.data)]
        nets = [variables_by_column(spec, fit.data) for spec in fit.recipe.nets]
    places, start = [], 0
    for columns, term in zip(nets, found.design.terms, strict=False):
        own = [k for k, variables in enumerate(columns) if name in variables]
        places += [start + j * (len(columns) + 1) + k for j in range(term.size) for k in own]
        start += term.size * (len(columns) + 2)
    return places + [start + k for k, variables in enumerate(linear) if name in variables]


def with_variable(fit: FittedModel, name: str, value: Any) -> NewRows:
    """Return the fit's rows with a variable set to one value, or to a value for each row; groups stay."""
    assert fit.design is not None
    groups = groups_of(fit)
    if fit.recipe is not None:
        try:
            data = fit.data.assign(**{name: value})
        except (TypeError, ValueError) as error:  # pandas cannot hold it
            raise ArgumentError(f"{name!r} cannot be set to {value!r}: {error}") from None
        inputs, linear, _ = arrays_of(fit.recipe, data)
        return NewRows(inputs, linear, groups)

    try:
        values = np.broadcast_to(np.asarray(value, dtype=float), fit.N)[:, None]
    except (TypeError, ValueError):
        raise ElementTypeError(f"{name!r} holds numbers, but is set to {value!r}") from None

    def changed(columns: Array, names: tuple[str, ...]) -> Array:
        here = np.array([own == name for own in names])
        return np.where(here, values, columns)

    inputs = [changed(term.Z, term.names) for term in fit.design.terms]
    return NewRows(inputs, changed(fit.design.linear, fit.coefficient_names), groups)


def groups_of(fit: FittedModel) -> Array:
    """Return the codes of the fit's own rows' groups (N × number of effects)."""
    assert fit.design is not None
    codes = [effect.codes for effect in fit.design.effects]
    return np.column_stack(codes) if codes else np.empty((fit.N, 0), int)


def change_with(fit: FittedModel, name: str) -> NewRows:
    """Return the rates at which inputs and linear columns change with a variable, at the fit's rows."""
    values = values_of(fit, name).astype(float)
    h = _STEP * max(norm_about_mean(values, None) / float(np.sqrt(len(values))), np.finfo(float).tiny)
    up, down = values + h, values - h
    above, below = with_variable(fit, name, up), with_variable(fit, name, down)
    step = (up - down)[:, None]  # as rounded, beside a large offset

    def rate(plus: Array, minus: Array) -> Array:
        return (plus - minus) / step

    inputs = [rate(plus, minus) for plus, minus in zip(above.inputs, below.inputs, strict=True)]
    return NewRows(inputs, rate(above.linear, below.linear), above.groups)


def values_of(fit: FittedModel, name: str) -> Array:
    """Return a variable at the fit's rows."""
    if fit.recipe is not None:
        found: Array = fit.data[name].to_numpy()
        return found
    assert fit.design is not None
    for term in fit.design.terms:
        if name in term.names:
            return term.Z[:, term.names.index(name)]
    return fit.design.linear[:, fit.coefficient_names.index(name)]
