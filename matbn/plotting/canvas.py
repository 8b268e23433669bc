"""Where plots go: figures, axes that users pass, colours, and what all panels have in common."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from matbn.errors import ArgumentError, ElementTypeError, MatbnError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A pair that colour-blind people tell apart too, and greys for what is beside the point.
BLUE, ORANGE = "#2f6690", "#d1702f"
DARK, GREY, LIGHT = "#333333", "#7b8794", "#c3cad1"


def check_matplotlib() -> None:
    """Refuse to go on without matplotlib."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise MatbnError("plots need the package matplotlib: pip install 'matbn[plot]'") from None


def panels(
    axes: Any, names: Sequence[str], columns: int, size: tuple[float, float], share_y: bool = False
) -> "list[Axes]":
    """Return an axes for each of the named panels: those given, or of a new figure with panels of a size in inches."""
    if axes is not None:
        return _given(axes, names)
    from matplotlib import pyplot

    columns = min(columns, len(names))
    rows = math.ceil(len(names) / columns)
    _, made = pyplot.subplots(
        rows,
        columns,
        figsize=(size[0] * columns, size[1] * rows),
        squeeze=False,
        sharey=share_y,
        layout="constrained",
    )
    found: list[Axes] = made.ravel().tolist()
    for unused in found[len(names) :]:
        unused.remove()
    return found[: len(names)]


def _given(axes: Any, names: Sequence[str]) -> "list[Axes]":
    from matplotlib.axes import Axes

    found = [axes] if isinstance(axes, Axes) else list(np.asarray(axes, dtype=object).ravel())
    wrong = [entry for entry in found if not isinstance(entry, Axes)]
    if wrong:
        raise ElementTypeError(f"axes hold a {type(wrong[0]).__name__}, but must be axes of matplotlib")
    if len(found) != len(names):
        raise ArgumentError(
            f"axes are {len(found)}, but the plot has {len(names)} panels ({', '.join(names)}): give so many, or none"
        )
    return found


def tidy(axis: "Axes") -> None:
    """Take away the frame's upper and right side, and make the rest recede."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(GREY)
    axis.tick_params(color=GREY, labelcolor=DARK, labelsize="small")


def shown(name: str, longest: int = 40) -> str:
    """Return a name as matplotlib shows it: no longer than that, and a $ as a dollar."""
    if len(name) > longest:
        half = (longest - 1) // 2
        name = f"{name[: longest - 1 - half]}…{name[-half:]}"
    return name.replace("$", r"\$")
