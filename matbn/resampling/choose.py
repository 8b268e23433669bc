"""Choice of net sizes and penalties: every combination is scored, the best one fitted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from matbn.arguments import Array, as_choice, as_integer, as_number
from matbn.errors import ArgumentError
from matbn.fitting.arrays import fit_design
from matbn.fitting.design import Design
from matbn.fitting.formula import resized
from matbn.fitting.result import Fit
from matbn.resampling.refit import design_of, options_of
from matbn.resampling.splits import splits
from matbn.resampling.validate import UNSEEN, validated

CRITERIA = ("cv", "bic")
_STARTS = 10  # of the fit that is returned


@dataclass(frozen=True, eq=False)
class Choice:
    """Scores of all combinations, an entry for each, and the best one's fit."""

    sizes: Array  # of each net; nan where they were left alone
    penalties: Array
    scores: Array  # mean squared error in cross-validation, or BIC
    errors: Array  # of the former; nan otherwise
    criterion: str
    fit: Fit

    def __str__(self) -> str:
        from matbn.fitting.report import table

        best = int(np.argmin(self.scores))
        rows = []
        for k, (size, penalty, score, error) in enumerate(
            zip(self.sizes, self.penalties, self.scores, self.errors, strict=True)
        ):
            cells = ["as it was" if np.isnan(size) else f"{size:g}", f"{penalty:.3g}", f"{score:.6g}"]
            rows.append([*cells, "" if np.isnan(error) else f"± {error:.2g}", "<-" if k == best else ""])
        return "\n".join(table(("size", "penalty", self.criterion, "", ""), rows))


def choose(
    fit: Fit,
    sizes: Sequence[int] | None,
    penalties: Sequence[float] | None,
    criterion: str,
    by: Any,
    time: Any,
    folds: int,
    unseen: str,
    starts: int,
    seed: int,
) -> Choice:
    """Return `Fit.choose`'s result."""
    design = design_of(fit)
    as_choice("criterion", criterion, CRITERIA)
    as_choice("unseen", unseen, UNSEEN)
    starts, seed = as_integer("starts", starts, at_least=1), as_integer("seed", seed)
    if not design.terms:
        raise ArgumentError("the fit has no net, so that there is neither a size nor a penalty to choose")
    if sizes is not None and any(term.mask is not None for term in design.terms):
        raise ArgumentError("a net has a mask, which fixes its size; choose among penalties only")
    cut = splits(fit, by, time, folds, seed) if criterion == "cv" else []
    tried = [
        (size, penalty)
        for size in ([None] if sizes is None else [as_integer("sizes", size, at_least=1) for size in sizes])
        for penalty in (
            [fit.penalty]
            if penalties is None
            else [as_number("penalties", penalty, at_least=0) for penalty in penalties]
        )
    ]
    if not tried:
        raise ArgumentError("sizes or penalties are empty; give at least one of each, or leave them out")
    scores, errors = [], []
    for size, penalty in tried:
        options = replace(options_of(fit, starts, seed), penalty=penalty)
        if criterion == "cv":
            found = validated(_sized(design, size), options, cut, unseen, None)
            scores.append(found.mse)
            errors.append(found.error)
        else:
            scores.append(fit_design(_sized(design, size), options).bic)
            errors.append(np.nan)
    size, penalty = tried[int(np.argmin(scores))]
    options = replace(options_of(fit, max(starts, _STARTS), seed), penalty=penalty)
    best = fit_design(_sized(design, size), options)
    recipe = fit.recipe
    if recipe is not None and size is not None:
        recipe = replace(recipe, formula=resized(recipe.formula, size))
    return Choice(
        np.array([np.nan if size is None else size for size, _ in tried], float),
        np.array([penalty for _, penalty in tried]),
        np.array(scores),
        np.array(errors),
        criterion,
        replace(best, recipe=recipe, data=fit.data),
    )


def _sized(design: Design, size: int | None) -> Design:
    if size is None:
        return design
    return replace(design, terms=tuple(replace(term, size=size) for term in design.terms))
