"""What the user should know about a fit, in sentences that say what to try."""

from itertools import combinations

import numpy as np

from matbn.arguments import shown_place
from matbn.fitting.bfgs import Minimum
from matbn.fitting.design import Design
from matbn.fitting.posing import Posed, rank_of
from matbn.fitting.problem import layers
from matbn.fitting.profile import solved
from matbn.fitting.sweeps import forward, workspace

_NOTHING = 1e-6  # share of the outcomes' deviation that a dead node's output has
_COPIES = 1 - 1e-6  # correlation of nodes


def messages(design: Design, posed: Posed, ends: list[Minimum]) -> tuple[str, ...]:
    """Return them."""
    found = [_ended(ends[0])] if ends and ends[0].status in _ENDINGS else []
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
    if ends:
        found += _of_nodes(design, posed, ends[0])
    if posed.effects is not None and posed.effects.singletons:
        found.append(
            f"{posed.effects.singletons} rows are alone in a group of a fixed effect, which fits them exactly; they say"
            " nothing about the rest"
        )
    return tuple(found)


_ENDINGS = {
    "iterations": "the search stopped after {iterations} iterations where the gradient was still {gradient:.1e}: allow"
    " more iterations, or set a larger penalty",
    "no decrease": "the search ended where no step made the loss smaller, with a gradient of {gradient:.1e}: a larger"
    " penalty makes the minimum sharper",
    "interrupted": "the search was interrupted where the gradient was {gradient:.1e}, and this is the best fit by then:"
    " fit again to go on to the end",
    "passes": "trained for {iterations} passes through the data, to no minimum in particular; the gradient there is"
    " {gradient:.1e}",
}


def _ended(end: Minimum) -> str:
    gradient = np.abs(end.gradient).max(initial=0)
    return _ENDINGS[end.status].format(iterations=end.iterations, gradient=gradient)


def _of_nodes(design: Design, posed: Posed, end: Minimum) -> list[str]:
    """Tell of nodes that are dead, or copies of each other, and of dependent ones."""
    problem = posed.problem
    work = workspace(problem)
    solution = solved(problem, end.theta, work)
    sums = forward(problem, layers(problem, end.theta), work)
    gram = (sums.gram - sums.on_Q @ sums.on_Q.T) / problem.weight
    spread = np.sqrt(np.maximum(gram.diagonal(), 0))
    dead = np.abs(solution.Gamma2) * spread < _NOTHING
    correlation = gram / np.maximum(np.outer(spread, spread), np.finfo(float).tiny)
    names = _node_names(design, posed)
    found = [
        f"{names[j]} adds nothing to the fit: a smaller size will do, or more starts may find it work"
        for j in np.flatnonzero(dead)
    ]
    alive = np.flatnonzero(~dead)
    copies = [pair for pair in combinations(alive, 2) if abs(correlation[pair]) > _COPIES]
    found += [f"{names[i]} and {names[j]} are copies of each other: a smaller size fits as well" for i, j in copies]
    if problem.penalty == 0 and solution.rank < problem.nodes and not dead.any() and not copies:
        found.append(
            f"the {problem.nodes} nodes span {solution.rank} directions only, so that their output weights are not"
            " unique: take fewer nodes, or a penalty above 0"
        )
    return found


def _node_names(design: Design, posed: Posed) -> list[str]:
    return [f"{design.terms[part.term].label}: node {shown_place(node)}" for part in posed.parts for node in part.nodes]
