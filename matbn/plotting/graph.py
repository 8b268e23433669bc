"""A fit as a graph: the places of inputs, nodes and output, and the weights between them.

Inputs are taken in units of their standard deviations, which makes the weights of a layer comparable: A·sd(input) into
the nodes and b·sd(column) into the output. Γ₂ is drawn as it is. For a fit without data (from JSON), so are A and b.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedModel

INPUTS, NODES, OUTPUT = 0.0, 1.0, 2.0  # places along x
_GAP = 1.1  # between nets, in units of the distance between two inputs
_BEND = np.linspace(0, 1, 40)


@dataclass(frozen=True)
class Dot:
    """A named point."""

    x: float
    y: float
    name: str


@dataclass(frozen=True, eq=False)
class Edge:
    """A weight, drawn as a line."""

    path: Array  # points × 2
    weight: float
    to_output: bool


@dataclass(frozen=True, eq=False)
class Graph:
    """The points and lines to draw."""

    inputs: tuple[Dot, ...]
    nodes: tuple[Dot, ...]  # named by their numbers
    output: Dot
    titles: tuple[Dot, ...]  # of nets, above their nodes
    edges: tuple[Edge, ...]  # net by net: vec A, Γ₂; then the linear part
    linear: bool  # whether there is a linear part
    in_deviations: bool  # whether weights are for inputs in units of their deviations
    height: float  # in units of the distance between two inputs


def lay_out(fit: FittedModel, outcome: str) -> Graph:
    """Return the layout of a fit: nets one below the other, then the linear part; the output is at half the height."""
    linear = [
        (name, float(b))
        for name, b in zip(fit.coefficient_names, fit.coefficients, strict=True)
        if name != "(Intercept)"
    ]
    if not fit.nets and not linear:
        raise ArgumentError("the fit has neither nets nor linear variables: kind 'network' has nothing to draw")
    heights = [max(len(net.names), len(net.gamma)) for net in fit.nets]
    total = sum(heights) + len(linear) + _GAP * len(fit.nets) + _GAP * bool(fit.nets and linear)
    output = Dot(OUTPUT, -total / 2, outcome)
    inputs: list[Dot] = []
    nodes: list[Dot] = []
    titles: list[Dot] = []
    edges: list[Edge] = []
    top = 0.0
    for net, height, deviations in zip(fit.nets, heights, _deviations(fit), strict=True):
        titles.append(Dot(NODES, top - 0.4, net.label))
        top -= _GAP
        own = [Dot(INPUTS, y, name) for y, name in zip(_heights(len(net.names), height, top), net.names, strict=True)]
        layer = [Dot(NODES, y, str(j + 1)) for j, y in enumerate(_heights(len(net.gamma), height, top))]
        weights = net.A * deviations[:, None]
        edges += [_straight(a, b, weights[i, j], False) for j, b in enumerate(layer) for i, a in enumerate(own)]
        edges += [_straight(a, output, weight, True) for a, weight in zip(layer, net.Gamma2, strict=True)]
        inputs, nodes, top = inputs + own, nodes + layer, top - height
    top -= _GAP * bool(fit.nets and linear)
    scales = _linear_deviations(fit)
    for k, (name, b) in enumerate(linear):
        dropped = np.isnan(b)
        inputs.append(Dot(INPUTS, top - 0.5 - k, f"{name} (dropped)" if dropped else name))
        if not dropped:
            join = _bent if fit.nets else _straight
            edges.append(join(inputs[-1], output, b * scales[name], True))
    return Graph(
        inputs=tuple(inputs),
        nodes=tuple(nodes),
        output=output,
        titles=tuple(titles),
        edges=tuple(edges),
        linear=bool(linear),
        in_deviations=fit.design is not None,
        height=total,
    )


def _heights(count: int, height: float, top: float) -> Array:
    """Return the heights of dots one below the other, centred in a height and spread out if there is room."""
    apart = min(height / count, 1.6) if count > 1 else 0.0
    return top - height / 2 - apart * (np.arange(count) - (count - 1) / 2)


def _straight(a: Dot, b: Dot, weight: float, to_output: bool) -> Edge:
    return Edge(np.array([[a.x, a.y], [b.x, b.y]]), float(weight), to_output)


def _bent(a: Dot, b: Dot, weight: float, to_output: bool) -> Edge:
    """Return an edge that stays at its height until it is past the nodes (a cubic Bézier curve)."""
    t, turn = _BEND[:, None], a.x + 0.72 * (b.x - a.x)
    corners = np.array([[a.x, a.y], [turn, a.y], [turn, a.y], [b.x, b.y]])
    shares = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    return Edge(shares @ corners, float(weight), to_output)


def _deviations(fit: FittedModel) -> Iterator[Array]:
    """Yield the weighted standard deviations of each net's inputs; ones for a fit without data."""
    for k, net in enumerate(fit.nets):
        yield np.ones(len(net.names)) if fit.design is None else _deviation(fit, fit.design.terms[k].Z)


def _linear_deviations(fit: FittedModel) -> dict[str, float]:
    deviations = np.ones(len(fit.coefficients)) if fit.design is None else _deviation(fit, fit.design.linear)
    return dict(zip(fit.coefficient_names, deviations.tolist(), strict=True))


def _deviation(fit: FittedModel, columns: Array) -> Array:
    assert fit.design is not None
    mean = np.average(columns, axis=0, weights=fit.design.w)
    return np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=fit.design.w))
