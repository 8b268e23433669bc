"""Data that are prepared once, for the loss, the exact gradient and related quantities at any parameters."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import add, iadd
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from matbn.activation import Activation, as_activation, may_have_kinks
from matbn.arguments import Array, as_matrix, as_number, as_real, as_vector, finite_result, variance_divisor
from matbn.errors import ArgumentError, ElementTypeError, ShapeError, VarianceError
from matbn.parameters import NetGradient, Parameters, as_finite, as_parameters, has_complex
from matbn.stream import visits
from matbn.stream.kernel import one_block
from matbn.stream.layer import NodeStatistics, batchnorm_fold, differential_of_fold, plain_fold, refuse_overflow
from matbn.stream.moments import Moments, moments
from matbn.stream.point import Point, assemble, gram, point_at
from matbn.stream.rows import Rows, Source, array_source, iterator_source
from matbn.stream.run import Data, run, too_little_memory
from matbn.stream.sizes import is_small
from matbn.threads import as_threads, default_threads


@dataclass(frozen=True, eq=False)
class Prepared:
    """Data and conventions of a net; every method takes the parameters Gamma1, gamma, beta and Gamma2.

    `prepare` returns one. gamma=None gives the plain net. Parameters are ordered θ = (vec Γ₁, γ, β, Γ₂), as in
    `net_jacobian`, and J = ∂ŷ/∂θᵀ goes through the batch statistics. Methods raise as `net_forward` does, and warn
    (`PrecisionWarning`) where a node's inputs nearly cancel.
    """

    data: Data  # centred, for batch norm
    raw: Data  # the same rows without an offset, for plain nets
    moments: Moments
    activation: Activation
    ddof: float
    eps: float

    @property
    def N(self) -> int:
        """Number of rows."""
        return self.data.N

    @property
    def mean(self) -> Array:
        """Mean of X's rows (p1), weighted by the case weights."""
        correction = self.moments.correction
        return self.moments.offset + (0.0 if correction is None else correction)

    @property
    def T(self) -> Array:
        """The triangle (min(N, p1) rows) with TᵀT = X_cᵀDX_c, X_c = X - 1·meanᵀ, D = diag(weights)."""
        return self.moments.T

    @np.errstate(all="ignore")
    def gradient(
        self, Gamma1: ArrayLike, gamma: ArrayLike | None, beta: ArrayLike | None, Gamma2: ArrayLike
    ) -> NetGradient:
        """Return R = Σwᵢ(yᵢ - ŷᵢ)²/Σwᵢ and its exact gradient, from one reading of X."""
        point = _point(self, Gamma1, gamma, beta, Gamma2)
        sums = run(_rows_for(self, point), point.net, visits.residual_sums(point.net), iadd)
        weight = self.moments.weight
        gradient = NetGradient(*assemble(point, sums, -2 / weight), loss=sums.squares / weight)
        return as_finite(gradient)

    @np.errstate(all="ignore")
    def fitted(self, Gamma1: ArrayLike, gamma: ArrayLike | None, beta: ArrayLike | None, Gamma2: ArrayLike) -> Array:
        """Return ŷ (N)."""
        point = _point(self, Gamma1, gamma, beta, Gamma2)
        parts = run(_rows_for(self, point), point.net, visits.fitted_values(point.net), add)
        return finite_result("the fitted values", np.concatenate(parts))

    @np.errstate(all="ignore")
    def cross_products(
        self, Gamma1: ArrayLike, gamma: ArrayLike | None, beta: ArrayLike | None
    ) -> visits.CrossProducts:
        """Return VᵀDV, VᵀDy and yᵀDy, D = diag(weights): what a least-squares solve for Γ₂ needs."""
        Gamma1 = as_matrix("Gamma1", Gamma1)
        point = _point(self, Gamma1, gamma, beta, np.zeros(Gamma1.shape[1]))
        products: visits.CrossProducts = run(_rows_for(self, point), point.net, visits.cross_products, iadd)
        finite_result("VᵀV, Vᵀy or yᵀy", np.concatenate([products.VtV.ravel(), products.Vty, [products.yty]]))
        return products

    @np.errstate(all="ignore")
    def jacobian_product(
        self,
        Gamma1: ArrayLike,
        gamma: ArrayLike | None,
        beta: ArrayLike | None,
        Gamma2: ArrayLike,
        direction: ArrayLike,
    ) -> Array:
        """Return J·direction (N), for a direction ordered as θ."""
        point = _point(self, Gamma1, gamma, beta, Gamma2)
        size = len(point.parameters.theta)
        step = point.parameters.with_theta(
            as_real("direction", as_vector("direction", direction, size, "(vec Gamma1, gamma, beta, Gamma2)"))
        )
        dF = differential_of_fold(step, point.fold.chain, point.parameters)
        visit = visits.jacobian_product(point.net, dF, step.Gamma2)
        return finite_result("the product", np.concatenate(run(_rows_for(self, point), point.net, visit, add)))

    @np.errstate(all="ignore")
    def adjoint_product(
        self, Gamma1: ArrayLike, gamma: ArrayLike | None, beta: ArrayLike | None, Gamma2: ArrayLike, u: ArrayLike
    ) -> Array:
        """Return Jᵀu, ordered as θ, for u of N entries."""
        point = _point(self, Gamma1, gamma, beta, Gamma2)
        u = as_real("u", as_vector("u", u, self.N, "one for each row of X"))
        sums = run(_rows_for(self, point), point.net, visits.adjoint_sums(point.net, u), iadd)
        return finite_result("the product", Parameters(*assemble(point, sums, 1.0)).theta)

    @np.errstate(all="ignore")
    def jacobian_gram(
        self, Gamma1: ArrayLike, gamma: ArrayLike | None, beta: ArrayLike | None, Gamma2: ArrayLike
    ) -> Array:
        """Return JᵀDJ (p2(p1+3) square, ordered as θ), D = diag(weights), without forming J."""
        point = _point(self, Gamma1, gamma, beta, Gamma2)
        return finite_result("JᵀJ", gram(_rows_for(self, point), point))


