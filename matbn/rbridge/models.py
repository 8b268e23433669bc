"""Models and fits between R, which holds them as lists of arrays, and Python.

R keeps the arrays of a model that it has fitted, and the solution. A question about a fit brings both, from which the
fit is put together as it was: nothing is solved again.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from matbn.activation import as_activation
from matbn.arguments import Array
from matbn.fitted.fitted_model import FittedEffect, FittedModel, FittedNet, unique_names
from matbn.inference.identified import Columns
from matbn.inference.predictions import NewRows, groups_of
from matbn.model.design import INTERCEPT, as_design, net
from matbn.regression.fit import Fit

_OF_NETS = ("Gamma1", "gamma", "beta", "Gamma2", "mean")
_OF_SEARCHES = ("loss", "gradient", "iterations", "evaluations")
_AS_THEY_ARE = (
    "fitted", "residuals", "residual_norm", "r_squared", "within_r_squared",
    "theta", "penalty", "linear_penalty", "tol", "edf", "converged",
)  # fmt: skip

# What is missing is NaN in Python and NA in R, which is the NaN whose lower half is 1954.
NA = float(np.array(0x7FF00000000007A2, np.uint64).view(np.float64))


def or_na(values: Any) -> Any:
    """Return values with R's NA in place of NaN."""
    return np.where(np.isnan(values), NA, values)


def model_from_r(model: Any) -> dict[str, Any]:
    """Return R's model as arguments of `matbn.fit`; effects come as codes from 1, and their names stay in R."""
    return {
        "nets": [net(**{**own, "names": unique_names(own["names"])}) for own in model["nets"]],
        "linear": _named(model["linear"], model["linear_names"]),
        "effects": _effects(model["effects"]),
        "weights": model["weights"],
        "intercept": bool(model["intercept"]),
    }


def _effects(codes: Any) -> dict[str, Array]:
    return {str(k): np.atleast_1d(own) for k, own in enumerate(codes or [])}


class _Columns(np.ndarray[Any, Any]):
    """A matrix whose columns have names, as a data frame's do."""

    columns: list[str]


def _named(matrix: Array | None, names: Any) -> Array | None:
    if matrix is None:
        return None
    named = matrix.view(_Columns)
    named.columns = unique_names([INTERCEPT, *names])[1:]  # R allows names twice
    return named


def fit_for_r(fit: FittedModel) -> dict[str, Any]:
    """Return a fit as R takes it."""
    return {
        **{name: getattr(fit, name) for name in _AS_THEY_ARE},
        "coefficients": np.atleast_1d(fit.coefficients),
        "nets": [{name: np.atleast_1d(getattr(own, name)) for name in _OF_NETS} for own in fit.nets],
        "effects": [effect.estimates for effect in fit.effects],
        "rank": float(fit.rank),
        "searches": {
            **{name: np.array([getattr(search, name) for search in fit.searches], float) for name in _OF_SEARCHES},
            "status": [search.status for search in fit.searches],
        },
        "traces": [search.trace for search in fit.searches],
        "messages": list(fit.messages),
    }


def fit_from_r(model: Any, solution: Any) -> Fit:
    """Return the fit that R holds, with R's names; what no question from R needs is nan, 0 or empty."""
    arguments = model_from_r(model)
    made = as_design(model["y"], arguments.pop("nets"), **arguments)
    residuals, estimates = np.atleast_1d(solution["residuals"]), map(np.atleast_1d, solution["effects"] or [])
    return Fit(
        nets=tuple(
            FittedNet(own["label"], tuple(own["names"]), **{name: np.atleast_1d(solved[name]) for name in _OF_NETS})
            # The solution has no nets if the linear part fits exactly.
            for own, solved in zip(model["nets"], solution["nets"], strict=False)
        ),
        coefficients=np.atleast_1d(solution["coefficients"]),
        coefficient_names=(*([INTERCEPT] if made.intercept else []), *model["linear_names"]),
        intercept=made.intercept,
        effects=tuple(
            FittedEffect(effect.name, effect.levels, own, float(np.average(own[effect.codes], weights=made.w)))
            for effect, own in zip(made.effects, estimates, strict=True)
        ),
        activation=as_activation(solution["activation"]),
        fitted=made.y - residuals,
        residuals=residuals,
        weight=made.weight_unit * float(len(made.y) if made.w is None else made.w.sum()),
        N=len(made.y),
        rank=int(solution["rank"]),
        design=made,
        theta=np.atleast_1d(solution["theta"]),
        **{name: solution[name] for name in ("penalty", "linear_penalty", "tol", "residual_norm", "edf")},
        singletons=0,
        searches=(),
        messages=(),
        total_norm=np.nan,
        within_norm=np.nan,
    )


def rows_from_r(rows: Any) -> dict[str, Any]:
    """Return R's new rows as arguments of `Fit.get_prediction`; none for the fit's own."""
    if rows is None:
        return {}
    effects = _effects(rows["effects"]) or None
    return {"inputs": rows["nets"], "linear": rows["linear"], "effects": effects, "outcomes": rows["outcomes"]}


def changed_rows_from_r(fit: FittedModel, rows: Any, intercept: float) -> NewRows:
    """Return a fit's rows as R has changed them; R's have no intercept, which gets the value given."""
    made = fit.design
    assert made is not None
    linear = np.empty((fit.N, 0)) if rows["linear"] is None else rows["linear"]
    if fit.intercept:
        linear = np.column_stack([np.full(fit.N, intercept), linear])
    offset = 0.0 if rows.get("offset") is None else rows["offset"]
    return NewRows(list(rows["nets"]), linear, groups_of(made), offset)


def columns_from_r(fit: FittedModel, flags: Mapping[str, Any]) -> Columns:
    """Return which columns a variable is part of, from R's 1 or 0 for each column of each net and the linear part."""
    linear = np.atleast_1d(flags["linear"])
    parts = [(None, np.append(0, linear) if fit.intercept else linear), *enumerate(map(np.atleast_1d, flags["nets"]))]
    return {part: np.flatnonzero(own).tolist() for part, own in parts}
