"""The kinds of plots of a fit, and each kind's options."""

import inspect
from collections.abc import Callable
from typing import Any

from matbn.arguments import as_choice
from matbn.errors import ArgumentError, ElementTypeError
from matbn.fitted.fitted_model import FittedModel
from matbn.plotting.canvas import check_matplotlib
from matbn.plotting.effects import draw_effects
from matbn.plotting.network import draw_network
from matbn.plotting.residuals import draw_fitted, draw_residuals
from matbn.plotting.trace import draw_trace

KINDS: dict[str, Callable[..., Any]] = {
    "effects": draw_effects,
    "fitted": draw_fitted,
    "residuals": draw_residuals,
    "trace": draw_trace,
    "network": draw_network,
}


def plot(fit: FittedModel, kind: str = "effects", axes: Any = None, **options: Any) -> Any:
    """Draw a fit, and return the axes: an array of them for "effects" and "residuals".

    Parameters
    ----------
    kind
        "effects": each variable's partial dependence, with bounds; options `variables` (by default all), `vcov`,
        `correction` and `level` as for `Fit.partial_dependence`, and `at`: values of the one variable, or a mapping
        of variables to values.
        "fitted": outcomes against fitted values.
        "residuals": residuals against fitted values, and standardised ones against normal quantiles.
        "trace": the loss of each search by iteration.
        "network": inputs, nodes and output, with weights as edges.
    axes
        Axes of matplotlib to draw into, as many as there are panels; by default those of a new figure.

    Raises
    ------
    MatbnError
        matplotlib is not installed.
    ArgumentError, ElementTypeError
        An argument does not fit, or the fit has nothing of the kind to draw.
    """
    if not isinstance(fit, FittedModel):
        raise ElementTypeError(f"fit is a {type(fit).__name__}, but must be what matbn.fit returns")
    draw = KINDS[as_choice("kind", kind, tuple(KINDS))]
    known = [name for name in inspect.signature(draw).parameters if name not in ("fit", "axes")]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise ArgumentError(
            f"{unknown[0]!r} is no option of kind {kind!r}; there are {', '.join(known) if known else 'none'}"
        )
    check_matplotlib()
    return draw(fit, axes, **options)
