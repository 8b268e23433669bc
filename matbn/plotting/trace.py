"""The loss of each search of a fit, iteration by iteration."""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedModel
from matbn.plotting.canvas import BLUE, DARK, GREY, LIGHT, panels, simplify_frame
from matbn.search.minimum import AT_KINK, CONVERGED, INTERRUPTED, ITERATIONS, NO_DECREASE, PASSES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FLOOR = 1e-9  # relative difference of losses, below which losses count as equal
_MARKERS = {CONVERGED: "o", AT_KINK: "^", ITERATIONS: "s", NO_DECREASE: "v", INTERRUPTED: "X", PASSES: "D"}
_NAMES = {ITERATIONS: "out of iterations"}
_UNEVEN = 12  # ratio of the longest trace to the median one, above which iterations are on a log scale


def excess_losses(fit: FittedModel) -> list[tuple[Array, float]]:
    """Return for each search how far its losses, and its final loss, exceed the lowest loss of all, relative to it."""
    if not fit.searches:
        raise ArgumentError("the fit has no nets, and so no searches: kind 'trace' has nothing to draw")
    losses = np.concatenate([np.append(search.trace, search.loss) for search in fit.searches])
    losses = losses[np.isfinite(losses)]
    if not len(losses):
        raise ArgumentError("the fit was made from another fit and not by a search, so that it has no trace")
    lowest = losses.min()
    unit = max(lowest, 1e-12 * fit.total_sum_of_squares / fit.weight, np.finfo(float).tiny)
    return [((search.trace - lowest) / unit, (search.loss - lowest) / unit) for search in fit.searches]


def draw_trace(fit: FittedModel, axes: Any) -> "Axes":
    """Draw each search's loss above the lowest by iteration, on a log scale; markers say how they ended."""
    traces = excess_losses(fit)
    (axis,) = panels(axes, ["trace"], 1, (6.4, 4.0))
    count = len(traces)
    for k in reversed(range(count)):  # the best on top
        losses, end = traces[k]
        colour = LIGHT if k else BLUE
        label = {0: "the best" if count > 1 else "the search", 1: "others"}.get(k, "_")
        axis.plot(
            np.arange(1, len(losses) + 1),
            np.maximum(losses, FLOOR),
            color=colour,
            linewidth=1.1 if k else 2.2,
            label=label,
            zorder=2 if k else 3,
        )
        axis.plot(
            [max(len(losses), 1)],
            [max(end, FLOOR)],
            _MARKERS.get(fit.searches[k].status, "o"),
            color=GREY if k else BLUE,
            markersize=5 if k else 7,
            clip_on=False,
            zorder=4 if k else 5,
        )
    _set_scales(axis, [len(losses) for losses, _ in traces])
    _legend(axis, fit)
    axis.set_xlabel("pass through the data" if fit.searches[0].status == PASSES else "iteration")
    axis.set_ylabel("loss above the lowest, relative to it")
    simplify_frame(axis)
    return axis


def _set_scales(axis: "Axes", lengths: list[int]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    def power(value: float, _: int | None = None) -> str:
        sign = r"\leq " if value <= 1.001 * FLOOR else ""
        return f"${sign}10^{{{round(np.log10(value))}}}$"

    axis.set_yscale("log")
    axis.set_ylim(bottom=FLOOR)
    axis.yaxis.set_major_locator(LogLocator(numticks=8))
    axis.yaxis.set_major_formatter(FuncFormatter(power))
    axis.yaxis.set_minor_locator(NullLocator())
    if max(lengths) > _UNEVEN * max(1.0, float(np.median(lengths))):
        axis.set_xscale("log")


def _legend(axis: "Axes", fit: FittedModel) -> None:
    from matplotlib.lines import Line2D

    lines = sorted(axis.get_legend_handles_labels()[0], key=lambda line: -line.get_zorder())
    ends = [
        Line2D([], [], linestyle="", marker=_MARKERS.get(status, "o"), color=DARK, markersize=5, label=label)
        for status, number in Counter(search.status for search in fit.searches).items()
        for label in [f"{_NAMES.get(status, status)}: {number}"]
    ]
    axis.legend(handles=[*lines, *ends], frameon=False, fontsize="small", loc="upper right")
