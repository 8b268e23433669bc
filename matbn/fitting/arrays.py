"""Fitting a checked design: several starts in threads, the best of them, and its solution in the user's units."""

from dataclasses import replace

import numpy as np

from matbn.arguments import Array
from matbn.fitting.bfgs import Minimum, minimise
from matbn.fitting.design import Design
from matbn.fitting.gcv import chosen_penalty, effective_degrees
from matbn.fitting.linear import coefficients
from matbn.fitting.posing import Options, Posed, posed_problem, rank_of
from matbn.fitting.problem import Problem, first_layers, objective, projected, solved, workspace
from matbn.fitting.result import Fit, FittedEffect, FittedNet, Search
from matbn.fitting.starts import starting_values
from matbn.stream.threads import combine_in_order, default_threads

_ALIKE = 1e-9  # relative difference of losses
_ODD = ("tanh", "sine", "identity")  # a(-b) = -a(b)


@np.errstate(all="ignore")
def fit_design(design: Design, options: Options) -> Fit:
    """Fit a design."""
    posed = posed_problem(design, options)
    if not posed.parts or posed.exact:
        return _in_units(design, posed, options, [])
    if options.penalty is not None:
        return _in_units(design, posed, options, _searched(posed.problem, options))
    first = _searched(posed.problem, options)[0]
    rank = rank_of(posed)
    penalty, theta, path = chosen_penalty(posed.problem, rank, first, options.tolerance, options.iterations)
    posed = replace(posed, problem=replace(posed.problem, penalty=penalty))
    ends = _searched(posed.problem, options, theta)
    fit = _in_units(design, posed, options, ends)
    edf, _ = effective_degrees(posed.problem, ends[0].theta, workspace(posed.problem))
    return replace(fit, edf=edf + rank, path=path)


def _searched(problem: Problem, options: Options, also: Array | None = None) -> list[Minimum]:
    """Return where all starts end, the best first; `also` is one more of them."""

    def search(start: int) -> list[Minimum]:
        theta = also if start < 0 else starting_values(problem, np.random.default_rng([options.seed, start]))
        assert theta is not None
        return [minimise(objective(problem, workspace(problem)), theta, options.tolerance, options.iterations)]

    threads = min(options.starts, default_threads()) if options.starts > 1 else 0
    pieces = range(0 if also is None else -1, options.starts)
    ends = combine_in_order(pieces, search, list.__add__, threads) or []
    least = min(end.loss for end in ends)
    # Of starts that end alike but for rounding the first counts, whichever of them is a digit ahead.
    return sorted(ends, key=lambda end: max(end.loss, least * (1 + _ALIKE)))


def _in_units(design: Design, posed: Posed, options: Options, ends: list[Minimum]) -> Fit:
    problem, scale = posed.problem, posed.scale
    y = design.y[posed.order]
    left = y.copy()
    nets: tuple[FittedNet, ...] = ()
    if ends:
        work = workspace(problem)
        found = solved(problem, ends[0].theta, work)
        left -= scale * (found.Gamma2 @ work.V)
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
        activation=options.activation.name,
        penalty=problem.penalty,
        fitted=design.y - residuals,
        residuals=residuals,
        sum_of_squares=sum_of_squares,
        weight=problem.weight,
        N=len(y),
        rank=rank_of(posed),
        singletons=0 if posed.effects is None else posed.effects.singletons,
        searches=tuple(_search(end, scale) for end in ends),
        messages=_messages(design, posed, ends),
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
    for part, F in zip(posed.parts, first_layers(posed.problem, theta), strict=True):
        stop = start + len(part.nodes)
        weights = part.inputs.K @ F[:-1]
        if part.basis is not None:
            weights = part.basis @ weights
        A[part.term][np.ix_(part.columns, part.nodes)] = weights
        gamma[part.term][part.nodes] = _deviations(F[:-1].T @ part.inputs.x[:-1], posed)
        beta[part.term][part.nodes] = F[-1]
        output[part.term][part.nodes] = Gamma2[start:stop]
        start = stop
    if posed.problem.activation.name in _ODD:  # of a node and its mirror image, show the one with Γ₂ >= 0
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
    return Search(end.loss * scale**2, largest, end.iterations, end.evaluations, end.status)


def _unsorted(rows: Array, order: Array) -> Array:
    back = np.empty_like(rows)
    back[order] = rows
    return back


def _messages(design: Design, posed: Posed, ends: list[Minimum]) -> tuple[str, ...]:
    found = []
    if ends and ends[0].status == "iterations":
        found.append(
            f"the search stopped after {ends[0].iterations} iterations where the gradient was still"
            f" {np.abs(ends[0].gradient).max():.1e}: allow more iterations, or set a larger penalty"
        )
    if ends and ends[0].status == "no decrease":
        found.append(
            "the search ended where no step made the loss smaller, with a gradient of"
            f" {np.abs(ends[0].gradient).max():.1e}: a larger penalty makes the minimum sharper"
        )
    if posed.parts and posed.exact:
        found.append("the linear part and the effects fit the outcomes exactly, and leave nothing to the nets")
    parameters = rank_of(posed) + sum((len(part.inputs.x) + 1) * len(part.nodes) for part in posed.parts)
    if parameters >= len(design.y):
        found.append(
            f"the model has {parameters} parameters for {len(design.y)} rows, so that only the penalty keeps it from"
            " fitting noise: take fewer nodes, or penalty='gcv'"
        )
    dropped = [name for k, name in enumerate(design.linear_names) if k not in posed.linear.kept]
    if dropped:
        found.append(f"{', '.join(dropped)}: dropped from the linear part, for it depends on the columns before it")
    for part in posed.parts:
        if part.inputs.rank < len(part.inputs.x) - 1:
            term = design.terms[part.term]
            found.append(
                f"{term.label}: its {len(part.inputs.x) - 1} inputs vary in {part.inputs.rank} directions only; the"
                " weights of collinear inputs share what they explain"
            )
    if posed.effects is not None and posed.effects.singletons:
        found.append(
            f"{posed.effects.singletons} rows are alone in a group of a fixed effect, which fits them exactly; they say"
            " nothing about the rest"
        )
    return tuple(found)
