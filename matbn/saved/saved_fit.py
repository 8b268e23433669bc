"""A fit to JSON text and back: with all digits of its numbers, and without code.

A formula is saved with what it has learnt from the data (factor levels, the centre of scale(x), knots of splines), so
that a fit from JSON predicts new rows. The whole text is checked before anything is built from it: that it is JSON
without doubled keys, NaN or numbers beyond 64 bits; that it has all keys and no others, with values of the right types
and with shapes that agree; and that its formula holds nothing but columns, numbers, operators and calls of the
functions in `vocabulary.py`. A formula that calls the user's own functions is not written.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from matbn.activation import ACTIVATIONS, is_built_in
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedEffect, FittedModel, FittedNet, Scored, Search
from matbn.problem.linear_part import TOL
from matbn.saved.json_text import read
from matbn.saved.saved_formula import recipe_content, recipe_of
from matbn.saved.schema import entries, flag, labels, members, number, reals, refuse, whole, words

_SCHEMA = 3  # the version of the text's layout
_LEFT_OUT = ("design", "data")
_KEYS = tuple(field.name for field in fields(FittedModel) if field.name not in _LEFT_OUT)
_AMOUNTS = ("penalty", "linear_penalty", "tol", "weight", "residual_norm", "total_norm", "within_norm")
# Schema 2 had squares in place of these norms. It had no `tol`, and no fits with neither intercept nor effects.
_SQUARES = {
    "residual_norm": "sum_of_squares",
    "total_norm": "total_sum_of_squares",
    "within_norm": "within_sum_of_squares",
}


def to_json(fit: FittedModel) -> str:
    """Return a fit as JSON text; an ArgumentError names what JSON cannot hold, such as the user's own functions."""
    if not is_built_in(fit.activation):
        raise ArgumentError(
            f"activation {fit.activation.name!r} is your own, and its functions cannot go into JSON; pickle the fit"
        )
    content = {name: getattr(fit, name) for name in _KEYS}
    content["activation"] = fit.activation.name
    content["effects"] = [
        {**vars(effect), "levels": _labels_content(effect.name, effect.levels)} for effect in fit.effects
    ]
    content["recipe"] = None
    if fit.recipe is not None:
        content["recipe"] = recipe_content(fit.recipe, fit.intercept, fit.coefficient_names, fit.nets, fit.effects)
    return json.dumps(_plain({"matbn_fit": _SCHEMA, **content}), ensure_ascii=False, allow_nan=False)


def from_json(text: str) -> FittedModel:
    """Return the fit that `to_json` wrote as this text; an ArgumentError says where it holds something else."""
    content = read(text)
    schema = content.get("matbn_fit") if isinstance(content, dict) else None
    if type(schema) is not int or schema not in (2, _SCHEMA):
        raise ArgumentError(
            f"text is no fit of matbn's (schema {schema}, known are 2 and {_SCHEMA}); it must come from Fit.to_json()"
        )
    if schema == 2:
        content = _from_schema_2(content)
    members(content, "", ("matbn_fit", *_KEYS))
    N = whole(content["N"], "N", 1)
    nets = tuple(_net(net, f"nets[{k}]") for k, net in enumerate(entries(content["nets"], "nets")))
    effects = tuple(_effect(effect, f"effects[{k}]") for k, effect in enumerate(entries(content["effects"], "effects")))
    if len({effect.name for effect in effects}) < len(effects):
        refuse("effects", content["effects"], "effects of different names")
    names = _names(content["coefficient_names"], "coefficient_names")
    intercept = flag(content["intercept"], "intercept")
    if intercept and effects:
        refuse("intercept", True, "false beside effects, which take its place")
    if intercept is not (names[:1] == ("(Intercept)",)):
        refuse("coefficient_names", list(names[:1]), "with '(Intercept)' first just where there is an intercept")
    searches = entries(content["searches"], "searches")
    path = entries(content["path"], "path")
    messages = entries(content["messages"], "messages")
    if content["activation"] not in list(ACTIVATIONS):
        refuse("activation", content["activation"], f"one of {', '.join(ACTIVATIONS)}")
    amounts: dict[str, Any] = {name: number(content[name], name, 0) for name in _AMOUNTS}
    return FittedModel(
        nets=nets,
        coefficients=reals(content["coefficients"], "coefficients", (len(names),), finite=False),
        coefficient_names=names,
        intercept=intercept,
        effects=effects,
        activation=ACTIVATIONS[content["activation"]],
        **amounts,
        fitted=reals(content["fitted"], "fitted", (N,)),
        residuals=reals(content["residuals"], "residuals", (N,)),
        N=N,
        rank=whole(content["rank"], "rank"),
        singletons=whole(content["singletons"], "singletons"),
        searches=tuple(_search(search, f"searches[{k}]") for k, search in enumerate(searches)),
        messages=tuple(words(message, f"messages[{k}]") for k, message in enumerate(messages)),
        recipe=None
        if content["recipe"] is None
        else recipe_of(content["recipe"], "recipe", intercept, names, nets, effects),
        edf=None if content["edf"] is None else number(content["edf"], "edf", 0),
        path=tuple(_scored(scored, f"path[{k}]") for k, scored in enumerate(path)),
        theta=None if content["theta"] is None else _theta(content["theta"], nets),
    )


