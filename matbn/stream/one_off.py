"""The gradient at one point, where a triangular factor would not pay: the nodes' moments take a sweep of their own.

With Z = (X - 1oᵀ)Γ₁ and o the mean of ordinary rows, the first sweep sums ZᵀZ (its diagonal), (X - 1oᵀ)ᵀZ and the
columns of both; what the distance δ from o to the mean adds to sums of products is then taken off.
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
from matbn.stream.layer import Fold, Statistics, batchnorm_fold, is_uneven, plain_fold, refuse_overflow
from matbn.stream.point import assemble, at
from matbn.stream.rows import Rows, slices
from matbn.stream.run import Data, Layer, Seen, run
from matbn.stream.sizes import is_small
from matbn.threads import default_threads

_FIRST_ROWS = 256  # whose mean is near that of all rows, as a rule
_UNUSUAL = 8.0  # times the mean distance from the mean, beyond which a row among them does not count
_FAR = 4.0  # standard deviations between the two, beyond which the mean is taken first


@dataclass(eq=False)
class _Moments:
    """The first sweep's sums; `+=` adds a block's."""

    xx: Array  # p1, squares of X - 1oᵀ
    x1: Array  # p1, sums of X - 1oᵀ
    xZ: Array  # p1 × p2
    ZZ: Array  # p2
    Z1: Array  # p2

    def __iadd__(self, other: "_Moments") -> "_Moments":
        self.xx += other.xx
        self.x1 += other.x1
        self.xZ += other.xZ
        self.ZZ += other.ZZ
        self.Z1 += other.Z1
        return self


def gradient(net: Net, y: Array) -> NetGradient | None:
    """Return loss and gradient of a checked net.

    None where slower code must do: for complex numbers, for an activation of the user's own, which may count on
    seeing all rows at once, and where a variance is 0 or leaves float64's range.
    """
    if not is_built_in(net.activation) or is_complex(net, y):
        return None
    N, parameters = len(y), net.parameters
    try:
        if parameters.gamma is None:
            largest = _norm(net.X)
            data, fold = _data(net, y, np.zeros(net.X.shape[1])), plain_fold(parameters)
        else:
            data = _data(net, y, _middle(net.X[:_FIRST_ROWS]))
            moments = _moments(data, parameters)
            if (moments.x1**2 > _FAR**2 * (moments.xx * N - moments.x1**2)).any():
                data = _data(net, y, data.offset[:, 0] + moments.x1 / N)
                moments = _moments(data, parameters)
            largest, fold = math.sqrt(moments.xx.max()), _fold(net, data, moments)
        refuse_overflow(largest, fold.F, net.X.dtype)
        point = at(parameters, fold, net.activation, net.X.dtype)
    except ArgumentError:
        return None
    sums = run(data, point.layer, visits.residual_sums(point.layer), iadd)
    return NetGradient(*assemble(point, sums, -2 / N), loss=sums.squares / N)


def _middle(X: Array) -> Array:
    """Return the mean of the rows that are not far from the others; a mean keeps what is linear in the rows."""
    mean = X.mean(axis=0)
    distance = np.abs(X - mean)
    usual = (distance <= _UNUSUAL * distance.mean(axis=0)).all(axis=1)
    return mean if usual.all() or not usual.any() else X[usual].mean(axis=0)  # type: ignore[no-any-return]


def _norm(X: Array) -> float:
    """Return ‖X‖, infinity where its square overflows; without a copy."""
    dense = X if X.flags.c_contiguous else X.T
    squares = np.vdot(dense, dense) if dense.flags.c_contiguous else np.einsum("ik,ik->", X, X)
    return math.sqrt(squares)


def _data(net: Net, y: Array, offset: Array) -> Data:
    N, p1 = net.X.shape
    column = offset[:, None]
    few = is_small(N, p1)
    block = one_block(Rows(0, net.X, y, None), column) if few else None
    return Data(slices(net.X, y, None, net.X.dtype), column, N, 1 if few else default_threads(), block)


def _moments(data: Data, parameters: Parameters) -> _Moments:
    F = np.vstack([parameters.Gamma1, np.zeros(parameters.Gamma1.shape[1])])
    sums: _Moments = run(data, Layer(F, parameters.Gamma2, identity), _visit, iadd)
    return sums


def _visit(seen: Seen) -> _Moments:
    x, Z = seen.x, seen.V
    xZ = summed_product(x, Z)
    ZZ = np.multiply(Z, Z, out=seen.S).sum(axis=1)  # in pairs; one long sum would lose digits
    return _Moments(np.einsum("kn,kn->k", x[:-1], x[:-1]), x[:-1].sum(axis=1), xZ[:-1], ZZ, xZ[-1])


def _fold(net: Net, data: Data, moments: _Moments) -> Fold:
    """Take off what δ adds to the sums, and fold; raise where a square leaves float64's range."""
    N, parameters = len(net.X), net.parameters
    squares = moments.xx - moments.x1**2 / N
    for k in np.flatnonzero(~((squares > 1e-280) & (squares < 1e280))):
        if not (net.X[:, k] == data.offset[k]).all():  # a constant column does no harm
            raise ArgumentError("X has a column whose square leaves float64's range")
    norms = np.sqrt(np.maximum(squares, 0))
    statistics = Statistics(
        correction=moments.x1 / N,
        norms=norms,
        norm=float(np.linalg.norm(norms)),
        uneven=is_uneven(norms),
        SGamma1=moments.xZ - np.outer(moments.x1 / N, moments.Z1),
        squares=moments.ZZ - moments.Z1**2 / N,
        d=net.d,
        eps=net.eps,
    )
    return batchnorm_fold(parameters, statistics, may_have_kinks(net.activation))
