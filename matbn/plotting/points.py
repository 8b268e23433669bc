"""Many points in one panel, and a smooth line through them."""

from typing import TYPE_CHECKING

import numpy as np

from matbn.arguments import Array
from matbn.plotting.canvas import BLUE, LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MANY = 3_000  # points, above which a plot shows their density
_AREA, _LEAST_AREA = 3_000.0, 6.0  # of all points together, and of each, in square points
_LARGEST_AREA = 22.0
_GROUPS, _PLACES, _SHARE = 1_000, 60, 0.4  # groups of points, points of the line, share of the groups that each uses


def cloud(axis: "Axes", x: Array, y: Array, w: Array | None) -> None:
    """Draw points, with areas in proportion to their weights; if they are many, draw the density of their weight."""
    if len(x) <= MANY:
        area = np.clip(_AREA / len(x), _LEAST_AREA, _LARGEST_AREA)
        areas = np.full(len(x), area) if w is None else area * w / w.mean()
        axis.scatter(x, y, areas, color=BLUE, alpha=0.55, linewidths=0)
        return
    from matplotlib.colors import LinearSegmentedColormap, LogNorm

    shades = LinearSegmentedColormap.from_list("weights", ["#dbe5ee", BLUE, "#12293c"])
    weights = np.ones(len(x)) if w is None else w
    has_weight = weights > 0
    density = axis.hexbin(
        x[has_weight],
        y[has_weight],
        C=weights[has_weight],
        reduce_C_function=np.sum,
        gridsize=(45, 26),
        cmap=shades,
        norm=LogNorm(),
        linewidths=0.2,
    )
    bar = axis.figure.colorbar(density, ax=axis, label="rows" if w is None else "weight", shrink=0.6, aspect=16)
    bar.outline.set_edgecolor(LIGHT)
    bar.ax.tick_params(labelsize="small", color=LIGHT)


def running_mean(x: Array, y: Array, w: Array | None) -> tuple[Array, Array]:
    """Return places along x and the local mean of y at each: a line fitted to the nearest two fifths of the points.

    There are no places where x does not vary.
    """
    w = np.ones(len(x)) if w is None else w
    order = np.argsort(x, kind="stable")
    order = order[w[order] > 0]
    if not len(order) or x[order[0]] == x[order[-1]]:
        return np.empty(0), np.empty(0)
    starts = np.unique(np.linspace(0, len(order), min(len(order), _GROUPS), endpoint=False).astype(int))
    weight, at, mean = (np.add.reduceat(v[order], starts) for v in (w, w * x, w * y))
    at, mean = at / weight, mean / weight
    places = np.unique(np.quantile(at, np.linspace(0, 1, _PLACES)))
    near = max(2, round(_SHARE * len(at)))
    return places, np.array([_local_mean(at, mean, weight, place, near) for place in places])


def _local_mean(x: Array, y: Array, w: Array, place: float, near: int) -> float:
    """Return the value at a place of a line fitted to the nearest points, with weights that fall with the distance."""
    distance = np.abs(x - place)
    reach = 1.0001 * max(np.partition(distance, near - 1)[near - 1], np.finfo(float).tiny)
    k = w * np.clip(1 - (distance / reach) ** 3, 0, None) ** 3
    k = k / k.sum()
    middle, height = k @ x, k @ y
    spread = k @ (x - middle) ** 2
    if spread <= 1e-12 * np.ptp(x) ** 2:
        return float(height)
    return float(height + (place - middle) * (k @ ((x - middle) * (y - height))) / spread)
