"""A fit as data."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from matbn.activation import Activation
from matbn.arguments import Array, as_choice
from matbn.fitting.design import Design
from matbn.fitting.frame import Recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matbn.inference.effects import Effects
    from matbn.inference.predictions import Predicted
    from matbn.inference.tables import Covariance, Table


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
    gradient: float  # its largest entry there, for standardised outcomes
    iterations: int
    evaluations: int
    status: str
    trace: Array  # the loss after each iteration


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model y = linear part + effects + Σ a(b(ZΓ₁))Γ₂ + e; `fit` makes it."""

    nets: tuple[FittedNet, ...]
    coefficients: Array  # of the linear part; nan where a column depends on those before it
    coefficient_names: tuple[str, ...]
    effects: tuple[FittedEffect, ...]
    activation: Activation
    penalty: float
    linear_penalty: float
    fitted: Array  # N
    residuals: Array  # N
    sum_of_squares: float  # Σ w e²
    weight: float  # Σ w
    N: int
    rank: int  # of the linear part and the effects together
    singletons: int  # rows alone in a group
    searches: tuple[Search, ...]  # of all starts, the best first
    messages: tuple[str, ...]  # what the user should know
    total_sum_of_squares: float  # of y about its mean, weighted
    within_sum_of_squares: float  # of y after the effects
    recipe: Recipe | None = None  # of a formula
    edf: float | None = (
        None  # effective degrees of freedom, effects included; None where they would take too much memory
    )
    path: tuple[Scored, ...] = ()  # of penalties tried, in order, where one was chosen
    design: Design | None = None  # the model's data, for standard errors; not in JSON
    theta: Array | None = None  # the nets' first layers in the problem's own coordinates: see `problem.layers`
    data: Any = None  # the data frame's rows that a formula was fitted to; not in JSON

    @property
    def loss(self) -> float:
        """Σ w e²/Σ w."""
        return self.sum_of_squares / self.weight

    @property
    def converged(self) -> bool:
        """Whether the best start's gradient vanished."""
        return not self.searches or self.searches[0].status == "converged"

    @property
    def r_squared(self) -> float:
        """Share of y's variance that the model explains."""
        return _explained(self.sum_of_squares, self.total_sum_of_squares)

    @property
    def within_r_squared(self) -> float:
        """Share of the variance left by the effects that the rest of the model explains."""
        return _explained(self.sum_of_squares, self.within_sum_of_squares)

    @property
    def coef(self) -> dict[str, float]:
        """Coefficients of the linear part by name."""
        return dict(zip(self.coefficient_names, self.coefficients.tolist(), strict=True))

    def predict(
        self, data: Any = None, *, inputs: Any = (), linear: Any = None, effects: Any = None, unseen: str = "error"
    ) -> Array:
        """Return predictions: at the fit's own rows, at new `data` for a formula, or at new arrays.

        Parameters
        ----------
        inputs, linear, effects
            Of a fit from arrays: the nets' inputs (a matrix for each), and the others as in `fit`.
        unseen
            What groups get that the fit has not seen: "error", "zero", or the "average" effect of the fit's rows.
        """
        from matbn.fitting.predict import new_arrays, predicted

        as_choice("unseen", unseen, ("error", "zero", "average"))
        new = new_arrays(self, data, inputs, linear, effects)
        return self.fitted if new is None else predicted(self, *new, unseen)

    def get_prediction(
        self,
        data: Any = None,
        *,
        inputs: Any = (),
        linear: Any = None,
        effects: Any = None,
        unseen: str = "error",
        interval: str = "confidence",
        level: float = 0.95,
        vcov: Any = "iid",
        correction: str = "sandwich",
    ) -> "Predicted":
        """Return predictions with standard errors and bounds, for the mean or ("prediction") for a new outcome.

        The rows are those of `predict`, the errors those of `vcov`; what a group's effect adds to the error is in it,
        but for groups that were not seen.
        """
        from matbn.fitting.predict import new_arrays, predicted
        from matbn.inference.intervals import predicted_with_errors

        as_choice("unseen", unseen, ("error", "zero", "average"))
        new = new_arrays(self, data, inputs, linear, effects)
        value = self.fitted if new is None else predicted(self, *new, unseen)
        return predicted_with_errors(self, new, value, interval, level, vcov, correction)

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters by name: the linear part's, then each net's as "Gamma1[z1,1]", "gamma[1]", and so on.

        Where nets are several, their names begin with the net's label.
        """
        found = self.coef
        for label, net in zip(_told_apart([net.label for net in self.nets]), self.nets, strict=True):
            found |= net.named(f"{label}:" if len(self.nets) > 1 else "")
        return found

    def vcov(self, vcov: Any = "iid", part: str = "linear", correction: str = "sandwich") -> "Covariance":
        """Return covariances of the estimates; `inference.covariance` has the equations.

        Parameters
        ----------
        vcov
            "iid", "HC0" to "HC3"; "~ id" or "~ id + year" for errors that are correlated within groups, named as
            columns of the data frame or as effects; or a mapping of such names to a label for each row.
        part
            "linear"; "nets", which is what of them is identified: each node's folded weights A = Γ₁γ, c = β - mᵀA (up
            to sign and order of the nodes, and a rectifier's scale) and Γ₂; or "all".
        correction
            For small numbers of clusters: "sandwich", "fixest", "plm" or "none".
        """
        from matbn.inference.tables import covariance_by_name

        return covariance_by_name(self, vcov, part, correction)

    def table(
        self, vcov: Any = "iid", part: str = "linear", correction: str = "sandwich", level: float = 0.95
    ) -> "Table":
        """Return estimates with standard errors, t and p values and confidence bounds; arguments as for `vcov`."""
        from matbn.inference.tables import coefficient_table

        return coefficient_table(self, vcov, part, correction, level)

    def marginal_effects(
        self,
        variables: "Sequence[str] | None" = None,
        *,
        average: bool = True,
        vcov: Any = "iid",
        correction: str = "sandwich",
        level: float = 0.95,
    ) -> "Effects":
        """Return ∂ŷ/∂(variable), averaged over the fit's rows (weighted) or at each, with delta-method errors.

        Variables are numeric columns of a formula's data, through all of its terms and transformations, or columns of
        arrays by their names; by default all. Errors are those of `vcov`.
        """
        from matbn.inference.variables import marginal_effects

        return marginal_effects(self, variables, average, vcov, correction, level)

    def summary(self, vcov: Any = "iid", correction: str = "sandwich") -> str:
        """Return a longer report than printing gives: residuals, coefficients with errors, each node, each search."""
        from matbn.fitting.report import summary

        errors = self.design is not None and len(self.coefficient_names) > 0 and self.rank < self.N
        return summary(self, self.table(vcov, correction=correction) if errors else None)

    def to_json(self) -> str:
        """Return the fit as JSON text, from which `Fit.from_json` makes it again, to the last digit."""
        from matbn.fitting.exchange import to_json

        return to_json(self)

    @staticmethod
    def from_json(text: str) -> "Fit":
        """Return the fit that `to_json` wrote; it predicts new rows of a data frame too, where it has a formula."""
        from matbn.fitting.exchange import from_json

        return from_json(text)

    def __str__(self) -> str:
        from matbn.fitting.report import text

        return text(self)


def _told_apart(labels: list[str]) -> list[str]:
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
    """Return 1 - left/total; nan where there is nothing to explain."""
    return 1 - left / total if total > 0 else float("nan")
