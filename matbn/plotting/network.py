"""A fit's nets and linear part as a network, its weights as edges."""

from typing import TYPE_CHECKING, Any

from matbn.fitted.fitted_model import FittedModel
from matbn.plotting.canvas import BLUE, DARK, GREY, ORANGE, display_name, panels
from matbn.plotting.graph import Edge, Graph, lay_out
from matbn.plotting.residuals import outcome_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

_WIDEST = 6.0  # points, the width of the largest weight's edge
_LONGEST = 30  # characters of a name, at most


def draw_network(fit: FittedModel, axes: Any) -> "Axes":
    """Draw inputs on the left, nodes in the middle and the output on the right; an edge's width shows its weight."""
    graph = lay_out(fit, outcome_name(fit) or "y")
    (axis,) = panels(axes, ["network"], 1, (7.2, min(max(0.36 * graph.height + 1.0, 3.0), 14.0)))
    largest = {side: max((abs(e.weight) for e in graph.edges if e.to_output == side), default=0.0) for side in (0, 1)}
    _draw_edges(axis, graph, largest)
    _draw_dots(axis, graph)
    axis.annotate(
        _notes(fit),
        (graph.output.x, graph.output.y),
        (13, -9),
        textcoords="offset points",
        va="top",
        color=GREY,
        fontsize="small",
        annotation_clip=False,
    )
    axis.legend(
        handles=_legend(graph, largest),
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=2,
        frameon=False,
        fontsize="small",
        handlelength=2.6,
    )
    axis.set_xlim(-0.08, 2.12)
    axis.set_ylim(-graph.height - 0.2, 0.2)
    axis.set_axis_off()
    return axis


def _draw_edges(axis: "Axes", graph: Graph, largest: dict[int, float]) -> None:
    from matplotlib.collections import LineCollection

    axis.add_collection(
        LineCollection(
            [edge.path for edge in graph.edges],
            linewidths=[_width(edge, largest) for edge in graph.edges],
            colors=[BLUE if edge.weight >= 0 else ORANGE for edge in graph.edges],
            alpha=0.75,
            capstyle="butt",
            zorder=1,
        )
    )


def _width(edge: Edge, largest: dict[int, float]) -> float:
    return _WIDEST * abs(edge.weight) / (largest[edge.to_output] or 1.0)


def _draw_dots(axis: "Axes", graph: Graph) -> None:
    for dots, area in ((graph.inputs, 36), (graph.nodes, 230), ((graph.output,), 300)):
        fill = DARK if dots is graph.inputs else "white"
        axis.scatter(
            [dot.x for dot in dots],
            [dot.y for dot in dots],
            area,
            color=fill,
            edgecolors=DARK,
            linewidths=1.2,
            zorder=3,
        )
    for dot in graph.inputs:
        axis.annotate(
            display_name(dot.name, _LONGEST),
            (dot.x, dot.y),
            (-9, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=DARK,
            annotation_clip=False,
        )
    for dot in graph.nodes:
        axis.text(dot.x, dot.y, dot.name, ha="center", va="center", color=DARK, fontsize="small", zorder=4)
    for dot in graph.titles:
        axis.text(dot.x, dot.y, display_name(dot.name, 60), ha="center", va="center", color=GREY, fontsize="small")
    axis.annotate(
        graph.output.name,
        (graph.output.x, graph.output.y),
        (13, 0),
        textcoords="offset points",
        va="center",
        color=DARK,
        annotation_clip=False,
    )


def _notes(fit: FittedModel) -> str:
    """Return lines of text for the parts of a fit that have no edge: the intercept and the fixed effects."""
    lines = [f"+ intercept {fit.coef['(Intercept)']:.3g}"] if "(Intercept)" in fit.coef else []
    lines += [f"+ effects of {display_name(effect.name, 20)} ({len(effect.levels):,})" for effect in fit.effects]
    return "\n".join(lines)


def _legend(graph: Graph, largest: dict[int, float]) -> "list[Line2D]":
    from matplotlib.lines import Line2D

    def line(colour: str, width: float, label: str) -> Line2D:
        return Line2D([], [], color=colour, linewidth=width, label=label, alpha=0.75)

    signs = [edge.weight < 0 for edge in graph.edges]
    lines = [line(BLUE, 2.5, "positive weight")] if not all(signs) else []
    lines += [line(ORANGE, 2.5, "negative weight")] if any(signs) else []
    per = "·sd(input)" if graph.in_deviations else ""
    raw = "" if graph.in_deviations else ", per unit of the input"
    if graph.nodes:
        lines.append(line(GREY, _WIDEST, f"into nodes: |A{per}| = {largest[0]:.3g}{raw}"))
    into = ["|Γ₂|"] * bool(graph.nodes) + [f"|b{per}|"] * graph.linear
    lines.append(line(GREY, _WIDEST, f"into {graph.output.name}: {' or '.join(into)} = {largest[1]:.3g}{raw}"))
    return lines
