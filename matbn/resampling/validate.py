"""Cross-validation: each fold is predicted by a fit to all others; folds are fitted in parallel.

Groups that a fold's fit has not seen get the average effect or zero. With "estimate", the effect for a row is the mean
residual of the other rows in its group, which judges predictions within groups: the errors e_i - ē of a group's n rows
are multiplied by n/(n - 1), and a row that is alone in its group is not predicted.

A fold's fit is the best of several starts, one of which is the fit to all rows. That fit has seen the fold, but it can
only lead to one of the local minima of the other rows' loss.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.arguments import Array, as_choice, as_integer
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedModel
from matbn.fitted.prediction import New, predict
from matbn.fitted.unseen_groups import new_groups
from matbn.fitting.refit import Start, design_of, fit_again, start_of, warn_cut_short
from matbn.model.design import Design, some_rows
from matbn.problem.posing import ModelOptions
from matbn.resampling.splits import Split, splits
from matbn.search.minimum import SearchOptions
from matbn.stopping import Stop, listening
from matbn.threads import combine_in_order, default_threads

UNSEEN = ("average", "zero", "estimate")


@dataclass(frozen=True, eq=False)
class Validation:
    """How well rows are predicted by fits to other rows."""

    predictions: Array  # N, nan where a row was not predicted
    fold: Array  # N, -1 likewise
    by_fold: Array  # mean squared error of each fold, weighted
    mse: float  # over all rows predicted, weighted
    error: float  # standard error of the mse, from the spread of the folds
    r_squared: float  # 1 - mse/(the weighted variance of the same rows' outcomes)

    @property
    def rmse(self) -> float:
        """Root of the mean squared error."""
        return float(np.sqrt(self.mse))

    def __str__(self) -> str:
        return (
            f"{len(self.by_fold)} folds: root mean squared error {self.rmse:.6g}, mean squared {self.mse:.6g} (error"
            f" {self.error:.2g}), R² {self.r_squared:.4f}"
        )


def cross_validate(fit: FittedModel, by: Any, time: Any, folds: int, unseen: str, starts: int, seed: int) -> Validation:
    """Return `Fit.cross_validate`'s result."""
    design = design_of(fit)
    as_choice("unseen", unseen, UNSEEN)
    search = SearchOptions(as_integer("starts", starts, at_least=0), as_integer("seed", seed))
    parts, start = splits(fit, by, time, folds, seed), start_of(fit)
    with listening() as stop:
        predictions = predictions_of_folds(design, fit.options, search, parts, unseen, start, stop)
        if stop.asked:
            if not any(np.isfinite(values).any() for values in predictions.values()):
                raise KeyboardInterrupt
            warn_cut_short(
                stop,
                f"the cross-validation was interrupted when {len(predictions)} of {len(parts)} folds had been predicted"
                ": all scores are of these, and the other rows' predictions are nan",
            )
    return validation_of(design, parts, predictions)


def predictions_of_folds(
    design: Design,
    model: ModelOptions,
    search: SearchOptions,
    folds: Sequence[Split],
    unseen: str,
    start: Start | None,
    stop: Stop,
) -> dict[int, Array]:
    """Return predictions by the fold's number; after an interrupt, those of the folds that had ended."""
    predictions: dict[int, Array] = {}

    def refit(part: Design) -> FittedModel:
        return fit_again(part, model, search, start, stop)

    def process(number: int) -> None:
        predictions[number] = _predictions(design, folds[number], unseen, refit)

    try:
        combine_in_order(range(len(folds)), process, lambda a, b: None, min(len(folds), default_threads()))
    except KeyboardInterrupt:
        stop.ask()
    return predictions


def validation_of(design: Design, folds: Sequence[Split], by_number: Mapping[int, Array]) -> Validation:
    """Return how well folds are predicted, from the predictions by fold."""
    predictions, fold = np.full(len(design.y), np.nan), np.full(len(design.y), -1)
    for number, values in by_number.items():
        predictions[folds[number].test] = values
        fold[folds[number].test] = number
    fold[np.isnan(predictions)] = -1
    if (fold < 0).all():
        raise ArgumentError("no row can be predicted in any fold; take other folds")
    return _validation(design, predictions, fold, len(folds))


def _predictions(design: Design, split: Split, unseen: str, refit: Callable[[Design], FittedModel]) -> Array:
    counts = np.ones(len(design.y), bool) if design.w is None else design.w > 0
    if not (split.train & counts).any():
        return np.full(int(split.test.sum()), np.nan)
    kept, left = some_rows(design, split.train & counts), some_rows(design, split.test)
    fit = refit(kept)
    labels = {effect.name: effect.levels[effect.codes] for effect in left.effects}
    new = New([term.Z for term in left.terms], left.linear, labels, left.y)
    value = predict(fit, new, unseen)
    if unseen != "estimate" or not fit.effects:
        return value
    groups = new_groups(fit, labels, left.y, len(value))
    n = np.append(groups.counts, 0)[groups.code].astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        others: Array = np.where(groups.code >= 0, n / (n - 1), 1)
        return np.where(np.isfinite(others), left.y - (left.y - value) * others, np.nan)


def _validation(design: Design, predictions: Array, fold: Array, count: int) -> Validation:
    w = np.ones(len(design.y)) if design.w is None else design.w
    rows = (fold >= 0) & (w > 0)
    squares = w[rows] * np.square(design.y[rows] - predictions[rows])
    weight = np.bincount(fold[rows], w[rows], count)
    present = weight > 0
    by_fold = np.bincount(fold[rows], squares, count)[present] / weight[present]
    mse = float(squares.sum() / w[rows].sum())
    error = float(by_fold.std(ddof=1) / np.sqrt(len(by_fold))) if len(by_fold) > 1 else float("nan")
    y = design.y[rows]
    variance = float(np.average(np.square(y - np.average(y, weights=w[rows])), weights=w[rows]))
    predictions = predictions if design.offset is None else predictions + design.offset
    return Validation(predictions, fold, by_fold, mse, error, 1 - mse / variance if variance > 0 else float("nan"))
