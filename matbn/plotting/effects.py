"""Partial dependence of the prediction on each variable, with bounds."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.partial_dependence import PartialDependence, partial_dependence
from matbn.inference.variables import as_variable, as_variables, values_of, variables_of
from matbn.plotting.canvas import BLUE, GREY, display_name, panels, simplify_frame
from matbn.plotting.residuals import outcome_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RUG = 400  # lines below a curve, at most; they mark the variable's values
_LABELS = 24  # levels with a label, at most
_ROOM = 26  # characters that fit side by side below a panel


def draw_effects(
    fit: FittedModel,
    axes: Any,
    variables: Any = None,
    vcov: Any = "iid",
    correction: str = "sandwich",
    level: float = 0.95,
    at: Any = None,
) -> Array:
    """Draw a panel for each variable: a line with a band over numbers, points with bars for a factor's levels."""
    if fit.design is None:
        raise ArgumentError("the fit came from JSON, which holds no data; kind 'effects' needs the fit itself")
    names = _as_variables(fit, variables)
    places = _as_places(at, names)
    dependences = [
        partial_dependence(fit, name, places.get(name, _levels_in_order(fit, name)), vcov, correction, level)
        for name in names
    ]
    drawn = panels(axes, names, 2 if len(names) == 4 else 3, (3.3, 3.1), share_y=True)
    for axis, dependence in zip(drawn, dependences, strict=True):
        if _is_number(fit, dependence):
            _draw_curve(axis, dependence, values_of(fit, dependence.variable))
        else:
            _draw_levels(axis, dependence)
        axis.set_xlabel(display_name(dependence.variable))
        simplify_frame(axis)
    limits = np.array([axis.get_ylim() for axis in drawn])
    for axis in drawn:
        axis.set_ylim(limits[:, 0].min(), limits[:, 1].max())
        if axes is not None or axis.get_subplotspec().is_first_col():  # type: ignore[union-attr]
            axis.set_ylabel(outcome_name(fit) or "mean prediction")
    about = f"{100 * level:.4g} % bounds, errors {dependences[0].kind}"
    drawn[0].set_title(about, loc="left", fontsize="small", color=GREY)
    return np.array(drawn, dtype=object)


def _as_variables(fit: FittedModel, variables: Any) -> list[str]:
    names = as_variables(variables, variables_of(fit))
    if not names:
        raise ArgumentError("there are no variables whose effects could be drawn")
    return names


def _as_places(at: Any, names: list[str]) -> dict[str, Any]:
    """Return the values at which the user asks for effects, by variable."""
    if at is None:
        return {}
    if isinstance(at, Mapping):
        return {as_variable(name, names): values for name, values in at.items()}
    if len(names) > 1:
        raise ArgumentError(f"at must be a mapping of variables to values where there are {len(names)} variables")
    return {names[0]: at}


def _levels_in_order(fit: FittedModel, name: str) -> list[Any] | None:
    """Return a pandas categorical's levels in its own order, which sorting would lose; None for other variables."""
    if fit.data is None or not hasattr(fit.data[name], "cat"):
        return None
    present = set(fit.data[name])
    return [level for level in fit.data[name].cat.categories if level in present]


def _is_number(fit: FittedModel, dependence: PartialDependence) -> bool:
    """Return whether a variable is numeric and no term takes it as a factor, as C(year) does."""
    if dependence.at.dtype.kind not in "fiu":
        return False
    specs = () if fit.recipe is None else (fit.recipe.linear, *fit.recipe.nets)
    return not any(
        kind.value == "categorical" and dependence.variable in spec.factor_variables.get(factor, ())
        for spec in specs
        for factor, (kind, _) in spec.encoder_state.items()
    )


def _draw_curve(axis: "Axes", dependence: PartialDependence, values: Array) -> None:
    order = np.argsort(dependence.at)
    at = dependence.at[order]
    axis.fill_between(at, dependence.lower[order], dependence.upper[order], color=BLUE, alpha=0.2, linewidth=0)
    axis.plot(at, dependence.estimate[order], color=BLUE, linewidth=2)
    rug = np.unique(values)
    if len(rug) > _RUG:
        rug = np.sort(values)[np.linspace(0, len(values) - 1, _RUG).round().astype(int)]
    axis.vlines(rug, 0, 0.03, transform=axis.get_xaxis_transform(), color=GREY, linewidth=0.6, alpha=0.7)
    axis.margins(x=0.03)


def _draw_levels(axis: "Axes", dependence: PartialDependence) -> None:
    count = len(dependence.at)
    below, above = dependence.estimate - dependence.lower, dependence.upper - dependence.estimate
    axis.errorbar(
        np.arange(count), dependence.estimate, [below, above], fmt="o", color=BLUE, markersize=5, elinewidth=1.6
    )
    labels = [display_name(str(value), 20) for value in dependence.at]
    every = -(-count // _LABELS)
    axis.set_xticks(np.arange(0, count, every), labels[::every])
    if sum(map(len, labels)) > _ROOM:
        for label in axis.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")
    axis.set_xlim(-0.6, count - 0.4)
