"""Every public function with valid random arguments: a target is a function of a generator that returns a call.

A call is a function and its arguments by name. `fits` are made once; what is asked of them is cheap.
"""

import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import matbn
from matbn.activation import ACTIVATIONS
from matbn.gradient import ROUTES

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A function and its arguments by name; `places` are those that come by position."""

    function: Callable[..., Any]
    arguments: Arguments
    places: tuple[str, ...] = ()

    def made(self) -> Any:
        """Return what the function returns."""
        named = {name: value for name, value in self.arguments.items() if name not in self.places}
        return self.function(*(self.arguments[name] for name in self.places), **named)


def _net(rng: np.random.Generator) -> Arguments:
    N, p1, p2 = (int(rng.integers(low, high)) for low, high in ((2, 30), (1, 5), (1, 4)))
    plain = rng.random() < 0.3
    return {
        "X": rng.normal(rng.choice([0, 3]), 1, (N, p1)),
        "y": rng.normal(size=N),
        "Gamma1": rng.normal(size=(p1, p2)),
        "gamma": None if plain else rng.normal(size=p2),
        "beta": None if plain and rng.random() < 0.5 else rng.normal(size=p2),
        "Gamma2": rng.normal(size=p2),
        "activation": str(rng.choice(list(ACTIVATIONS))),
        "ddof": float(rng.integers(2)),
        "eps": float(rng.choice([0.0, 1e-5])),
    }


def _net_function(name: str, *left_out: str, **more: Callable[[Arguments, np.random.Generator], Any]) -> Any:
    def target(rng: np.random.Generator) -> Call:
        arguments = _net(rng)
        arguments |= {key: make(arguments, rng) for key, make in more.items()}
        return Call(getattr(matbn, name), {key: value for key, value in arguments.items() if key not in left_out})

    return target


def _route(_: Arguments, rng: np.random.Generator) -> str:
    return str(rng.choice(list(ROUTES)))


def _theta(a: Arguments, rng: np.random.Generator) -> Any:
    return rng.normal(size=sum(np.size(a[key]) for key in ("Gamma1", "gamma", "beta", "Gamma2") if a[key] is not None))


def _prepare(rng: np.random.Generator) -> Call:
    a = _net(rng)
    N = len(a["y"])
    extra = {"weights": rng.uniform(0, 2, N) if rng.random() < 0.5 else None, "dtype": None, "threads": None}
    arguments = {key: a[key] for key in ("X", "y", "activation", "ddof", "eps")} | extra

    def run(Gamma1: Any, gamma: Any, beta: Any, Gamma2: Any, **data: Any) -> Any:
        return matbn.prepare(**data).gradient(Gamma1, gamma, beta, Gamma2)

    return Call(run, arguments | {key: a[key] for key in ("Gamma1", "gamma", "beta", "Gamma2")})


def _prepared(method: str, *left_out: str, **more: Callable[[Arguments, np.random.Generator], Any]) -> Any:
    def target(rng: np.random.Generator) -> Call:
        a = _net(rng)
        prepared = matbn.prepare(*(a[key] for key in ("X", "y")), activation=a["activation"], ddof=0, eps=1e-5)
        arguments = {key: a[key] for key in ("Gamma1", "gamma", "beta", "Gamma2") if key not in left_out}
        return Call(getattr(prepared, method), arguments | {key: make(a, rng) for key, make in more.items()})

    return target


def _layer(rng: np.random.Generator) -> Arguments:
    N, p = int(rng.integers(2, 20)), int(rng.integers(1, 5))
    return {"Z": rng.normal(2, 3, (N, p)), "gamma": rng.normal(size=p), "beta": rng.normal(size=p)}


def _bn_forward(rng: np.random.Generator) -> Call:
    return Call(matbn.bn_forward, _layer(rng) | {"ddof": 1, "eps": 0.0, "layout": "rows"})


def _bn_backward(rng: np.random.Generator) -> Call:
    a = _layer(rng)
    return Call(matbn.bn_backward, {"dY": rng.normal(size=a["Z"].shape), "cache": matbn.bn_forward(**a).cache})


def _bn_train(rng: np.random.Generator) -> Call:
    a = _layer(rng)
    more = {"running": matbn.running_start(len(a["gamma"])), "momentum": 0.1, "momentum_of": "batch"}
    return Call(matbn.bn_train, a | more | {"ddof": 0, "eps": 1e-5, "running_ddof": 1, "layout": "rows"})


def _bn_infer(rng: np.random.Generator) -> Call:
    a = _layer(rng)
    return Call(matbn.bn_infer, a | {"running": matbn.running_start(len(a["gamma"])), "eps": 1e-5, "layout": "rows"})


def _running_update(rng: np.random.Generator) -> Call:
    Z = _layer(rng)["Z"]
    more = {"momentum": 0.1, "momentum_of": "batch", "running_ddof": 1, "layout": "rows"}
    return Call(matbn.running_update, {"running": matbn.running_start(Z.shape[1]), "Z": Z} | more)


def _matrices(name: str, **arguments: Callable[[np.random.Generator], Any]) -> Any:
    def target(rng: np.random.Generator) -> Call:
        return Call(getattr(matbn, name), {key: make(rng) for key, make in arguments.items()})

    return target


def _matrix(m: int, n: int) -> Callable[[np.random.Generator], Any]:
    return lambda rng: rng.normal(size=(m, n))


def _check_gradient(rng: np.random.Generator) -> Call:
    at = rng.normal(size=(3, 2))
    arguments = {"f": lambda A: (A**2).sum(), "gradient": lambda A: 2 * A, "at": at, "directions": 4, "seed": 1}
    return Call(matbn.check_gradient, arguments)


def frame(seed: int, N: int = 40) -> pd.DataFrame:
    """Return a small panel with columns of all kinds."""
    rng = np.random.default_rng(seed)
    x, z1, z2, e = rng.normal(size=(4, N))
    g, h = np.repeat(list("abcdefghij"), 4)[:N], np.tile([1, 2, 3, 4], 10)[:N]
    y = 0.5 * x + np.tanh(2 * z1 - z2) + 0.2 * e + 0.3 * h
    return pd.DataFrame({"y": y, "x": x, "z1": z1, "z2": z2, "g": g, "h": h, "f": pd.Categorical(g), "b": x > 0})


FORMULAS = (
    "y ~ x + net(z1, z2, size = 2)",
    "y ~ net(z1, size = 1) | g",
    "y ~ x | g + h",
    "y ~ x + f",
    "y ~ log(x**2 + 1) + net(poly(z1, 2), z2, size = 1)",
    "y ~ b + net(z1, b, size = 1)",
    "y ~ x*z1",
)
_QUICK = {"starts": 2, "iterations": 50}


def _fit_formula(rng: np.random.Generator) -> Call:
    formula = str(rng.choice(FORMULAS))
    data = frame(int(rng.integers(5)))
    w = rng.uniform(0, 2, len(data)) if rng.random() < 0.3 else None
    options = {"weights": w, "activation": str(rng.choice(list(ACTIVATIONS))), "penalty": 1e-3, "linear_penalty": 0.0}
    more = {"solver": "profiled", "seed": 1, "tolerance": 1e-4, "progress": False, "environment": {}}
    return Call(matbn.fit, {"formula": formula, "data": data} | options | more | _QUICK)


def _fit_column(rng: np.random.Generator) -> Call:
    """Fit a data frame in which one column, `column`, may be changed."""
    formula = str(rng.choice(FORMULAS))
    data = frame(int(rng.integers(5)))
    name = str(rng.choice(data.columns))

    def run(column: Any) -> Any:
        try:
            changed = data.assign(**{name: column})
        except (ValueError, TypeError):
            raise matbn.ArgumentError("no column") from None  # pandas does not take it: nothing to try
        return matbn.fit(formula, changed, penalty=1e-3, progress=False, **_QUICK)

    return Call(run, {"column": data[name].to_numpy()})


def _fit_arrays(rng: np.random.Generator) -> Call:
    N = int(rng.integers(6, 40))
    Z, X = rng.normal(size=(N, 2)), rng.normal(size=(N, 1))
    groups = rng.integers(3, size=N) if rng.random() < 0.5 else None

    def run(y: Any, Z: Any, size: Any, basis: Any, mask: Any, label: Any, names: Any, **options: Any) -> Any:
        term = matbn.net(Z, size, basis=basis, mask=mask, label=label, names=names)
        return matbn.fit(y, nets=[term], progress=False, **options)

    of_net = {"Z": Z, "size": 2, "basis": None, "mask": None, "label": "net", "names": ["a", "b"]}
    arguments = of_net | {"y": rng.normal(size=N), "linear": X, "effects": groups, "weights": np.ones(N)}
    return Call(run, arguments | {"penalty": 1e-3, "solver": str(rng.choice(["profiled", "lm", "joint"]))} | _QUICK)


@cache
def fits() -> tuple[matbn.Fit, ...]:
    """Return a fit of each formula, and one from arrays."""
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", matbn.ConvergenceWarning)
        found = [matbn.fit(formula, frame(1), penalty=1e-3, starts=2, progress=False) for formula in FORMULAS]
        Z, X, y = rng.normal(size=(30, 2)), rng.normal(size=(30, 1)), rng.normal(size=30)
        effects = {"g": np.repeat(np.arange(6), 5)}
        arrays = matbn.fit(y, nets=matbn.net(Z, 2), linear=X, effects=effects, penalty=1e-3, starts=2, progress=False)
    return (*found, arrays)


def _of_fit(method: str, **usual: Callable[[Any, np.random.Generator], Any]) -> Any:
    def target(rng: np.random.Generator) -> Call:
        fit = fits()[int(rng.integers(len(fits())))]
        return Call(getattr(fit, method), {name: make(fit, rng) for name, make in usual.items()})

    return target


def _constant(*values: Any) -> Callable[[Any, np.random.Generator], Any]:
    return lambda fit, rng: values[int(rng.integers(len(values)))]


def _new_data(fit: matbn.Fit, rng: np.random.Generator) -> Any:
    return None if fit.recipe is None or rng.random() < 0.3 else frame(int(rng.integers(2, 9)), 12)


_VCOV = _constant("iid", "HC0", "HC1", "HC2", "HC3")
_CORRECTION = _constant("sandwich", "fixest", "plm", "none")
_LEVEL = _constant(0.95, 0.5)
_ERRORS = {"vcov": _VCOV, "correction": _CORRECTION}

_ROWS: dict[str, Any] = {
    "data": _new_data,
    "inputs": _constant(()),
    "linear": _constant(None),
    "effects": _constant(None),
    "outcomes": _constant(None),
    "unseen": _constant("error", "zero", "average", "estimate"),
}
_FOLDS: dict[str, Any] = {
    "by": _constant(None),
    "time": _constant(None),
    "folds": _constant(2),
    "unseen": _constant("average", "zero", "estimate"),
    "starts": _constant(1),
    "seed": _constant(1),
}


def _regressor(rng: np.random.Generator) -> Call:
    from matbn.sklearn import NetRegressor

    usual = {name: p.default for name, p in inspect.signature(NetRegressor).parameters.items()}
    N = int(rng.integers(5, 30))

    def run(X: Any, y: Any, sample_weight: Any, new: Any, **options: Any) -> Any:
        return NetRegressor(**options).fit(X, y, sample_weight=sample_weight).predict(new)

    X = rng.normal(size=(N, 2))
    data = {"X": X, "y": rng.normal(size=N), "sample_weight": np.ones(N), "new": X[:4]}
    return Call(run, data | usual | {"penalty": 1e-3, "starts": 1, "iterations": 50})


TARGETS: dict[str, Callable[[np.random.Generator], Call]] = {
    "net_forward": _net_function("net_forward", "y"),
    "net_loss": _net_function("net_loss"),
    "net_gradient": _net_function("net_gradient", route=_route),
    "net_jacobian": _net_function("net_jacobian", "y"),
    "net_hessian_product": _net_function("net_hessian_product", direction=_theta),
    "fold": _net_function("fold", "y", "activation"),
    "prepare": _prepare,
    "Prepared.gradient": _prepared("gradient"),
    "Prepared.fitted": _prepared("fitted"),
    "Prepared.cross_products": _prepared("cross_products", "Gamma2"),
    "Prepared.jacobian_product": _prepared("jacobian_product", direction=_theta),
    "Prepared.adjoint_product": _prepared("adjoint_product", u=lambda a, rng: rng.normal(size=len(a["y"]))),
    "Prepared.jacobian_gram": _prepared("jacobian_gram"),
    "bn_forward": _bn_forward,
    "bn_backward": _bn_backward,
    "bn_jacobian": _matrices("bn_jacobian", z=lambda rng: rng.normal(size=6), gamma=lambda rng: 1.5),
    "bn_train": _bn_train,
    "bn_infer": _bn_infer,
    "running_start": _matrices("running_start", p=lambda rng: 3),
    "running_update": _running_update,
    "vec": _matrices("vec", A=_matrix(3, 2)),
    "unvec": _matrices("unvec", v=lambda rng: rng.normal(size=6), m=lambda rng: 3, n=lambda rng: 2),
    "commutation": _matrices("commutation", m=lambda rng: 3, n=lambda rng: 2),
    "commutation_order": _matrices("commutation_order", m=lambda rng: 3, n=lambda rng: 2),
    "diagonal_selection": _matrices("diagonal_selection", n=lambda rng: 3),
    "kronecker_differential_A": _matrices("kronecker_differential_A", A_shape=lambda rng: (2, 3), B=_matrix(2, 2)),
    "kronecker_differential_B": _matrices("kronecker_differential_B", A=_matrix(2, 2), B_shape=lambda rng: (2, 3)),
    "kronecker_apply": _matrices("kronecker_apply", A=_matrix(2, 2), B=_matrix(3, 3), v=lambda rng: rng.normal(size=6)),
    "hadamard_differential": _matrices("hadamard_differential", A=_matrix(2, 3), B=_matrix(2, 3)),
    "check_gradient": _check_gradient,
    "fit": _fit_formula,
    "fit, a column": _fit_column,
    "fit, arrays": _fit_arrays,
    "Fit.predict": _of_fit("predict", **_ROWS),
    "Fit.get_prediction": _of_fit(
        "get_prediction", **_ROWS, **_ERRORS, interval=_constant("confidence", "prediction"), level=_LEVEL
    ),
    "Fit.vcov": _of_fit("vcov", **_ERRORS, part=_constant("linear", "nets", "all")),
    "Fit.table": _of_fit("table", **_ERRORS, part=_constant("linear", "nets", "all"), level=_LEVEL),
    "Fit.confint": _of_fit("confint", **_ERRORS, names=_constant(None), level=_LEVEL, part=_constant("linear")),
    "Fit.wald": _of_fit("wald", **_ERRORS, variables=_constant(None)),
    "Fit.marginal_effects": _of_fit(
        "marginal_effects", **_ERRORS, variables=_constant(None), average=_constant(True, False), level=_LEVEL
    ),
    "Fit.partial_dependence": _of_fit(
        "partial_dependence", **_ERRORS, variable=_constant("x", "z1"), at=_constant(None), level=_LEVEL
    ),
    "Fit.summary": _of_fit("summary", **_ERRORS),
    "Fit.tidy": _of_fit("tidy", **_ERRORS, part=_constant("linear", "nets", "all"), level=_LEVEL),
    "Fit.glance": _of_fit("glance"),
    "Fit.augment": _of_fit("augment"),
    "Fit.cross_validate": _of_fit("cross_validate", **_FOLDS),
    "Fit.choose": _of_fit(
        "choose",
        **_FOLDS,
        sizes=_constant(None, [1]),
        penalties=_constant(None, [0.1]),
        criterion=_constant("cv", "bic"),
    ),
    "Fit.bootstrap": _of_fit(
        "bootstrap",
        statistic=_constant(None, lambda fit: fit.loss),
        replicates=_constant(3),
        by=_constant(None),
        seed=_constant(1),
        progress=_constant(False),
    ),
    "NetRegressor": _regressor,
}
