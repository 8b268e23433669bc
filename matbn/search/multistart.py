"""Searches from several starting values, in threads, by the solver that the user names."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.blas import one_blas_thread
from matbn.errors import NotFiniteError
from matbn.memory import check_memory
from matbn.problem.least_squares import Problem
from matbn.problem.profile import solve
from matbn.problem.sweeps import Workspace, products, workspace
from matbn.random_streams import Stream, generator
from matbn.search.adam import minimise_by_batches
from matbn.search.joint import minimise_jointly
from matbn.search.kinks import minimum_at_kinks
from matbn.search.levenberg_marquardt import minimise_damped
from matbn.search.minimum import CONVERGED, INTERRUPTED, ITERATIONS, NO_DECREASE, Minimum, SearchOptions, Watch
from matbn.search.profiled import minimise_profiled
from matbn.search.progress import SharedProgress
from matbn.search.starts import starting_values
from matbn.stopping import Stop
from matbn.threads import combine_in_order, default_threads, threads_that_pay

_ALIKE = 1e-9  # relative difference of losses that count as equal
_MOST_TO_POLISH = 20_000_000  # entries of the Jacobian, up to which a search that did not converge is polished
_POLISH = -2  # number of the polishing among the searches
_POLISH_SHARE = 20  # polishing may take one iteration for so many that a search may take

Solver = Callable[[Problem, Workspace, Array, SearchOptions, Watch], Minimum]  # searches from θ


def search_from_starts(
    problem: Problem, options: SearchOptions, progress: SharedProgress, warm_start: Array | None = None
) -> list[Minimum]:
    """Return where the searches from all starts end, the best first; `warm_start` is a θ to start from besides.

    An interrupt ends all searches where they are. Searches that had not begun are left out, except the first, so that
    there is always a result.
    """
    stop = progress.stop

    def search(start: int) -> list[Minimum]:
        if stop.asked and start != pieces[0]:
            return []
        theta = warm_start if start < 0 else starting_values(problem, generator(options.seed, Stream.STARTS, start))
        assert theta is not None
        work = workspace(problem, in_search, stop=stop)
        try:
            watch = progress.watch(start)
            end = SOLVERS[options.solver](problem, work, theta, options, watch)
            if end.status == NO_DECREASE and problem.activation.jump:
                end = minimum_at_kinks(problem, work, end, options, watch)
        except KeyboardInterrupt:
            stop.ask()
            end = _minimum_so_far(problem, progress.best.get(start, theta), work)
        progress.count_end()
        return [_with_trace(end, progress, start)]

    check_memory(f"{options.starts:,} starts", options.starts * (2 * problem.theta_size + 64), "take fewer starts")
    progress.forget()
    pieces = range(0 if warm_start is None else -1, options.starts)
    cores = default_threads()
    in_search = threads_that_pay(cores, products(problem)) if len(pieces) == 1 else 1
    threads = min(len(pieces), cores) if in_search <= 1 else 1
    ends = combine_in_order(pieces, search, list.__add__, threads)
    assert ends is not None
    progress.report_end()
    least = min(end.loss for end in ends)
    check_finite(least, problem.activation.name)
    # Among searches whose losses are equal but for rounding the first comes first.
    ends.sort(key=lambda end: max(end.loss, least * (1 + _ALIKE)))
    stopped = ends[0].status in (ITERATIONS, NO_DECREASE) and not stop.asked
    if stopped and options.solver == "profiled" and not problem.activation.jump:
        ends[0] = _polish(problem, ends[0], options, progress)
    return ends


def check_finite(loss: float, activation: str) -> None:
    """Raise an error if the least loss of all starts is not finite."""
    if not np.isfinite(loss):
        raise NotFiniteError(
            f"no start leads to a finite loss: activation {activation!r} gives infinite or undefined values, or the"
            " penalty is too large"
        )


SOLVERS: dict[str, Solver] = {
    "profiled": minimise_profiled,
    "joint": minimise_jointly,
    "lm": minimise_damped,
    "adam": minimise_by_batches,
}


@one_blas_thread()
def _polish(problem: Problem, end: Minimum, options: SearchOptions, progress: SharedProgress) -> Minimum:
    """Continue a search by Levenberg and Marquardt's steps; return where they end, if that is better."""
    if len(problem.y) * (len(end.theta) + problem.nodes) > _MOST_TO_POLISH:
        return end
    options = replace(options, iterations=options.iterations // _POLISH_SHARE)
    watch, work = progress.watch(_POLISH), workspace(problem, stop=progress.stop)
    try:
        polished = minimise_damped(problem, work, end.theta, options, watch)
    except KeyboardInterrupt:
        progress.stop.ask()
        so_far = _minimum_so_far(problem, progress.best.get(_POLISH, end.theta), work)
        polished = _with_trace(so_far, progress, _POLISH)
    both = replace(
        polished,
        iterations=end.iterations + polished.iterations,
        evaluations=end.evaluations + polished.evaluations,
        trace=end.trace + tuple(progress.losses[_POLISH]),
    )
    return both if polished.status == CONVERGED or polished.loss < end.loss else end


def _minimum_so_far(problem: Problem, theta: Array, work: Workspace) -> Minimum:
    at = solve(problem, theta, replace(work, stop=Stop()))
    return Minimum(theta, at.loss, at.gradient, 0, 0, INTERRUPTED)


def _with_trace(end: Minimum, progress: SharedProgress, start: int) -> Minimum:
    trace = tuple(progress.losses.get(start, ()))
    return replace(end, trace=trace, iterations=end.iterations or len(trace))