@np.errstate(all="ignore")
def prepare(
    X: Any,
    y: Any = None,
    weights: Any = None,
    activation: str | Activation = "relu",
    ddof: float = 1,
    eps: float = 0.0,
    *,
    columns: list[str] | None = None,
    dtype: DTypeLike | None = None,
    threads: int | None = None,
) -> Prepared:
    """Read X once for its mean and its triangular factor; then the gradient at any parameters reads it once.

    Parameters
    ----------
    X
        N × p1 inputs: an array, also one mapped from a file (`numpy.load(..., mmap_mode="r")`); an Arrow table or
        dataset, or the path of a Parquet or Arrow file or of a directory of Parquet files (through pyarrow); or a
        function that returns, at each call, a new iterator of blocks of rows: X, (X, y) or (X, y, weights). X
        is not copied; it, y and weights must not change afterwards. See the notes for which changes are noticed.
    y, weights
        N outcomes, and case weights that are not negative and sum to between 1e-50 and 1e50: in the loss and in the
        batch statistics a weight of 2 counts as two equal rows. With Arrow data each may be a column's name; None where
        the blocks hold them.
    activation, ddof, eps
        As in `net_forward`; with weights, variances are divided by their sum less ddof.
    columns
        With Arrow data, the columns that are X; by default all but y and weights.
    dtype
        float32 or float64, for the work on X; by default float32 where X is stored so, and float64 elsewhere. Sums
        over blocks and statistics are always in float64.
    threads
        The largest number of threads; by default the cores of this process, or as many as BLAS may use, if fewer.
        More than one need the package threadpoolctl. Results do not depend on this number.

    Raises
    ------
    ShapeError, ElementTypeError, NotFiniteError, ArgumentError
        X, y or weights cannot be used.
    MemoryLimitError
        There is too little memory for the work on a block.

    Notes
    -----
    Before or after each reading, changed data are refused (`ArgumentError`, or `ShapeError` where the number of rows
    has changed), as far as checking costs little. Files must keep their size and time of change, and a directory its
    files. Mapped arrays are those that NumPy knows to be views of an `mmap`; writing through a map in mode "r+" changes
    its file, too. In each block of a function, 64 rows or more are compared. A change is not noticed where a file keeps
    its size and time, in other rows of a block, in arrays in memory, and in maps of mode "c". A mapped file that is cut
    off while a piece of it is being read ends the process.
    """
    activation = as_activation(activation)
    eps = as_number("eps", eps, at_least=0)
    ddof = as_number("ddof", ddof, at_least=0)
    threads = default_threads() if threads is None else as_threads(threads)
    source = _as_source(X, y, weights, columns, dtype)
    try:
        statistics = moments(source, threads)
        data = Data(source, statistics.offset.astype(source.dtype)[:, None], statistics.N, threads)
        raw = replace(data, offset=np.zeros_like(data.offset))
        if is_small(statistics.N, source.p1):
            data, raw, statistics = _with_kept_block(data, raw, statistics)
    except MemoryError as error:
        raise too_little_memory(error) from None
    source.check()
    return Prepared(data, raw, statistics, activation, ddof, eps)


