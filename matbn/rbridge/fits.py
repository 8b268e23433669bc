"""Fits from R: models come as arrays, and a fit stays in R as those arrays and θ, from which it is made again."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import matbn
from matbn.activation import as_activation
from matbn.arguments import Array
from matbn.fitted.fitted_model import FittedModel, told_apart
from matbn.fitting.estimate import fit_at
from matbn.fitting.refit import refitted, say_cut_short, start_of, weighted
from matbn.inference.covariance import degrees
from matbn.inference.marginal_effects import rates, with_errors
from matbn.inference.partial_dependence import curve
from matbn.inference.predictions import NewRows, own_rows
from matbn.inference.request import estimated, requested
from matbn.inference.wald import tested
from matbn.model.design import INTERCEPT, design, part_of
from matbn.problem.posing import ModelOptions
from matbn.rbridge.convert import RFunction
from matbn.regression.fit import Fit
from matbn.resampling.bootstrap import bootstrap_draws, coefficients_and_effects
from matbn.resampling.choose import combinations, interruption, scores_of
from matbn.search.minimum import SearchOptions
from matbn.search.progress import throttle
from matbn.stopping import listening
from matbn.threads import default_threads

# What is not there is NaN in Python and NA in R, which is a NaN that says 1954.
NA = float(np.array(0x7FF00000000007A2, np.uint64).view(np.float64))


def _arrays(model: Any) -> dict[str, Any]:
    """Return R's model as arguments of `matbn.fit`; effects come as codes from 1, and their names stay in R."""
    return {
        "nets": [
            matbn.net(
                net["Z"],
                net["size"],
                basis=net["basis"],
                mask=net["mask"],
                label=net["label"],
                names=told_apart(net["names"]),
            )
            for net in model["nets"]
        ],
        "linear": _named(model["linear"], model["linear_names"]),
        "effects": {str(k): np.atleast_1d(codes) for k, codes in enumerate(model["effects"] or [])},
        "weights": model["weights"],
        "intercept": bool(model["intercept"]),
    }


class _Columns(np.ndarray[Any, Any]):
    """A matrix whose columns have names, as a data frame's do."""

    columns: list[str]


def _named(matrix: Array | None, names: Any) -> Array | None:
    if matrix is None:
        return None
    found = matrix.view(_Columns)
    found.columns = told_apart([INTERCEPT, *names])[1:]  # R allows names twice, and keeps them itself
    return found


def fit(model: Any, search: Any, show: Any) -> dict[str, Any]:
    """Fit what R has made of a formula or of matrices."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", matbn.ConvergenceWarning)  # R's side gives its own
        progress = False if show is None else _on_the_console(show)
        found = matbn.fit(model["y"], **_arrays(model), progress=progress, **search)
    return packed(found)


def packed(found: FittedModel) -> dict[str, Any]:
    """Return a fit as R takes it."""
    searches = found.searches
    return {
        "coefficients": np.atleast_1d(found.coefficients),
        "nets": [
            {name: np.atleast_1d(getattr(net, name)) for name in ("Gamma1", "gamma", "beta", "Gamma2", "mean")}
            for net in found.nets
        ],
        "effects": [effect.estimates for effect in found.effects],
        "fitted": found.fitted,
        "residuals": found.residuals,
        "residual_norm": found.residual_norm,
        "r_squared": found.r_squared,
        "within_r_squared": found.within_r_squared,
        "rank": float(found.rank),
        "theta": found.theta,
        "penalty": found.penalty,
        "linear_penalty": found.linear_penalty,
        "tol": found.tol,
        "edf": found.edf,
        "searches": {
            **{
                name: np.array([getattr(search, name) for search in searches], float)
                for name in ("loss", "gradient", "iterations", "evaluations")
            },
            "status": [search.status for search in searches],
        },
        "traces": [search.trace for search in searches],
        "messages": list(found.messages),
        "converged": found.converged,
    }


def covariances(model: Any, solution: Any, vcov: Any, part: str, correction: str) -> dict[str, Any]:
    """Return covariances of a fit's estimates; R has their names, in this order."""
    found = _again(model, solution).vcov(vcov, part, correction)
    return {"matrix": found.matrix, "error": found.error, "kind": found.kind, "df": found.df}