def _from_schema_2(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a text of schema 2 in the layout of this one."""
    new = ("intercept", "tol", *_SQUARES)
    members(content, "", ("matbn_fit", *(key for key in _KEYS if key not in new), *_SQUARES.values()))
    norms = {name: math.sqrt(number(content.pop(square), square, 0)) for name, square in _SQUARES.items()}
    return {**content, **norms, "tol": TOL, "intercept": content["effects"] == []}


def _net(value: Any, path: str) -> FittedNet:
    content = members(value, path, _keys(FittedNet))
    names = _names(content["names"], f"{path}.names")
    if not names:
        refuse(f"{path}.names", [], "a list of one input or more")
    gamma = reals(content["gamma"], f"{path}.gamma", (None,))
    if not len(gamma) or (gamma < 0).any():
        refuse(f"{path}.gamma.values", gamma.tolist(), "a list of one node or more, each 0 or above")
    size = len(gamma)
    return FittedNet(
        words(content["label"], f"{path}.label"),
        names,
        reals(content["Gamma1"], f"{path}.Gamma1", (len(names), size)),
        gamma,
        reals(content["beta"], f"{path}.beta", (size,)),
        reals(content["Gamma2"], f"{path}.Gamma2", (size,)),
        reals(content["mean"], f"{path}.mean", (len(names),)),
    )


def _effect(value: Any, path: str) -> FittedEffect:
    content = members(value, path, _keys(FittedEffect))
    levels = labels(content["levels"], f"{path}.levels")
    return FittedEffect(
        words(content["name"], f"{path}.name"),
        levels,
        reals(content["estimates"], f"{path}.estimates", (len(levels),)),
        number(content["average"], f"{path}.average"),
    )


def _search(value: Any, path: str) -> Search:
    content = members(value, path, _keys(Search))
    return Search(
        number(content["loss"], f"{path}.loss", finite=False),
        number(content["gradient"], f"{path}.gradient", finite=False),
        whole(content["iterations"], f"{path}.iterations"),
        whole(content["evaluations"], f"{path}.evaluations"),
        words(content["status"], f"{path}.status"),
        reals(content["trace"], f"{path}.trace", (None,), finite=False),
    )


def _scored(value: Any, path: str) -> Scored:
    content = members(value, path, _keys(Scored))
    edf = content["edf"]
    return Scored(
        number(content["penalty"], f"{path}.penalty", 0),
        number(content["score"], f"{path}.score", finite=False),
        None if edf is None else number(edf, f"{path}.edf"),
    )


def _theta(value: Any, nets: Sequence[FittedNet]) -> Any:
    """Return θ, which holds a bias and at least one weight for each node, and is empty without nets."""
    theta = reals(value, "theta", (None,))
    nodes = sum(len(net.gamma) for net in nets)
    if len(theta) < 2 * nodes or (len(theta) and not nodes):
        refuse("theta.values", theta.tolist(), f"the weights of {nodes} nodes, two or more of each")
    return theta


def _names(value: Any, path: str) -> tuple[str, ...]:
    return tuple(words(name, f"{path}[{k}]") for k, name in enumerate(entries(value, path)))


def _keys(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _labels_content(name: str, levels: Any) -> dict[str, Any]:
    """Return the labels of a set of groups as JSON holds them: dates as texts, spans of time as whole numbers."""
    kind = levels.dtype.kind
    values = (levels.astype(str) if kind == "M" else levels.astype("i8") if kind == "m" else levels).tolist()
    if kind not in "biufUMmO" or not all(isinstance(entry, str | int | float) for entry in values):
        raise ArgumentError(
            f"the groups of {name!r} are of type {levels.dtype}, such as {levels[0]!r}, which JSON cannot keep; make"
            " them texts or numbers, or pickle the fit"
        )
    return {"dtype": levels.dtype.str, "values": values}


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it: nan as null, infinities as texts, arrays with their dtype."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else str(value)
    if isinstance(value, np.ndarray):
        return {"dtype": value.dtype.str, "values": _plain(value.tolist())}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in _keys(type(value))}
    return value
