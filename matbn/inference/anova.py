"""Nested fits against each other: F tests of what the larger one explains more."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from matbn.arguments import Array
from matbn.errors import ArgumentError, ElementTypeError
from matbn.fitted.fitted_model import FittedModel
from matbn.fitted.report import table

_NO_GAIN = 1e-6  # of degrees of freedom
_ROUNDING = 1e-14  # of outcomes, relative to the largest


@dataclass(frozen=True, eq=False)
class Anova:
    """A row for each fit, as R's anova for several lm: each is compared with the one before."""

    df_residual: Array
    sum_of_squares: Array
    df: Array  # gained
    difference: Array  # of sums of squares
    F: Array
    p: Array
    notes: tuple[str, ...]

    def __str__(self) -> str:
        columns = (self.df_residual, self.sum_of_squares, self.df, self.difference, self.F, self.p)
        rows = [
            [f"{k + 1}", *("" if np.isnan(value) else f"{value:.5g}" for value in values)]
            for k, values in enumerate(zip(*columns, strict=True))
        ]
        lines = table(("", "df residual", "sum of squares", "df", "difference", "F", "p"), rows)
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def anova(*fits: FittedModel) -> Anova:
    """Compare nested fits to the same outcomes, from small to large.

    F = (S₀ - S₁)/(d₁ - d₀) / s², with sums of squares S, effective degrees of freedom d and the variance s² of the fit
    with most. Under a penalty it is approximate. Between fits with different numbers of nodes it is not a test: where
    a node has no effect, its weights are not identified, and the statistic has another distribution. Such rows get a
    note; `Fit.choose` compares sizes.

    Raises
    ------
    ElementTypeError, ArgumentError
        There are fewer than two fits, or they are not to the same outcomes and weights.
    """
    for number, fit in enumerate(fits):
        if not isinstance(fit, FittedModel):
            raise ElementTypeError(f"fits[{number}] is a {type(fit).__name__}, but must be a fit")
    if len(fits) < 2:
        raise ArgumentError("anova compares two fits or more; to test variables within one, use fit.wald()")
    first = fits[0]
    for number, fit in enumerate(fits[1:], 1):
        if fit.N != first.N or not _same(first, fit):
            raise ArgumentError(
                f"fits[{number}] is to other outcomes, rows or weights than fits[0]; fit both to the same"
            )
    df = np.array([fit.df_residual for fit in fits])
    squares = np.array([fit.sum_of_squares for fit in fits])
    norms = np.array([fit.residual_norm for fit in fits])
    variance = 1 / df.min() if df.min() > 0 else np.nan  # of the fit with most degrees, in units of its sum of squares
    gained, difference = -np.diff(df, prepend=np.nan), -np.diff(squares, prepend=np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = -np.diff(np.square(norms / norms[np.argmin(df)]), prepend=np.nan)
        F = np.where(np.abs(gained) > _NO_GAIN, relative / gained / variance, np.nan)
    p = special.fdtrc(np.abs(gained), df.min(), F)
    nodes = [sum(len(net.gamma) for net in fit.nets) for fit in fits]
    notes = [
        f"fits {k} and {k + 1} have {nodes[k - 1]} and {nodes[k]} nodes: p is not a test's, for a node without effect"
        " has unidentified weights"
        for k in range(1, len(fits))
        if nodes[k] != nodes[k - 1]
    ]
    return Anova(df, squares, gained, difference, F, p, tuple(notes))


def _same(one: FittedModel, other: FittedModel) -> bool:
    y, of_other = one.fitted + one.residuals, other.fitted + other.residuals
    if not (np.abs(y - of_other) <= _ROUNDING * np.abs(y).max()).all():
        return False
    return bool(np.array_equal(_weights(one), _weights(other)))


def _weights(fit: FittedModel) -> Array:
    return np.ones(fit.N) if fit.design is None or fit.design.w is None else fit.design.w * fit.design.weight_unit