def _as_source(X: Any, y: Any, weights: Any, columns: list[str] | None, dtype: DTypeLike | None) -> Source:
    if isinstance(X, str | os.PathLike) or type(X).__module__.partition(".")[0] == "pyarrow":
        from matbn.stream.arrow import arrow_source

        return arrow_source(X, y, weights, columns, dtype)
    if columns is not None:
        raise ArgumentError("columns is for Arrow data, which has named columns; select those of an array yourself")
    if isinstance(X, Iterator):
        raise ElementTypeError(
            f"X is a {type(X).__name__}, which can be read once, but must be a function that returns a new iterator of"
            " blocks at each call"
        )
    if callable(X):
        return iterator_source(X, y, weights, dtype)
    if y is None:
        raise ArgumentError("y is missing")
    try:
        array = np.asanyarray(X)
    except ValueError as error:
        raise ShapeError(f"X is not a rectangular array: {error}") from None
    if array.ndim == 0 and array.dtype == object:
        raise ElementTypeError(
            f"X is of type {type(X).__name__}, but must be a matrix of numbers (dense), or Arrow data"
        )
    return array_source(array, y, weights, dtype)


def _rows_for(prepared: Prepared, point: Point) -> Data:
    """Return the rows with the offset that the point's fold assumes: none for a plain net."""
    return prepared.raw if point.parameters.gamma is None else prepared.data


def _with_kept_block(data: Data, raw: Data, statistics: Moments) -> tuple[Data, Data, Moments]:
    """Return data that keep their few rows as one block, with and without the offset."""
    copies = [_copy(rows) for piece in data.source.pieces(statistics.N) for rows in piece()]
    X, y = np.vstack([rows.X for rows in copies]), np.concatenate([rows.y for rows in copies])
    w = np.concatenate([rows.w for rows in copies if rows.w is not None]) if data.source.weighted else None
    assert statistics.correction is not None
    rows = Rows(0, X, y, w)
    data = replace(data, block=one_block(rows, data.offset, statistics.correction.astype(X.dtype)[:, None]))
    return data, replace(raw, block=one_block(rows, raw.offset)), replace(statistics, correction=None)


def _copy(rows: Rows) -> Rows:
    """Return a copy of rows, since a function may use one array for all its blocks."""
    return Rows(rows.start, rows.X.copy(), rows.y.copy(), None if rows.w is None else rows.w.copy())


def _point(
    prepared: Prepared, Gamma1: ArrayLike, gamma: ArrayLike | None, beta: ArrayLike | None, Gamma2: ArrayLike
) -> Point:
    statistics = prepared.moments
    parameters = as_parameters(Gamma1, gamma, beta, Gamma2)
    if len(parameters.Gamma1) != len(statistics.offset):
        raise ShapeError(
            f"X has {len(statistics.offset)} columns, but Gamma1 has {len(parameters.Gamma1)} rows; they must be equal"
        )
    if has_complex(parameters):
        raise ElementTypeError("the parameters are complex, but prepared data take real numbers; use net_gradient")
    if gamma is None:
        fold = plain_fold(parameters)
    else:
        TGamma1 = statistics.T @ parameters.Gamma1
        squares = np.add.reduce(TGamma1 * TGamma1, axis=0)
        node_statistics = NodeStatistics(
            statistics.correction,
            statistics.norms,
            statistics.norm,
            statistics.uneven,
            statistics.T.T @ TGamma1,
            squares,
            _divisor(prepared),
            prepared.eps,
        )
        fold = batchnorm_fold(parameters, node_statistics, may_have_kinks(prepared.activation))
    refuse_overflow(statistics.largest, fold.F, prepared.data.source.dtype)
    return point_at(parameters, fold, prepared.activation, prepared.data.source.dtype)


def _divisor(prepared: Prepared) -> float:
    """Return d = 1ᵀw - ddof."""
    N, weight, ddof = prepared.N, prepared.moments.weight, prepared.ddof
    if N < 2 or ddof >= weight:
        if weight == N:
            return variance_divisor(N, ddof)
        raise VarianceError(
            f"there are {N} samples of total weight {weight:g} and ddof is {ddof:g}: batch norm needs two samples or"
            " more, and a weight that exceeds ddof"
        )
    return weight - ddof
