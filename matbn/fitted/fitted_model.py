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
    names: tuple[str, ...]  # p, names of the inputs
    Gamma1: Array  # p × size; nodes ZΓ₁ have variance 1 (weighted, ddof = 0)
    gamma: Array  # size, positive
    beta: Array  # size
    Gamma2: Array  # size
    mean: Array  # m: p, means of the inputs

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
        values = {
            f"{prefix}Gamma1[{name},{j}]": float(self.Gamma1[i, j - 1])
            for j in nodes
            for i, name in enumerate(self.names)
        }
        for symbol in ("gamma", "beta", "Gamma2"):
            values |= {f"{prefix}{symbol}[{j}]": float(getattr(self, symbol)[j - 1]) for j in nodes}
        return values


@dataclass(frozen=True, eq=False)
class FittedEffect:
    """One set of fixed effects: an estimate for each level."""

    name: str
    levels: Array
    estimates: Array
    average: float  # mean of the estimates over the fit's rows, weighted


@dataclass(frozen=True)
class Scored:
    """One penalty that was tried."""

    penalty: float
    score: float  # the criterion: GCV, or the mean squared error on rows left out
    edf: float | None = None  # effective degrees of freedom; GCV only


@dataclass(frozen=True, eq=False)
class Search:
    """How one start ended."""

    loss: float  # with the penalty, in the units of y
    gradient: float  # its largest entry, for standardised outcomes; at a kink, that of the smallest subgradient
    iterations: int
    evaluations: int
    status: str  # a constant of `search.minimum`
    trace: Array  # the loss after each iteration


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A fitted model y = linear part + effects + Σ a(b(ZΓ₁))Γ₂ + e."""

    nets: tuple[FittedNet, ...]
    coefficients: Array  # of the linear part; nan where a column was dropped, as it depends on those before it
    coefficient_names: tuple[str, ...]
    intercept: bool  # whether the first coefficient is an intercept
    effects: tuple[FittedEffect, ...]
    activation: Activation
    penalty: float
    linear_penalty: float
    tol: float  # share of a linear column's length that must be independent of the columns before it
    fitted: Array  # N
    residuals: Array  # N
    residual_norm: float  # √Σwe², which float64 still holds where squares are too small for it
    weight: float  # Σ w
    N: int
    rank: int  # of the linear part and the effects together
    singletons: int  # number of rows that are alone in a group
    searches: tuple[Search, ...]  # of all starts, the best first
    messages: tuple[str, ...]  # what the user should know
    total_norm: float  # √Σw(y - mean)²; without intercept and effects √Σwy²
    within_norm: float  # the norm of y after the within transformation
    recipe: Recipe | None = None  # how a formula makes the model's columns from new data
    edf: float | None = None  # effective degrees of freedom, effects included; None if too large to compute
    path: tuple[Scored, ...] = ()  # the penalties that were tried, from small to large, if one was chosen
    design: Design | None = None  # the model's data, for standard errors; not in JSON
    theta: Array | None = None  # first layers in whitened coordinates, in the user's order: see `problem.coordinates`
    data: Any = None  # the rows of the data frame that were used, for a formula; not in JSON

    @property
    def options(self) -> ModelOptions:
        """The settings of the model."""
        return ModelOptions(self.activation, self.penalty, self.linear_penalty, self.tol)

    @property
    def sum_of_squares(self) -> float:
        """Σwe²."""
        return self.residual_norm**2

    @property
    def total_sum_of_squares(self) -> float:
        """Σw(y - mean)²; without intercept and effects Σwy²."""
        return self.total_norm**2

    @property
    def loss(self) -> float:
        """Σwe²/Σw."""
        return self.rmse**2

    @property
    def converged(self) -> bool:
        """Whether the best search ended at a local minimum: with zero gradient, or at a kink with zero subgradient."""
        return not self.searches or is_minimum(self.searches[0].status)

    @property
    def r_squared(self) -> float:
        """Share of y's variance that the model explains, R²."""
        return _explained_share(self.residual_norm, self.total_norm)

    @property
    def within_r_squared(self) -> float:
        """Share of the variance left by the effects that the rest of the model explains."""
        return _explained_share(self.residual_norm, self.within_norm)

    @property
    def nobs(self) -> int:
        """Number of rows with a positive weight."""
        return self.N if self.design is None or self.design.w is None else int((self.design.w > 0).sum())

    @property
    def degrees(self) -> float:
        """Effective degrees of freedom; the rank of the linear part and the effects where they are unknown."""
        return self.rank if self.edf is None else self.edf

    @property
    def df_residual(self) -> float:
        """Residual degrees of freedom: nobs less the model's effective degrees of freedom."""
        return self.nobs - self.degrees

    @property
    def rmse(self) -> float:
        """Root of the (weighted) mean squared residual."""
        return self.residual_norm / float(np.sqrt(self.weight))

    @property
    def sigma(self) -> float:
        """Root of Σwe²/df_residual, an estimate of the errors' standard deviation."""
        df = self.df_residual
        return self.residual_norm / float(np.sqrt(df)) if df > 0 else float("nan")

    @property
    def loglik(self) -> float:
        """Log-likelihood of normal errors, maximised over their variance, as R's logLik for lm."""
        n = self.nobs
        logs = 0.0
        if self.design is not None and self.design.w is not None:
            logs = float(np.log(self.design.w[self.design.w > 0]).sum() + n * np.log(self.design.weight_unit))
        with np.errstate(divide="ignore"):
            return float(0.5 * (logs - n * (np.log(2 * np.pi) + 1 - np.log(n) + 2 * np.log(self.residual_norm))))

    @property
    def aic(self) -> float:
        """2·(degrees + 1) - 2·loglik; the 1 is for the errors' variance."""
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

        If there are several nets, the names of their parameters begin with the net's label.
        """
        values = self.coef
        for label, net in zip(unique_names([net.label for net in self.nets]), self.nets, strict=True):
            values |= net.named(f"{label}:" if len(self.nets) > 1 else "")
        return values


def unique_names(labels: Sequence[str]) -> list[str]:
    """Return labels with .1, .2 and so on appended to those that occur before, as R's make.unique does."""
    unique_labels: list[str] = []
    for label in labels:
        number, unique = 0, label
        while unique in unique_labels:
            number += 1
            unique = f"{label}.{number}"
        unique_labels.append(unique)
    return unique_labels


def _explained_share(residual: float, total: float) -> float:
    """Return 1 - residual²/total² of two norms; nan if there is nothing to explain."""
    return 1 - (residual / total) ** 2 if total > 0 else float("nan")
