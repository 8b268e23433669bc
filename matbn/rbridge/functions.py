"""What R may call, by name; arguments come by position, in the order of R's functions."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import matbn
from matbn.activation import as_activation
from matbn.arguments import Array
from matbn.batchnorm import BatchNormCache, Normalised
from matbn.fitting.arrays import fit_at
from matbn.fitting.design import design
from matbn.fitting.posing import Options
from matbn.fitting.progress import throttled
from matbn.forum.checks import forum_checks
from matbn.forum.claims import claims
from matbn.forum.report import claims_data, claims_text, forum_data, forum_text
from matbn.rbridge.convert import RFunction
from matbn.rbridge.session import versions


def bn_forward(Z: Array, gamma: Array, beta: Array, ddof: Any, eps: Any, layout: str) -> dict[str, Any]:
    """Return Y and the parts of the cache, which R keeps as a plain list."""
    Y, cache = matbn.bn_forward(Z, gamma, beta, ddof, eps, layout=layout)
    return {"Y": Y, "H": cache.normalised.H, "s": cache.normalised.s}


def bn_backward(dY: Array, H: Array, s: Array, d: Array, gamma: Array, layout: str) -> dict[str, Any]:
    """Return the three gradients, from the cache's parts."""
    cache = BatchNormCache(Normalised(H, np.atleast_1d(s), float(d)), np.atleast_1d(gamma), layout, True)
    return matbn.bn_backward(dY, cache)._asdict()


def net_forward(*arguments: Any) -> dict[str, Any]:
    """Return the layers; H and s are NULL in a plain net."""
    layers = matbn.net_forward(*arguments)
    normalised = layers.normalised
    return {
        "fitted": layers.fitted,
        "V": layers.V,
        "B": layers.B,
        "H": None if normalised is None else normalised.H,
        "s": None if normalised is None else normalised.s,
    }


def check_gradient(f: RFunction, gradient: Any, at: Any, directions: float, seed: float) -> dict[str, Any]:
    """Check an R function's gradient; `at` is one array or a named list, `gradient` a value or an R function."""
    check = matbn.check_gradient(
        _as_python(f),
        _as_python(gradient) if isinstance(gradient, RFunction) else gradient,
        at,
        directions=int(directions),
        seed=int(seed),
    )
    return {
        "ok": check.ok,
        "method": check.method,
        "errors": np.array(list(check.errors.values())),
        "names": list(check.errors),
        "tolerance": check.tolerance,
        "text": str(check),
    }


def _as_python(function: RFunction) -> Callable[..., Any]:
    """Return a function of arguments, as R's takes one list of them."""

    def call(*arguments: Any, **named: Any) -> Any:
        return function([np.asarray(a) for a in arguments] or {name: np.asarray(a) for name, a in named.items()})

    return call


def _arrays(model: Any) -> dict[str, Any]:
    """Return R's model as arguments of `matbn.fit`; effects come as codes from 1, and their names stay in R."""
    return {
        "nets": [
            matbn.net(net["Z"], net["size"], basis=net["basis"], mask=net["mask"], label=net["label"])
            for net in model["nets"]
        ],
        "linear": model["linear"],
        "effects": {str(k): np.atleast_1d(codes) for k, codes in enumerate(model["effects"] or [])},
        "weights": model["weights"],
    }


def fit(model: Any, search: Any, show: Any) -> dict[str, Any]:
    """Fit what R has made of a formula or of matrices."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", matbn.ConvergenceWarning)  # R's side gives its own
        progress = False if show is None else _on_the_console(show)
        found = matbn.fit(model["y"], **_arrays(model), progress=progress, **search)
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
        "sum_of_squares": found.sum_of_squares,
        "r_squared": found.r_squared,
        "within_r_squared": found.within_r_squared,
        "rank": float(found.rank),
        "theta": found.theta,
        "penalty": found.penalty,
        "linear_penalty": found.linear_penalty,
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
    return {"matrix": found.matrix, "kind": found.kind, "df": found.df}


def prediction_errors(model: Any, solution: Any, rows: Any, vcov: Any, correction: str) -> dict[str, Any]:
    """Return predictions' standard errors at new rows (the fit's own without any), and the errors' variance."""
    fit = _again(model, solution)
    groups = {str(k): np.atleast_1d(codes) for k, codes in enumerate(rows["effects"] or [])} if rows else {}
    new = {"inputs": rows["nets"], "linear": rows["linear"], "effects": groups or None} if rows else {}
    found = fit.get_prediction(**new, unseen="zero", vcov=vcov, correction=correction)
    return {"error": found.error, "df": found.df, "kind": found.kind, "variance": found.variance}


def _again(model: Any, solution: Any) -> matbn.Fit:
    """Return the fit that R holds as its arrays and θ."""
    arrays = _arrays(model)
    made = design(model["y"], arrays["nets"], arrays["linear"], arrays["effects"], arrays["weights"])
    activation = as_activation(solution["activation"])
    options = Options(activation, solution["penalty"], 1, 1, 0.0, 1, solution["linear_penalty"])
    theta = np.empty(0) if solution["theta"] is None else np.atleast_1d(solution["theta"])
    return fit_at(made, options, theta)


def _on_the_console(show: RFunction) -> Callable[[matbn.Progress], None]:
    """Return a report that R writes; at most ten a second, as each takes a call into R."""

    def report(progress: matbn.Progress) -> None:
        show([np.asarray(float(x)) for x in (progress.starts, progress.finished, progress.iterations, progress.loss)])

    return throttled(report)


def forum(seed: float, N: float, p1: float, p2: float, figures: dict[str, Array] | None) -> dict[str, Any]:
    """Return the forum's checks as data and as text, with the figures that R has computed."""
    sizes = (int(size) for size in (seed, N, p1, p2))
    result = forum_checks(*sizes, r={name: np.atleast_1d(figure) for name, figure in (figures or {}).items()})
    checks = [{name: _plain(value) for name, value in check.items()} for check in forum_data(result)["checks"]]
    return {"checks": checks, "text": forum_text(result), "agree": result.agree}


def judged_claims(seed: Any) -> dict[str, Any]:
    """Return the claims as data, a column each, and as text."""
    judgements = claims(int(seed))
    rows = claims_data(judgements)["claims"]
    columns: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        texts = all(isinstance(value, str) for value in values)
        columns[name] = values if texts else np.array([np.nan if value is None else value for value in values], float)
    return {"columns": columns, "text": claims_text(judgements)}


def _plain(value: Any) -> Any:
    return np.asarray(value, dtype=float) if isinstance(value, list) else value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "vec": matbn.vec,
    "unvec": matbn.unvec,
    "commutation_order": matbn.commutation_order,
    "bn_forward": bn_forward,
    "bn_backward": bn_backward,
    "bn_jacobian": matbn.bn_jacobian,
    "net_forward": net_forward,
    "net_loss": matbn.net_loss,
    "net_gradient": matbn.net_gradient,
    "net_jacobian": matbn.net_jacobian,
    "net_hessian_product": matbn.net_hessian_product,
    "fold": matbn.fold,
    "fit": fit,
    "covariances": covariances,
    "prediction_errors": prediction_errors,
    "check_gradient": check_gradient,
    "forum_checks": forum,
    "claims": judged_claims,
    "versions": versions,
}
