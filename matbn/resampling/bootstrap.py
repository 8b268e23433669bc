"""The bootstrap: fits to rows or whole groups that are drawn with replacement.

A replicate starts from the fit's parameters and keeps its penalty. A row (or group) that is drawn k times is counted
with weight k; that is the same as k copies, for copies of a group would have equal fixed effects. Marginal effects are
always averaged over the fit's own rows, so that their spread is that given the inputs, as for the delta method.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from matbn.arguments import Array, as_integer
from matbn.errors import ArgumentError, MatbnError
from matbn.fitted.fitted_model import FittedModel
from matbn.fitted.report import table
from matbn.fitting.refit import Start, design_of, fit_again, reweight, start_of, warn_cut_short
from matbn.inference.linearisation import linearise
from matbn.inference.marginal_effects import effects_at
from matbn.inference.predictions import NewRows, own_rows
from matbn.inference.request import as_level, codes_of_rows
from matbn.inference.variables import change_with, numbers_of
from matbn.memory import check_memory
from matbn.model.design import some_rows
from matbn.random_streams import Stream, generator
from matbn.search.minimum import SearchOptions
from matbn.search.progress import Counter
from matbn.stopping import Stop, listening
from matbn.threads import combine_in_order, default_threads


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """A statistic's values, with a row for each replicate; the row is nan where the statistic could not be computed."""

    names: tuple[str, ...]
    estimate: Array  # of the fit itself
    draws: Array  # replicates × statistics
    groups: int  # how many were drawn from; single rows count as groups
    failed: int  # replicates without a value

    @property
    def error(self) -> Array:
        """Standard deviations over the replicates."""
        return np.asarray(np.nanstd(self.draws, axis=0, ddof=1))

    @property
    def covariance(self) -> Array:
        """Covariance over the replicates without nan."""
        return np.atleast_2d(np.cov(self.draws[~np.isnan(self.draws).any(axis=1)], rowvar=False))

    @property
    def bias(self) -> Array:
        """Mean over the replicates, less the estimate."""
        return np.asarray(np.nanmean(self.draws, axis=0) - self.estimate)

    def interval(self, level: float = 0.95) -> Array:
        """Return percentile bounds (statistics × 2)."""
        level = as_level(level)
        return np.asarray(np.nanquantile(self.draws, [(1 - level) / 2, (1 + level) / 2], axis=0).T)

    def __str__(self) -> str:
        lower, upper = self.interval().T
        columns = (self.estimate, self.bias, self.error, lower, upper)
        rows = [[name, *(f"{x:.4g}" for x in values)] for name, *values in zip(self.names, *columns, strict=True)]
        about = f"{len(self.draws)} replicates of {self.groups} drawn" + (
            f", {self.failed} of them failed" if self.failed else ""
        )
        return "\n".join([about, *table(("", "estimate", "bias", "error", "2.5 %", "97.5 %"), rows)])


Value = Callable[[FittedModel], Array]


def bootstrap(
    fit: FittedModel,
    statistic: Callable[[FittedModel], Any] | None,
    replicates: int,
    by: Any,
    seed: int,
    progress: bool | None,
) -> Bootstrap:
    """Return `Fit.bootstrap`'s result."""
    design_of(fit)
    units = np.arange(fit.N) if by is None else codes_of_rows(fit, by)
    if statistic is None:
        names = numbers_of(fit)
        labels = (*fit.coefficient_names, *(f"effect of {name}" for name in names))
        value_of = coefficients_and_effects(fit, [change_with(fit, name) for name in names])
        return bootstrap_draws(fit, value_of, labels, replicates, units, seed, default_threads(), progress)
    value_of = as_statistic(statistic)
    labels = tuple(f"statistic {k + 1}" for k in range(len(value_of(fit))))
    return bootstrap_draws(fit, value_of, labels, replicates, units, seed, 1, progress)


