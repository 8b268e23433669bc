"""The default solver: BFGS on the profiled loss; with many rows it begins on samples of them."""

from dataclasses import replace
from itertools import chain

from matbn.arguments import Array
from matbn.problem.jacobian import inverse_curvature
from matbn.problem.least_squares import Problem
from matbn.problem.profile import objective
from matbn.problem.sweeps import Workspace, workspace
from matbn.random_streams import Stream, generator
from matbn.search.bfgs import minimise
from matbn.search.growing_samples import growing_samples
from matbn.search.kinks import least_decrease
from matbn.search.lbfgs import minimise_limited
from matbn.search.minimum import Minimum, SearchOptions, Watch

MANY = 1_000  # parameters, from which on BFGS's matrix costs more than it saves
_COARSE, _COARSE_ITERATIONS = 1e-3, 1_000  # tolerance and iterations on samples of the rows


def descend(
    problem: Problem,
    work: Workspace,
    theta: Array,
    options: SearchOptions,
    watch: Watch | None = None,
    inverse: Array | None = None,
) -> Minimum:
    """Search the profiled loss from θ by BFGS; `inverse` approximates the inverse Hessian there."""
    least = least_decrease(problem.activation, options.tolerance)
    return minimise(objective(problem, work), theta, options.tolerance, options.iterations, watch, inverse, least)


def minimise_profiled(problem: Problem, work: Workspace, theta: Array, options: SearchOptions, watch: Watch) -> Minimum:
    """Search the profiled loss from θ, first on growing samples of the rows, then on all of them."""
    if len(theta) > MANY:
        return minimise_limited(objective(problem, work), theta, options.tolerance, options.iterations, watch)

    def without_loss(iteration: int, _: float | None, at: Array) -> bool:
        return watch(iteration, None, at)

    coarse = replace(
        options, tolerance=max(options.tolerance, _COARSE), iterations=min(options.iterations, _COARSE_ITERATIONS)
    )
    inverse = None
    for number, level in enumerate(chain(growing_samples(problem, generator(options.seed, Stream.SAMPLES)), [problem])):
        whole = level is problem
        level_work = work if whole else workspace(level, work.threads, stop=work.stop)
        if number:
            inverse = inverse_curvature(level, theta, level_work)
        end = descend(level, level_work, theta, options if whole else coarse, watch if whole else without_loss, inverse)
        theta = end.theta
    return end
