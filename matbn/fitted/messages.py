"""What the user should know about a fit, in sentences that say what to do."""

import numpy as np

from matbn.activation import Activation
from matbn.arguments import Array
from matbn.model.design import Design
from matbn.problem.cautions import cautions
from matbn.problem.least_squares import first_layers
from matbn.problem.posing import Posed, rank_of_linear_part
from matbn.problem.profile import solve
from matbn.problem.sweeps import forward, workspace
from matbn.search.minimum import NO_DECREASE, NO_DECREASE_NEAR_KINKS, SENTENCES, Minimum

_DEAD = 1e-6  # a node is dead if its output's standard deviation is below this share of the outcomes'
_COPIES = 1 - 1e-6  # correlation from which on two nodes are copies of each other
_SHOWN = 5  # nodes that a message lists


def messages(design: Design, posed: Posed, ends: list[Minimum]) -> tuple[str, ...]:
    """Return all messages about a fit; `ends` are its searches, the best first."""
    texts = [_search_message(ends[0], posed.problem.activation)] if ends and ends[0].status in SENTENCES else []
    if posed.parts and posed.exact:
        texts.append("the linear part and the effects fit the outcomes exactly, and leave nothing to the nets")
    if len(design.y) > 1 and np.ptp(design.y if design.w is None else design.y[design.w > 0]) == 0:
        texts.append("y is the same in all rows, so that there is no variance to explain, and R² is nan")
    parameters = rank_of_linear_part(posed) + sum((len(part.inputs.x) + 1) * len(part.nodes) for part in posed.parts)
    if parameters >= len(design.y) and not posed.parts:
        texts.append(f"the model has as many free parameters as rows ({len(design.y)}), which it fits exactly")
    elif parameters >= len(design.y):
        texts.append(
            f"the model has {parameters} parameters for {len(design.y)} rows, so that only the penalty keeps it from"
            " fitting noise: take fewer nodes, or penalty='gcv'"
        )
    texts += [text for text, _ in cautions(design, posed)]
    for part in posed.parts:
        if part.inputs.rank < len(part.inputs.x) - 1:
            term = design.terms[part.term]
            texts.append(
                f"{term.label}: its {len(part.inputs.x) - 1} inputs vary in {part.inputs.rank} directions only; the"
                " weights of collinear inputs share what they explain"
            )
    if ends:
        texts += _node_messages(design, posed, ends[0])
    if posed.effects is not None and posed.effects.singletons:
        texts.append(
            f"{posed.effects.singletons} rows are alone in a group of a fixed effect, which fits them exactly; they say"
            " nothing about the rest"
        )
    if posed.effects is not None and posed.effects.disconnected:
        texts.append(
            f"{posed.effects.disconnected} rows of weight 0 have groups that no rows with weight connect, so that the"
            " data do not determine their fitted values"
        )
    return tuple(texts)


def _search_message(end: Minimum, activation: Activation) -> str:
    near_kinks = end.status == NO_DECREASE and activation.jump
    sentence = NO_DECREASE_NEAR_KINKS if near_kinks else SENTENCES[end.status]
    gradient = np.abs(end.gradient).max(initial=0)
    return sentence.format(iterations=end.iterations, gradient=gradient, activation=activation.name)


def _node_messages(design: Design, posed: Posed, end: Minimum) -> list[str]:
    """Return messages about nodes that are dead, copies of each other, or linearly dependent."""
    problem = posed.problem
    work = workspace(problem)
    solution = solve(problem, end.theta, work)
    sums = forward(problem, first_layers(problem, end.theta), work)
    gram = (sums.gram - sums.on_Q @ sums.on_Q.T) / problem.weight
    spread = np.sqrt(np.maximum(gram.diagonal(), 0))
    dead = np.abs(solution.Gamma2) * spread < _DEAD
    correlation = np.abs(gram) / np.maximum(np.outer(spread, spread), np.finfo(float).tiny)
    copied = (np.triu(correlation > _COPIES, 1) & ~np.logical_or.outer(dead, dead)).any(axis=0)
    texts, start = [], 0
    for part in posed.parts:
        own = slice(start, start + len(part.nodes))
        label = design.terms[part.term].label
        if dead[own].any():
            nodes = _nodes_with_verb(part.nodes[dead[own]], "adds", "add")
            texts.append(
                f"{label}: {nodes} nothing to the fit; a smaller size will do, or more starts may find work for it"
            )
        if copied[own].any():
            nodes = _nodes_with_verb(part.nodes[copied[own]], "is a copy", "are copies")
            texts.append(f"{label}: {nodes} of others; a smaller size fits as well")
        start = own.stop
    if problem.penalty == 0 and solution.rank < problem.nodes and not dead.any() and not copied.any():
        texts.append(
            f"the {problem.nodes} nodes span {solution.rank} directions only, so that their output weights are not"
            " unique: take fewer nodes, or a penalty above 0"
        )
    return texts


def _nodes_with_verb(nodes: Array, singular: str, plural: str) -> str:
    """Return a list of nodes, counted from 1 as in parameters' names, with the form of the verb that fits."""
    shown = ", ".join(str(node + 1) for node in nodes[:_SHOWN]) + (", …" if len(nodes) > _SHOWN else "")
    if len(nodes) == 1:
        return f"node {shown} {singular}"
    return f"{len(nodes)} nodes ({shown}) {plural}"
