"""What R may call, by name; arguments come by position, in the order of R's functions."""

import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

import matbn
from matbn.arguments import Array, as_integer
from matbn.batchnorm import BatchNormCache, Normalised
from matbn.forum.checks import forum_checks
from matbn.forum.claims import claims
from matbn.forum.report import claims_data, claims_text, forum_data, forum_text
from matbn.memory import check_memory
from matbn.rbridge.convert import RFunction
from matbn.rbridge.fits import FIT_FUNCTIONS


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
        directions=as_integer("directions", directions, 1),
        seed=as_integer("seed", seed),
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


def forum(seed: float, N: float, p1: float, p2: float, figures: dict[str, Array] | None) -> dict[str, Any]:
    """Return the forum's checks as data and as text, with the figures that R has computed."""
    sizes = (as_integer(name, size) for name, size in (("seed", seed), ("N", N), ("p1", p1), ("p2", p2)))
    result = forum_checks(*sizes, r={name: np.atleast_1d(figure) for name, figure in (figures or {}).items()})
    checks = [{name: _plain(value) for name, value in check.items()} for check in forum_data(result)["checks"]]
    return {"checks": checks, "text": forum_text(result), "agree": result.agree}


def judged_claims(seed: Any) -> dict[str, Any]:
    """Return the claims as data, a column each, and as text."""
    judgements = claims(as_integer("seed", seed))
    rows = claims_data(judgements)["claims"]
    columns: dict[str, Any] = {}
    for name in rows[0]:
        values = [row[name] for row in rows]
        texts = all(isinstance(value, str) for value in values)
        columns[name] = values if texts else np.array([np.nan if value is None else value for value in values], float)
    return {"columns": columns, "text": claims_text(judgements)}


def _plain(value: Any) -> Any:
    return np.asarray(value, dtype=float) if isinstance(value, list) else value


def refuse_too_large(what: str, numbers: float, advice: str) -> None:
    """Refuse what R is about to make, if there is no memory for so many numbers."""
    if numbers == numbers:  # what is not, other checks refuse
        check_memory(what, int(min(numbers, 1e300)), advice)


def versions() -> dict[str, str]:
    """Return what R's matbn_config() tells of this Python."""
    packages = {name: version(name) for name in ("numpy", "scipy", "rpy2-rinterface")}
    own = {"python": sys.version.split()[0], "executable": sys.executable, "path": os.path.dirname(matbn.__file__)}
    return {**own, "matbn": matbn.__version__, **packages}


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "vec": matbn.vec,
    "unvec": matbn.unvec,
    "check_memory": refuse_too_large,
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
    **FIT_FUNCTIONS,
    "check_gradient": check_gradient,
    "forum_checks": forum,
    "claims": judged_claims,
    "versions": versions,
}
