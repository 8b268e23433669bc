"""Searches from several starting values, each by the solver that the user named, in threads."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.blas import one_blas_thread
from matbn.errors import NotFiniteError
from matbn.memory import check_memory
from matbn.problem.least_squares import Problem
from matbn.problem.profile import solved
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

_ALIKE = 1e-9  # relative difference of losses
_POLISHED = 20_000_000  # entries of the Jacobian, up to which a search that did not converge is polished
_POLISH = -2  # its number among the searches
_POLISH_SHARE = 20  # iterations of a search, for which polishing may take one step

Solver = Callable[[Problem, Workspace, Array, SearchOptions, Watch], Minimum]  # searches from θ


def search_from_starts(
    problem: Problem, options: SearchOptions, watched: SharedProgress, also: Array | None = None
) -> list[Minimum]:
    """Return where all starts end, the best first; `also` is one more of them.

    An interrupt ends all searches where they are. What had not begun is left out, but for the first start, so that
    there is an end in any case.
    """
    stop = watched.stop

    def search(start: int) -> list[Minimum]:
        if stop.asked and start != pieces[0]:
            return []
        theta = also if start < 0 else starting_values(problem, generator(options.seed, Stream.STARTS, start))
        assert theta is not None
        work = workspace(problem, in_search, stop=stop)
        try:
            watch = watched.watch(start)
            found = SOLVERS[options.solver](problem, work, theta, options, watch)
            if found.status == NO_DECREASE and problem.activation.jump:
                found = minimum_at_kinks(problem, work, found, options, watch)
        except KeyboardInterrupt:
            stop.ask()
            found = _interrupted(problem, watched.best.get(start, theta), work)
        watched.ended()
        return [_traced(found, watched, start)]

    theta_size = sum(size * len(term.x) for size, term in zip(problem.sizes, problem.terms, strict=True))
    check_memory(f"{options.starts:,} starts", options.starts * (2 * theta_size + 64), "take fewer starts")
    watched.forget()
    pieces = range(0 if also is None else -1, options.starts)
    cores = default_threads()
    in_search = threads_that_pay(cores, products(problem)) if len(pieces) == 1 else 1
    threads = min(len(pieces), cores) if in_search <= 1 else 1
    ends = combine_in_order(pieces, search, list.__add__, threads)
    assert ends is not None
    watched.all_ended()
    least = min(end.loss for end in ends)
    check_found(least, problem.activation.name)
    # Of starts that end alike but for rounding the first counts, whichever of them is a digit ahead.
    ends.sort(key=lambda end: max(end.loss, least * (1 + _ALIKE)))
    stopped = ends[0].status in (ITERATIONS, NO_DECREASE) and not stop.asked
    if stopped and options.solver == "profiled" and not problem.activation.jump:
        ends[0] = _polished(problem, ends[0], options, watched)
    return ends


def check_found(loss: float, activation: str) -> None:
    """Refuse a search of which no start had a finite loss."""
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
def _polished(problem: Problem, end: Minimum, options: SearchOptions, watched: SharedProgress) -> Minimum:
    """Go on from where a search stopped, by Levenberg and Marquardt's steps; their end, if it is better."""
    if len(problem.y) * (len(end.theta) + problem.nodes) > _POLISHED:
        return end
    options = replace(options, iterations=options.iterations // _POLISH_SHARE)
    watch, work = watched.watch(_POLISH), workspace(problem, stop=watched.stop)
    try:
        found = minimise_damped(problem, work, end.theta, options, watch)
    except KeyboardInterrupt:
        watched.stop.ask()
        found = _traced(_interrupted(problem, watched.best.get(_POLISH, end.theta), work), watched, _POLISH)
    both = replace(
        found,
        iterations=end.iterations + found.iterations,
        evaluations=end.evaluations + found.evaluations,
        trace=end.trace + tuple(watched.losses[_POLISH]),
    )
    return both if found.status == CONVERGED or found.loss < end.loss else end


def _interrupted(problem: Problem, theta: Array, work: Workspace) -> Minimum:
    found = solved(problem, theta, replace(work, stop=Stop()))
    return Minimum(theta, found.loss, found.gradient, 0, 0, INTERRUPTED)


def _traced(end: Minimum, watched: SharedProgress, start: int) -> Minimum:
    trace = tuple(watched.losses.get(start, ()))
    return replace(end, trace=trace, iterations=end.iterations or len(trace))
