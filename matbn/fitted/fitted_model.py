"""A fit as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matbn.activation import Activation
from matbn.arguments import Array
from matbn.model.design import Design
from matbn.model.frame import Recipe
from matbn.problem.posing import ModelOptions
from matbn.search.minimum import is_minimum


@dataclass(frozen=True, eq=False)
class FittedNet:
    """One net term, in the units of its inputs: a(ZA + 1cᵀ)Γ₂ with A = Γ₁·diag(γ), c = β - Aᵀm."""

    label: str
    names: tuple[str, ...]  # p, of the inputs
    Gamma1: Array  # p × size; nodes ZΓ₁ have variance 1 (weighted, ddof = 0)
    gamma: Array  # size, positive
    beta: Array  # size
    Gamma2: Array  # size
    mean: Array  # p, m, of the inputs

    @property
    def A(self) -> Array:
        """Folded first-layer weights (p × size)."""
        return self.Gamma1 * self.gamma

    @property
    def c(self) -> Array:
        """Folded bias (size)."""
        return np.asarray(self.beta - self.mean @ self.A)

    def named(self, prefix: str = "") -> dict[str, float]:
        """Return all parameters by name, in the order vec Γ₁, γ, β, Γ₂; nodes count from 1."""
        nodes = range(1, len(self.gamma) + 1)
        found = {
            f"{prefix}Gamma1[{name},{j}]": float(self.Gamma1[i, j - 1])
            for j in nodes
            for i, name in enumerate(self.names)
        }
        for symbol in ("gamma", "beta", "Gamma2"):
            found |= {f"{prefix}{symbol}[{j}]": float(getattr(self, symbol)[j - 1]) for j in nodes}
        return found


@dataclass(frozen=True, eq=False)
class FittedEffect:
    """One set of fixed effects, each level's estimate."""

    name: str
    levels: Array
    estimates: Array
    average: float  # of the estimates over the fit's rows, weighted


@dataclass(frozen=True)
class Scored:
    """One penalty that was tried."""

    penalty: float
    score: float  # by which it was judged: generalised cross-validation, or the mean squared error on rows left out
    edf: float | None = None  # effective degrees of freedom, for the former


