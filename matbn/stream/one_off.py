"""The gradient at a single point, where computing a triangular factor first would take longer than it saves.

With o the mean of ordinary rows and Z = (X - 1oᵀ)Γ₁, a first sweep sums (X - 1oᵀ)ᵀZ, the diagonal of ZᵀZ, and columns
of X - 1oᵀ and Z. The part due to δ, the mean less o, is subtracted from the products. A second one gives the gradient.
"""

import math
from dataclasses import dataclass
from operator import iadd

import numpy as np

from matbn.activation import identity, is_built_in, may_have_kinks
from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.parameters import Net, NetGradient, Parameters, is_complex
from matbn.stream import visits
from matbn.stream.kernel import one_block, summed_product
from matbn.stream.layer import FoldedLayer, NodeStatistics, batchnorm_fold, is_uneven, plain_fold, refuse_overflow
from matbn.stream.point import assemble, point_at
from matbn.stream.rows import Rows, slices
from matbn.stream.run import Data, FoldedNet, NetBlock, run
from matbn.stream.sizes import is_small
from matbn.threads import default_threads

_FIRST_ROWS = 256  # usually, their mean is near that of all rows
_UNUSUAL = 8.0  # times the mean distance from their mean, beyond which one of these rows is left out
_FAR = 4.0  # standard deviations between o and the mean, beyond which the sweep is repeated from the mean


@dataclass(eq=False)
class _FirstSums:
    """The first sweep's sums; `+=` adds a block's."""

    xx: Array  # p1, squares of X - 1oᵀ
    x1: Array  # p1, sums of X - 1oᵀ
    xZ: Array  # p1 × p2
    ZZ: Array  # p2
    Z1: Array  # p2

    def __iadd__(self, other: "_FirstSums") -> "_FirstSums":
        self.xx += other.xx
        self.x1 += other.x1
        self.xZ += other.xZ
        self.ZZ += other.ZZ
        self.Z1 += other.Z1
        return self


def one_off_gradient(net: Net, y: Array) -> NetGradient | None:
    """Return loss and gradient of a checked net.

    None where slower code is needed: for complex numbers, for a user's own activation, which may rely on seeing all
    rows at once, and where a variance is 0 or leaves float64's range.
    """
    if not is_built_in(net.activation) or is_complex(net, y):
        return None
    N, parameters = len(y), net.parameters
    try:
        if parameters.gamma is None:
            largest = _norm(net.X)
            data, fold = _data_with_offset(net, y, np.zeros(net.X.shape[1])), plain_fold(parameters)
        else:
            data = _data_with_offset(net, y, _middle(net.X[:_FIRST_ROWS]))
            first = _first_sweep(data, parameters)
            if (first.x1**2 > _FAR**2 * (first.xx * N - first.x1**2)).any():
                data = _data_with_offset(net, y, data.offset[:, 0] + first.x1 / N)
                first = _first_sweep(data, parameters)
            largest, fold = math.sqrt(first.xx.max()), _fold_from_sums(net, data, first)
        refuse_overflow(largest, fold.F, net.X.dtype)
        point = point_at(parameters, fold, net.activation, net.X.dtype)
    except ArgumentError:
        return None
    sums = run(data, point.net, visits.residual_sums(point.net), iadd)
    return NetGradient(*assemble(point, sums, -2 / N), loss=sums.squares / N)


def _middle(X: Array) -> Array:
    """Return the mean of the rows that are not far from the others; unlike a median, it keeps linear dependences."""
    mean = X.mean(axis=0)
    distance = np.abs(X - mean)
    usual = (distance <= _UNUSUAL * distance.mean(axis=0)).all(axis=1)
    return mean if usual.all() or not usual.any() else X[usual].mean(axis=0)  # type: ignore[no-any-return]


def _norm(X: Array) -> float:
    """Return ‖X‖ without copying X; infinity where its square overflows."""
    dense = X if X.flags.c_contiguous else X.T
    squares = np.vdot(dense, dense) if dense.flags.c_contiguous else np.einsum("ik,ik->", X, X)
    return math.sqrt(squares)


def _data_with_offset(net: Net, y: Array, offset: Array) -> Data:
    N, p1 = net.X.shape
    column = offset[:, None]
    few = is_small(N, p1)
    block = one_block(Rows(0, net.X, y, None), column) if few else None
    return Data(slices(net.X, y, None, net.X.dtype), column, N, 1 if few else default_threads(), block)


def _first_sweep(data: Data, parameters: Parameters) -> _FirstSums:
    F = np.vstack([parameters.Gamma1, np.zeros(parameters.Gamma1.shape[1])])
    sums: _FirstSums = run(data, FoldedNet(F, parameters.Gamma2, identity), _first_sums, iadd)
    return sums


def _first_sums(block: NetBlock) -> _FirstSums:
    x, Z = block.x, block.V
    xZ = summed_product(x, Z)
    ZZ = np.multiply(Z, Z, out=block.S).sum(axis=1)  # pairwise summation; a single long sum would lose digits
    return _FirstSums(np.einsum("kn,kn->k", x[:-1], x[:-1]), x[:-1].sum(axis=1), xZ[:-1], ZZ, xZ[-1])


def _fold_from_sums(net: Net, data: Data, first: _FirstSums) -> FoldedLayer:
    """Subtract the part of δ from the sums, and fold the layer; raise where a square leaves float64's range."""
    N, parameters = len(net.X), net.parameters
    squares = first.xx - first.x1**2 / N
    for k in np.flatnonzero(~((squares > 1e-280) & (squares < 1e280))):
        if not (net.X[:, k] == data.offset[k]).all():  # a constant column is harmless
            raise ArgumentError("X has a column whose square leaves float64's range")
    norms = np.sqrt(np.maximum(squares, 0))
    statistics = NodeStatistics(
        correction=first.x1 / N,
        norms=norms,
        norm=float(np.linalg.norm(norms)),
        uneven=is_uneven(norms),
        SGamma1=first.xZ - np.outer(first.x1 / N, first.Z1),
        squares=first.ZZ - first.Z1**2 / N,
        d=net.d,
        eps=net.eps,
    )
    return batchnorm_fold(parameters, statistics, may_have_kinks(net.activation))
