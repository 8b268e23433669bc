"""The question's data: parameters, residuals and inputs, drawn in the same order as by its R code."""

from dataclasses import dataclass

import numpy as np

from matbn.activation import Activation, relu
from matbn.arguments import Array, as_integer
from matbn.errors import ArgumentError, VarianceError
from matbn.forum.r_random import RRandom
from matbn.network import net_forward

MOST_DRAWN = 10_000_000


@dataclass(frozen=True)
class ForumData:
    """One draw of the question's data; `u` is the residual y - ŷ by construction."""

    X: Array  # N × p1, whole numbers from -5 to 5
    u: Array  # N
    Gamma1: Array  # p1 × p2
    gamma: Array  # p2: 2, 3, …
    beta: Array  # p2: -2, -3, …
    Gamma2: Array  # p2

    def outcome(self, activation: str | Activation = relu) -> Array:
        """Return y = a(b(XΓ₁))Γ₂ + u with R's conventions (ddof 1, eps 0)."""
        return net_forward(self.X, self.Gamma1, self.gamma, self.beta, self.Gamma2, activation).fitted + self.u


def draw(seed: int = 1, N: int = 10, p1: int = 7, p2: int = 4) -> ForumData:
    """Draw the question's data; seed 1 and the default sizes give those of its printed figures."""
    N, p1, p2 = as_integer("N", N, at_least=2), as_integer("p1", p1, at_least=1), as_integer("p2", p2, at_least=1)
    if p1 < p2:
        raise ArgumentError(
            f"p1 is {p1} and p2 is {p2}, but the posted loop over nodes takes column i of X for node i,"
            " so it needs p1 >= p2"
        )
    if p1 * (N + p2) > MOST_DRAWN:
        raise ArgumentError(
            f"N is {N:,}, p1 {p1:,} and p2 {p2:,}: that takes {p1 * (N + p2):,} random numbers, but at most"
            f" {MOST_DRAWN:,} are drawn, because R loops over them, too; take smaller sizes"
        )
    random = RRandom(seed)
    Gamma1 = random.rnorm(p1 * p2).reshape((p1, p2), order="F")
    Gamma2 = random.rnorm(p2)
    gamma = np.arange(2.0, p2 + 2)
    u = random.rnorm(N)
    X = np.rint(random.runif(N * p1, -5, 5)).reshape((N, p1), order="F")
    constant = np.flatnonzero(np.ptp(X, axis=0) == 0)
    if len(constant):
        raise VarianceError(
            f"column {constant[0] + 1} of X (counted from 1) is constant for seed {seed} and N {N}, so the"
            " posted loop divides by 0; take more samples or another seed"
        )
    return ForumData(X, u, Gamma1, gamma, -gamma, Gamma2)