@dataclass(frozen=True, eq=False)
class Search:
    """How one start ended."""

    loss: float  # with the penalty, in the units of y
    gradient: float  # its largest entry there, for standardised outcomes; at a kink, the smallest subgradient's
    iterations: int
    evaluations: int
    status: str
    trace: Array  # the loss after each iteration


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A fitted model y = linear part + effects + Σ a(b(ZΓ₁))Γ₂ + e."""

    nets: tuple[FittedNet, ...]
    coefficients: Array  # of the linear part; nan where a column depends on those before it
    coefficient_names: tuple[str, ...]
    intercept: bool  # whether it is the first coefficient
    effects: tuple[FittedEffect, ...]
    activation: Activation
    penalty: float
    linear_penalty: float
    tol: float  # share of a linear column that must stand off those before it
    fitted: Array  # N
    residuals: Array  # N
    residual_norm: float  # √Σwe², which float64 still holds where squares are too small for it
    weight: float  # Σ w
    N: int
    rank: int  # of the linear part and the effects together
    singletons: int  # rows alone in a group
    searches: tuple[Search, ...]  # of all starts, the best first
    messages: tuple[str, ...]  # what the user should know
    total_norm: float  # √Σw(y - mean)²; without intercept and effects √Σwy²
    within_norm: float  # the same of y after the effects
    recipe: Recipe | None = None  # of a formula
    edf: float | None = (
        None  # effective degrees of freedom, effects included; None where they would take too much memory
    )
    path: tuple[Scored, ...] = ()  # of penalties tried, in order, where one was chosen
    design: Design | None = None  # the model's data, for standard errors; not in JSON
    theta: Array | None = None  # the nets' first layers in the problem's own coordinates: see `problem.layers`
    data: Any = None  # the data frame's rows that a formula was fitted to; not in JSON

    @property
    def options(self) -> ModelOptions:
        """What of the model is no data."""
        return ModelOptions(self.activation, self.penalty, self.linear_penalty, self.tol)

    @property
    def sum_of_squares(self) -> float:
        """Σ w e²."""
        return self.residual_norm**2

    @property
    def total_sum_of_squares(self) -> float:
        """That of y about its mean, weighted; without intercept and effects about 0."""
        return self.total_norm**2

    @property
    def loss(self) -> float:
        """Σ w e²/Σ w."""
        return self.rmse**2

    @property
    def converged(self) -> bool:
        """Whether the best start ended at a local minimum: its gradient vanished, or at a kink a subgradient."""
        return not self.searches or is_minimum(self.searches[0].status)

    @property
    def r_squared(self) -> float:
        """Share of y's variance that the model explains."""
        return _explained(self.residual_norm, self.total_norm)

    @property
    def within_r_squared(self) -> float:
        """Share of the variance left by the effects that the rest of the model explains."""
        return _explained(self.residual_norm, self.within_norm)

    @property
    def nobs(self) -> int:
        """How many rows count: those with a positive weight."""
        return self.N if self.design is None or self.design.w is None else int((self.design.w > 0).sum())

    @property
    def degrees(self) -> float:
        """Effective degrees of freedom; the rank of the linear part and the effects where they are unknown."""
        return self.rank if self.edf is None else self.edf

    @property
    def df_residual(self) -> float:
        """Degrees of freedom that the model leaves."""
        return self.nobs - self.degrees

    @property
    def rmse(self) -> float:
        """Root of the (weighted) mean squared residual."""
        return self.residual_norm / float(np.sqrt(self.weight))

    @property
    def sigma(self) -> float:
        """Root of Σwe²/df_residual, an estimate of the errors' deviation."""
        left = self.df_residual
        return self.residual_norm / float(np.sqrt(left)) if left > 0 else float("nan")

    @property
    def loglik(self) -> float:
        """Logarithm of the normal likelihood at its maximum over the errors' variance, as R's logLik for lm."""
        n = self.nobs
        logs = 0.0
        if self.design is not None and self.design.w is not None:
            logs = float(np.log(self.design.w[self.design.w > 0]).sum() + n * np.log(self.design.weight_unit))
        with np.errstate(divide="ignore"):
            return float(0.5 * (logs - n * (np.log(2 * np.pi) + 1 - np.log(n) + 2 * np.log(self.residual_norm))))

    @property
    def aic(self) -> float:
        """2·(degrees + 1) - 2·loglik; the errors' variance is the one more."""
        return 2 * (self.degrees + 1) - 2 * self.loglik

    @property
    def bic(self) -> float:
        """log(nobs)·(degrees + 1) - 2·loglik."""
        return float(np.log(self.nobs)) * (self.degrees + 1) - 2 * self.loglik

    @property
    def coef(self) -> dict[str, float]:
        """Coefficients of the linear part by name."""
        return dict(zip(self.coefficient_names, self.coefficients.tolist(), strict=True))

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters by name: the linear part's, then each net's as "Gamma1[z1,1]", "gamma[1]", and so on.

        Where nets are several, their names begin with the net's label.
        """
        found = self.coef
        for label, net in zip(told_apart([net.label for net in self.nets]), self.nets, strict=True):
            found |= net.named(f"{label}:" if len(self.nets) > 1 else "")
        return found


def told_apart(labels: Sequence[str]) -> list[str]:
    """Return labels with .1, .2 and so on behind those that were there before, as R makes names unique."""
    found: list[str] = []
    for label in labels:
        number, unique = 0, label
        while unique in found:
            number += 1
            unique = f"{label}.{number}"
        found.append(unique)
    return found


def _explained(left: float, total: float) -> float:
    """Return 1 - left²/total² of norms; nan where there is nothing to explain."""
    return 1 - (left / total) ** 2 if total > 0 else float("nan")
