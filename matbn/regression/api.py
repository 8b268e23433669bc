"""The function `fit`: it fits a model given as a formula and a data frame, or as arrays."""

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
from matbn.model.design import NetTerm, as_design
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
_FIRST_PENALTY = 1e-3  # at which the choice of a penalty begins
_PENALTY_OF_LARGE_DATA = 1e-5
_SMALL, _MIDDLE = 200_000, 2_000_000  # rows times nodes up to which there are 10 and 3 starts by default


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

    The objective is Σwe²/Σw + λs²·(‖ΔA‖² + ‖β‖²/100) + λ‖Γ₂‖² + λ_lin·Σσ²b². A = Γ₁·diag(γ) are folded weights and ΔA
    those of standardised inputs (Δ: the inputs' standard deviations), so that rescaling Γ₁ does not evade the penalty.
    s² is the variance of what the linear part and the effects leave of y, and σ² that of each linear column, so that
    units do not matter. Batch norm has ddof = 0 and eps = 0. Γ₂, the linear part and the effects are solved for exactly
    at each step of the search for the other parameters.

    The number of threads changes no bit of a fit (without the package threadpoolctl, which keeps BLAS to one thread, it
    may change rounding). The order of rows and of a net's inputs changes only the last digits of what is reported: the
    search sorts both by their contents, and merges equal rows. Several nets, the columns of the linear part and the
    effects keep the user's order; changing it may, by rounding, lead a search elsewhere, most easily at kinks.

    Parameters
    ----------
    formula, data
        A formula such as "y ~ trend + net(z1, z2, size = 8) | id + year" and a data frame; several nets add up, and
        after | stand fixed effects, which take the intercept's place. Or N outcomes, with the model in `nets` (made
        by `matbn.net`), `linear` (N × k) and `effects` (labels, or a mapping of names to labels). A fit copies arrays,
        so that they may change afterwards. In a formula, texts and categories are labels, dates become days since
        1970-01-01, and spans of time days, as in R. `offset(v)` is subtracted from y before the fit and added to fitted
        values and predictions; R² is then that of y less the offset.
    intercept
        Whether arrays without effects get an intercept; in a formula "0 + …" leaves it out. Without intercept and
        effects R² is 1 - Σwe²/Σwy², as in R's `lm` and NIST's certified values.
    tol
        A linear column is left out, and its coefficient is nan, if at most this share of its length is independent of
        the columns before it; lengths are taken after the intercept or the effects (in R's `lm`, before). If the column
        depends on the others only nearly, there is a `CollinearityWarning`; if exactly, such as a dummy for a group of
        an effect, there is a message.
    weights
        N case weights, or a column's name. A weight of 2 counts as two equal rows, but the choice of a penalty counts
        rows, so that the weights' scale does not matter to it ("cv" may leave out one of two equal rows).
    activation
        A name in `matbn.ACTIVATIONS`, or an `Activation`. With a rectifier, searches go on to a local minimum at kinks,
        where no direction leads down although no gradient vanishes; their status is "converged at a kink".
    penalty
        λ, at least 0; or "cv", to choose it by cross-validation in five folds of rows; or "gcv", by generalised
        cross-validation with effective degrees of freedom, which is quicker and sometimes misled. Both follow a path of
        penalties with warm starts, and then search from all starts under the best. The default is "cv" up to two
        million rows times nodes, and 1e-5 beyond, where the choice matters less and takes long.
    linear_penalty
        λ_lin, at least 0; the intercept and the effects are never penalised.
    solver
        "profiled" searches the profiled loss by BFGS (by L-BFGS above 1,000 parameters), and polishes a search that
        does not converge by Levenberg and Marquardt's steps. "lm" takes such steps throughout, "joint" searches over
        all parameters by BFGS; both end at minima of the same loss. "adam" trains on mini-batches as deep-learning
        frameworks do, and ends after `iterations` passes through the data, at no minimum; it takes no effects.
    starts, seed
        How many starting values are drawn (10 on small data, fewer on large), and from which seed. The fit is where
        the best search ended; `searches` has them all.
    tolerance, iterations
        A search ends where no entry of the gradient, for outcomes of unit variance, exceeds the tolerance, or after
        so many iterations (2,000; with "adam" 200). Searches that only serve to choose a penalty take no more either.
    progress
        Whether to show a bar (by tqdm); by default on a terminal, after one second. Or a function that is called with a
        `Progress` at each iteration of the calling thread's searches.
    environment
        Values of names in the formula that are not columns; by default the caller's variables.

    Raises
    ------
    ShapeError, ElementTypeError, NotFiniteError, ArgumentError
        An argument does not fit, or the formula cannot be evaluated.
    KeyboardInterrupt
        Ctrl-C came before the search began.

    Notes
    -----
    Once the first search has begun, Ctrl-C returns the best fit so far with a `ConvergenceWarning`: the status of its
    first search is "interrupted", and its messages say how many starts had ended, which penalty the fit has and whether
    that had been chosen. A search stops within a block of rows; computing the fit then takes some five passes through
    all rows, which may be seconds with a million rows. A second Ctrl-C changes nothing, unless the first has had no
    effect for ten seconds: then it raises KeyboardInterrupt at once.
    """
    if isinstance(formula, str):
        if nets or linear is not None or effects is not None:
            raise ArgumentError("nets, linear and effects are for arrays; with a formula they stand in it")
        if intercept is not True:
            raise ArgumentError("intercept is for arrays; a formula leaves it out by '0 + …'")
        if environment is None:
            caller = sys._getframe(1)
            environment = {**caller.f_globals, **caller.f_locals}
        framed_model = design_from_frame(parse(formula), data, weights, environment)
        model, recipe, rows = framed_model.design, framed_model.recipe, framed_model.rows
    else:
        if data is not None:
            raise ArgumentError("data is for a formula; with arrays leave it out")
        model, recipe, rows = as_design(formula, nets, linear, effects, weights, intercept=intercept), None, None
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
    used_data = None if rows is None else data[rows]
    with listening() as stop, nullcontext(progress) if callable(progress) else Bar(progress) as report:
        result = fit_design(model, options, search, choose_by, report, stop)
    if rows is not None and not rows.all():
        message = f"{int((~rows).sum())} rows with missing values were left out"
        result = replace(result, messages=(message, *result.messages))
    if not result.converged and (solver != "adam" or stop.heeded):
        warnings.warn("; ".join(result.messages), ConvergenceWarning, stacklevel=2)
    return Fit.of(replace(result, recipe=recipe, data=used_data))


def _as_tol(tol: float) -> float:
    share = as_number("tol", tol, at_least=0)
    if share >= 1:
        raise ArgumentError(f"tol is {share:g}, but must be a share below 1; from 1 on no column would be left")
    return share


def _as_penalty(penalty: float | str | None, work: int) -> float | str:
    if penalty is None:
        return "cv" if work <= _MIDDLE else _PENALTY_OF_LARGE_DATA
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
