"""What users ask for, checked: errors ("HC1", "~ id + year", labels of clusters), levels, groups and times of rows."""

import re
from typing import Any

import numpy as np

from matbn.arguments import Array, as_choice, as_groups, as_number
from matbn.errors import ArgumentError, ElementTypeError, InferenceError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.covariance import CORRECTIONS, TYPES, Errors
from matbn.inference.linearisation import Linearisation, linearise
from matbn.problem.posing import MOST_NUMBERS


def checked_linearisation(fit: FittedModel) -> Linearisation:
    """Return a fit's linearisation for standard errors, if the fit has its data and leaves degrees of freedom."""
    if fit.design is None or fit.theta is None:
        raise ArgumentError("the fit came from JSON, which holds no data; standard errors need the fit itself")
    numbers = fit.N * (len(fit.theta) + sum(term.size for term in fit.design.terms) + len(fit.coefficients))
    if numbers > MOST_NUMBERS:
        raise InferenceError(
            f"standard errors would take {numbers:,} derivatives of {fit.N:,} fitted values, above {MOST_NUMBERS:,};"
            " fit fewer nodes, or take the errors from a part of the rows"
        )
    linearisation = linearise(fit)
    if linearisation.df_residual < 1e-8 * linearisation.N:
        raise InferenceError(
            f"the model has as many degrees of freedom ({linearisation.edf:.1f}) as rows ({linearisation.N}), which"
            " leaves none for the errors"
        )
    return linearisation


def as_level(level: Any) -> float:
    """Return a confidence level."""
    number = as_number("level", level)
    if not 0 < number < 1:
        raise ArgumentError(f"level is {level}, but must lie between 0 and 1")
    return number


def as_errors(fit: FittedModel, vcov: Any, correction: str) -> Errors:
    """Return the assumptions about the errors that `Fit.vcov` is asked for."""
    as_choice("correction", correction, CORRECTIONS)
    if isinstance(vcov, str) and "~" not in vcov:
        return Errors(as_choice("vcov", vcov, TYPES), {}, correction)
    clusters = _clusters(fit, vcov)
    for name, codes in clusters.items():
        if codes.max() == 0:
            raise ArgumentError(f"cluster {name!r} has one group only; at least two are needed")
    return Errors("cluster", clusters, correction)


def _clusters(fit: FittedModel, vcov: Any) -> dict[str, Array]:
    if isinstance(vcov, str):
        return {":".join(names): _combined(fit, names) for names in _ways(vcov)}
    # A pandas Series has items too, but they are labels of rows.
    if not hasattr(vcov, "items") or getattr(vcov, "ndim", 2) == 1:
        raise ElementTypeError(
            f"vcov is a {type(vcov).__name__}, but must be one of {', '.join(TYPES)}, a text such as '~ id', or a"
            " mapping of cluster labels such as {'id': labels}"
        )
    clusters = {str(name): _codes(str(name), labels, fit.N) for name, labels in vcov.items()}
    if not clusters:
        raise ArgumentError("vcov is an empty mapping; name at least one cluster")
    return clusters


def _ways(formula: str) -> list[list[str]]:
    """Return the names in each way of clustering: one name, or several whose combinations are the clusters.

    "~ a + b" has two ways, "~ a:b" and "~ a^b" have one. A name that contains such signs stands in backticks.
    """
    before, _, after = formula.partition("~")
    ways: list[list[str]] = [[""]]
    for quoted, sign, rest in re.findall(r"`([^`]*)`|([+:^])|([^`+:^]+)", after):
        if sign == "+":
            ways.append([""])
        elif sign:
            ways[-1].append("")
        else:
            ways[-1][-1] += quoted or rest.strip()
    if before.strip() or not all(map(all, ways)):
        raise ArgumentError(
            f"vcov is {formula!r}, but clusters are written '~ id', '~ id + year' for two ways, or '~ id:year' for the"
            " combinations of both"
        )
    return ways


def _combined(fit: FittedModel, names: list[str]) -> Array:
    """Return each row's code among the combinations of groups that occur."""
    codes = [_codes(name, _labels(fit, name), fit.N) for name in names]
    combined: Array = np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1].reshape(-1)
    return combined


def codes_of_rows(fit: FittedModel, by: Any) -> Array:
    """Return each row's group, named (as a column or a fixed effect) or given as labels, as a code.

    Codes count groups in the order in which they appear, so that they are the same whatever the labels are.
    """
    if isinstance(by, str):
        name = by.strip().removeprefix("~").strip()
        codes = _codes(name, _labels(fit, name), fit.N)
    else:
        codes = _codes("by", by, fit.N)
    first = np.unique(codes, return_index=True)[1]
    return np.argsort(np.argsort(first))[codes]


def times_of_rows(fit: FittedModel, time: Any) -> Array:
    """Return each row's time as a code; codes are in the order of the times."""
    if isinstance(time, str):
        time = _labels(fit, time.strip().removeprefix("~").strip())
    return _codes("time", time, fit.N)


def _labels(fit: FittedModel, name: str) -> Any:
    if fit.data is not None and name in fit.data.columns:
        return fit.data[name]
    assert fit.design is not None
    for effect in fit.design.effects:
        if effect.name == name:
            return effect.codes
    known = [effect.name for effect in fit.design.effects] if fit.data is None else list(map(str, fit.data.columns))
    raise ArgumentError(
        f"{name!r} is neither a column nor an effect; there are {', '.join(known) or 'none'}: or pass labels, and put"
        " what must be computed first into a column"
    )


def _codes(name: str, labels: Any, N: int) -> Array:
    return as_groups(repr(name), labels, N)[1]
