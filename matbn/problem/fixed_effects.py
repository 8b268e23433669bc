"""Fixed effects and their within transformation.

With D the indicator columns of all effects and W the diagonal matrix of weights, the within transformation of v is
the residual of a weighted regression on D,

    v - D(DᵀWD)⁻DᵀWv.

With one effect it subtracts the groups' means. With more, the groups of the first effect are eliminated, which leaves
one smaller system for the groups of the others. It is inverted once: with two effects after one group of each connected
component is dropped, with more as a pseudo-inverse. Only rows of positive weight connect groups, as only they matter to
the regression. The transformation is applied twice, to remove what rounding left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.csgraph import connected_components

from matbn.arguments import Array
from matbn.errors import ArgumentError, ShapeError

_LARGEST_SYSTEM = 5_000  # groups of all effects but the largest; for more, the dense inverse takes too long
_CHUNK = 10_000  # rows at a time
_DENSE = 10  # a matrix is multiplied as a dense one if at least one in so many cells is not 0
_DEPENDENT = 1e-10  # eigenvalues of three or more effects' system count as 0 up to this share of the largest


@dataclass(frozen=True, eq=False)
class FixedEffects:
    """Fixed effects of N rows, which are sorted by one of the effects: the first, here, the one with most groups."""

    starts: Array  # first row of each group of the first effect
    counts: Array  # rows of each group of the first effect
    w: Array | None  # N weights
    group_weight: Array  # weight of each group of the first effect
    others: sparse.csr_array | None  # N × G, indicators of all other effects' groups
    solve: Array | None  # G × G, inverse of the others' system after the first effect is eliminated
    rank: int  # of D
    levels: tuple[int, ...]  # number of groups of each effect, in the user's order
    first: int  # which of these effects is the first here
    singletons: int  # number of rows that are alone in a group
    disconnected: int = (
        0  # number of rows of weight 0 whose groups no weighted rows connect: nothing determines their sum
    )

    def within(self, A: Array) -> Array:
        """Return the within transformation of each row of A (k × N)."""
        if self.others is None:
            return self._demean(A)
        return self._within_once(self._within_once(A))

    def estimates(self, r: Array) -> list[Array]:
        """Return the coefficients of the weighted regression of r (N) on D: of the first effect, then of the others.

        Redundant groups of the second of two effects get 0; with three or more effects the norm is the smallest.
        """
        if self.others is None or self.solve is None:
            return [self._group_means(r[None])[0]]
        demeaned = self._demean(r[None])[0]
        of_others = self.solve @ (self.others.T @ (demeaned if self.w is None else demeaned * self.w))
        left = r - self.others @ of_others
        first = self._group_means(left[None])[0]
        sizes = [count for number, count in enumerate(self.levels) if number != self.first]
        return [first, *np.split(of_others, np.cumsum(sizes)[:-1])]

    def influence(self, groups: Array) -> Array:
        """Return the derivatives of sums of effects by each row's outcome: m × N for m sets of groups to sum over.

        `groups` (m × number of effects) has a code for each effect, in the user's order, and -1 for none.
        """
        w = np.ones(int(self.counts.sum())) if self.w is None else self.w
        main = groups[:, self.first]
        first = np.zeros((len(groups), len(self.counts)))
        known = np.flatnonzero(main >= 0)
        first[known, main[known]] = 1 / self.group_weight[main[known]]
        rows = np.repeat(first, self.counts, axis=1)
        if self.others is not None and self.solve is not None:
            chosen = np.zeros((len(groups), self.others.shape[1]))
            sizes = [count for number, count in enumerate(self.levels) if number != self.first]
            columns = np.delete(groups, self.first, axis=1)
            for codes, offset in zip(columns.T, np.cumsum([0, *sizes[:-1]]), strict=True):
                given = np.flatnonzero(codes >= 0)
                chosen[given, offset + codes[given]] = 1
            means = self._means_of_others(w)
            chosen[known] -= means[main[known]].toarray()
            factor = chosen @ self.solve
            rows = rows + np.asarray(self.others @ factor.T).T - np.repeat((means @ factor.T).T, self.counts, axis=1)
        return rows * w

    def leverage(self) -> Array:
        """Return the effects' share of leverages (N): the diagonal of the projection on D in the weighted metric."""
        w = np.ones(int(self.counts.sum())) if self.w is None else self.w
        leverage: Array = w / np.repeat(self.group_weight, self.counts)
        if self.others is None or self.solve is None:
            return leverage
        means = self._means_of_others(w)
        group = np.repeat(np.arange(len(self.counts)), self.counts)
        for start in range(0, len(w), _CHUNK):
            rows = slice(start, start + _CHUNK)
            demeaned = self.others[rows].toarray() - means[group[rows]].toarray()
            leverage[rows] += w[rows] * np.einsum("ng,ng->n", demeaned @ self.solve, demeaned)
        return leverage

    def _means_of_others(self, w: Array) -> sparse.csr_array:
        """Return the share that each group of the others has in each group of the first effect."""
        assert self.others is not None
        first = _indicators(np.repeat(np.arange(len(self.counts)), self.counts))
        return _divide_rows(first.T @ sparse.diags_array(w) @ self.others, self.group_weight)

    def _within_once(self, A: Array) -> Array:
        assert self.others is not None
        assert self.solve is not None
        demeaned = self._demean(A)
        weighted = demeaned if self.w is None else demeaned * self.w
        effects = self.solve @ (self.others.T @ weighted.T)  # G × k
        return demeaned - self._demean((self.others @ effects).T)

    def _demean(self, A: Array) -> Array:
        """Subtract the means of the first effect's groups."""
        demeaned: Array = A - np.repeat(self._group_means(A), self.counts, axis=1)
        return demeaned

    def _group_means(self, A: Array) -> Array:
        weighted = A if self.w is None else A * self.w
        means: Array = np.add.reduceat(weighted, self.starts, axis=1) / self.group_weight
        return means


