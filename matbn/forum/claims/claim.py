"""What a claim is, and how a verdict is computed: by comparing the claimed value with the exact one on random data."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matbn.arguments import Array
from matbn.forum.claims.case import Case

RIGHT, RIGHT_UP_TO_N, WRONG = "right", "right up to 1/N", "wrong"
# Right formulas agree with complex steps to about 1e-14 here; wrong ones are off by far more than this.
TOLERANCE = 1e-9

Value = Array | tuple[Array, ...]


@dataclass(frozen=True)
class Evidence:
    """The value that a claim gives on one case, and the true one."""

    claimed: Callable[[], Value]  # a ValueError, or another shape, says that the formula is not conformable
    exact: Value  # by complex steps through the definitions, without any formula for a derivative
    corrected: Value | None = None  # for a claim that is not right


@dataclass(frozen=True)
class Claim:
    """A claim as its source makes it, with the correction where it needs one."""

    id: str
    statement: str
    evidence: Callable[[Case], Evidence]
    correction: str = ""  # the right formula, and why


@dataclass(frozen=True)
class Judgement:
    """A claim judged on one random case."""

    claim: Claim
    source: str
    verdict: str  # RIGHT, RIGHT_UP_TO_N or WRONG
    difference: float | None  # largest, relative to the exact value's largest entry; None: not conformable
    factor: int  # N where a missing 1/N was removed before measuring the difference, else 1
    correction_difference: float | None  # of the correction; None where there is none

    @property
    def correction_holds(self) -> bool:
        """Whether the correction, where there is one, equals the exact value."""
        return self.correction_difference is None or self.correction_difference <= TOLERANCE


def judge(claim: Claim, source: str, case: Case) -> Judgement:
    """Evaluate a claim's literal formula and its correction against the exact value."""
    evidence = claim.evidence(case)
    exact = _parts(evidence.exact)
    N = len(case.X)
    try:
        claimed = _parts(evidence.claimed())
    except ValueError:  # NumPy raises it for operands that do not conform
        claimed = ()
    factor, difference = 1, _difference(claimed, exact)
    without_N = _difference(tuple(part / N for part in claimed), exact)
    if difference is not None and difference <= TOLERANCE:
        verdict = RIGHT
    elif without_N is not None and without_N <= TOLERANCE:
        verdict, factor, difference = RIGHT_UP_TO_N, N, without_N
    else:
        verdict = WRONG
    corrected = None if evidence.corrected is None else _difference(_parts(evidence.corrected), exact)
    return Judgement(claim, source, verdict, difference, factor, corrected)


def _parts(value: Value) -> tuple[Array, ...]:
    return value if isinstance(value, tuple) else (value,)


def _difference(claimed: tuple[Array, ...], exact: tuple[Array, ...]) -> float | None:
    """Return the largest relative difference of the parts, or None where shapes differ."""
    if [np.shape(part) for part in claimed] != [np.shape(part) for part in exact]:
        return None
    return max(
        float(np.max(np.abs(value - x)) / max(np.max(np.abs(x)), np.finfo(float).tiny))
        for value, x in zip(claimed, exact, strict=True)
    )
