"""Starting values under which every node is active on the data.

Whitened inputs have mean 0 and variance 1 in all directions, so a node of a random direction, a gain near 1 and a
centre within a standard deviation or so of the mean bends where the data are, whatever they are. Nothing here depends
on the order of rows.
"""

import numpy as np

from matbn.arguments import Array
from matbn.fitting.problem import Problem

_GAINS = (0.5, 1.5)
_FARTHEST = 1.5  # standard deviations between a node's centre and the mean


def starting_values(problem: Problem, rng: np.random.Generator) -> Array:
    """Draw α and β, as one vector: see `problem.Solved.gradient`."""
    parts = []
    for term, size in zip(problem.terms, problem.sizes, strict=True):
        directions = rng.standard_normal((len(term.x) - 1, size))
        directions /= np.linalg.norm(directions, axis=0)
        gains = rng.uniform(*_GAINS, size)
        centres = np.clip(rng.standard_normal(size), -_FARTHEST, _FARTHEST)
        parts.append(np.vstack([directions * gains, -centres * gains]).reshape(-1))
    return np.concatenate(parts)
