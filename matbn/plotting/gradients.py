"""Two gradients, entry by entry, and their differences: one derivation checks another."""

from typing import TYPE_CHECKING, Any

import numpy as np

from matbn.arguments import Array, as_array
from matbn.errors import ArgumentError, ElementTypeError, ShapeError
from matbn.plotting.canvas import BLUE, DARK, GREY, LIGHT, ORANGE, check_matplotlib, display_name, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

LOWEST = -17.0  # end of the scale of log10 relative differences, below rounding: it stands for equal entries
_PARTS = ("Gamma1", "gamma", "beta", "Gamma2")
_FEW = 60  # cells, up to which the entries are written into them


def plot_gradients(one: Any, other: Any, labels: Any = ("loop", "matrix"), axes: Any = None) -> Array:
    """Draw two gradients and log10 of their relative differences as heat maps, and return the axes (parts × 3).

    Differences are relative to the largest entry of the part in `other`; "=" marks equal entries.

    Parameters
    ----------
    one, other
        Gradients as `matbn.net_gradient` returns them, or two matrices of one shape.
    labels
        Names of the two gradients.
    axes
        Axes of matplotlib to draw into, three for each part that there is (of Gamma1, gamma, beta and Gamma2); by
        default those of a new figure.

    Raises
    ------
    MatbnError
        matplotlib is not installed.
    ShapeError, ArgumentError, ElementTypeError
        The two differ in parts or shapes, or an argument is of another kind.
    """
    if not isinstance(labels, tuple | list) or [type(label) for label in labels] != [str, str]:
        raise ArgumentError(f"labels are {labels!r}, but must be two texts, the names of the two gradients")
    pairs = _pairs(one, other)
    check_matplotlib()
    drawn = _grid(axes, pairs)
    last = None
    for k, ((name, (a, b)), row) in enumerate(zip(pairs.items(), drawn, strict=True)):
        last = _draw_part(row, name, a, b)
        if not k:
            for axis, title in zip(row, (*labels, "log₁₀ of relative difference"), strict=True):
                axis.set_title(display_name(title), fontsize="medium")
    _add_bar(last, drawn[:, 2].tolist(), np.linspace(LOWEST, 0, 5))
    return drawn


def relative_difference(one: Array, other: Array) -> Array:
    """Return log10(|one - other|/max|other|), no less than `LOWEST`, which stands for equality too."""
    gap, size = np.abs(one - other), np.abs(other).max(initial=0.0)
    with np.errstate(divide="ignore"):
        logs: Array = np.maximum(np.log10(gap / size if size > 0 else np.sign(gap)), LOWEST)
    return logs


def _pairs(one: Any, other: Any) -> dict[str, tuple[Array, Array]]:
    """Return both arguments' parts as matrices, by name."""
    parts = [_parts(name, value) for name, value in (("one", one), ("other", other))]
    if parts[0].keys() != parts[1].keys():
        has = ["a matrix" if "" in by_name else ", ".join(by_name) for by_name in parts]
        raise ArgumentError(f"one has {has[0]}, but other has {has[1]}; they must be gradients of the same parts")
    pairs = {}
    for name, a in parts[0].items():
        b = parts[1][name]
        if a.shape != b.shape:
            what = f"{name} of one" if name else "one"
            raise ShapeError(f"{what} is {_shape_text(a)}, but that of other is {_shape_text(b)}; they must be equal")
        pairs[name] = a, b
    return pairs


def _shape_text(matrix: Array) -> str:
    return " × ".join(map(str, matrix.shape))


def _parts(name: str, value: Any) -> dict[str, Array]:
    if hasattr(value, "Gamma1"):
        fields = {part: getattr(value, part, None) for part in _PARTS}
        return {part: _matrix(f"{name}.{part}", entries) for part, entries in fields.items() if entries is not None}
    return {"": _matrix(name, value)}


