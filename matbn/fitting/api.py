"""`fit`: a formula on a data frame, or arrays, to a fitted model."""

import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike

from matbn.activation import Activation, as_activation
from matbn.arguments import as_choice, as_integer, as_number
from matbn.errors import ArgumentError, ConvergenceWarning
from matbn.fitting.arrays import fit_design
from matbn.fitting.design import NetTerm, design
from matbn.fitting.formula import parsed
from matbn.fitting.frame import framed
from matbn.fitting.posing import Options
from matbn.fitting.result import Fit

_SMALL, _MIDDLE = 200_000, 2_000_000  # rows times nodes, up to which 10 and 3 starts are the default


def fit(
    formula: str | ArrayLike,
    data: Any = None,
    *,
    nets: Sequence[NetTerm] | NetTerm = (),
    linear: ArrayLike | None = None,
    effects: Any = None,
    weights: Any = None,
    activation: str | Activation = "tanh",
    penalty: float | str = 1e-4,
    starts: int | None = None,
    seed: int = 1,
    tolerance: float = 1e-6,
    iterations: int = 2000,
    environment: Mapping[str, Any] | None = None,
) -> Fit:
    """Fit y = linear part + fixed effects + Σ a(b(ZΓ₁))Γ₂ + e by penalised least squares.

    What is minimised is Σwe²/Σw + λs²·(‖γ‖² + ‖β‖²) + λ‖Γ₂‖², where s² is the variance of what the linear part and the
    effects leave of y, so that units do not matter; batch norm has ddof = 0 and eps = 0. Γ₂, the linear part and the
    effects are solved for exactly at each step of the search for the rest.

    Parameters
    ----------
    formula, data
        A formula such as "y ~ trend + net(z1, z2, size = 8) | id + year" and a data frame; several nets add up, and
        after | stand fixed effects, which take the intercept's place. Or N outcomes, with the model in `nets` (made
        by `matbn.net`), `linear` (N × k; an intercept is added) and `effects` (labels, or a mapping of some).
    weights
        N case weights, or a column's name; a weight of 2 counts as two equal rows.
    activation
        A name in `matbn.ACTIVATIONS`, or an `Activation`.
    penalty
        λ, at least 0; or "gcv": generalised cross-validation with effective degrees of freedom along a path of warm
        starts, after which all starts are run at the best.
    starts, seed
        How many starting values are drawn (10 on small data, fewer on large), and from which seed; the best end
        counts, and `searches` tells of all.
    tolerance, iterations
        The search ends where no entry of the gradient, for outcomes of unit variance, exceeds the tolerance, or after
        so many iterations.
    environment
        What names in the formula may mean besides columns; without it, the caller's variables.

    Raises
    ------
    ShapeError, ElementTypeError, NotFiniteError, ArgumentError
        An argument does not fit, or the formula cannot be evaluated.
    """
    if isinstance(formula, str):
        if nets or linear is not None or effects is not None:
            raise ArgumentError("nets, linear and effects are for arrays; with a formula they stand in it")
        if environment is None:
            caller = sys._getframe(1)
            environment = {**caller.f_globals, **caller.f_locals}
        found = framed(parsed(formula), data, weights, environment)
        model, recipe, rows = found.design, found.recipe, found.rows
    else:
        if data is not None:
            raise ArgumentError("data is for a formula; with arrays leave it out")
        model, recipe, rows = design(formula, nets, linear, effects, weights), None, None
    options = Options(
        as_activation(activation),
        _as_penalty(penalty),
        _as_starts(starts, len(model.y) * sum(term.size for term in model.terms)),
        as_integer("seed", seed),
        as_number("tolerance", tolerance, at_least=0),
        as_integer("iterations", iterations, at_least=1),
    )
    result = fit_design(model, options)
    if rows is not None and not rows.all():
        message = f"{int((~rows).sum())} rows with missing values were left out"
        result = replace(result, messages=(message, *result.messages))
    if not result.converged:
        warnings.warn("; ".join(result.messages), ConvergenceWarning, stacklevel=2)
    return replace(result, recipe=recipe)


def _as_penalty(penalty: float | str) -> float | None:
    if isinstance(penalty, str):
        as_choice("penalty", penalty, ("gcv",))
        return None
    return as_number("penalty", penalty, at_least=0)


def _as_starts(starts: int | None, work: int) -> int:
    if starts is not None:
        return as_integer("starts", starts, at_least=1)
    return 10 if work <= _SMALL else 3 if work <= _MIDDLE else 1
