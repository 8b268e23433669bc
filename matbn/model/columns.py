"""Columns of a data frame as formulas read them: what each kind of value means.

Numbers, truth values and nullable numbers are numbers; text and categories are labels; dates are days since 1970-01-01
and spans of time are days, as R has them. Anything else is refused, by its column's name.
"""

import ast
import re
from collections.abc import Iterable
from numbers import Real
from typing import Any

import numpy as np

from matbn.errors import ArgumentError, ElementTypeError
from matbn.optional_packages import optional_package

_MENDED = "make numbers of it with .astype(float), or labels with .astype(str)"


def check_frame(data: Any) -> None:
    """Refuse what is no data frame with rows."""
    pandas = optional_package("pandas", "formulas")
    if not isinstance(data, pandas.DataFrame):
        raise ArgumentError(
            f"data is a {type(data).__name__}, but must be a data frame where a formula is given;"
            " pandas.DataFrame(data) may make one"
        )
    if not len(data):
        raise ArgumentError("data has no rows")


def column(data: Any, name: str, what: str = "data") -> Any:
    """Return a column by its name; `what` is what an error calls the data."""
    found = [k for k, own in enumerate(data.columns) if isinstance(own, str) and own == name]
    if len(found) > 1:
        raise ArgumentError(f"{what} has {len(found)} columns named {name!r}; tell them apart")
    if not found:
        like = next((own for own in data.columns if not isinstance(own, str) and name in str(own)), None)
        if like is not None:
            raise ArgumentError(
                f"{what} has no column {name!r}, but one named {like!r}, which is no text: rename it, as with"
                " data.columns = data.columns.map(str)"
            )
        raise ArgumentError(f"{what} has no column {name!r}; it has {', '.join(map(str, data.columns))}")
    return data.iloc[:, found[0]]


def as_read(data: Any, used: Iterable[str], bare: Iterable[str]) -> Any:
    """Return a frame of the columns that formulas use, those that stand bare in them as numbers or labels.

    Others stand inside of function calls, which may take dates as they are.
    """
    bare = set(bare)
    pandas = optional_package("pandas", "formulas")
    columns = {name: column(data, name) for name in sorted(set(used))}
    read = {name: _read(name, found) if name in bare else found for name, found in columns.items()}
    return pandas.DataFrame(read, index=data.index)


def as_labels(values: Any) -> Any:
    """Return truth values as the categories that they are in R, other labels as they are."""
    is_truth = hasattr(values, "index") and getattr(getattr(values, "dtype", None), "kind", "") == "b"
    return values.astype("category") if is_truth else values


def is_date(values: Any) -> bool:
    """Return whether a column holds dates or spans of time."""
    return getattr(values.dtype, "kind", "O") in "mM"


def variables_in(formula: Any) -> tuple[set[str], set[str]]:
    """Return the names that stand in a formula by themselves, and those inside of expressions, functions left out."""
    factors = [factor for term in formula for factor in term.factors]
    bare = {factor.expr for factor in factors if factor.eval_method.value == "lookup"}
    inside = set().union(*(_names(factor.expr) for factor in factors if factor.eval_method.value == "python"))
    return bare, inside


def _names(expression: str) -> set[str]:
    """Return the names of variables in an expression, some of them perhaps in backquotes."""
    quoted = re.findall("`([^`]*)`", expression)
    try:
        tree = ast.parse(re.sub("`[^`]*`", "_", expression).strip(), mode="eval")
    except SyntaxError:
        return set()  # which formulaic says
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return names | set(quoted) | texts  # Q("my column") has its column's name in a text


def _read(name: str, values: Any) -> Any:
    pandas = optional_package("pandas", "formulas")
    kind = getattr(values.dtype, "kind", "O")
    if isinstance(values.dtype, pandas.CategoricalDtype) or kind == "b":
        return values
    if is_date(values):
        start = pandas.Timestamp("1970-01-01", tz=values.dt.tz) if kind == "M" else pandas.Timedelta(0)
        return (values - start) / pandas.Timedelta(days=1)
    if kind == "c":
        raise ElementTypeError(f"column {name!r} holds complex numbers, but must hold real ones; take their real part")
    if kind in "iuf" or not values.notna().any():
        return pandas.Series(values.to_numpy(dtype=float, na_value=np.nan), values.index)
    entries = values.astype(object)
    present = entries[values.notna()]
    if all(isinstance(entry, Real) for entry in present):
        return entries.astype(float)
    wrong = sorted({type(entry).__name__ for entry in present if not isinstance(entry, str)})
    if wrong:
        raise ElementTypeError(
            f"column {name!r} holds {', '.join(wrong[:4])}, neither numbers nor text alone; {_MENDED}"
        )
    return entries
