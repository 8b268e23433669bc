"""What the user should know about a fit, in sentences that say what to try."""

import numpy as np

from matbn.activation import Activation
from matbn.arguments import Array
from matbn.errors import CollinearityWarning, PrecisionWarning
from matbn.model.design import Design
from matbn.problem.least_squares import layers
from matbn.problem.posing import Posed, rank_of
from matbn.problem.profile import solved
from matbn.problem.scaling import total_norm
from matbn.problem.sweeps import forward, workspace
from matbn.search.minimum import NO_DECREASE, NO_DECREASE_NEAR_KINKS, SENTENCES, Minimum

_NOTHING = 1e-6  # share of the outcomes' deviation that a dead node's output has
_COPIES = 1 - 1e-6  # correlation of nodes
_SHOWN = 5  # nodes
_ENOUGH, _FEW = 6, 3  # digits, below which the user is told and warned
_IN_USE = 1 / 8  # share of the numbers whose last bit is 1, from which on rounding may have taken digits


Caution = tuple[str, type[Warning] | None]  # and as which warning it is given, if as one


def messages(design: Design, posed: Posed, ends: list[Minimum]) -> tuple[str, ...]:
    """Return them."""
    found = [_ended(ends[0], posed.problem.activation)] if ends and ends[0].status in SENTENCES else []
    if posed.parts and posed.exact:
        found.append("the linear part and the effects fit the outcomes exactly, and leave nothing to the nets")
    if len(design.y) > 1 and np.ptp(design.y if design.w is None else design.y[design.w > 0]) == 0:
        found.append("y is the same in all rows, so that there is no variance to explain, and R² is nan")
    parameters = rank_of(posed) + sum((len(part.inputs.x) + 1) * len(part.nodes) for part in posed.parts)
    if parameters >= len(design.y) and not posed.parts:
        found.append(f"the model has as many free parameters as rows ({len(design.y)}), which it fits exactly")
    elif parameters >= len(design.y):
        found.append(
            f"the model has {parameters} parameters for {len(design.y)} rows, so that only the penalty keeps it from"
            " fitting noise: take fewer nodes, or penalty='gcv'"
        )
    found += [text for text, _ in cautions(design, posed)]
    for part in posed.parts:
        if part.inputs.rank < len(part.inputs.x) - 1:
            term = design.terms[part.term]
            found.append(
                f"{term.label}: its {len(part.inputs.x) - 1} inputs vary in {part.inputs.rank} directions only; the"
                " weights of collinear inputs share what they explain"
            )
    if ends:
        found += _of_nodes(design, posed, ends[0])
    if posed.effects is not None and posed.effects.singletons:
        found.append(
            f"{posed.effects.singletons} rows are alone in a group of a fixed effect, which fits them exactly; they say"
            " nothing about the rest"
        )
    if posed.effects is not None and posed.effects.apart:
        found.append(
            f"{posed.effects.apart} rows of weight 0 have groups that no rows with weight connect, so that the data do"
            " not determine their fitted values"
        )
    return tuple(found)


def cautions(design: Design, posed: Posed) -> list[Caution]:
    """Return what is to be said of the data whatever the search finds."""
    found: list[Caution] = []
    near = set(posed.linear.near.tolist())
    dropped = set(range(len(design.linear_names))) - set(posed.linear.kept.tolist())
    for columns, nearly, kind in ((dropped - near, "", None), (near, "nearly ", CollinearityWarning)):
        if columns:
            names = ", ".join(design.linear_names[k] for k in sorted(columns))
            before = "the columns before it" + (" or the effects" if design.effects else "")
            keep = ": so little of it stands off them that tol leaves it out; a smaller tol keeps it" if nearly else ""
            found.append((f"{names}: dropped from the linear part, for it {nearly}depends on {before}{keep}", kind))
    for part in posed.parts:
        if part.inputs.faint:
            found.append(
                (
                    f"{design.terms[part.term].label}: its inputs nearly depend on each other; {part.inputs.faint} of"
                    " their directions vary so little that no weight goes there",
                    CollinearityWarning,
                )
            )
    return found + _digits_lost(design, posed)


