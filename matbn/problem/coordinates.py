"""θ in the coordinates of another problem, of the same terms on other rows or weights, and in those of a fit.

A problem has inputs in an order of its own (see `data_order`); a fit's θ has terms, patterns of masks and inputs in the
user's order. With whitened inputs (Z - 1mᵀ)K a node is zᵀKα + (β - mᵀKα): its folded weights a = Kα and its bias do not
depend on the rows, so that α' = K'⁺a and β' = β + (m' - m)ᵀa.
"""

import numpy as np

from matbn.activation import Activation
from matbn.arguments import Array
from matbn.problem.least_squares import first_layers, join_layers
from matbn.problem.posing import Part, Posed


def theta_of_fit(posed: Posed, theta: Array) -> Array:
    """Return a problem's θ as a fit has it."""
    found: dict[int, Array] = {}
    for part, own in zip(posed.parts, first_layers(posed.problem, theta), strict=True):
        found[part.place] = own.F[_users(part)]
    return join_layers([found[place] for place in sorted(found)]) if found else theta


def theta_of_problem(posed: Posed, theta: Array) -> Array:
    """Return a fit's θ as the problem has it."""
    found: dict[int, Array] = {}
    for part in sorted(posed.parts, key=lambda part: part.place):
        shape = len(part.inputs.x), len(part.nodes)
        found[part.place] = theta[: shape[0] * shape[1]].reshape(shape)[np.argsort(_users(part))]
        theta = theta[shape[0] * shape[1] :]
    return join_layers([found[part.place] for part in posed.parts]) if found else theta


def theta_for_copies(theta: Array, old: Posed, new: Posed) -> Array:
    """Return θ for a problem that differs by copies and the order of rows alone."""
    return theta_of_problem(new, theta_of_fit(old, theta))


def theta_for_other_rows(theta: Array, old: Posed, new: Posed) -> Array:
    """Return θ for a new problem, on other rows or weights, whose nodes are the old one's functions of the inputs."""
    found: dict[int, tuple[Array, Array, Array]] = {}
    for part, own in zip(old.parts, first_layers(old.problem, theta), strict=True):
        a = own.inputs.K @ own.F[:-1]
        found[part.place] = a[_users(part)[:-1]], own.F[-1:], own.inputs.mean @ a
    parts = []
    for part in new.parts:
        a, beta, at_mean = found[part.place]
        a = a[np.argsort(_users(part)[:-1])]
        parts.append(np.vstack([np.linalg.pinv(part.inputs.K) @ a, beta + part.inputs.mean @ a - at_mean]))
    return join_layers(parts) if parts else np.empty(0)


def signs_to_show(activation: Activation, Gamma2: Array) -> Array:
    """Return the sign by which each node is multiplied so that Γ₂ ≥ 0, if the activation is odd; else 1."""
    return np.where(Gamma2 < 0, -1.0, 1.0) if activation.odd else np.ones(len(Gamma2))


def _users(part: Part) -> Array:
    """Return the order that puts the rows of a part's F as the user has the inputs; those times a basis keep theirs."""
    inputs = len(part.inputs.mean)
    return np.append(np.argsort(part.columns) if part.basis is None else np.arange(inputs), inputs)
