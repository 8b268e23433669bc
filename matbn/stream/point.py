"""The net at one value of its parameters, and derivatives by θ from sums over the rows."""

from typing import Any, NamedTuple

import numpy as np

from matbn.activation import Activation
from matbn.arguments import Array
from matbn.memory import check_memory
from matbn.parameters import Parameters
from matbn.stream import visits
from matbn.stream.layer import FoldedLayer, by_parameters
from matbn.stream.run import Data, FoldedNet, run

_GRAM_BYTES = 4_000_000  # of the derivatives that a block has at most


class Point(NamedTuple):
    """Parameters with the folded layer and net that follow from them and the data."""

    parameters: Parameters
    fold: FoldedLayer
    net: FoldedNet


def point_at(parameters: Parameters, fold: FoldedLayer, activation: Activation, dtype: np.dtype[Any]) -> Point:
    """Return the point; its net is in the precision of the data."""
    F, Gamma2, noise = fold.F, parameters.Gamma2, None if fold.noise is None else fold.noise[:, None]
    if F.dtype != dtype:
        F, Gamma2 = F.astype(dtype), Gamma2.astype(dtype)
        if noise is not None:
            noise = (noise * (np.finfo(dtype).eps / np.finfo(np.float64).eps)).astype(dtype)
    return Point(parameters, fold, FoldedNet(F, Gamma2, activation, noise))


def assemble(point: Point, sums: visits.GradientSums, factor: float) -> tuple[Array, Array | None, Array | None, Array]:
    """Return the derivatives by Γ₁, γ, β and Γ₂ from sums over the rows, times a factor."""
    by_F = sums.by_F * (factor * point.parameters.Gamma2)
    dGamma1, dgamma, dbeta = by_parameters(by_F[:-1], by_F[-1], point.fold.chain, point.parameters)
    dGamma2 = factor * visits.by_Gamma2(sums, point.net)
    return dGamma1, dgamma, None if point.parameters.beta is None else dbeta, dGamma2


def gram(data: Data, point: Point) -> Array:
    """Return JᵀDJ: the Gram matrix of the derivatives by (F, Γ₂), with the chain rule on both its sides."""
    q, p2 = point.fold.F.shape
    size = p2 * (q + 1)
    check_memory(f"JᵀJ, {size:,} × {size:,},", 3 * size**2, "take fewer nodes")
    row_bytes = (q + 1) * p2 * data.source.dtype.itemsize
    rows = max(64, _GRAM_BYTES // row_bytes)
    by_F_and_Gamma2 = run(data, point.net, visits.jacobian_gram, _add, min(rows, 8_000))
    half = _by_theta(by_F_and_Gamma2, point)  # rows: (F, Γ₂); columns: θ
    return _by_theta(half.T, point)


def _add(a: Array, b: Array) -> Array:
    a += b
    return a


def _by_theta(derivatives: Array, point: Point) -> Array:
    """Return … × θ from … × (F, node after node and without Γ₂; Γ₂)."""
    q, p2 = point.fold.F.shape
    by_F = derivatives[:, : p2 * q].reshape(-1, p2, q).transpose(0, 2, 1) * point.parameters.Gamma2
    dGamma1, dgamma, dbeta = by_parameters(by_F[:, :-1], by_F[:, -1], point.fold.chain, point.parameters)
    parts = [dGamma1.transpose(0, 2, 1).reshape(len(by_F), -1)]
    if dgamma is not None:
        parts.append(dgamma)
    if point.parameters.beta is not None:
        parts.append(dbeta)
    return np.hstack([*parts, derivatives[:, p2 * q :]])
