"""A formula on a data frame as a design, with the recipe by which `new_data` does the same again."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from matbn.arguments import Array, as_vector, places
from matbn.errors import ArgumentError, ElementTypeError, MatbnError, NotFiniteError
from matbn.model.caller import kept_names, names_in, picklable
from matbn.model.columns import as_labels, as_read, check_frame, column, is_date, variables_in
from matbn.model.design import Design, as_design, net
from matbn.model.formula import Formula, NetCall, as_value
from matbn.model.formulaic_package import formulaic_package, read_formula, reason
from matbn.model.vocabulary import shared

_INTERCEPT = "Intercept"  # formulaic's name, beside which it drops a column of that name


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
    dates: Mapping[str, bool] | None = None  # of each column used, whether it held dates; None: not known (saved fits)
    offset: Any = None  # a model spec too

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "context": picklable(self.context)}


@dataclass(frozen=True, eq=False)
class Framed:
    """A design with its recipe, and the rows of the data frame that it uses."""

    design: Design
    recipe: Recipe
    rows: Array  # N booleans


def design_from_frame(formula: Formula, data: Any, weights: Any, environment: Mapping[str, Any]) -> Framed:
    """Evaluate a formula; rows with missing values in a column that it uses are left out."""
    if not isinstance(environment, Mapping):
        raise ElementTypeError(f"environment is a {type(environment).__name__}, but must be a mapping of names")
    check_frame(data)
    environment = {**shared(), **environment}
    used = _columns_used(formula, data)
    rows = _complete(data, {*used, *formula.effects, *([weights] if isinstance(weights, str) else [])})
    dates = {name: is_date(column(data, name)) for name in sorted(used)}
    data = data[rows]
    _check_outcome(formula, data)
    outcome_text, linear_text, *nets_text, offset_text = parts(formula)
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
        net(matrix, **_options(call, environment), names=list(matrix.columns))
        for call, matrix in zip(formula.nets, matrices, strict=True)
    ]
    effects = {name: column(data, name).to_numpy() for name in formula.effects}
    w = column(data, weights).to_numpy() if isinstance(weights, str) else weights
    if w is not None and not isinstance(weights, str):
        w = as_vector("weights", w, len(rows), "one for each row of data")[rows]
    offset = None
    if formula.offset:
        offset, _ = _matrix(offset_text, data, names, "the offset")
        if offset.shape[1] != 1:
            raise ArgumentError(f"formula {formula.text!r}: an offset must be a number in each row")
    y = outcome if offset is None else outcome - offset.to_numpy()
    model = as_design(y, terms, linear, effects or None, w, intercept=intercept)
    model = model if offset is None else replace(model, offset=offset.to_numpy(dtype=float)[:, 0])
    specs = tuple(matrix.model_spec for matrix in matrices)
    context = kept_names(names, data)
    of_offset = None if offset is None else offset.model_spec
    recipe = Recipe(
        formula, linear.model_spec, specs, model.intercept, outcome.model_spec, context, None, dates, of_offset
    )
    return Framed(model, recipe, rows)


def parts(formula: Formula) -> tuple[str, ...]:
    """Return what formulaic reads as right sides: outcome, linear part, each net's inputs and the offset, 0 if none."""
    # Beside an intercept, which is then dropped, factors have contrasts.
    of_offset = f"1 + I({formula.offset})" if formula.offset else "0"
    return (
        f"1 + {as_value(formula.outcome)}",
        f"1 {formula.linear}",
        *(f"1 + {call.inputs}" for call in formula.nets),
        of_offset,
    )


def variables_by_column(spec: Any, data: Any) -> list[frozenset[str]]:
    """Return which columns of the data each column of a part is made from, the intercept left out."""
    variables = [
        frozenset(map(str, spec.term_variables[term])) for term, columns in spec.term_indices.items() for _ in columns
    ]
    in_data = frozenset(map(str, data.columns))
    return [found & in_data for found in variables[intercepts(spec) :]]


def intercepts(spec: Any) -> int:
    """Return how many of a part's first columns are the intercept, 1 or 0."""
    return int(any(term == "1" for term in spec.terms))


