"""The penalty by cross-validation: the one whose fits best predict rows that were left out.

The rows are cut into folds at random, several times if there are few rows. For each fold, nets are fitted to the other
rows along a path of penalties, each fit started where its neighbour ended, and their squared errors on the fold are
added up. This takes several times as long as generalised cross-validation (GCV). But it is not misled by nodes that
each fit a single row, to which GCV ascribes too few degrees of freedom.
"""

from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import Scored
from matbn.fitted.prediction import New, predict
from matbn.fitted.units import in_user_units
from matbn.model.design import Design, some_rows
from matbn.problem.data_order import column_order, row_order
from matbn.problem.least_squares import Problem
from matbn.problem.posing import ModelOptions, pose
from matbn.problem.scaling import centre_and_scale
from matbn.problem.sweeps import workspace
from matbn.random_streams import Stream, generator
from matbn.search.minimum import Minimum, SearchOptions
from matbn.search.multistart import check_finite
from matbn.search.profiled import descend
from matbn.search.progress import SharedProgress
from matbn.search.starts import starting_values
from matbn.threads import combine_in_order, default_threads

_FOLDS = 5
_REPEATS, _ENOUGH = 4, 1_000  # the rows are cut up to 4 times, as long as they come to 1,000 rows at most in all
_STARTS = 3  # searches of each fold under the middle penalty
_STEPS = range(-5, 7)  # the penalties tried, in half decades from the middle one


def choose_by_folds(
    design: Design, model: ModelOptions, search: SearchOptions, progress: SharedProgress
) -> tuple[float, tuple[Scored, ...]]:
    """Return the penalty of the least mean squared error on rows left out, and the scores from small to large."""
    design = _sort_rows(design)
    scaled = centre_and_scale(design)
    design = replace(design, y=scaled.y)  # the intercept or the effects absorb what is subtracted
    folds = _random_folds(len(design.y), search.seed)

    def process(number: int) -> Array:
        try:
            progress.stop.check()
            return _squared_errors(design, folds[number], model, search, progress, number)
        except KeyboardInterrupt:
            progress.stop.ask()  # so that other threads need not finish their folds
            raise

    threads = min(_FOLDS, default_threads())
    sums = combine_in_order(range(len(folds)), process, np.add, threads)
    assert sums is not None
    with np.errstate(invalid="ignore"):
        scores = sums[1:] / sums[0]
    if not np.isfinite(scores).all() or np.ptp(scores) == 0:
        raise ArgumentError(
            f"penalty is 'cv' (the default), but {len(design.y)} rows do not tell one penalty from another: none can be"
            " predicted from others, or all penalties predict alike; give a number, such as penalty=1e-3"
        )
    penalties = [_penalty_at(model.penalty, step) for step in _STEPS]
    in_units_of_y = np.ldexp(scores, 2 * scaled.exponent).tolist()
    path = tuple(Scored(penalty, score) for penalty, score in zip(penalties, in_units_of_y, strict=True))
    return penalties[int(np.argmin(scores))], path


def _sort_rows(design: Design) -> Design:
    """Return the design without rows of weight 0, with its rows sorted by their contents (see `data_order`)."""
    rows = row_order(design, [column_order(term, design.y, design.w) for term in design.terms])
    return some_rows(design, rows if design.w is None else rows[design.w[rows] > 0])


def _random_folds(N: int, seed: int) -> list[Array]:
    """Return for each fold which rows (N booleans) are left out."""
    rng = generator(seed, Stream.PENALTY_FOLDS)
    count = min(_FOLDS, N)
    cuts = [rng.permutation(N) % count for _ in range(max(1, min(_REPEATS, _ENOUGH // N)))]
    return [cut == number for cut in cuts for number in range(count)]


def _penalty_at(middle: float, step: int) -> float:
    return float(middle * 10 ** (step / 2))


def _squared_errors(
    design: Design, out: Array, model: ModelOptions, search: SearchOptions, progress: SharedProgress, number: int
) -> Array:
    """Return the total weight of the rows that are left out, then for each penalty their weighted squared errors."""
    errors = np.zeros(1 + len(_STEPS))
    has_weight = np.ones(len(out), bool) if design.w is None else design.w > 0
    if not (has_weight & ~out).any():
        return errors
    kept, left = some_rows(design, has_weight & ~out), some_rows(design, has_weight & out)
    known = np.ones(len(left.y), bool)  # whether both have the row's groups
    for of_left, of_kept in zip(left.effects, kept.effects, strict=True):
        known &= np.isin(of_left.levels[of_left.codes], of_kept.levels)
    left = some_rows(left, known)
    w = np.ones(len(left.y)) if left.w is None else left.w
    errors[0] = w.sum()
    if not len(w):
        return errors
    posed = pose(kept, model, constants=True)
    for step, end in _ends(posed.problem, search, progress, number).items():
        penalised = replace(posed, problem=replace(posed.problem, penalty=_penalty_at(model.penalty, step)))
        fit = in_user_units(kept, penalised, [end], to_all_digits=False)
        groups = {effect.name: effect.levels[effect.codes] for effect in left.effects}
        prediction = predict(fit, New([term.Z for term in left.terms], left.linear, groups))
        errors[1 + _STEPS.index(step)] = w @ (left.y - prediction) ** 2
    return errors


def _ends(problem: Problem, options: SearchOptions, progress: SharedProgress, number: int) -> dict[int, Minimum]:
    """Return where the search under each penalty ends, by the penalty's step."""
    work = workspace(problem, stop=progress.stop)
    watch = progress.watch(-10 - number)

    def search(penalty: float, theta: Array) -> Minimum:
        return descend(replace(problem, penalty=penalty), work, theta, options, watch)

    starts = [
        search(problem.penalty, starting_values(problem, generator(options.seed, Stream.PENALTY_STARTS, number, start)))
        for start in range(min(_STARTS, options.starts))
    ]
    ends = {0: min(starts, key=lambda end: end.loss)}
    check_finite(ends[0].loss, problem.activation.name)
    for direction in (1, -1):
        for step in range(direction, _STEPS.stop if direction > 0 else _STEPS.start - 1, direction):
            ends[step] = search(_penalty_at(problem.penalty, step), ends[step - direction].theta)
    return ends
