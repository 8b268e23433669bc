"""From a solution of the problem to a fit in the user's units: weights, coefficients, effects and fitted values."""

import numpy as np

from matbn.arguments import Array
from matbn.blas import one_blas_thread
from matbn.errors import ArgumentError
from matbn.fitted.fitted_model import FittedEffect, FittedModel, FittedNet, Search
from matbn.fitted.messages import messages
from matbn.model.design import Design
from matbn.problem.compensated import product
from matbn.problem.coordinates import signs_to_show, theta_of_fit
from matbn.problem.least_squares import first_layers
from matbn.problem.linear_part import coefficients, refine_coefficients, remainder
from matbn.problem.posing import EXACT, Posed, project_cleanly, rank_of_linear_part
from matbn.problem.profile import solve
from matbn.problem.scaling import norm, total_norm
from matbn.problem.sweeps import net_output, workspace
from matbn.search.minimum import Minimum


@one_blas_thread()
def in_user_units(design: Design, posed: Posed, ends: list[Minimum], to_all_digits: bool = True) -> FittedModel:
    """Return the fit at the first of the searches' ends; without any end, that of the linear part and the effects."""
    problem, scaled, spread = posed.problem, posed.scaled, posed.spread
    left = scaled.y[posed.order]
    nets: tuple[FittedNet, ...] = ()
    if ends:
        work = workspace(problem)
        Gamma2 = solve(problem, ends[0].theta, work).Gamma2
        left = left - spread * net_output(problem, first_layers(problem, ends[0].theta), Gamma2, work)
        nets = _fitted_nets(design, posed, ends[0].theta, posed.scale * Gamma2)
    b, effects, left = _linear_part_and_effects(design, posed, left, to_all_digits)
    residuals = np.ldexp(posed.in_design_order(left), scaled.exponent)
    root_unit = float(np.sqrt(design.weight_unit))
    total = within = total_norm(design)
    if posed.effects is not None:
        within_y = project_cleanly(problem, scaled.y[posed.order][None])[0]
        within = norm(within_y, None, scaled.exponent) * root_unit
        within = 0.0 if posed.exact and within <= EXACT * total else within
    return FittedModel(
        nets=nets,
        coefficients=b,
        coefficient_names=design.linear_names,
        intercept=design.intercept,
        effects=effects,
        activation=problem.activation,
        penalty=problem.penalty,
        linear_penalty=posed.options.linear_penalty,
        tol=posed.options.tol,
        fitted=design.y - residuals + (0.0 if design.offset is None else design.offset),
        residuals=residuals,
        residual_norm=norm(residuals, design.w) * root_unit,
        weight=problem.weight * design.weight_unit,
        N=len(left),
        rank=rank_of_linear_part(posed),
        singletons=0 if posed.effects is None else posed.effects.singletons,
        searches=tuple(_search_summary(end, posed.scale) for end in ends),
        messages=messages(design, posed, ends),
        total_norm=total,
        design=design,
        theta=theta_of_fit(posed, ends[0].theta) if ends else np.empty(0),
        within_norm=within,
    )


def _fitted_nets(design: Design, posed: Posed, theta: Array, Gamma2: Array) -> tuple[FittedNet, ...]:
    """Return each term's net in the units of its inputs."""
    A = [np.zeros((term.Z.shape[1], term.size)) for term in design.terms]
    gamma, beta, output = ([np.zeros(term.size) for term in design.terms] for _ in range(3))
    start = 0
    for part, layer in zip(posed.parts, first_layers(posed.problem, theta), strict=True):
        F = layer.F
        stop = start + len(part.nodes)
        weights = part.inputs.K @ F[:-1]
        if part.basis is not None:
            weights = part.basis @ weights
        A[part.term][np.ix_(part.columns, part.nodes)] = weights
        gamma[part.term][part.nodes] = np.sqrt((F[:-1] * (part.inputs.covariance @ F[:-1])).sum(axis=0))
        beta[part.term][part.nodes] = F[-1]
        output[part.term][part.nodes] = Gamma2[start:stop]
        start = stop
    for k in range(len(A)):
        sign = signs_to_show(posed.problem.activation, output[k])
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


def _linear_part_and_effects(
    design: Design, posed: Posed, left: Array, to_all_digits: bool
) -> tuple[Array, tuple[FittedEffect, ...], Array]:
    """Return the coefficients, each effect's estimates, and the scaled residuals, given what the nets leave of y."""
    scaled, kept = posed.scaled, posed.linear.kept
    X = posed.scaled_columns(design.linear[posed.order]).T
    projected = project_cleanly(posed.problem, left[None])[0]
    if to_all_digits:
        high, low = refine_coefficients(posed.linear, posed.columns[kept], projected)
        left = remainder(X, left, high, low)
    else:
        high = coefficients(posed.linear, projected)
        left = left - high @ X
    if design.intercept:
        high[0] += np.ldexp(scaled.shifts[0][0], posed.exponents[0]) - product(high[None], posed.away[:, None])[0][0, 0]
    b = np.full(len(design.linear_names), np.nan)
    b[kept] = np.ldexp(high, scaled.exponent - posed.exponents[kept])
    estimates = [np.zeros(len(effect.levels)) for effect in design.effects]
    if posed.effects is not None:
        first = posed.effects.first
        in_order = [first, *(k for k in range(len(estimates)) if k != first)]
        for _ in range(2):  # the second pass removes what rounding left
            for k, of_groups in zip(in_order, posed.effects.estimates(left), strict=True):
                estimates[k] += of_groups
                left = left - of_groups[design.effects[k].codes[posed.order]]
        estimates = [
            np.ldexp(of_groups + shift, scaled.exponent)
            for of_groups, shift in zip(estimates, scaled.shifts, strict=True)
        ]
    for name, value in zip(np.array(design.linear_names)[kept], b[kept], strict=True):
        if not np.isfinite(value):
            raise ArgumentError(f"the coefficient of {name} would be too large for float64; rescale y or that column")
    effects = tuple(
        FittedEffect(e.name, e.levels, of_groups, float(np.average(of_groups[e.codes], weights=design.w)))
        for e, of_groups in zip(design.effects, estimates, strict=True)
    )
    return b, effects, left


def _search_summary(end: Minimum, scale: float) -> Search:
    largest = float(np.abs(end.gradient).max(initial=0))
    return Search(end.loss * scale**2, largest, end.iterations, end.evaluations, end.status, np.array(end.trace))