def _matrix(name: str, value: Any) -> Array:
    matrix = np.atleast_2d(as_array(name, value))
    if matrix.ndim > 2 or not matrix.size:
        raise ShapeError(f"{name} has shape {matrix.shape}, but must be a gradient or a matrix with entries")
    if matrix.dtype.kind == "c":
        raise ElementTypeError(f"{name} is complex, but only real numbers are drawn; take its real part")
    return matrix


def _grid(axes: Any, pairs: dict[str, tuple[Array, Array]]) -> Array:
    """Return the axes, a row for each part."""
    names = [f"{name} {column}".strip() for name in pairs for column in ("one", "other", "difference")]
    if axes is not None:
        return np.array(panels(axes, names, 3, (0, 0)), dtype=object).reshape(-1, 3)
    from matplotlib import pyplot

    rows, columns = np.array([a.shape for a, _ in pairs.values()]).T
    heights = np.clip(0.3 * rows, 0.5, 4.5)
    width = float(np.clip(0.55 * columns.max(), 2.4, 4.6))
    _, drawn = pyplot.subplots(
        len(pairs),
        3,
        figsize=(3 * width + 2.2, heights.sum() + 0.35 * len(pairs) + 0.6),
        squeeze=False,
        height_ratios=heights.tolist(),
        layout="constrained",
    )
    return np.asarray(drawn)


def _draw_part(row: Array, name: str, a: Array, b: Array) -> Any:
    """Draw a part's three heat maps, and return the last."""
    from matplotlib.colors import LinearSegmentedColormap

    signs = LinearSegmentedColormap.from_list("signs", [ORANGE, "#f7f7f7", BLUE])
    sizes = LinearSegmentedColormap.from_list("sizes", ["#f4f2f7", "#8d7bb0", "#2d1e4f"])
    largest = max(np.abs(a).max(), np.abs(b).max()) or 1.0
    gap = relative_difference(a, b)
    few = a.size <= _FEW
    for axis, values in zip(row[:2], (a, b), strict=True):
        image = axis.imshow(values, signs, aspect="auto", vmin=-largest, vmax=largest, interpolation="nearest")
        _style_cells(axis, a.shape)
        if few:
            _write(axis, image, values, [f"{value:.2g}" for value in values.flat])
    _add_bar(image, [row[1]], np.array([-largest, 0, largest]))
    image = row[2].imshow(gap, sizes, aspect="auto", vmin=LOWEST, vmax=0, interpolation="nearest")
    _style_cells(row[2], a.shape)
    if few:
        texts = [f"{value:.1f}" if moved else "=" for value, moved in zip(gap.flat, (a != b).flat, strict=True)]
        _write(row[2], image, gap, texts)
    row[0].set_ylabel(name, color=DARK)
    return image


def _style_cells(axis: "Axes", shape: tuple[int, ...]) -> None:
    """Show the numbers of rows and columns from 1, as in parameters' names; a single row gets no number."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for along, count in ((axis.yaxis, shape[0]), (axis.xaxis, shape[1])):
        along.set_major_locator(MaxNLocator(nbins=min(count + 1, 10), integer=True))
        along.set_major_formatter(FuncFormatter(lambda value, _: f"{value + 1:.0f}"))
    if shape[0] == 1:
        axis.set_yticks([])
    axis.tick_params(length=0, labelcolor=GREY, labelsize="small")
    axis.spines[:].set_color(LIGHT)


def _write(axis: "Axes", image: "AxesImage", values: Array, texts: list[str]) -> None:
    """Write an entry into each cell, light on dark colours."""
    shades = image.to_rgba(values)[..., :3] @ np.array([0.3, 0.59, 0.11])
    for (i, j), text in zip(np.ndindex(values.shape), texts, strict=True):
        colour = "white" if shades[i, j] < 0.5 else DARK
        axis.text(j, i, text, ha="center", va="center", color=colour, fontsize=7.5)


def _add_bar(image: Any, beside: list[Any], ticks: Array) -> None:
    bar = beside[0].figure.colorbar(image, ax=beside, ticks=ticks, aspect=20, fraction=0.06)
    bar.ax.tick_params(labelsize="small", color=LIGHT, labelcolor=GREY)
    bar.outline.set_edgecolor(LIGHT)