def first_effect(effects: Sequence[Array]) -> int:
    """Return the number of the effect that has most groups."""
    return int(np.argmax([len(np.unique(codes)) for codes in effects]))


def fixed_effects(effects: Sequence[Array], w: Array | None) -> FixedEffects:
    """Return the fixed effects given by N codes of groups each; rows must be sorted by the effect `first_effect`."""
    N = len(effects[0])
    if any(len(codes) != N for codes in effects):
        raise ShapeError(f"effects have {', '.join(str(len(codes)) for codes in effects)} rows; they must be equal")
    first = first_effect(effects)
    codes = [np.unique(effect, return_inverse=True)[1] for effect in effects]
    sizes = [np.bincount(code) for code in codes]
    has_weight = np.ones(N, bool) if w is None else w > 0
    alone = [(np.bincount(code, has_weight) == 1)[code] for code in codes]
    singletons = int((np.any(alone, axis=0) & has_weight).sum())
    levels = tuple(len(size) for size in sizes)
    main = codes[first]
    counts = sizes[first]
    starts = np.r_[0, np.cumsum(counts)[:-1]]
    group_weight = counts.astype(float) if w is None else np.bincount(main, w)
    if not all((np.bincount(code, has_weight) > 0).all() for code in codes):
        raise ArgumentError("weights are all zero in a group of a fixed effect; drop its rows")
    rest = [code for number, code in enumerate(codes) if number != first]
    if not rest:
        return FixedEffects(starts, counts, w, group_weight, None, None, levels[first], levels, first, singletons)
    return _several_effects(starts, counts, w, group_weight, main, rest, levels, first, singletons)


def _several_effects(
    starts: Array,
    counts: Array,
    w: Array | None,
    group_weight: Array,
    main: Array,
    rest: list[Array],
    levels: tuple[int, ...],
    first: int,
    singletons: int,
) -> FixedEffects:
    groups_of_first = _indicators(main)
    others = sparse.csr_array(sparse.hstack([_indicators(code) for code in rest]))
    G = others.shape[1]
    if G > _LARGEST_SYSTEM:
        raise ArgumentError(
            f"the fixed effects besides the largest have {G} groups, but at most {_LARGEST_SYSTEM} can be solved for"
        )
    W = sparse.diags_array(np.ones(len(main)) if w is None else w)
    meetings = sparse.csr_array(groups_of_first.T @ W @ others)
    system = (others.T @ W @ others).toarray() - _product(meetings, group_weight)
    disconnected = 0
    if len(rest) == 1:
        has_weight = slice(None) if w is None else w > 0
        component_of_main, component = _components(sparse.csr_array(groups_of_first[has_weight].T @ others[has_weight]))
        disconnected = int((component_of_main[main] != component[rest[0]]).sum())
        kept = np.setdiff1d(np.arange(G), np.unique(component, return_index=True)[1])  # all but one of each component
        solve = np.zeros((G, G))
        solve[np.ix_(kept, kept)] = linalg.inv(system[np.ix_(kept, kept)]) if len(kept) else 0
        rank = len(kept)
    else:
        solve, rank = linalg.pinvh(system, rtol=_DEPENDENT, return_rank=True)
    rank += len(counts)
    return FixedEffects(starts, counts, w, group_weight, others, solve, rank, levels, first, singletons, disconnected)


def _product(meetings: sparse.csr_array, weights: Array) -> Array:
    """Return MᵀD⁻¹M, where M has the weight of the rows that two groups share, and D = diag(weights)."""
    means = _divide_rows(meetings, weights)
    if _DENSE * meetings.nnz < np.prod(meetings.shape):
        product: Array = (meetings.T @ means).toarray()
        return product
    return np.asarray(meetings.toarray().T @ means.toarray())


def _divide_rows(sums: sparse.csr_array, weights: Array) -> sparse.csr_array:
    """Return sums over groups, one in each row, divided by the groups' weights."""
    return sparse.csr_array(sparse.diags_array(1 / weights) @ sums)


def _indicators(codes: Array) -> sparse.csr_array:
    N = len(codes)
    return sparse.csr_array((np.ones(N), (np.arange(N), codes)), shape=(N, int(codes.max()) + 1))


def _components(meetings: sparse.csr_array) -> tuple[Array, Array]:
    """Return the connected component of each group of both effects; within each, their indicators have equal sums."""
    both: Any = [[None, meetings], [meetings.T, None]]
    graph: Any = sparse.block_array(both)
    _, label = connected_components(graph, directed=False)
    return label[: meetings.shape[0]], label[meetings.shape[0] :]