def _matrix(text: str, data: Any, environment: Mapping[str, Any], what: str) -> tuple[Any, bool]:
    """Return a right side's columns without the intercept, and whether it had one."""
    formulaic = formulaic_package()
    formula = read_formula(text, what)
    bare, inside = variables_in(formula)
    for name in sorted(bare):
        column(data, name, f"{what}: data")
    if _INTERCEPT in bare:
        raise ArgumentError(f"{what}: a column is named {_INTERCEPT!r}, as formulas call the intercept; rename it")
    read = as_read(data, bare | (inside & set(data.columns)), bare)
    truths = {name: as_labels(read[name]) for name in bare if read[name].dtype.kind == "b"}
    try:
        with np.errstate(all="ignore"):  # what is infinite or undefined is refused by name
            matrix = formulaic.model_matrix(formula, read, context=environment, na_action="ignore")
            # As in R, both truth values have a column where neither an intercept nor another term stands for one.
            compares = any(re.search("[<>]|[!=]=", factor.expr) for term in formula for factor in term.factors)
            if truths or compares:
                names = {**environment, "I": as_labels}
                both = formulaic.model_matrix(formula, read.assign(**truths), context=names, na_action="ignore")
                if both.shape[1] > matrix.shape[1]:
                    if compares:
                        raise ArgumentError(
                            f"{what} has a comparison that is true or false without an intercept or a term of its own,"
                            " where both would have a column; write it as a factor, such as factor(x > 0)"
                        )
                    matrix = both
    except MatbnError:
        raise
    except Exception as error:
        raise ArgumentError(f"{what} of the formula: {reason(error)}") from None
    first = intercepts(matrix.model_spec)
    kept = matrix.iloc[:, first:]
    kept.model_spec = matrix.model_spec
    for k, name in enumerate(kept.columns):
        if getattr(kept.dtypes.iloc[k], "kind", "O") not in "biuf":
            raise ElementTypeError(f"{name!r} in the formula makes values of type {kept.dtypes.iloc[k]}, not numbers")
    check_finite(list(kept.columns), kept.to_numpy(dtype=float, na_value=np.nan), np.ones(len(kept), bool))
    return kept, first > 0


def check_finite(names: list[str], columns: Array, rows: Array) -> None:
    """Refuse what is infinite or undefined in some of the rows."""
    bad = ~np.isfinite(columns) & rows[:, None]
    if bad.any():
        first = int(np.argmax(bad.any(axis=0)))
        at = np.flatnonzero(bad[:, first])
        raise NotFiniteError(
            f"{names[first]!r} in the formula has {len(at)} infinite or undefined values, at {places(at)}; drop those"
            " rows or mend them"
        )


def _check_outcome(formula: Formula, data: Any) -> None:
    name = formula.outcome.strip("`")
    for part in parts(formula)[1:-1]:
        if name in variables_in(read_formula(part, "the formula"))[0]:
            raise ArgumentError(f"formula {formula.text!r} has the outcome {name!r} on its right side; take it out")
    if name in set(map(str, data.columns)) and is_date(column(data, name)):
        raise ElementTypeError(f"the outcome {name!r} holds dates, but must be a number in each row")


def _options(call: NetCall, environment: Mapping[str, Any]) -> dict[str, Any]:
    """Evaluate size = 8 and the like, in which names are those of the caller."""
    found: dict[str, Any] = {"label": call.text}
    for name, text in call.options:
        try:
            found[name] = eval(text, {}, dict(environment))  # the user's own expression, as any formula has them
        except Exception as error:
            why = error.msg if isinstance(error, SyntaxError) else error
            raise ArgumentError(f"{call.text}: {name} = {text} cannot be evaluated: {why}") from None
    return found


def _columns_used(formula: Formula, data: Any) -> set[str]:
    """Return which columns the formula's parts need."""
    used: set[str] = set()
    for part in parts(formula):
        used |= set().union(*variables_in(read_formula(part, f"formula {formula.text!r}")))
    return used & set(data.columns)


def _complete(data: Any, used: Iterable[str]) -> Array:
    """Return the rows without missing values in the columns that the model uses."""
    rows = np.ones(len(data), bool)
    for name in sorted(used):
        rows &= column(data, name).notna().to_numpy()
    if not rows.any():
        raise ArgumentError("every row has a missing value in a column of the formula")
    return rows
