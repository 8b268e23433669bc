"""Estimates with standard errors and confidence bounds, which tables, predictions and effects have in common."""

from dataclasses import dataclass
from typing import Any, Self

from scipy import special

from matbn.arguments import Array


@dataclass(frozen=True, eq=False, kw_only=True)
class Estimates:
    """Estimates, an entry for each of what is estimated."""

    estimate: Array
    error: Array  # standard errors; nan where a variance is negative, as that of two-way clusters may be
    lower: Array  # confidence bounds
    upper: Array
    level: float  # of confidence
    kind: str  # how the errors were estimated, in words
    df: float  # degrees of freedom of t statistics

    @classmethod
    def with_bounds(cls, estimate: Array, error: Array, level: float, kind: str, df: float, **more: Any) -> Self:
        """Return estimates with the bounds estimate ± t·spread, t Student's quantile for `level` and `df`.

        The spread is the error, unless `more` has another; the rest of it are the fields that a subclass adds.
        """
        half = special.stdtrit(df, (1 + level) / 2) * more.pop("spread", error)
        lower, upper = estimate - half, estimate + half
        return cls(estimate=estimate, error=error, lower=lower, upper=upper, level=level, kind=kind, df=df, **more)