def prediction_errors(model: Any, solution: Any, rows: Any, unseen: str, vcov: Any, correction: str) -> dict[str, Any]:
    """Return predictions' standard errors at new rows (the fit's own without any), and an outcome's deviation."""
    fit = _again(model, solution)
    groups = {str(k): np.atleast_1d(codes) for k, codes in enumerate(rows["effects"] or [])} if rows else {}
    new = {"inputs": rows["nets"], "linear": rows["linear"], "effects": groups or None} if rows else {}
    outcomes = rows["outcomes"] if rows else None
    found = fit.get_prediction(**new, outcomes=outcomes, unseen=unseen, vcov=vcov, correction=correction)
    return {"error": found.error, "df": found.df, "kind": found.kind, "sigma": found.sigma}


def wald(
    model: Any, solution: Any, names: list[str], places: Sequence[Any], vcov: Any, correction: str
) -> dict[str, Any]:
    """Test that sets of identified parameters, by their places (from 0), are 0."""
    fit = _again(model, solution)
    sets = [[] if place is None else [int(k) for k in np.atleast_1d(place)] for place in places]
    errors, linearised = requested(fit, vcov, correction), estimated(fit)
    found = tested(fit, linearised, names, sets, errors)
    return {
        "F": _or_na(found.F),
        "numerator": found.numerator,
        "p": _or_na(found.p),
        "df": found.df,
        "kind": found.kind,
        "rank": float(linearised.rank),
        "parameters": float(len(linearised.D)),
    }


def effects(
    model: Any, solution: Any, changes: Sequence[Any], average: bool, vcov: Any, correction: str
) -> dict[str, Any]:
    """Return marginal effects for rates at which R has found the fit's rows to change."""
    fit = _again(model, solution)
    errors, found = requested(fit, vcov, correction), estimated(fit)
    values, derivatives = [], []
    for change in changes:
        value, r = rates(found, own_rows(found), _rows_of(fit, change, intercept=0))
        if average:
            value = np.atleast_1d(np.average(value, weights=found.design.w))
            r = np.average(r, axis=0, weights=found.design.w)[None]
        values.append(value)
        derivatives.append(r)
    estimate = np.concatenate(values)
    names = tuple(f"effect {k + 1}" for k in range(len(estimate)))
    result = with_errors(found, names, estimate, np.vstack(derivatives), errors, 0.95)
    return {"estimate": result.estimate, "error": result.error, "df": result.df, "kind": result.kind}


def dependence(model: Any, solution: Any, changed: Sequence[Any], vcov: Any, correction: str) -> dict[str, Any]:
    """Return mean predictions over sets of the fit's rows in which R has changed a variable."""
    fit = _again(model, solution)
    errors, found = requested(fit, vcov, correction), estimated(fit)
    estimate, error = curve(found, [_rows_of(fit, rows, intercept=1) for rows in changed], errors)
    return {"estimate": estimate, "error": error, "df": degrees(found, errors), "kind": str(errors)}


def leverages(model: Any, solution: Any) -> Array:
    """Return the rows' leverages."""
    found = estimated(_again(model, solution))
    hat = np.empty(len(found.e))
    hat[found.posed.order] = found.leverage
    return hat


def cross_validate(model: Any, solution: Any, options: Any) -> dict[str, Any]:
    """Cross-validate; `options` are the arguments of `Fit.cross_validate`."""
    found = _again(model, solution).cross_validate(**options)
    return {
        "mse": found.mse,
        "error": _or_na(found.error),
        "r_squared": _or_na(found.r_squared),
        "by_fold": found.by_fold,
        "predictions": found.predictions,
        "fold": found.fold.astype(float),
    }


