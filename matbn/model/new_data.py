"""New data as a fit's formula sees them: what its parts have learnt (levels, centres, knots) stays."""

import re
import warnings
from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import zip_longest
from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.errors import ArgumentError, ElementTypeError
from matbn.model.columns import as_labels, as_read, check_frame, column, is_date, variables_in
from matbn.model.formulaic_package import formulaic_package, reason
from matbn.model.frame import Recipe, check_finite, intercepts


def arrays_of(recipe: Recipe, data: Any) -> tuple[list[Array], Array, dict[str, Array]]:
    """Return new data's inputs of each net, linear part and effects; nan where a value that they need is missing."""
    check_frame(data)
    expected = zip_longest((recipe.linear, *recipe.nets), recipe.columns or ())
    linear, *inputs = (_again(recipe, spec, data, columns) for spec, columns in expected)
    if recipe.intercept:
        linear = np.column_stack([np.ones(len(linear)), linear])
    effects = {name: column(data, name, "new data").to_numpy() for name in recipe.formula.effects}
    return inputs, linear, effects


def outcomes_of(recipe: Recipe, data: Any) -> Array | None:
    """Return new data's outcomes, nan where they are missing; None without their columns."""
    check_frame(data)
    if not {str(name) for name in recipe.outcome.required_variables} <= set(map(str, data.columns)):
        return None
    return _again(recipe, recipe.outcome, data)[:, 0]


def offset_of(recipe: Recipe, data: Any) -> Any:
    """Return new data's offsets, nan where they are missing; 0 for all rows of a formula without."""
    return 0.0 if recipe.offset is None else _again(recipe, recipe.offset, data)[:, 0]


def _again(recipe: Recipe, spec: Any, data: Any, columns: Sequence[str] | None = None) -> Array:
    """Return the columns that a part of the formula makes of new data, as it learnt them from the old."""
    bare, inside = variables_in(spec.formula)
    used = bare | (inside & set(data.columns if recipe.dates is None else recipe.dates))
    if recipe.columns is not None:  # of a saved fit: no names but those of columns
        from matbn.model.terms import columns_read

        used = columns_read(spec.formula)
    for name in sorted(used):
        new = column(data, name, "new data")
        if recipe.dates is not None and is_date(new) != recipe.dates[name] and new.notna().any():
            held = ("dates", "none") if is_date(new) else ("no dates", "some")
            raise ElementTypeError(f"new data's column {name!r} holds {held[0]}, but held {held[1]} in the fit")
    read = as_read(data, used, bare)
    for name in sorted(bare):
        if spec.encoder_state[name][0].value == "categorical":
            read[name] = as_labels(read[name])
        _check_kind(name, read[name], *spec.encoder_state[name])
    complete = read.notna().all(axis=1).to_numpy()
    names, values = _evaluated(recipe, spec, read[complete] if complete.any() else read, complete.any())
    if columns is not None and names != list(columns):
        raise ArgumentError(
            f"the saved formula's part '{spec.formula}' makes the columns {', '.join(names)} of new data, but the saved"
            f" fit has {', '.join(columns)}"
        )
    found = np.full((len(read), values.shape[1]), np.nan)
    if complete.any():
        found[complete] = values
        check_finite(names, found, complete)
    return found


def _evaluated(recipe: Recipe, spec: Any, data: Any, complete: bool) -> tuple[list[str], Array]:
    """Return a part's columns and their names, without the intercept; `complete` says that no value is missing."""
    formulaic = formulaic_package()
    state = deepcopy(spec.transform_state)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("error" if complete else "ignore", formulaic.errors.DataMismatchWarning)
        try:
            matrix = spec.get_model_matrix(data, context=recipe.context, na_action="ignore", transform_state=state)
        except formulaic.errors.DataMismatchWarning as error:
            levels = re.sub(r"np\.\w+\(([^()]*)\)", r"\1", str(error).partition("{")[2].partition("}")[0])
            raise ArgumentError(f"new data has levels that the fit has not seen: {levels}") from None
        except Exception as error:
            what = f"the formula's part '{spec.formula}'"
            raise ArgumentError(f"new data does not fit {what}: {reason(error)}") from None
    learnt = [call for call in state if state[call].keys() != spec.transform_state.get(call, {}).keys()]
    if learnt:
        raise ArgumentError(
            f"the formula's part '{spec.formula}' cannot be told for new data, for {learnt[0]!r} is not what it was"
            " called: two of the data's columns have names that differ in signs only; rename one and fit again"
        )
    matrix = matrix.iloc[:, intercepts(spec) :]
    return list(map(str, matrix.columns)), matrix.to_numpy(dtype=float, na_value=np.nan)


def _check_kind(name: str, values: Any, kind: Any, state: Mapping[str, Any]) -> None:
    """Refuse labels where the fit had numbers, and labels that it has not seen."""
    present = values[values.notna()]
    if kind.value == "numerical":
        if len(present) and present.dtype.kind not in "biuf":
            raise ElementTypeError(f"new data's column {name!r} holds labels, but held numbers in the fit")
        return
    new = sorted({str(label) for label in present.unique() if label not in state["categories"]})
    if new:
        raise ArgumentError(f"{name!r} has levels that the fit has not seen: {', '.join(new[:5])}")
