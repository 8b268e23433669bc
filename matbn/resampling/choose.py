"""The choice of net sizes and penalties: every combination is scored, and the best one is fitted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Generic, TypeVar

import numpy as np

from matbn.arguments import Array, as_choice, as_integer, as_list, as_number
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedModel
from matbn.fitted.report import table
from matbn.fitting.estimate import fit_design
from matbn.fitting.refit import design_of, warn_cut_short
from matbn.model.design import Design
from matbn.model.formula import with_size
from matbn.resampling.splits import Split, splits
from matbn.resampling.validate import UNSEEN, predictions_of_folds, validation_of
from matbn.search.minimum import SearchOptions
from matbn.stopping import Stop, listening

CRITERIA = ("cv", "bic")
_STARTS = 10  # of the best combination's fit, at least

Model = TypeVar("Model", bound=FittedModel)


@dataclass(frozen=True, eq=False)
class Choice(Generic[Model]):
    """Scores of all combinations, with an entry for each, and the fit of the best one.

    After an interrupt there are only the combinations that were scored before it, and no fit.
    """

    sizes: Array  # of each net; nan where sizes stay as they were
    penalties: Array
    scores: Array  # mean squared error in cross-validation, or BIC
    errors: Array  # standard errors of the former; nan for BIC
    criterion: str
    complete: bool  # whether all combinations were scored
    fit: Model | None

    def __str__(self) -> str:
        best = int(np.argmin(self.scores))
        rows = []
        for k, (size, penalty, score, error) in enumerate(
            zip(self.sizes, self.penalties, self.scores, self.errors, strict=True)
        ):
            cells = ["as it was" if np.isnan(size) else f"{size:g}", f"{penalty:.3g}", f"{score:.6g}"]
            rows.append([*cells, "" if np.isnan(error) else f"± {error:.2g}", "<-" if k == best else ""])
        return "\n".join(table(("size", "penalty", self.criterion, "", ""), rows))


def choose(
    fit: FittedModel,
    sizes: Sequence[int] | None,
    penalties: Sequence[float] | None,
    criterion: str,
    by: Any,
    time: Any,
    folds: int,
    unseen: str,
    starts: int,
    seed: int,
    fit_best: bool = True,
) -> Choice[FittedModel]:
    """Return `Fit.choose`'s result; without a fit, if `fit_best` is false."""
    search = SearchOptions(as_integer("starts", starts, at_least=1), as_integer("seed", seed))
    as_choice("criterion", criterion, CRITERIA)
    as_choice("unseen", unseen, UNSEEN)
    with listening() as stop:
        tried = _combinations(fit, sizes, penalties)
        parts = splits(fit, by, time, folds, seed) if criterion == "cv" else None
        scores = _scores(fit, tried, parts, unseen, search, stop)
        best = None
        if fit_best and not stop.asked:
            best = _best_fit(fit, *tried[int(np.argmin(scores[:, 0]))], search, stop)
        if stop.asked:
            warn_cut_short(stop, _interruption(tried, scores))
    scored = tried[: len(scores)]
    sizes_scored = np.array([np.nan if size is None else size for size, _ in scored], float)
    penalties_scored = np.array([penalty for _, penalty in scored])
    return Choice(
        sizes_scored, penalties_scored, scores[:, 0], scores[:, 1], criterion, len(scored) == len(tried), best
    )


def _combinations(
    fit: FittedModel, sizes: Sequence[int] | None, penalties: Sequence[float] | None
) -> list[tuple[int | None, float]]:
    """Return the combinations of sizes (None for that of each net) and penalties."""
    design = design_of(fit)
    if not design.terms:
        raise ArgumentError("the fit has no net, so that there is neither a size nor a penalty to choose")
    if sizes is not None and any(term.mask is not None for term in design.terms):
        raise ArgumentError("a net has a mask, which fixes its size; choose among penalties only")
    of_sizes: list[int | None] = [None]
    of_penalties = [fit.penalty]
    if sizes is not None:
        of_sizes = [as_integer("sizes", size, at_least=1) for size in as_list("sizes", sizes)]
    if penalties is not None:
        of_penalties = [as_number("penalties", penalty, at_least=0) for penalty in as_list("penalties", penalties)]
    tried = list(product(of_sizes, of_penalties))
    if not tried:
        raise ArgumentError("sizes or penalties are empty; give at least one of each, or leave them out")
    return tried


def _scores(
    fit: FittedModel,
    tried: Sequence[tuple[int | None, float]],
    parts: Sequence[Split] | None,
    unseen: str,
    search: SearchOptions,
    stop: Stop,
) -> Array:
    """Return a row for each combination: its score (BIC without folds) and the score's standard error.

    After an interrupt, only combinations that were scored before it have rows; without any, raise KeyboardInterrupt.
    """
    design = design_of(fit)
    scores: list[tuple[float, float]] = []
    try:
        for size, penalty in tried:
            made, model = _with_size(design, size), replace(fit.options, penalty=penalty)
            if parts is not None:
                predictions = predictions_of_folds(made, model, search, parts, unseen, None, stop)
                stop.check()
                validation = validation_of(made, parts, predictions)
                scores.append((validation.mse, validation.error))
            else:
                bic = fit_design(made, model, search, stop=stop).bic
                stop.check()
                scores.append((bic, np.nan))
    except KeyboardInterrupt:
        stop.ask()
        if not scores:
            raise
    return np.array(scores)


def _interruption(tried: Sequence[tuple[int | None, float]], scores: Array) -> str:
    """Return a sentence on how far a choice had come when it was interrupted."""
    size, penalty = tried[int(np.argmin(scores[:, 0]))]
    best = f"penalty {penalty:.3g}" if size is None else f"size {size} and penalty {penalty:.3g}"
    return (
        f"the choice was interrupted when {len(scores)} of {len(tried)} combinations had been scored, and the best of"
        f" these ({best}) was not fitted: fit it, or choose again"
    )


def _best_fit(
    fit: FittedModel, size: int | None, penalty: float, search: SearchOptions, stop: Stop
) -> FittedModel | None:
    model, search = replace(fit.options, penalty=penalty), replace(search, starts=max(search.starts, _STARTS))
    try:
        best = fit_design(_with_size(design_of(fit), size), model, search, stop=stop)
        stop.check()
    except KeyboardInterrupt:
        stop.ask()
        return None
    recipe = fit.recipe
    if recipe is not None and size is not None:
        recipe = replace(recipe, formula=with_size(recipe.formula, size))
    return replace(best, recipe=recipe, data=fit.data)


def _with_size(design: Design, size: int | None) -> Design:
    if size is None:
        return design
    return replace(design, terms=tuple(replace(term, size=size) for term in design.terms))
