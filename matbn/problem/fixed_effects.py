"""Fixed effects and their within transformation.

With D the indicator columns of all effects and W the diagonal matrix of weights, the within transformation of v is
the residual of a weighted regression on D,

    v - D(DᵀWD)⁻DᵀWv.

One effect needs its groups' means only. For more, the groups of the first effect are eliminated, and what is left for
the others is one small system, inverted once: for two effects after one group of each connected component is dropped,
for more as a pseudo-inverse. Only rows of positive weight connect groups, as others have no say in the regression. The
transformation is applied twice, which takes off what rounding left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.csgraph import connected_components

from matbn.arguments import Array
from matbn.errors import ArgumentError, ShapeError

_LARGEST_SYSTEM = 5_000  # groups of all effects but the largest; beyond it the dense factor takes too long

_CHUNK = 10_000  # rows
_DENSE = 10  # cells for each that is not 0, below which a matrix is multiplied as a dense one
_DEPENDENT = 1e-10  # eigenvalue of three or more effects' system, relative to the largest, that counts as 0


@dataclass(frozen=True, eq=False)
class FixedEffects:
    """Effects of N rows that are sorted by the first of them."""

    starts: Array  # first row of each group of the first effect
    counts: Array  # rows of each group of the first effect
    w: Array | None  # N weights
    group_weight: Array  # weight of each group of the first effect
    others: sparse.csr_array | None  # N × G, indicators of all other effects' groups
    solve: Array | None  # G × G, inverse of the others' system after the first effect's elimination
    rank: int  # of D
    levels: tuple[int, ...]  # number of groups of each effect
    first: int  # which of them is the first here
    singletons: int  # rows that are alone in a group
    apart: int = 0  # rows of weight 0 whose groups no other rows connect, so that nothing tells their sum

    def within(self, A: Array) -> Array:
        """Return the within transformation of each row of A (k × N)."""
        if self.others is None:
            return self._demeaned(A)
        return self._step(self._step(A))

    def estimates(self, r: Array) -> list[Array]:
        """Return the effects of the weighted regression of r (N) on D: the first's groups, then each other's.

        Of several effects that add up alike, the later ones' redundant groups have 0 (a smallest norm with three or
        more effects).
        """
        if self.others is None or self.solve is None:
            return [self._means(r[None])[0]]
        demeaned = self._demeaned(r[None])[0]
        found = self.solve @ (self.others.T @ (demeaned if self.w is None else demeaned * self.w))
        left = r - self.others @ found
        first = self._means(left[None])[0]
        sizes = [count for number, count in enumerate(self.levels) if number != self.first]
        return [first, *np.split(found, np.cumsum(sizes)[:-1])]

    def influence(self, groups: Array) -> Array:
        """Return how the effects of some groups' sum moves with each row's outcome: m × N for m sets of groups.

        `groups` (m × number of effects) has a code for each effect, in their given order, and -1 for none.
        """
        w = np.ones(int(self.counts.sum())) if self.w is None else self.w
        main = groups[:, self.first]
        first = np.zeros((len(groups), len(self.counts)))
        known = np.flatnonzero(main >= 0)
        first[known, main[known]] = 1 / self.group_weight[main[known]]
        rows = np.repeat(first, self.counts, axis=1)
        if self.others is not None and self.solve is not None:
            rest = np.zeros((len(groups), self.others.shape[1]))
            sizes = [count for number, count in enumerate(self.levels) if number != self.first]
            columns = np.delete(groups, self.first, axis=1)
            for codes, offset in zip(columns.T, np.cumsum([0, *sizes[:-1]]), strict=True):
                some = np.flatnonzero(codes >= 0)
                rest[some, offset + codes[some]] = 1
            means = self._means_of_others(w)
            rest[known] -= means[main[known]].toarray()
            solved = rest @ self.solve
            rows = rows + np.asarray(self.others @ solved.T).T - np.repeat((means @ solved.T).T, self.counts, axis=1)
        return rows * w

    def leverage(self) -> Array:
        """Return the diagonal of the projection on D in the weighted metric (N), the effects' share of leverages."""
        w = np.ones(int(self.counts.sum())) if self.w is None else self.w
        found: Array = w / np.repeat(self.group_weight, self.counts)
        if self.others is None or self.solve is None:
            return found
        means = self._means_of_others(w)
        group = np.repeat(np.arange(len(self.counts)), self.counts)
        for start in range(0, len(w), _CHUNK):
            rows = slice(start, start + _CHUNK)
            apart = self.others[rows].toarray() - means[group[rows]].toarray()
            found[rows] += w[rows] * np.einsum("ng,ng->n", apart @ self.solve, apart)
        return found

    def _means_of_others(self, w: Array) -> sparse.csr_array:
        """Return the share of each other group in each group of the first effect."""
        assert self.others is not None
        first = _indicators(np.repeat(np.arange(len(self.counts)), self.counts))
        return _means(first.T @ sparse.diags_array(w) @ self.others, self.group_weight)

    def _step(self, A: Array) -> Array:
        assert self.others is not None
        assert self.solve is not None
        demeaned = self._demeaned(A)
        weighted = demeaned if self.w is None else demeaned * self.w
        effects = self.solve @ (self.others.T @ weighted.T)  # G × k
        return demeaned - self._demeaned((self.others @ effects).T)

    def _demeaned(self, A: Array) -> Array:
        """Take the means of the first effect's groups off."""
        demeaned: Array = A - np.repeat(self._means(A), self.counts, axis=1)
        return demeaned

    def _means(self, A: Array) -> Array:
        weighted = A if self.w is None else A * self.w
        means: Array = np.add.reduceat(weighted, self.starts, axis=1) / self.group_weight
        return means


