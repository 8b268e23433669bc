"""`fit`: a formula on a data frame, or arrays, to a fitted model."""

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike

from matbn.activation import Activation, as_activation
from matbn.arguments import as_choice, as_integer, as_number
from matbn.errors import ArgumentError, ConvergenceWarning, ElementTypeError
from matbn.fitting.estimate import fit_design
from matbn.model.design import NetTerm, design
from matbn.model.formula import parse
from matbn.model.frame import design_from_frame
from matbn.problem.linear_part import TOL
from matbn.problem.posing import ModelOptions
from matbn.regression.fit import Fit
from matbn.search.adam import DEFAULT_PASSES
from matbn.search.minimum import SearchOptions
from matbn.search.multistart import SOLVERS
from matbn.search.progress import Bar, Progress
from matbn.stopping import listening

_ITERATIONS = 2_000
_FIRST_PENALTY = 1e-3  # where the choice of one begins
_LITTLE = 1e-5  # penalty of large data
_SMALL, _MIDDLE = 200_000, 2_000_000  # rows times nodes, up to which 10 and 3 starts are the default


def fit(
    formula: str | ArrayLike,
    data: Any = None,
    *,
    nets: Sequence[NetTerm] | NetTerm = (),
    linear: ArrayLike | None = None,
    effects: Any = None,
    weights: Any = None,
    intercept: bool = True,
    tol: float = TOL,
    activation: str | Activation = "tanh",
    penalty: float | str | None = None,
    linear_penalty: float = 0.0,
    solver: str = "profiled",
    starts: int | None = None,
    seed: int = 1,
    tolerance: float = 1e-6,
    iterations: int | None = None,
    progress: bool | Callable[[Progress], None] | None = None,
    environment: Mapping[str, Any] | None = None,
) -> Fit:
    """Fit y = linear part + fixed effects + Σ a(b(ZΓ₁))Γ₂ + e by penalised least squares.

    What is minimised is Σwe²/Σw + λs²·(‖ΔA‖² + ‖β‖²/100) + λ‖Γ₂‖² + λ_lin·Σσ²b². A = Γ₁·diag(γ) are folded weights, ΔA
    those of standardised inputs (Δ their deviations): no scale of Γ₁ escapes it. s² is the variance of what the linear
    part and the effects leave of y, σ² that of each linear column, so that units do not matter. Batch norm has
    ddof = 0 and eps = 0. Γ₂, the linear part and the effects are solved for exactly at each step of the search for the
    rest.

    The number of threads changes no bit of a fit (without the package threadpoolctl, which holds BLAS to one, it may
    change rounding). The order of rows and of a net's inputs changes nothing but the last digits of what is reported:
    the search meets both in an order of their contents, and equal rows once. The order of several nets, of the linear
    part's columns and of effects is the user's; there, rounding may lead a search elsewhere, most easily at kinks.

    Parameters
    ----------
    formula, data
        A formula such as "y ~ trend + net(z1, z2, size = 8) | id + year" and a data frame; several nets add up, and
        after | stand fixed effects, which take the intercept's place. Or N outcomes, with the model in `nets` (made
        by `matbn.net`), `linear` (N × k) and `effects` (labels, or a mapping of some). A fit keeps copies of arrays, so
        they may change afterwards. In a formula text and categories are labels, dates days since 1970-01-01 and spans
        of time days, as R has them. `offset(v)` is taken off y before the fit and added to fitted values and
        predictions; R² is then that of y less the offset.
    intercept
        Whether an intercept is added to arrays without effects; in a formula "0 + …" leaves it out. R² is then 1 less
        residual over raw sums of squares, as R's `lm` and NIST have it.
    tol
        A linear column is left out, its coefficient nan, if no more than this share of its length stands off the
        columns before it, lengths without what intercept or effects explain (R's `lm` counts that too). Such a column
        that only nearly depends on the others comes with a `CollinearityWarning`; one that wholly does, as a dummy
        for a group that the effects know, with a message.
    weights
        N case weights, or a column's name; a weight of 2 counts as two equal rows (but a choice of penalty
        counts rows, so that the weights' scale does not matter to it: "cv" may leave out one of two equal rows).
    activation
        A name in `matbn.ACTIVATIONS`, or an `Activation`. With a rectifier, searches go on to a local minimum at kinks,
        from which no direction leads down though no gradient vanishes; they have "converged at a kink".
    penalty
        λ, at least 0; or "cv": chosen by cross-validation in five folds of rows; or "gcv": by generalised
        cross-validation with effective degrees of freedom, which is quicker and sometimes misled. Both go along a path
        of warm starts, after which all starts are run at the best. By default "cv" up to two million rows times nodes,
        and 1e-5 beyond, where it matters less and takes long.
    linear_penalty
        λ_lin, at least 0; the intercept and the effects are never penalised.
    solver
        "profiled" searches the profiled loss by BFGS (by L-BFGS above 1,000 parameters), and polishes by Levenberg
        and Marquardt's steps what did not converge. "lm" takes such steps throughout, "joint" searches all parameters
        by BFGS; both end at minima of the same loss. "adam" trains on mini-batches as deep-learning frameworks do,
        and ends after so many passes through the data (`iterations`), at no minimum; it takes no effects.
    starts, seed
        How many starting values are drawn (10 on small data, fewer on large), and from which seed; the best end
        counts, and `searches` tells of all.
    tolerance, iterations
        The search ends where no entry of the gradient, for outcomes of unit variance, exceeds the tolerance, or after
        so many iterations (2,000; with "adam" 200). Those that only choose a penalty take no more of them either.
    progress
        Whether to show a bar (by tqdm); by default on a terminal, from a second on. Or a function, which gets a
        `Progress` at each iteration in the calling thread.
    environment
        What names in the formula may mean besides columns; without it, the caller's variables.

    Raises
    ------
    ShapeError, ElementTypeError, NotFiniteError, ArgumentError
        An argument does not fit, or the formula cannot be evaluated.
    KeyboardInterrupt
        Ctrl-C came before the search began.

    Notes
    -----
    From the first search on, Ctrl-C returns the best fit so far with a `ConvergenceWarning`: the status of its first
    search is "interrupted", and its messages say how many starts had ended, which penalty the fit has and whether that
    had been chosen. A search stops within a block of rows; what a fit holds then takes some five passes through them,
    which on a million rows may be seconds. A second Ctrl-C changes nothing, unless the first has had no effect for ten
    seconds: then it raises KeyboardInterrupt at once.
    """
    if isinstance(formula, str):
        if nets or linear is not None or effects is not None:
            raise ArgumentError("nets, linear and effects are for arrays; with a formula they stand in it")
        if intercept is not True:
            raise ArgumentError("intercept is for arrays; a formula leaves it out by '0 + …'")
        if environment is None:
            caller = sys._getframe(1)
            environment = {**caller.f_globals, **caller.f_locals}
        found = design_from_frame(parse(formula), data, weights, environment)
        model, recipe, rows = found.design, found.recipe, found.rows
    else:
        if data is not None:
            raise ArgumentError("data is for a formula; with arrays leave it out")
        model, recipe, rows = design(formula, nets, linear, effects, weights, intercept=intercept), None, None
    work = len(model.y) * sum(term.size for term in model.terms)
    used_penalty = _as_penalty(penalty, work)
    choose_by = used_penalty if isinstance(used_penalty, str) else None
    options = ModelOptions(
        as_activation(activation),
        _FIRST_PENALTY if isinstance(used_penalty, str) else used_penalty,
        as_number("linear_penalty", linear_penalty, at_least=0),
        _as_tol(tol),
    )
    search = SearchOptions(
        _as_starts(starts, work),
        as_integer("seed", seed),
        as_number("tolerance", tolerance, at_least=0),
        _as_iterations(iterations, solver),
        as_choice("solver", solver, tuple(SOLVERS)),
    )
    if solver == "adam" and model.effects:
        raise ArgumentError("solver is 'adam', which takes no fixed effects; use 'profiled'")
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise ElementTypeError(f"progress is {progress!r}, but must be True, False, None or a function")
    used = None if rows is None else data[rows]
    with listening() as stop, nullcontext(progress) if callable(progress) else Bar(progress) as report:
        result = fit_design(model, options, search, choose_by, report, stop)
    if rows is not None and not rows.all():
        message = f"{int((~rows).sum())} rows with missing values were left out"
        result = replace(result, messages=(message, *result.messages))
    if not result.converged and (solver != "adam" or stop.heeded):
        warnings.warn("; ".join(result.messages), ConvergenceWarning, stacklevel=2)
    return Fit.of(replace(result, recipe=recipe, data=used))


def _as_tol(tol: float) -> float:
    found = as_number("tol", tol, at_least=0)
    if found >= 1:
        raise ArgumentError(f"tol is {found:g}, but must be a share below 1; from 1 on no column would be left")
    return found


def _as_penalty(penalty: float | str | None, work: int) -> float | str:
    if penalty is None:
        return "cv" if work <= _MIDDLE else _LITTLE
    if isinstance(penalty, str):
        return as_choice("penalty", penalty, ("cv", "gcv"))
    return as_number("penalty", penalty, at_least=0)


def _as_iterations(iterations: int | None, solver: str) -> int:
    if iterations is None:
        return DEFAULT_PASSES if solver == "adam" else _ITERATIONS
    return as_integer("iterations", iterations, at_least=1)


def _as_starts(starts: int | None, work: int) -> int:
    if starts is not None:
        return as_integer("starts", starts, at_least=1)
    return 10 if work <= _SMALL else 3 if work <= _MIDDLE else 1
