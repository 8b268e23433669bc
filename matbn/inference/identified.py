"""The identified parameters of a fit: their names and order, which everything else about them reads.

They are each net's folded weights A = Γ₁γ and c = β - mᵀA, node by node, and its Γ₂; then the linear part's
coefficients b.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array
from matbn.fitted.fitted_model import FittedModel, unique_names
from matbn.model.design import Design
from matbn.problem.posing import Posed


@dataclass(frozen=True)
class Parameter:
    """One identified parameter: an entry of one of the arrays A, c, Γ₂ and b."""

    name: str
    symbol: str  # "A", "c", "Gamma2" or "b"
    net: int | None  # None in the linear part
    at: tuple[int, ...]  # its place in the array: input and node, node, node, or column


Columns = Mapping[int | None, Container[int]]  # some inputs of each net, and under None some columns of the linear part


def identified_parameters(fit: FittedModel) -> tuple[Parameter, ...]:
    """Return the identified parameters in order; nodes count from 1 in names, and from 0 elsewhere."""
    parameters: list[Parameter] = []
    for k, (label, net) in enumerate(zip(unique_names([net.label for net in fit.nets]), fit.nets, strict=True)):
        prefix = f"{label}:" if len(fit.nets) > 1 else ""
        nodes = range(len(net.gamma))
        for j in nodes:
            parameters += [Parameter(f"{prefix}A[{name},{j + 1}]", "A", k, (i, j)) for i, name in enumerate(net.names)]
            parameters.append(Parameter(f"{prefix}c[{j + 1}]", "c", k, (j,)))
        parameters += [Parameter(f"{prefix}Gamma2[{j + 1}]", "Gamma2", k, (j,)) for j in nodes]
    return (*parameters, *(Parameter(name, "b", None, (i,)) for i, name in enumerate(fit.coefficient_names)))


def identified_values(fit: FittedModel) -> Array:
    """Return the identified parameters' values; nan where a column was dropped."""
    arrays: dict[tuple[int | None, str], Array] = {(None, "b"): fit.coefficients}
    for k, net in enumerate(fit.nets):
        arrays |= {(k, "A"): net.A, (k, "c"): net.c, (k, "Gamma2"): net.Gamma2}
    return np.array([arrays[parameter.net, parameter.symbol][parameter.at] for parameter in identified_parameters(fit)])


def places_of(parameters: Sequence[Parameter], columns: Columns) -> list[int]:
    """Return where the weights A and the coefficients b of some columns are among the parameters."""
    return [
        place
        for place, parameter in enumerate(parameters)
        if parameter.symbol in ("A", "b") and parameter.at[0] in columns.get(parameter.net, ())
    ]


def in_coordinates(parameters: Sequence[Parameter], design: Design, posed: Posed, signs: Array) -> tuple[Array, Array]:
    """Return each parameter as a combination of the problem's coordinates (parameters × K), and its unit.

    The coordinates are θ, Γ₂ and the linear part's orthonormal columns; `signs` are those with which nodes are shown.
    """
    nodes, outputs = _nodes(design, posed) if len(signs) else ({}, 0)
    linear = _linear_in_coordinates(design, posed, outputs + len(signs))
    of_linear = np.ldexp(posed.spread, posed.scaled.exponent - posed.exponents)
    rows, units = np.zeros((len(parameters), linear.shape[1])), np.ones(len(parameters))
    for k, parameter in enumerate(parameters):
        if parameter.net is None:
            rows[k], units[k] = linear[parameter.at], of_linear[parameter.at]
            continue
        node = nodes[parameter.net, parameter.at[-1]]
        sign = signs[node.output]
        if parameter.symbol == "A":
            rows[k, node.alpha] = sign * node.weights[parameter.at[0]]
        elif parameter.symbol == "c":
            rows[k, node.alpha], rows[k, node.beta] = -sign * node.at_mean, sign
        else:
            rows[k, outputs + node.output], units[k] = sign, posed.scale
    return rows, units


@dataclass(frozen=True, eq=False)
class _Node:
    """A node's places among the coordinates, and what α does to its folded weights."""

    alpha: Array  # places of α
    beta: int  # place of β
    output: int  # which of all Γ₂
    weights: Array  # p × length of α: A = weights·α
    at_mean: Array  # length of α: mᵀA = at_mean·α


def _nodes(design: Design, posed: Posed) -> tuple[dict[tuple[int, int], _Node], int]:
    """Return the nodes by net and number in it, and the length of θ, behind which Γ₂ stands."""
    nodes: dict[tuple[int, int], _Node] = {}
    start, output = 0, 0
    for part in posed.parts:
        length, size = len(part.inputs.x), len(part.nodes)
        weights = np.zeros((len(design.terms[part.term].names), length - 1))
        weights[part.columns] = part.inputs.K if part.basis is None else part.basis @ part.inputs.K
        at_mean = part.inputs.mean @ part.inputs.K
        for j, node in enumerate(part.nodes):
            at = start + j + size * np.arange(length)
            nodes[part.term, int(node)] = _Node(at[:-1], int(at[-1]), output + j, weights, at_mean)
        start, output = start + length * size, output + size
    return nodes, start


def _linear_in_coordinates(design: Design, posed: Posed, nets: int) -> Array:
    """Return the linear part's coefficients (as rows) behind so many coordinates of nets; nan where one was dropped."""
    kept = posed.linear.kept
    rows = np.full((len(design.linear_names), nets + len(kept)), np.nan)
    rows[kept] = 0
    rows[kept, nets:] = posed.linear.inverse
    if design.intercept:
        rows[0, nets:] -= posed.away @ posed.linear.inverse
    return rows
