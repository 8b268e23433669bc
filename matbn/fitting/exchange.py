"""A fit to JSON text and back: numbers to the last digit, no code.

A formula comes along with what it has learnt from the data (factor levels, the centre of scale(x), knots of splines),
so that a fit read back predicts new rows; names in it that are the user's own functions do not.
"""

import json
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from matbn.activation import as_activation, is_built_in
from matbn.errors import ArgumentError
from matbn.fitting.formula import parsed
from matbn.fitting.frame import Recipe, formulaic_package
from matbn.fitting.result import Fit, FittedEffect, FittedNet, Scored, Search

_SCHEMA = 3
_LEFT_OUT = ("design", "data")


def to_json(fit: Fit) -> str:
    """Return a fit as JSON text."""
    if not is_built_in(fit.activation):
        raise ArgumentError(
            f"activation {fit.activation.name!r} is your own, and its functions cannot go into JSON; pickle the fit"
        )
    content = {field.name: getattr(fit, field.name) for field in fields(fit) if field.name not in _LEFT_OUT}
    content["activation"] = fit.activation.name
    content["recipe"] = None if fit.recipe is None else _recipe_content(fit.recipe)
    return json.dumps(_plain({"matbn_fit": _SCHEMA, **content}), ensure_ascii=False, allow_nan=False)


def from_json(text: str) -> Fit:
    """Return the fit of which `to_json` has made the text."""
    content = json.loads(text)
    schema = content.pop("matbn_fit", None) if isinstance(content, dict) else None
    if schema != _SCHEMA:
        raise ArgumentError(
            f"text is no fit of matbn's (schema {schema}, known is {_SCHEMA}); it must come from Fit.to_json()"
        )
    nets = tuple(FittedNet(**_arrays(net, ("Gamma1", "gamma", "beta", "Gamma2", "mean"))) for net in content["nets"])
    effects = tuple(
        FittedEffect(effect["name"], _array(effect["levels"]), _array(effect["estimates"]), effect["average"])
        for effect in content["effects"]
    )
    searches = tuple(Search(**_arrays(search, ("trace",))) for search in content["searches"])
    path = tuple(
        Scored(_number(scored["penalty"]), _number(scored["score"]), scored["edf"]) for scored in content["path"]
    )
    recipe = None if content["recipe"] is None else _recipe(content["recipe"])
    parts = {"nets": nets, "effects": effects, "searches": searches, "path": path, "recipe": recipe}
    parts |= {name: tuple(content[name]) for name in ("coefficient_names", "messages")}
    parts |= {name: _array(content[name]) for name in ("coefficients", "fitted", "residuals", "theta")}
    return Fit(**{**content, **parts, "activation": as_activation(content["activation"])})


def _plain(value: Any) -> Any:
    """Return what JSON can hold in place of a value of ours; of what is not finite, nan is null and inf a text."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else str(value)
    if isinstance(value, np.ndarray):
        entries = value.astype(str) if value.dtype.kind in "mM" else value
        return {"dtype": value.dtype.str, "values": _plain(entries.tolist())}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


def _number(value: Any) -> float:
    return float("nan" if value is None else value)


def _array(content: dict[str, Any]) -> Any:
    return np.array(content["values"], dtype=content["dtype"])


def _arrays(content: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return a part's content, with the named ones as arrays and lists as tuples."""
    kept = {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}
    return kept | {name: _array(content[name]) for name in names}


def _recipe_content(recipe: Recipe) -> dict[str, Any]:
    specs = [_spec_content(spec) for spec in (recipe.outcome, recipe.linear, *recipe.nets)]
    return {"formula": recipe.formula.text, "specs": specs, "intercept": recipe.intercept}


def _recipe(content: dict[str, Any]) -> Recipe:
    outcome, linear, *nets = (_spec(spec) for spec in content["specs"])
    return Recipe(parsed(content["formula"]), linear, tuple(nets), content["intercept"], outcome)


def _spec_content(spec: Any) -> dict[str, Any]:
    """Return what a model spec of formulaic's has learnt; contrasts stand in the formula."""
    factors = {
        name: {"kind": kind.value, "levels": list(state.get("categories", ()))}
        for name, (kind, state) in spec.encoder_state.items()
    }
    text = str(spec.formula) if "Intercept" in spec.column_names else f"0 + {spec.formula}"
    return {"formula": text, "transforms": _pairs(dict(spec.transform_state)), "factors": factors}


def _spec(content: dict[str, Any]) -> Any:
    formulaic = formulaic_package()
    kind = formulaic.parser.types.Factor.Kind
    factors = {
        name: (kind(factor["kind"]), {"categories": factor["levels"]} if factor["levels"] else {})
        for name, factor in content["factors"].items()
    }
    return formulaic.ModelSpec(
        formula=formulaic.Formula(content["formula"]),
        transform_state=_unpaired(content["transforms"]),
        encoder_state=factors,
    )


def _pairs(state: Any) -> Any:
    """Return nested states with dicts as lists of pairs, for their keys may be numbers."""
    if isinstance(state, dict):
        return {"pairs": [[_plain(key), _pairs(value)] for key, value in state.items()]}
    return state


def _unpaired(state: Any) -> Any:
    if isinstance(state, dict) and "pairs" in state:
        return {key: _unpaired(value) for key, value in state["pairs"]}
    return _array(state) if isinstance(state, dict) else state
