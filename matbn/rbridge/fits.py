"""What R may ask about fits: a model's fit, and of a fit its errors, tests, effects of variables and refits.

Each function takes a model and its solution as R holds them, and what is asked.
"""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import matbn
from matbn.arguments import Array
from matbn.fitting.refit import fit_again, reweight, start_of
from matbn.inference.covariance import degrees
from matbn.inference.marginal_effects import effects_of_changes
from matbn.inference.partial_dependence import mean_predictions
from matbn.inference.request import as_errors, checked_linearisation
from matbn.inference.tables import covariance_by_name
from matbn.inference.wald import wald_tests
from matbn.model.design import some_rows
from matbn.rbridge.convert import RFunction
from matbn.rbridge.models import (
    changed_rows_from_r,
    columns_from_r,
    fit_for_r,
    fit_from_r,
    model_from_r,
    or_na,
    rows_from_r,
)
from matbn.resampling import choose as choices
from matbn.resampling.bootstrap import bootstrap_draws, coefficients_and_effects
from matbn.search.minimum import SearchOptions
from matbn.search.progress import throttle
from matbn.stopping import listening
from matbn.threads import default_threads


def fit(model: Any, search: Any, show: Any) -> dict[str, Any]:
    """Fit what R has made of a formula or of matrices."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", matbn.ConvergenceWarning)  # R's side gives its own
        progress = False if show is None else _on_the_console(show)
        return fit_for_r(matbn.fit(model["y"], **model_from_r(model), progress=progress, **search))


def covariances(model: Any, solution: Any, vcov: Any, part: str, correction: str) -> dict[str, Any]:
    """Return the identified parameters of a part: names, estimates and covariances."""
    V = covariance_by_name(fit_from_r(model, solution), vcov, part, correction)
    known = {"names": list(V.names), "estimate": or_na(V.estimate), "matrix": or_na(V.matrix)}
    return known | _fields(V, "error", "kind", "df")


def prediction_errors(model: Any, solution: Any, rows: Any, unseen: str, vcov: Any, correction: str) -> dict[str, Any]:
    """Return predictions' standard errors at new rows (at the fit's own without any), and an outcome's deviation."""
    predicted = fit_from_r(model, solution).get_prediction(
        **rows_from_r(rows), unseen=unseen, vcov=vcov, correction=correction
    )
    return _fields(predicted, "error", "df", "kind", "sigma")


def wald(
    model: Any, solution: Any, names: list[str], columns: Sequence[Any], vcov: Any, correction: str
) -> dict[str, Any]:
    """Test that variables have no effect; R says which columns each is part of."""
    fit = fit_from_r(model, solution)
    errors, linearisation = as_errors(fit, vcov, correction), checked_linearisation(fit)
    tests = wald_tests(fit, linearisation, names, [columns_from_r(fit, own) for own in columns], errors)
    rank = {"rank": float(linearisation.rank), "parameters": float(len(linearisation.D))}
    return {"F": or_na(tests.F), "p": or_na(tests.p), **rank} | _fields(tests, "numerator", "df", "kind")


def marginal_effects(
    model: Any, solution: Any, names: list[str], changes: Sequence[Any], average: bool, vcov: Any, correction: str
) -> dict[str, Any]:
    """Return marginal effects of variables; R says at which rates each changes the fit's rows."""
    fit = fit_from_r(model, solution)
    errors, linearisation = as_errors(fit, vcov, correction), checked_linearisation(fit)
    rows = ((name, changed_rows_from_r(fit, own, intercept=0)) for name, own in zip(names, changes, strict=True))
    return _fields(effects_of_changes(linearisation, rows, average, errors, 0.95), "estimate", "error", "df", "kind")


def partial_dependence(model: Any, solution: Any, changed: Sequence[Any], vcov: Any, correction: str) -> dict[str, Any]:
    """Return mean predictions over sets of the fit's rows in which R has changed a variable."""
    fit = fit_from_r(model, solution)
    errors, linearisation = as_errors(fit, vcov, correction), checked_linearisation(fit)
    rows = (changed_rows_from_r(fit, own, intercept=1) for own in changed)
    estimate, error = mean_predictions(linearisation, rows, errors)
    return {"estimate": estimate, "error": error, "df": degrees(linearisation, errors), "kind": str(errors)}


def leverages(model: Any, solution: Any) -> Array:
    """Return the rows' leverages."""
    linearisation = checked_linearisation(fit_from_r(model, solution))
    return linearisation.posed.in_design_order(linearisation.leverage)


def cross_validate(model: Any, solution: Any, options: Any) -> dict[str, Any]:
    """Cross-validate; `options` are the arguments of `Fit.cross_validate`."""
    validation = fit_from_r(model, solution).cross_validate(**options)
    scores = {"error": or_na(validation.error), "r_squared": or_na(validation.r_squared)}
    return scores | {"fold": validation.fold.astype(float), **_fields(validation, "mse", "by_fold", "predictions")}


def choose(model: Any, solution: Any, sizes: Any, penalties: Any, options: Any) -> dict[str, Any]:
    """Score sizes and penalties; R fits the best one again, with its own formula."""
    sizes, penalties = (None if values is None else np.atleast_1d(values).tolist() for values in (sizes, penalties))
    request = {"by": None, "time": None, **options}
    choice = choices.choose(fit_from_r(model, solution), sizes, penalties, **request, fit_best=False)
    scores = {"score": or_na(choice.scores), "error": or_na(choice.errors)}
    return {"size": choice.sizes, "penalty": choice.penalties, **scores, "whole": choice.complete}


def bootstrap(
    model: Any, solution: Any, changes: Sequence[Any], replicates: int, units: Array | None, seed: int, progress: float
) -> dict[str, Any]:
    """Return draws of the linear coefficients and of average marginal effects."""
    fit = fit_from_r(model, solution)
    value_of = coefficients_and_effects(fit, [changed_rows_from_r(fit, change, intercept=0) for change in changes])
    codes = np.arange(fit.N) if units is None else np.asarray(units).astype(int)
    result = bootstrap_draws(fit, value_of, (), replicates, codes, seed, default_threads(), None if progress else False)
    return _fields(result, "estimate", "draws", "groups")


def refit(model: Any, solution: Any, counts: Array) -> dict[str, Any]:
    """Return the fit to rows that count so many times each (0 leaves one out), from where the fit has ended."""
    fit = fit_from_r(model, solution)
    assert fit.design is not None
    counted = reweight(fit.design, counts)
    assert counted.w is not None
    with listening() as stop:
        rows = some_rows(counted, counted.w > 0)
        return fit_for_r(fit_again(rows, fit.options, SearchOptions(0, 1), start_of(fit), stop))


def _fields(value: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}


def _on_the_console(show: RFunction) -> Callable[[matbn.Progress], None]:
    """Return a function that has R show a fit's progress, at most ten times a second, as each takes a call into R."""

    def report(progress: matbn.Progress) -> None:
        show([np.asarray(float(x)) for x in (progress.starts, progress.finished, progress.iterations, progress.loss)])

    return throttle(report)


_QUESTIONS = (covariances, prediction_errors, wald, marginal_effects, partial_dependence, leverages)
FIT_FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function for function in (fit, *_QUESTIONS, cross_validate, choose, bootstrap, refit)
}