def first_effect(effects: Sequence[Array]) -> int:
    """Return which effect has most groups."""
    return int(np.argmax([len(np.unique(codes)) for codes in effects]))


def fixed_effects(effects: Sequence[Array], w: Array | None) -> FixedEffects:
    """Prepare effects, each N codes of groups, for rows that are sorted by `first_effect`."""
    N = len(effects[0])
    if any(len(codes) != N for codes in effects):
        raise ShapeError(f"effects have {', '.join(str(len(codes)) for codes in effects)} rows; they must be equal")
    first = first_effect(effects)
    codes = [np.unique(effect, return_inverse=True)[1] for effect in effects]
    sizes = [np.bincount(code) for code in codes]
    counted = np.ones(N, bool) if w is None else w > 0
    alone = [(np.bincount(code, counted) == 1)[code] for code in codes]
    singletons = int((np.any(alone, axis=0) & counted).sum())
    levels = tuple(len(size) for size in sizes)
    main = codes[first]
    counts = sizes[first]
    starts = np.r_[0, np.cumsum(counts)[:-1]]
    group_weight = counts.astype(float) if w is None else np.bincount(main, w)
    if not all((np.bincount(code, counted) > 0).all() for code in codes):
        raise ArgumentError("weights are all zero in a group of a fixed effect; drop its rows")
    rest = [code for number, code in enumerate(codes) if number != first]
    if not rest:
        return FixedEffects(starts, counts, w, group_weight, None, None, levels[first], levels, first, singletons)
    return _several(starts, counts, w, group_weight, main, rest, levels, first, singletons)


def _several(
    starts: Array,
    counts: Array,
    w: Array | None,
    group_weight: Array,
    main: Array,
    rest: list[Array],
    levels: tuple[int, ...],
    number: int,
    singletons: int,
) -> FixedEffects:
    first = _indicators(main)
    others = sparse.csr_array(sparse.hstack([_indicators(code) for code in rest]))
    G = others.shape[1]
    if G > _LARGEST_SYSTEM:
        raise ArgumentError(
            f"the fixed effects besides the largest have {G} groups, but at most {_LARGEST_SYSTEM} can be solved for"
        )
    W = sparse.diags_array(np.ones(len(main)) if w is None else w)
    meetings = sparse.csr_array(first.T @ W @ others)
    left = (others.T @ W @ others).toarray() - _products(meetings, group_weight)
    apart = 0
    if len(rest) == 1:
        counted = slice(None) if w is None else w > 0
        part_of_main, part = _parts(sparse.csr_array(first[counted].T @ others[counted]))
        apart = int((part_of_main[main] != part[rest[0]]).sum())
        kept = np.setdiff1d(np.arange(G), np.unique(part, return_index=True)[1])  # all but one group of each part
        solve = np.zeros((G, G))
        solve[np.ix_(kept, kept)] = linalg.inv(left[np.ix_(kept, kept)]) if len(kept) else 0
        rank = len(kept)
    else:
        solve, rank = linalg.pinvh(left, rtol=_DEPENDENT, return_rank=True)
    rank += len(counts)
    return FixedEffects(starts, counts, w, group_weight, others, solve, rank, levels, number, singletons, apart)


def _products(meetings: sparse.csr_array, weights: Array) -> Array:
    """Return MᵀD⁻¹M for the weights M with which groups meet, D = diag(weights); M is mostly zeros, or small."""
    means = _means(meetings, weights)
    if _DENSE * meetings.nnz < np.prod(meetings.shape):
        product: Array = (meetings.T @ means).toarray()
        return product
    return np.asarray(meetings.toarray().T @ means.toarray())


def _means(sums: sparse.csr_array, weights: Array) -> sparse.csr_array:
    """Return sums over groups, a row each, divided by the groups' weights."""
    return sparse.csr_array(sparse.diags_array(1 / weights) @ sums)


def _indicators(codes: Array) -> sparse.csr_array:
    N = len(codes)
    return sparse.csr_array((np.ones(N), (np.arange(N), codes)), shape=(N, int(codes.max()) + 1))


def _parts(meetings: sparse.csr_array) -> tuple[Array, Array]:
    """Return to which connected component each group of both effects belongs: within one, both add up alike."""
    both: Any = [[None, meetings], [meetings.T, None]]
    graph: Any = sparse.block_array(both)
    _, label = connected_components(graph, directed=False)
    return label[: meetings.shape[0]], label[meetings.shape[0] :]
