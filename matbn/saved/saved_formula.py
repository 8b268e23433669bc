"""A formula in a saved fit: its text, and what each part has learnt from the data (levels, centres, knots).

Only the text decides what is evaluated. From it the parts that formulaic reads are made again; they must agree with the
parts that are saved beside it. `syntax.py` checks all of them before formulaic sees any.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np

from matbn.errors import ArgumentError, MatbnError
from matbn.fitted.fitted_model import FittedEffect, FittedNet
from matbn.model.formula import Formula, parse
from matbn.model.formulaic_package import formulaic_package
from matbn.model.frame import Recipe, parts
from matbn.model.syntax import Found, expression, option, short
from matbn.model.terms import part_of_formula
from matbn.model.vocabulary import names
from matbn.saved.learnt import learnt_content, learnt_states
from matbn.saved.schema import entries, flag, level, members, refuse, words

_KINDS = ("numerical", "categorical")
_SPEC = ("formula", "transforms", "factors")


def recipe_content(
    recipe: Recipe,
    intercept: bool,
    coefficient_names: Sequence[str],
    nets: Sequence[FittedNet],
    effects: Sequence[FittedEffect],
) -> dict[str, Any]:
    """Return a recipe as JSON holds it; an ArgumentError names what in the formula JSON cannot hold."""
    try:
        if recipe.columns is None:
            _check_names(recipe)
        specs = [
            {
                "formula": str(spec.formula),
                "transforms": learnt_content(spec.transform_state),
                "factors": {
                    name: {"kind": kind.value, "levels": _levels(name, state.get("categories", ()))}
                    for name, (kind, state) in spec.encoder_state.items()
                },
            }
            for spec in (recipe.outcome, recipe.linear, *recipe.nets, recipe.offset)
            if spec is not None
        ]
        content = {"formula": recipe.formula.text, "specs": specs, "intercept": recipe.intercept}
        recipe_of(content, "recipe", intercept, coefficient_names, nets, effects)
    except MatbnError as error:
        reason = str(error).removeprefix("text: recipe.formula: ")
        raise ArgumentError(f"the fit cannot go into JSON; pickle it instead: {reason}") from None
    return content


def _check_names(recipe: Recipe) -> None:
    known = names()
    for name, value in recipe.context.items():
        if value is not known.get(name) and not (name in ("np", "numpy") and value is np):
            raise ArgumentError(f"the formula uses {name!r}, which is your own and would not come along")


def _levels(name: str, levels: Any) -> list[Any]:
    plain = [entry.item() if isinstance(entry, np.generic) else entry for entry in levels]
    for entry in plain:
        if not isinstance(entry, str | int | float):
            raise ArgumentError(f"{name!r} has the level {entry!r}, a {type(entry).__name__}; make it a text")
    return plain


def recipe_of(
    value: Any,
    path: str,
    intercept: bool,
    coefficient_names: Sequence[str],
    nets: Sequence[FittedNet],
    effects: Sequence[FittedEffect],
) -> Recipe:
    """Return the recipe that JSON holds; refuse one that does not match the fit's coefficients, nets and effects."""
    content = members(value, path, ("formula", "specs", "intercept"))
    text = words(content["formula"], f"{path}.formula")
    with _path_in_errors(f"{path}.formula"):
        formula = parse(short(text))
        sizes = [{name: option(value) for name, value in call.options}["size"] for call in formula.nets]
        checked = [part_of_formula(part) for part in parts(formula)[: None if formula.offset else -1]]
    _check_nets(formula, sizes, nets, f"{path}.formula")
    if formula.effects != tuple(effect.name for effect in effects):
        refuse(f"{path}.formula", text, f"with the effects {', '.join(effect.name for effect in effects) or 'none'}")
    if flag(content["intercept"], f"{path}.intercept") is not intercept:
        refuse(f"{path}.intercept", content["intercept"], "what the fit's own 'intercept' is")
    saved = entries(content["specs"], f"{path}.specs", len(checked))
    specs = [_spec(spec, f"{path}.specs[{k}]", *checked[k]) for k, spec in enumerate(saved)]
    offset = specs.pop() if formula.offset else None
    outcome, linear, *inputs = specs
    columns = tuple(coefficient_names[intercept:]), *(net.names for net in nets)
    for k, (spec, column_names) in enumerate(zip(specs, ((formula.outcome,), *columns), strict=False)):
        _check_columns(spec, len(column_names), f"{path}.specs[{k}]")
    return Recipe(formula, linear, tuple(inputs), intercept, outcome, names(), columns, offset=offset)


def _check_nets(formula: Formula, sizes: Sequence[int | None], nets: Sequence[FittedNet], path: str) -> None:
    """Refuse nets that are not those of the formula; there may be none, if the linear part fits exactly."""
    if nets and len(nets) != len(formula.nets):
        refuse(path, formula.text, f"with as many nets as there are in 'nets', {len(nets)}")
    for k, (call, size, net) in enumerate(zip(formula.nets, sizes, nets, strict=False)):
        if size is not None and size != len(net.gamma):
            refuse(path, call.text, f"of size {len(net.gamma)}, as nets[{k}] is")
        if "label" not in dict(call.options) and net.label != call.text:
            refuse(f"nets[{k}].label", net.label, f"'{call.text}', as the formula has it")


@contextmanager
def _path_in_errors(path: str) -> Iterator[None]:
    try:
        yield
    except ArgumentError as error:
        raise ArgumentError(f"text: {path}: {error}") from None


def _spec(value: Any, path: str, formula: Any, known_factors: dict[str, Found]) -> Any:
    content = members(value, path, _SPEC)
    if content["formula"] != str(formula):
        refuse(f"{path}.formula", content["formula"], f"'{formula}', as the model's formula has it")
    calls = {call for factor in known_factors.values() for call in factor.learning}
    formulaic = formulaic_package()
    kind = formulaic.parser.types.Factor.Kind
    factors = members(content["factors"], f"{path}.factors", tuple(known_factors))
    encoded = {}
    for name, factor in factors.items():
        place = f"{path}.factors[{name!r}]"
        members(factor, place, ("kind", "levels"))
        if factor["kind"] not in _KINDS:
            refuse(f"{place}.kind", factor["kind"], f"one of {', '.join(_KINDS)}")
        levels = [level(entry, f"{place}.levels[{k}]") for k, entry in enumerate(entries(factor["levels"], place))]
        if len(set(levels)) < len(levels) or (factor["kind"] == "numerical" and levels):
            refuse(f"{place}.levels", levels, "each level once, and none of a numerical factor")
        encoded[name] = (kind(factor["kind"]), {"categories": levels} if levels else {})
    return formulaic.ModelSpec(
        formula=formula,
        transform_state=learnt_states(content["transforms"], f"{path}.transforms", calls),
        encoder_state=encoded,
    )


def _check_columns(spec: Any, columns: int, path: str) -> None:
    """Refuse levels that would make more columns than the fit has, before these fill the memory."""

    def at_least(factor: Any) -> int:
        _, state = spec.encoder_state.get(factor.expr, (None, {}))
        calls = expression(factor.expr) if factor.eval_method.value == "python" else Found()
        if calls.own_contrasts:
            return 1
        return max(1, len(state.get("categories", ())) - 1, *(size - 4 for size in calls.sizes))

    least = sum(prod(map(at_least, term.factors)) for term in spec.formula if term.degree)
    if least > columns:
        raise ArgumentError(f"text: {path} makes {least:,} columns or more, but the fit has {columns}")