def choose(model: Any, solution: Any, sizes: Any, penalties: Any, options: Any) -> dict[str, Any]:
    """Score sizes and penalties; R fits the best one again, with its own formula."""
    lists = (None if values is None else np.atleast_1d(values).tolist() for values in (sizes, penalties))
    fit = _again(model, solution)
    tried = combinations(fit, *lists)
    request = {"by": None, "time": None, **options}
    with listening() as stop:
        scores = scores_of(fit, tried, **request, stop=stop)
        if stop.asked:
            say_cut_short(stop, interruption(tried, scores))
    found = tried[: len(scores)]
    return {
        "size": np.array([np.nan if size is None else size for size, _ in found], float),
        "penalty": np.array([penalty for _, penalty in found]),
        "score": _or_na(scores[:, 0]),
        "error": _or_na(scores[:, 1]),
        "whole": len(found) == len(tried),
    }


def bootstrap(
    model: Any, solution: Any, changes: Sequence[Any], replicates: int, units: Array | None, seed: int, progress: float
) -> dict[str, Any]:
    """Return draws of the linear coefficients and of average marginal effects."""
    fit = _again(model, solution)
    value_of = coefficients_and_effects(fit, [_rows_of(fit, change, intercept=0) for change in changes])
    codes = np.arange(fit.N) if units is None else np.asarray(units).astype(int)
    found = bootstrap_draws(fit, value_of, (), replicates, codes, seed, default_threads(), None if progress else False)
    return {"estimate": found.estimate, "draws": found.draws, "groups": float(found.groups)}


def refit(model: Any, solution: Any, counts: Array) -> dict[str, Any]:
    """Return the fit to rows that count so many times more, from where the fit has ended; others are left out."""
    fit = _again(model, solution)
    assert fit.design is not None
    drawn = weighted(fit.design, counts)
    assert drawn.w is not None
    made = part_of(drawn, drawn.w > 0)
    with listening() as stop:
        found = refitted(made, fit.options, SearchOptions(0, 1), start_of(fit), stop)
    return packed(found)


def _or_na(values: Any) -> Any:
    return np.where(np.isnan(values), NA, values)


def _rows_of(fit: FittedModel, rows: Any, intercept: float) -> NewRows:
    """Return R's changed rows of a fit, which have no intercept."""
    assert fit.design is not None
    linear = np.empty((fit.N, 0)) if rows["linear"] is None else rows["linear"]
    if fit.design.intercept:
        linear = np.column_stack([np.full(fit.N, intercept), linear])
    own = np.empty((fit.N, len(fit.design.effects)), int)
    for k, effect in enumerate(fit.design.effects):
        own[:, k] = effect.codes
    return NewRows(list(rows["nets"]), linear, own)


def _again(model: Any, solution: Any) -> Fit:
    """Return the fit that R holds as its arrays and θ."""
    arrays = _arrays(model)
    made = design(model["y"], arrays.pop("nets"), **arrays)
    activation = as_activation(solution["activation"])
    options = ModelOptions(activation, solution["penalty"], solution["linear_penalty"], solution["tol"])
    theta = np.empty(0) if solution["theta"] is None else np.atleast_1d(solution["theta"])
    return Fit.of(fit_at(made, options, theta))


def _on_the_console(show: RFunction) -> Callable[[matbn.Progress], None]:
    """Return a report that R writes; at most ten a second, as each takes a call into R."""

    def report(progress: matbn.Progress) -> None:
        show([np.asarray(float(x)) for x in (progress.starts, progress.finished, progress.iterations, progress.loss)])

    return throttle(report)


FIT_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "fit": fit,
    "covariances": covariances,
    "prediction_errors": prediction_errors,
    "wald": wald,
    "effects": effects,
    "dependence": dependence,
    "leverages": leverages,
    "cross_validate": cross_validate,
    "choose": choose,
    "bootstrap": bootstrap,
    "refit": refit,
}
