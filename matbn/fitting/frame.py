"""A formula on a data frame as a design, and new data as the same model sees them; formulaic makes the matrices."""

import re
import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

from matbn.arguments import Array, as_vector, counted
from matbn.errors import ArgumentError, MatbnError, NotFiniteError
from matbn.fitting.caller import kept_names, names_in, picklable
from matbn.fitting.design import Design, design, net
from matbn.fitting.formula import Formula, NetCall


@dataclass(frozen=True, eq=False)
class Recipe:
    """How columns of a data frame became a model's arrays: enough to do it again with new data."""

    formula: Formula
    linear: Any  # formulaic's model spec
    nets: tuple[Any, ...]
    intercept: bool
    outcome: Any
    context: Mapping[str, Any] = field(default_factory=dict)  # what names mean that are neither columns nor formulaic's
    columns: tuple[tuple[str, ...], ...] | None = None  # of a saved fit: names of the linear part's columns, and nets'

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "context": picklable(self.context)}


@dataclass(frozen=True, eq=False)
class Framed:
    """A design with its recipe, and the rows of the data frame that it uses."""

    design: Design
    recipe: Recipe
    rows: Array  # N booleans


def framed(formula: Formula, data: Any, weights: Any, environment: Mapping[str, Any]) -> Framed:
    """Evaluate a formula; rows with missing values in a column that it uses are left out."""
    data, rows = _complete(formula, data, weights)
    outcome_text, linear_text, *nets_text = parts(formula)
    # Other names of the caller's would make formulaic rename a `quoted column`, and lose what it learns from it.
    names = {name: environment[name] for name in names_in(parts(formula)) if name in environment}
    outcome, _ = _matrix(outcome_text, data, names, "the outcome")
    kinds = {kind.value for kind, _ in outcome.model_spec.encoder_state.values()}
    if outcome.shape[1] != 1 or "categorical" in kinds:
        raise ArgumentError(
            f"formula {formula.text!r}: the outcome {formula.outcome!r} must be a number in each row, not a factor or"
            " several columns"
        )
    linear, intercept = _matrix(linear_text, data, names, "the linear part")
    matrices = [_matrix(text, data, names, call.text)[0] for text, call in zip(nets_text, formula.nets, strict=True)]
    for call, matrix in zip(formula.nets, matrices, strict=True):
        if not matrix.shape[1]:
            raise ArgumentError(f"{call.text}: its inputs make no columns; a factor needs two levels or more")
    terms = [
        net(matrix, **_options(call, data, environment), names=list(matrix.columns))
        for call, matrix in zip(formula.nets, matrices, strict=True)
    ]
    effects = {name: _column(data, name).to_numpy() for name in formula.effects}
    w = _column(data, weights).to_numpy() if isinstance(weights, str) else weights
    if w is not None and not isinstance(weights, str):
        w = as_vector("weights", w, len(rows), "one for each row of data")[rows]
    found = design(outcome, terms, linear, effects or None, w, intercept=intercept)
    specs = tuple(matrix.model_spec for matrix in matrices)
    context = kept_names(names, data)
    recipe = Recipe(formula, linear.model_spec, specs, found.intercept, outcome.model_spec, context)
    return Framed(found, recipe, rows)


def parts(formula: Formula) -> tuple[str, ...]:
    """Return what formulaic reads: the outcome, the linear part and each net's inputs as right sides."""
    # Beside an intercept, which is then dropped, factors have contrasts.
    return f"1 + {formula.outcome}", f"1 {formula.linear}", *(f"1 + {call.inputs}" for call in formula.nets)


def arrays_of(recipe: Recipe, data: Any) -> tuple[list[Array], Array, dict[str, Array]]:
    """Return new data's inputs of each net, linear part and effects."""
    _check_frame(data)
    expected = zip_longest((recipe.linear, *recipe.nets), recipe.columns or ())
    linear, *inputs = (_again(recipe, spec, data, columns) for spec, columns in expected)
    if recipe.intercept:
        linear = np.column_stack([np.ones(len(linear)), linear])
    effects = {name: _column(data, name).to_numpy() for name in recipe.formula.effects}
    return inputs, linear, effects


def outcomes_of(recipe: Recipe, data: Any) -> Array | None:
    """Return new data's outcomes, nan where they are missing; None without their columns."""
    _check_frame(data)
    if not {str(name) for name in recipe.outcome.required_variables} <= set(map(str, data.columns)):
        return None
    return _again(recipe, recipe.outcome, data)[:, 0]


def variables_by_column(spec: Any, data: Any) -> list[frozenset[str]]:
    """Return which columns of the data each column of a part is made from, the intercept left out."""
    variables = [
        frozenset(map(str, spec.term_variables[term])) for term, columns in spec.term_indices.items() for _ in columns
    ]
    in_data = frozenset(map(str, data.columns))
    return [found & in_data for name, found in zip(spec.column_names, variables, strict=True) if name != "Intercept"]