def bootstrap_draws(
    fit: FittedModel,
    value_of: Value,
    names: tuple[str, ...],
    replicates: int,
    units: Array,
    seed: int,
    threads: int,
    progress: bool | None,
) -> Bootstrap:
    """Return a statistic's draws, which do not depend on threads; `units` (N) has the number of each row's group."""
    replicates, seed = as_integer("replicates", replicates, at_least=2), as_integer("seed", seed)
    groups = int(units.max()) + 1
    if groups < 2:
        raise ArgumentError("by has one group only; at least two must be there to be drawn")
    estimate = value_of(fit)
    if not len(estimate) or np.isnan(estimate).all():
        raise ArgumentError(
            "there is nothing to bootstrap: for the fit itself, the statistic is nan or empty; give another one"
        )
    check_memory(f"{replicates:,} replicates", replicates * (len(estimate) + 16), "take fewer replicates")
    start, search = start_of(fit), SearchOptions(0, seed)

    by_number: dict[int, Array] = {}

    def process(number: int) -> None:
        chosen = generator(seed, Stream.REPLICATES, number).integers(groups, size=groups)
        counts = np.bincount(chosen, minlength=groups)[units].astype(float)
        try:
            replicate = _replicate(fit, counts, search, start, stop)
            with stop.interruptible():
                values = value_of(replicate)
            stop.check()  # a statistic may itself fit nets, which an interrupt cuts off
        except MatbnError:
            values = np.full(len(estimate), np.nan)
        by_number[number] = values
        bar.one_more()

    with listening() as stop, Counter("bootstrap", replicates, progress) as bar:
        try:
            combine_in_order(range(replicates), process, lambda a, b: None, threads)
        except KeyboardInterrupt:
            stop.ask()
        if any(len(values) != len(estimate) for values in by_number.values()):
            raise ArgumentError(
                "statistic returns vectors of different lengths; it must return as many numbers each time"
            )
        draws = np.array([values for _, values in sorted(by_number.items())]).reshape(len(by_number), len(estimate))
        failed = int(np.isnan(draws).all(axis=1).sum())
        if failed > len(draws) - 2:
            stop.check()
            raise ArgumentError(f"{failed} of {replicates} replicates could not be fitted")
        if stop.asked:
            warn_cut_short(
                stop,
                f"the bootstrap was interrupted when {len(draws)} of {replicates} replicates had ended: errors and"
                " bounds are of these",
            )
    return Bootstrap(names, estimate, draws, groups, failed)


def _replicate(fit: FittedModel, counts: Array, search: SearchOptions, start: Start, stop: Stop) -> FittedModel:
    design = reweight(design_of(fit), counts)
    assert design.w is not None
    rows = design.w > 0
    replicate = fit_again(some_rows(design, rows), fit.options, search, start, stop)
    return replace(replicate, recipe=fit.recipe, data=None if fit.data is None else fit.data[rows])


def coefficients_and_effects(fit: FittedModel, changes: Sequence[NewRows]) -> Value:
    """Return the statistic that is bootstrapped by default: linear coefficients and average marginal effects.

    `changes` are those of the variables at the fit's rows, over which the effects of all replicates are averaged.
    """
    design = design_of(fit)
    rows = own_rows(design)

    def value_of(one: FittedModel) -> Array:
        linearisation = linearise(one)
        effects = [np.average(effects_at(linearisation, rows, change)[0], weights=design.w) for change in changes]
        return np.concatenate([one.coefficients, effects])

    return value_of


def as_statistic(statistic: Callable[[FittedModel], Any]) -> Value:
    """Return a user's statistic as a function whose values are checked."""
    if not callable(statistic):
        raise ArgumentError(f"statistic is a {type(statistic).__name__}, but must be a function of a fit")

    def value_of(fit: FittedModel) -> Array:
        try:
            return np.atleast_1d(np.asarray(statistic(fit), dtype=float)).ravel()
        except Exception as error:  # whatever the user's function raises becomes the cause
            raise ArgumentError(
                f"statistic must return a number or a vector of numbers, but stops with {type(error).__name__}: {error}"
            ) from error

    return value_of
