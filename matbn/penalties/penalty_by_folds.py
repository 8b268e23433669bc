"""The penalty by cross-validation: the one under which fits predict rows best that they have not seen.

The rows are cut into folds at random, few rows several times anew. For each fold, nets are fitted to all others along
a path of penalties, each fit started from its neighbour's end, and their squared errors on the fold are added up. It
takes several times as long as generalised cross-validation, but is not misled by nodes that have found single rows,
which look cheap to that.
"""

from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import Scored
from matbn.fitted.prediction import New, predicted
from matbn.fitted.units import in_user_units
from matbn.model.design import Design, part_of
from matbn.problem.data_order import column_order, row_order
from matbn.problem.least_squares import Problem
from matbn.problem.posing import ModelOptions, posed_problem
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
_REPEATS, _ENOUGH = 4, 1_000  # cuts, so many at most and as long as they have fewer rows in all
_STARTS = 3  # of each fold, at the middle penalty
_STEPS = range(-5, 7)  # half decades from the middle penalty


def choose_by_folds(
    design: Design, model: ModelOptions, search: SearchOptions, watched: SharedProgress
) -> tuple[float, tuple[Scored, ...]]:
    """Return the penalty of the least mean squared error on rows left out, and the scores from small to large."""
    design = _in_order(design)
    calm = centre_and_scale(design)
    design = replace(design, y=calm.y)  # intercept or effects take up what is taken off
    folds = _folds(len(design.y), search.seed)

    def process(number: int) -> Array:
        try:
            watched.stop.check()
            return _errors(design, folds[number], model, search, watched, number)
        except KeyboardInterrupt:
            watched.stop.ask()  # other threads end soon, and not after their whole fold
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
    penalties = [_penalty(model.penalty, step) for step in _STEPS]
    in_units_of_y = np.ldexp(scores, 2 * calm.exponent).tolist()
    path = tuple(Scored(penalty, score) for penalty, score in zip(penalties, in_units_of_y, strict=True))
    return penalties[int(np.argmin(scores))], path


def _in_order(design: Design) -> Design:
    """Return the design without rows of weight 0, its rows in an order of their contents."""
    rows = row_order(design, [column_order(term, design.y, design.w) for term in design.terms])
    return part_of(design, rows if design.w is None else rows[design.w[rows] > 0])


def _folds(N: int, seed: int) -> list[Array]:
    """Return which rows to leave out, fold after fold."""
    rng = generator(seed, Stream.PENALTY_FOLDS)
    count = min(_FOLDS, N)
    cuts = [rng.permutation(N) % count for _ in range(max(1, min(_REPEATS, _ENOUGH // N)))]
    return [cut == number for cut in cuts for number in range(count)]


def _penalty(middle: float, step: int) -> float:
    return float(middle * 10 ** (step / 2))


def _errors(
    design: Design, out: Array, model: ModelOptions, search: SearchOptions, watched: SharedProgress, number: int
) -> Array:
    """Return the weight of the rows left out, and for each penalty their weighted sum of squared errors."""
    errors = np.zeros(1 + len(_STEPS))
    counts = np.ones(len(out), bool) if design.w is None else design.w > 0
    if not (counts & ~out).any():
        return errors
    kept, left = part_of(design, counts & ~out), part_of(design, counts & out)
    known = np.ones(len(left.y), bool)
    for mine, theirs in zip(left.effects, kept.effects, strict=True):
        known &= np.isin(mine.levels[mine.codes], theirs.levels)
    left = part_of(left, known)
    w = np.ones(len(left.y)) if left.w is None else left.w
    errors[0] = w.sum()
    if not len(w):
        return errors
    posed = posed_problem(kept, model, constants=True)
    for step, end in _path(posed.problem, search, watched, number).items():
        there = replace(posed, problem=replace(posed.problem, penalty=_penalty(model.penalty, step)))
        fit = in_user_units(kept, there, [end], to_all_digits=False)
        groups = {effect.name: effect.levels[effect.codes] for effect in left.effects}
        prediction = predicted(fit, New([term.Z for term in left.terms], left.linear, groups))
        errors[1 + _STEPS.index(step)] = w @ (left.y - prediction) ** 2
    return errors


def _path(problem: Problem, options: SearchOptions, watched: SharedProgress, number: int) -> dict[int, Minimum]:
    """Return where the fits under all penalties end."""
    work = workspace(problem, stop=watched.stop)
    watch = watched.watch(-10 - number)

    def search(penalty: float, theta: Array) -> Minimum:
        return descend(replace(problem, penalty=penalty), work, theta, options, watch)

    starts = [
        search(problem.penalty, starting_values(problem, generator(options.seed, Stream.PENALTY_STARTS, number, start)))
        for start in range(min(_STARTS, options.starts))
    ]
    found = {0: min(starts, key=lambda end: end.loss)}
    check_finite(found[0].loss, problem.activation.name)
    for direction in (1, -1):
        for step in range(direction, _STEPS.stop if direction > 0 else _STEPS.start - 1, direction):
            found[step] = search(_penalty(problem.penalty, step), found[step - direction].theta)
    return found