def _digits_lost(design: Design, posed: Posed) -> list[Caution]:
    """Tell of data that vary so little beside their size that float64 may have rounded much of the variation away."""
    counted = np.ones(len(design.y), bool) if design.w is None else design.w > 0
    found: list[Caution] = []
    kept = posed.linear.kept[int(design.intercept) :]
    alone = 1 / np.linalg.norm(posed.linear.inverse, axis=1)[int(design.intercept) :] / np.sqrt(posed.problem.weight)
    sizes = np.ldexp(alone, posed.exponents[kept])
    few = {k: _digits(design.linear[counted, k], float(size)) for k, size in zip(kept, sizes, strict=True)}
    few = {k: digits for k, digits in few.items() if digits < _ENOUGH}
    if few:
        names, least = ", ".join(design.linear_names[k] for k in few), min(few.values())
        found.append(
            (
                f"{names}: float64 keeps about {least} digit(s) of what intercept, effects and the other columns leave;"
                " take offsets off before they are stored, or leave out what nearly depends on others",
                PrecisionWarning if least < _FEW else None,
            )
        )
    about_mean = total_norm(design) / np.sqrt(posed.problem.weight * design.weight_unit)
    size = about_mean if posed.exact else posed.scale
    digits = _digits(design.y[counted], size)
    if digits < _ENOUGH:
        steps = np.spacing(np.abs(design.y[counted]).max())
        found.append(
            (
                f"y is stored in steps of up to {steps:.2g}, as float64 holds numbers of its size, which keeps about"
                f" {digits} digit(s) of what intercept, effects and columns leave of it ({size:.2g}); take its offset"
                " off before it is stored",
                PrecisionWarning if digits < _FEW else None,
            )
        )
    return found


def _digits(values: Array, size: float) -> int:
    """Return about how many digits float64 keeps of a part of values that has some size."""
    most = 2 * 10.0**-_ENOUGH * size
    if size == 0 or np.spacing(np.abs(values).max()) < most:
        return _ENOUGH
    values = np.abs(values[values != 0])
    steps = np.spacing(values)
    step = float(np.median(steps))
    in_use = np.mod(values / steps, 2) == 1  # whole numbers, say, lose nothing where these steps are fractions
    if step < most or in_use.sum() <= _IN_USE * len(values):
        return _ENOUGH
    return max(0, int(-np.log10(step / size / 2)))


def _ended(end: Minimum, activation: Activation) -> str:
    near_kinks = end.status == NO_DECREASE and activation.jump
    sentence = NO_DECREASE_NEAR_KINKS if near_kinks else SENTENCES[end.status]
    gradient = np.abs(end.gradient).max(initial=0)
    return sentence.format(iterations=end.iterations, gradient=gradient, activation=activation.name)


def _of_nodes(design: Design, posed: Posed, end: Minimum) -> list[str]:
    """Tell of nodes that are dead, or copies of each other, and of dependent ones."""
    problem = posed.problem
    work = workspace(problem)
    solution = solved(problem, end.theta, work)
    sums = forward(problem, layers(problem, end.theta), work)
    gram = (sums.gram - sums.on_Q @ sums.on_Q.T) / problem.weight
    spread = np.sqrt(np.maximum(gram.diagonal(), 0))
    dead = np.abs(solution.Gamma2) * spread < _NOTHING
    correlation = np.abs(gram) / np.maximum(np.outer(spread, spread), np.finfo(float).tiny)
    copied = (np.triu(correlation > _COPIES, 1) & ~np.logical_or.outer(dead, dead)).any(axis=0)
    found, start = [], 0
    for part in posed.parts:
        own = slice(start, start + len(part.nodes))
        label = design.terms[part.term].label
        if dead[own].any():
            found.append(
                f"{label}: {_named(part.nodes[dead[own]])} nothing to the fit; a smaller size will do, or more starts"
                " may find work for it"
            )
        if copied[own].any():
            found.append(f"{label}: {_named(part.nodes[copied[own]], False)} of others; a smaller size fits as well")
        start = own.stop
    if problem.penalty == 0 and solution.rank < problem.nodes and not dead.any() and not copied.any():
        found.append(
            f"the {problem.nodes} nodes span {solution.rank} directions only, so that their output weights are not"
            " unique: take fewer nodes, or a penalty above 0"
        )
    return found


def _named(nodes: Array, dead: bool = True) -> str:
    """Return which nodes, counted from 1 as parameters' names do, with the verb that fits."""
    shown = ", ".join(str(node + 1) for node in nodes[:_SHOWN]) + (", …" if len(nodes) > _SHOWN else "")
    if len(nodes) == 1:
        return f"node {shown} {'adds' if dead else 'is a copy'}"
    return f"{len(nodes)} nodes ({shown}) {'add' if dead else 'are copies'}"
