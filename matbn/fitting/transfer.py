"""A solution of one problem as the start of another, of the same terms on other rows or weights.

With whitened inputs (Z - 1mᵀ)K a node is zᵀKα + (β - mᵀKα): its folded weights a = Kα and bias do not depend on the
rows, so that α' = K'⁺a and β' = β + (m' - m)ᵀa.
"""

import numpy as np

from matbn.arguments import Array
from matbn.fitting.posing import Posed
from matbn.fitting.problem import joined, layers


def transferred(theta: Array, old: Posed, new: Posed) -> Array:
    """Return θ of the same nodes in a new problem."""
    found = []
    for own, part in zip(layers(old.problem, theta), new.parts, strict=True):
        a = own.inputs.K @ own.F[:-1]
        alpha = np.linalg.pinv(part.inputs.K) @ a
        found.append(np.vstack([alpha, own.F[-1:] + (part.inputs.mean - own.inputs.mean) @ a]))
    return joined(found) if found else np.empty(0)