def _again(recipe: Recipe, spec: Any, data: Any, columns: Sequence[str] | None = None) -> Array:
    """Return the columns that a part of the formula makes of new data, as it learnt them from the old."""
    formulaic = formulaic_package()
    errors: tuple[type[Exception], ...] = (formulaic.errors.FormulaicError, formulaic.errors.DataMismatchWarning)
    if recipe.columns is not None:  # of a saved fit: no names but those of columns, whatever goes wrong
        from matbn.fitting.terms import columns_read

        errors = (Exception,)
        for name in sorted(columns_read(spec.formula)):
            _column(data, name)
    state = deepcopy(spec.transform_state)
    with warnings.catch_warnings():
        warnings.simplefilter("error", formulaic.errors.DataMismatchWarning)
        try:
            matrix = spec.get_model_matrix(data, context=recipe.context, na_action="ignore", transform_state=state)
        except errors as error:
            raise ArgumentError(f"new data does not fit the formula's part '{spec.formula}': {error}") from None
    learnt = [call for call in state if state[call].keys() != spec.transform_state.get(call, {}).keys()]
    if learnt:
        raise ArgumentError(
            f"the formula's part '{spec.formula}' cannot be told for new data, for {learnt[0]!r} is not what it was"
            " called: two of the data's columns have names that differ in signs only; rename one and fit again"
        )
    matrix = _without_intercept(matrix)
    if columns is not None and list(matrix.columns) != list(columns):
        raise ArgumentError(
            f"the saved formula's part '{spec.formula}' makes the columns {', '.join(map(str, matrix.columns))} of new"
            f" data, but the saved fit has {', '.join(columns)}"
        )
    found: Array = matrix.to_numpy(dtype=float)
    return found


def _matrix(text: str, data: Any, environment: Mapping[str, Any], what: str) -> tuple[Any, bool]:
    """Return a right side's columns without the intercept, and whether it had one."""
    matrix = _raw_matrix(text, data, environment, what)
    kept = _without_intercept(matrix)
    kept.model_spec = matrix.model_spec
    infinite = [name for name in kept.columns if not np.isfinite(kept[name]).all()]
    if infinite:
        at = np.flatnonzero(~np.isfinite(kept[infinite[0]]))
        raise NotFiniteError(
            f"{infinite[0]!r} in the formula has {len(at)} infinite or undefined values, at {counted(at)}; drop those"
            " rows or mend them"
        )
    return kept, "Intercept" in matrix.columns


def _raw_matrix(text: str, data: Any, environment: Mapping[str, Any], what: str) -> Any:
    formulaic = formulaic_package()
    try:
        return formulaic.model_matrix(text, data, context=environment, na_action="ignore")
    except (formulaic.errors.FormulaicError, ValueError, TypeError, KeyError) as error:
        unknown = re.search(r"`(\S+)` is not present in the dataset", str(error))
        if unknown:
            raise ArgumentError(
                f"{what}: {unknown[1]!r} is no column of data; it has {', '.join(map(str, data.columns))}"
            ) from None
        raise ArgumentError(f"{what} of the formula, {text!r}, cannot be evaluated: {error}") from None


def _without_intercept(matrix: Any) -> Any:
    return matrix.drop(columns="Intercept", errors="ignore")


def _options(call: NetCall, data: Any, environment: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate size = 8 and the like, in which names are those of the caller."""
    found: dict[str, Any] = {"label": call.text}
    for name, text in call.options:
        try:
            found[name] = eval(text, {}, dict(environment))  # the user's own expression, as any formula has them
        except Exception as error:
            raise ArgumentError(f"{call.text}: {name} = {text} cannot be evaluated: {error}") from None
    return found


def _complete(formula: Formula, data: Any, weights: Any) -> tuple[Any, Array]:
    """Return the rows without missing values in the columns that the model uses."""
    formulaic = formulaic_package()
    _check_frame(data)
    used = {*formula.effects, *([weights] if isinstance(weights, str) else [])}
    for part in parts(formula):
        try:
            used |= set(map(str, formulaic.Formula(part).required_variables))
        except formulaic.errors.FormulaicError as error:
            raise ArgumentError(f"formula {formula.text!r} cannot be read: {error}") from None
    for name in formula.effects:
        _column(data, name)
    rows = data[[name for name in data.columns if name in used]].notna().all(axis=1).to_numpy()
    if not rows.any():
        raise ArgumentError("every row has a missing value in a column of the formula")
    return data[rows], rows


def _check_frame(data: Any) -> None:
    if not hasattr(data, "columns"):
        raise ArgumentError(f"data is a {type(data).__name__}, but must be a data frame where a formula is given")
    if not len(data):
        raise ArgumentError("data has no rows")


def _column(data: Any, name: str) -> Any:
    if name not in data.columns:
        raise ArgumentError(f"data has no column {name!r}; it has {', '.join(map(str, data.columns))}")
    return data[name]


def formulaic_package() -> Any:
    """Import formulaic, or say how to get it."""
    try:
        import formulaic
    except ImportError:
        raise MatbnError("formulas need the package formulaic: pip install 'matbn[fit]'") from None
    return formulaic
