"""Figures, axes that users pass, colours, and the look that all panels share."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from matbn.errors import ArgumentError, ElementTypeError
from matbn.optional_packages import optional_package

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A pair that colour-blind people can tell apart, too, and greys for what is less important.
BLUE, ORANGE = "#2f6690", "#d1702f"
DARK, GREY, LIGHT = "#333333", "#7b8794", "#c3cad1"


def check_matplotlib() -> None:
    """Raise an error where matplotlib is not installed."""
    optional_package("matplotlib", "plots")


def panels(
    axes: Any, names: Sequence[str], columns: int, size: tuple[float, float], share_y: bool = False
) -> "list[Axes]":
    """Return axes for the named panels: those given, or those of a new figure, whose panels have a size in inches."""
    if axes is not None:
        return _as_axes(axes, names)
    from matplotlib import pyplot

    columns = min(columns, len(names))
    rows = math.ceil(len(names) / columns)
    _, grid = pyplot.subplots(
        rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False, sharey=share_y, layout="constrained"
    )
    cells: list[Axes] = grid.ravel().tolist()
    for unused in cells[len(names) :]:
        unused.remove()
    return cells[: len(names)]


def _as_axes(axes: Any, names: Sequence[str]) -> "list[Axes]":
    from matplotlib.axes import Axes

    given = [axes] if isinstance(axes, Axes) else list(np.asarray(axes, dtype=object).ravel())
    wrong = [entry for entry in given if not isinstance(entry, Axes)]
    if wrong:
        raise ElementTypeError(f"axes hold a {type(wrong[0]).__name__}, but must be axes of matplotlib")
    if len(given) != len(names):
        raise ArgumentError(
            f"axes are {len(given)}, but the plot has {len(names)} panels ({', '.join(names)}): give as many, or none"
        )
    return given


def simplify_frame(axis: "Axes") -> None:
    """Remove the upper and right side of the frame, and draw the rest in grey."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(GREY)
    axis.tick_params(color=GREY, labelcolor=DARK, labelsize="small")


def display_name(name: str, longest: int = 40) -> str:
    """Return a name for matplotlib to show: at most `longest` characters long, and with each $ escaped."""
    if len(name) > longest:
        half = (longest - 1) // 2
        name = f"{name[: longest - 1 - half]}…{name[-half:]}"
    return name.replace("$", r"\$")
