"""Which rows are left out, fold after fold: rows at random, whole groups, or what follows in time."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.arguments import Array, as_integer
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedModel
from matbn.inference.request import codes_of_rows, times_of_rows
from matbn.random_streams import Stream, generator


@dataclass(frozen=True, eq=False)
class Split:
    """A fold: the rows to fit to, and the rows to predict."""

    train: Array  # N booleans
    test: Array


def splits(fit: FittedModel, by: Any, time: Any, folds: int, seed: int) -> list[Split]:
    """Return the folds of `Fit.cross_validate`: at random, by group, or ahead in time."""
    folds = as_integer("folds", folds, at_least=2)
    if by is not None and time is not None:
        raise ArgumentError("by and time are both given, but folds are either groups or blocks of time")
    if time is not None:
        return _blocks_of_time(times_of_rows(fit, time), folds)
    rng = generator(as_integer("seed", seed), Stream.FOLDS)
    units = np.arange(fit.N) if by is None else codes_of_rows(fit, by)
    count = int(units.max()) + 1
    if count < 2:
        raise ArgumentError("by has one group only; at least two are needed, so that one is left to fit to")
    fold = rng.permutation(count) % min(folds, count)
    return [Split(fold[units] != number, fold[units] == number) for number in range(min(folds, count))]


def _blocks_of_time(times: Array, folds: int) -> list[Split]:
    """Return folds for blocks of time, each of which is predicted from all rows before it."""
    values = np.unique(times)
    if len(values) < 2:
        raise ArgumentError("time has one value only; at least two are needed, the first to fit to")
    blocks = np.array_split(values, min(folds + 1, len(values)))
    return [Split(times < block[0], (times >= block[0]) & (times <= block[-1])) for block in blocks[1:]]
