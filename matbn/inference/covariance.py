"""Covariances of what is estimated, with what is assumed about the errors.

To first order, errors ε change an estimate by m·(√w⊙ε), m being the influence of the rows on it (N): for coordinates
the rows of G⁻¹D. Of several estimates, with their influence as the rows of M, the covariance is

    iid       σ²·MMᵀ, σ² = Σwe²/(N - K)
    HC0       Σ sᵢsᵢᵀ, sᵢ = mᵢeᵢ (e root-weighted)
    HC1       HC0·N/(N - K)
    HC2, HC3  HC0 with eᵢ²/(1 - hᵢ) and eᵢ²/(1 - hᵢ)²; a row with leverage 1 is fitted exactly, and adds 0
    cluster   Σ_g s_gs_gᵀ with the sums s_g over groups; for two or more ways of clustering, by inclusion and exclusion
              of the groups that they form together (Cameron, Gelbach and Miller 2011), each with its own correction

K are effective degrees of freedom, h leverages, both with fixed effects. The corrections of clustered covariances are

    "sandwich"  G/(G - 1)·(N - 1)/(N - K)                     R's vcovCL, the default
    "fixest"    the same, with G the smallest of the ways, and K counting fixed effects by the levels of those whose
                groups do not lie within clusters, less one for each but the first; at least 1
    "plm"       G/(G - 1)·(N - 1)/(N - K), K without fixed effects at all ("sss")
    "none"      1
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from matbn.arguments import Array
from matbn.inference.linearisation import Linearisation

TYPES = ("iid", "HC0", "HC1", "HC2", "HC3")
CORRECTIONS = ("sandwich", "fixest", "plm", "none")
_WHOLE = 1e-10  # 1 - leverage, below which it counts as 0


@dataclass(frozen=True, eq=False)
class Errors:
    """What is assumed about the errors."""

    kind: str  # of `TYPES`, or "cluster"
    clusters: Mapping[str, Array]  # each row's code for each way of clustering, rows in the design's order
    correction: str  # of `CORRECTIONS`

    def __str__(self) -> str:
        return f"clustered by {' and '.join(self.clusters)} ({self.correction})" if self.clusters else self.kind


def degrees(linearisation: Linearisation, errors: Errors) -> float:
    """Return the degrees of freedom of t statistics: N - K, or the smallest number of clusters less one."""
    if not errors.clusters:
        return linearisation.df_residual
    return min(len(np.unique(codes)) for codes in errors.clusters.values()) - 1.0


def covariance(linearisation: Linearisation, errors: Errors, influence: Array) -> Array:
    """Return the covariance of estimates from the rows' influence on them (estimates × N, in the problem's order)."""
    return np.asarray(np.sum([f * (S @ S.T) for f, S in _scores(linearisation, errors, influence)], axis=0))


def variances(linearisation: Linearisation, errors: Errors, influence: Array) -> Array:
    """Return the diagonal of the covariance only."""
    squares = [f * np.einsum("ij,ij->i", S, S) for f, S in _scores(linearisation, errors, influence)]
    return np.asarray(np.sum(squares, axis=0))


def standard_errors(linearisation: Linearisation, errors: Errors, influence: Array) -> Array:
    """Return the roots of the variances; nan where one is negative, as that of two-way clusters may be."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(variances(linearisation, errors, influence))


def _scores(linearisation: Linearisation, errors: Errors, influence: Array) -> list[tuple[float, Array]]:
    """Return factors f and matrices S, of which the covariance is Σ f·SSᵀ."""
    e = linearisation.e
    if errors.clusters:
        return _sums_by_cluster(linearisation, errors, influence * e)
    if errors.kind == "iid":
        return [(linearisation.variance, influence)]
    if errors.kind in ("HC2", "HC3"):
        left = 1 - linearisation.leverage
        whole = left < _WHOLE
        e = np.where(whole, 0, e / np.where(whole, 1, left) ** (0.5 if errors.kind == "HC2" else 1))
    return [(linearisation.N / linearisation.df_residual if errors.kind == "HC1" else 1.0, influence * e)]


def _sums_by_cluster(linearisation: Linearisation, errors: Errors, scores: Array) -> list[tuple[float, Array]]:
    """Return a factor and the scores' sums for each way of clustering, and for the combinations of several ways."""
    order = linearisation.posed.order
    ways = [np.unique(codes[order], return_inverse=True)[1] for codes in errors.clusters.values()]
    smallest = min(int(codes.max()) + 1 for codes in ways)
    parts = []
    for taken in range(1, len(ways) + 1):
        for some in combinations(ways, taken):
            codes = np.unique(np.column_stack(some), axis=0, return_inverse=True)[1].reshape(-1)
            sums = _by_group(scores, codes)
            groups = smallest if errors.correction == "fixest" else sums.shape[1]
            parts.append(((-1) ** (taken + 1) * _factor(linearisation, ways, groups, errors.correction), sums))
    return parts


def _by_group(scores: Array, codes: Array) -> Array:
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) > 0])
    return np.asarray(np.add.reduceat(scores[:, order], starts, axis=1))


def _factor(linearisation: Linearisation, ways: list[Array], groups: int, correction: str) -> float:
    """Return what a correction multiplies a clustered covariance by."""
    if correction == "none":
        return 1.0
    K = linearisation.edf
    if correction in ("plm", "fixest"):
        K -= linearisation.fixed_effects_rank
    if correction == "fixest" and linearisation.design.effects:
        K += _levels_across(linearisation, ways)
    return groups / (groups - 1) * (linearisation.N - 1) / (linearisation.N - K)


def _levels_across(linearisation: Linearisation, ways: list[Array]) -> int:
    """Return how many degrees of freedom fixest counts for the fixed effects."""
    order = linearisation.posed.order
    across = [
        len(effect.levels)
        for effect in linearisation.design.effects
        if not any(_lies_within(effect.codes[order], way, len(effect.levels)) for way in ways)
    ]
    return max(1, sum(across) - len(across) + 1)


def _lies_within(codes: Array, way: Array, levels: int) -> bool:
    return len(np.unique(np.column_stack([codes, way]), axis=0)) == levels
