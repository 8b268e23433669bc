"""Covariances of what is estimated, with what is assumed about the errors.

Any estimate is to first order m·(√w⊙ε) with its moves m (N), for coordinates the rows of G⁻¹D. Of several, M:

    iid       σ²·MMᵀ, σ² = Σwe²/(N - K)
    HC0       Σ sᵢsᵢᵀ, sᵢ = mᵢeᵢ (e root-weighted)
    HC1       HC0·N/(N - K)
    HC2, HC3  HC0 with eᵢ²/(1 - hᵢ) and eᵢ²/(1 - hᵢ)²; a row with leverage 1 is fitted exactly, and adds 0
    cluster   Σ_g s_gs_gᵀ with the sums s_g over groups; of two or more ways, by inclusion and exclusion of the groups
              that they form together (Cameron, Gelbach and Miller 2011), each with its own correction

K are effective degrees of freedom, h leverages, both with fixed effects. The corrections of clustered covariances:

    "sandwich"  G/(G - 1)·(N - 1)/(N - K)                     R's vcovCL, the default
    "fixest"    the same, G the smallest of the ways, and K counting the effects by the levels of those whose groups do
                not lie within clusters, less one for each but the first; at least 1
    "plm"       G/(G - 1)·(N - 1)/(N - K), K without effects at all ("sss")
    "none"      1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from matbn.arguments import Array
from matbn.inference.linearised import Linearised

TYPES = ("iid", "HC0", "HC1", "HC2", "HC3")
CORRECTIONS = ("sandwich", "fixest", "plm", "none")
_WHOLE = 1e-10  # 1 - leverage, below which it counts as 0


@dataclass(frozen=True, eq=False)
class Errors:
    """What is assumed about the errors."""

    kind: str  # of `TYPES`, or "cluster"
    clusters: Mapping[str, Array]  # codes of each row, in the design's order
    correction: str  # of `CORRECTIONS`

    def __str__(self) -> str:
        return f"clustered by {' and '.join(self.clusters)} ({self.correction})" if self.clusters else self.kind


def degrees(fit: Linearised, errors: Errors) -> float:
    """Return the degrees of freedom of t statistics: N - K, or the smallest number of clusters less one."""
    if not errors.clusters:
        return fit.df_residual
    return min(len(np.unique(codes)) for codes in errors.clusters.values()) - 1.0


def covariance(fit: Linearised, errors: Errors, moves: Array) -> Array:
    """Return the covariance of estimates with these moves (rows × N, in the problem's order)."""
    found: Array = np.sum([factor * (S @ S.T) for factor, S in _scores(fit, errors, moves)], axis=0)
    return found


def variances(fit: Linearised, errors: Errors, moves: Array) -> Array:
    """Return the diagonal of the covariance only."""
    found: Array = np.sum([f * np.einsum("ij,ij->i", S, S) for f, S in _scores(fit, errors, moves)], axis=0)
    return found


def standard_errors(fit: Linearised, errors: Errors, moves: Array) -> Array:
    """Return the roots of the variances; nan where one is negative, as that of two-way clusters may be."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(variances(fit, errors, moves))


def _scores(fit: Linearised, errors: Errors, moves: Array) -> list[tuple[float, Array]]:
    """Return factors f and matrices S, of which the covariance is Σ f·SSᵀ."""
    if errors.clusters:
        return _of_clusters(fit, errors, moves * fit.e)
    if errors.kind == "iid":
        return [(fit.variance, moves)]
    e = fit.e
    if errors.kind in ("HC2", "HC3"):
        left = 1 - fit.leverage
        whole = left < _WHOLE
        e = np.where(whole, 0, e / np.where(whole, 1, left) ** (0.5 if errors.kind == "HC2" else 1))
    return [(fit.N / fit.df_residual if errors.kind == "HC1" else 1.0, moves * e)]


def _of_clusters(fit: Linearised, errors: Errors, scores: Array) -> list[tuple[float, Array]]:
    order = fit.posed.order
    ways = [np.unique(codes[order], return_inverse=True)[1] for codes in errors.clusters.values()]
    smallest = min(int(codes.max()) + 1 for codes in ways)
    found = []
    for taken in range(1, len(ways) + 1):
        for some in combinations(ways, taken):
            codes = np.unique(np.column_stack(some), axis=0, return_inverse=True)[1].reshape(-1)
            sums = _by_group(scores, codes)
            groups = smallest if errors.correction == "fixest" else sums.shape[1]
            found.append(((-1) ** (taken + 1) * _correction(fit, ways, groups, errors.correction), sums))
    return found


def _by_group(scores: Array, codes: Array) -> Array:
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) > 0])
    sums: Array = np.add.reduceat(scores[:, order], starts, axis=1)
    return sums


def _correction(fit: Linearised, ways: list[Array], groups: int, correction: str) -> float:
    if correction == "none":
        return 1.0
    K = fit.edf
    if correction in ("plm", "fixest"):
        K -= fit.effects_rank
    if correction == "fixest" and fit.design.effects:
        K += _levels_across(fit, ways)
    return groups / (groups - 1) * (fit.N - 1) / (fit.N - K)


def _levels_across(fit: Linearised, ways: list[Array]) -> int:
    """Return how many degrees of freedom fixest counts for the effects."""
    order = fit.posed.order
    across = [
        len(effect.levels)
        for effect in fit.design.effects
        if not any(_lies_within(effect.codes[order], way, len(effect.levels)) for way in ways)
    ]
    return max(1, sum(across) - len(across) + 1)


def _lies_within(codes: Array, way: Array, levels: int) -> bool:
    return len(np.unique(np.column_stack([codes, way]), axis=0)) == levels
