"""Fitting a checked design: several starts in threads, the best of them, and its solution in the user's units."""

from dataclasses import replace

import numpy as np

from matbn.activation import identity, sine, tanh
from matbn.arguments import Array
from matbn.fitting.bfgs import Minimum
from matbn.fitting.design import Design
from matbn.fitting.gcv import Scored, chosen_penalty, effective_degrees
from matbn.fitting.linear import coefficients
from matbn.fitting.messages import messages
from matbn.fitting.posing import Options, Posed, degrees_of, posed_problem, rank_of
from matbn.fitting.problem import layers, projected
from matbn.fitting.profile import solved
from matbn.fitting.progress import Report, Watched
from matbn.fitting.result import Fit, FittedEffect, FittedNet, Search
from matbn.fitting.search import searched
from matbn.fitting.sweeps import net_output, workspace

_ROUGH = 1e-4  # tolerance of the fits that only choose a penalty
_ROUGH_ITERATIONS = 1_000
_ODD = (tanh, sine, identity)  # a(-b) = -a(b)


@np.errstate(all="ignore")
def fit_design(design: Design, options: Options, report: Report | None = None) -> Fit:
    """Fit a design."""
    posed = posed_problem(design, options)
    if not posed.parts or posed.exact:
        return _in_units(design, posed, options, [])
    watched = Watched(options.starts, posed.scale, report)
    if options.penalty is not None:
        return _in_units(design, posed, options, searched(posed.problem, options, watched))
    rough = replace(options, tolerance=max(options.tolerance, _ROUGH), solver="profiled", iterations=_ROUGH_ITERATIONS)
    ends = searched(posed.problem, rough, watched)
    path: tuple[Scored, ...] = ()
    try:
        penalty, theta, path = chosen_penalty(posed.problem, degrees_of(posed), ends[0], rough, watched.watch(-1))
        if not watched.stopped:
            posed = replace(posed, problem=replace(posed.problem, penalty=penalty))
            ends = searched(posed.problem, options, watched, theta)
    except KeyboardInterrupt:  # the middle penalty's fit is there already
        ends[0] = replace(ends[0], status="interrupted")
    fit = _in_units(design, posed, options, ends)
    edf, _ = effective_degrees(posed.problem, ends[0].theta, workspace(posed.problem))
    return replace(fit, edf=edf + degrees_of(posed), path=path)


def _in_units(design: Design, posed: Posed, options: Options, ends: list[Minimum]) -> Fit:
    problem, scale = posed.problem, posed.scale
    y = design.y[posed.order]
    left = y.copy()
    nets: tuple[FittedNet, ...] = ()
    if ends:
        work = workspace(problem)
        found = solved(problem, ends[0].theta, work)
        left -= scale * net_output(problem, layers(problem, ends[0].theta), found.Gamma2, work)
        nets = _nets(design, posed, ends[0].theta, scale * found.Gamma2)
    raw = projected(problem, left[None])[0]
    b = coefficients(posed.linear, raw, len(design.linear_names))
    left -= design.linear[posed.order] @ np.nan_to_num(b)
    effects: tuple[FittedEffect, ...] = ()
    if posed.effects is not None:
        effects, left = _effects(design, posed, left)
    residuals = _unsorted(left, posed.order)
    sum_of_squares = float(residuals @ residuals if design.w is None else (design.w * residuals) @ residuals)
    return Fit(
        nets=nets,
        coefficients=b,
        coefficient_names=design.linear_names,
        effects=effects,
        activation=options.activation,
        penalty=problem.penalty,
        linear_penalty=options.linear_penalty,
        fitted=design.y - residuals,
        residuals=residuals,
        sum_of_squares=sum_of_squares,
        weight=problem.weight,
        N=len(y),
        rank=rank_of(posed),
        singletons=0 if posed.effects is None else posed.effects.singletons,
        searches=tuple(_search(end, scale) for end in ends),
        messages=messages(design, posed, ends),
        total_sum_of_squares=_about_mean(design.y, design.w),
        within_sum_of_squares=float(np.square(projected(problem, y[None])[0]).sum())
        if posed.effects is not None
        else _about_mean(design.y, design.w),
    )


def _about_mean(y: Array, w: Array | None) -> float:
    centred = y - np.average(y, weights=w)
    return float(centred @ centred if w is None else (w * centred) @ centred)


def _nets(design: Design, posed: Posed, theta: Array, Gamma2: Array) -> tuple[FittedNet, ...]:
    """Take each term's nodes back to the units of its inputs."""
    A = [np.zeros((term.Z.shape[1], term.size)) for term in design.terms]
    gamma, beta, output = ([np.zeros(term.size) for term in design.terms] for _ in range(3))
    start = 0
    for part, layer in zip(posed.parts, layers(posed.problem, theta), strict=True):
        F = layer.F
        stop = start + len(part.nodes)
        weights = part.inputs.K @ F[:-1]
        if part.basis is not None:
            weights = part.basis @ weights
        A[part.term][np.ix_(part.columns, part.nodes)] = weights
        gamma[part.term][part.nodes] = _deviations(F[:-1].T @ part.inputs.x[:-1], posed)
        beta[part.term][part.nodes] = F[-1]
        output[part.term][part.nodes] = Gamma2[start:stop]
        start = stop
    if posed.problem.activation in _ODD:  # of a node and its mirror image, show the one with Γ₂ >= 0
        for k in range(len(A)):
            sign = np.where(output[k] < 0, -1.0, 1.0)
            A[k], beta[k], output[k] = A[k] * sign, beta[k] * sign, output[k] * sign
    return tuple(
        FittedNet(
            term.label,
            term.names,
            Gamma1=A[k] / np.where(gamma[k] > 0, gamma[k], 1),
            gamma=gamma[k],
            beta=beta[k],
            Gamma2=output[k],
            mean=np.average(term.Z, axis=0, weights=design.w),
        )
        for k, term in enumerate(design.terms)
    )


def _deviations(nodes: Array, posed: Posed) -> Array:
    root_w = posed.problem.root_w
    weighted = nodes if root_w is None else nodes * root_w
    deviations: Array = np.sqrt(np.square(weighted).sum(axis=1) / posed.problem.weight)
    return deviations


def _effects(design: Design, posed: Posed, left: Array) -> tuple[tuple[FittedEffect, ...], Array]:
    """Return each effect's estimates, and what they leave of the outcomes."""
    assert posed.effects is not None
    estimates = posed.effects.estimates(left)
    first = posed.effects.first
    in_order = [first, *(k for k in range(len(design.effects)) if k != first)]
    by_effect = dict(zip(in_order, estimates, strict=True))
    for k, effect in enumerate(design.effects):
        left = left - by_effect[k][effect.codes[posed.order]]
    return tuple(FittedEffect(e.name, e.levels, by_effect[k]) for k, e in enumerate(design.effects)), left


def _search(end: Minimum, scale: float) -> Search:
    largest = float(np.abs(end.gradient).max(initial=0))
    return Search(end.loss * scale**2, largest, end.iterations, end.evaluations, end.status, np.array(end.trace))


def _unsorted(rows: Array, order: Array) -> Array:
    back = np.empty_like(rows)
    back[order] = rows
    return back
