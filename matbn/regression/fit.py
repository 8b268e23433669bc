"""The class `Fit`, which users hold: a fitted model with a method for each question, answered by other rooms.

What only some users ask for (resampling, plots, JSON) is imported when they do, so that importing matbn stays quick.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from matbn.arguments import Array
from matbn.fitted import prediction, report
from matbn.fitted.fitted_model import FittedModel
from matbn.inference import intervals, marginal_effects, partial_dependence, summary, tables, tidy, wald
from matbn.inference.marginal_effects import MarginalEffects
from matbn.inference.partial_dependence import PartialDependence
from matbn.inference.predictions import Predicted
from matbn.inference.tables import Covariance, Table
from matbn.inference.wald import WaldTests

if TYPE_CHECKING:
    from matbn.resampling.bootstrap import Bootstrap
    from matbn.resampling.choose import Choice
    from matbn.resampling.validate import Validation


@dataclass(frozen=True, eq=False)
class Fit(FittedModel):
    """A fitted model y = linear part + effects + Σ a(b(ZΓ₁))Γ₂ + e; `fit` makes it."""

    @classmethod
    def of(cls, model: FittedModel) -> "Fit":
        """Return a fitted model as a `Fit`, with its methods."""
        return cls(**{field.name: getattr(model, field.name) for field in fields(FittedModel)})

    def predict(
        self,
        data: Any = None,
        *,
        inputs: Any = (),
        linear: Any = None,
        effects: Any = None,
        outcomes: Any = None,
        unseen: str = "error",
    ) -> Array:
        """Return predictions: at the fit's own rows, at new `data` for a formula, or at new arrays.

        Parameters
        ----------
        inputs, linear, effects
            For a fit from arrays: the nets' inputs (a matrix for each), and the others as in `fit`.
        outcomes
            Outcomes of the new rows, nan where unknown, from which effects of new groups are estimated. By default the
            outcome's column of `data`, if it has one.
        unseen
            The effect of a group that the fit has not seen: "error" to refuse it, "zero", the "average" effect of the
            fit's rows, or "estimate": the mean of the group's known outcomes less the rest of the model.
        """
        return prediction.predict_new(self, data, inputs, linear, effects, outcomes, unseen)[1]

    def get_prediction(
        self,
        data: Any = None,
        *,
        inputs: Any = (),
        linear: Any = None,
        effects: Any = None,
        outcomes: Any = None,
        unseen: str = "error",
        interval: str = "confidence",
        level: float = 0.95,
        vcov: Any = "iid",
        correction: str = "sandwich",
    ) -> Predicted:
        """Return predictions with standard errors and bounds, for the mean or ("prediction") for a new outcome.

        New rows are given as in `predict`, and errors are of the kind that `vcov` names; they include those of the
        groups' effects. For a group that the fit has not seen, the effect's error is included if the effect is
        estimated (as if its outcomes' errors were iid), but not if it is set to zero or the average.
        """
        new, value = prediction.predict_new(self, data, inputs, linear, effects, outcomes, unseen)
        return intervals.get_prediction(self, new, value, unseen, interval, level, vcov, correction)

    def vcov(self, vcov: Any = "iid", part: str = "linear", correction: str = "sandwich") -> Covariance:
        """Return covariances of the estimates; `inference.covariance` has the equations.

        Parameters
        ----------
        vcov
            "iid", "HC0" to "HC3"; "~ id" or "~ id + year" for errors that are correlated within groups, which are
            columns of the data frame or effects, "~ id:year" for groups that are combinations of two; or a mapping of
            such names to a label for each row.
        part
            "linear"; "nets", the identified parameters of the nets: each node's folded weights A = Γ₁γ, c = β - mᵀA (up
            to sign and order of the nodes) and Γ₂; or "all".
        correction
            The small-sample correction with clusters: that of the R packages "sandwich", "fixest", "plm", or "none".

        Raises
        ------
        ArgumentError
            The data do not determine what is asked for: the weights of a node whose output weight is 0, for example,
            or, with a rectifier, weights whose scale can be moved from one layer to the other.
        """
        return tables.covariance_by_name(self, vcov, part, correction)

    def table(
        self, vcov: Any = "iid", part: str = "linear", correction: str = "sandwich", level: float = 0.95
    ) -> Table:
        """Return estimates with standard errors, t and p values and confidence bounds; arguments as for `vcov`."""
        return tables.coefficient_table(self, vcov, part, correction, level)

    def confint(
        self,
        names: Sequence[str] | None = None,
        level: float = 0.95,
        vcov: Any = "iid",
        part: str = "linear",
        correction: str = "sandwich",
    ) -> dict[str, tuple[float, float]]:
        """Return confidence bounds by name; arguments as for `vcov`."""
        return tables.bounds(self, names, level, vcov, part, correction)

    def wald(
        self, variables: Sequence[str] | None = None, vcov: Any = "iid", correction: str = "sandwich"
    ) -> WaldTests:
        """Test for each variable that it has no effect: that all weights and coefficients of its columns are 0.

        W = θᵀV⁺θ/q for those parameters θ, their covariance V and its rank q, as an F statistic with q and the degrees
        of freedom of `vcov`. Variables are the columns of a formula's data, or of arrays by their names. A penalty
        pulls weights towards 0, so that the test is conservative.
        """
        return wald.wald(self, variables, vcov, correction)

    def marginal_effects(
        self,
        variables: Sequence[str] | None = None,
        *,
        average: bool = True,
        vcov: Any = "iid",
        correction: str = "sandwich",
        level: float = 0.95,
    ) -> MarginalEffects:
        """Return ∂ŷ/∂(variable), averaged over the fit's rows (weighted) or at each, with delta-method errors.

        Variables are numeric columns of a formula's data, with all terms and transformations in which they occur, or
        columns of arrays by their names; by default all. Errors are of the kind that `vcov` names.
        """
        return marginal_effects.marginal_effects(self, variables, average, vcov, correction, level)

    def partial_dependence(
        self, variable: str, at: Any = None, *, vcov: Any = "iid", correction: str = "sandwich", level: float = 0.95
    ) -> PartialDependence:
        """Return the mean prediction over the fit's rows with a variable set to each of the values `at`, with bounds.

        The default of `at` is 40 values over the range of a number, or all levels of a factor.
        """
        return partial_dependence.partial_dependence(self, variable, at, vcov, correction, level)

    def summary(self, vcov: Any = "iid", correction: str = "sandwich") -> str:
        """Return a longer report than the printed one: coefficients and tests, fit statistics, nodes, searches."""
        return summary.summary(self, vcov, correction)

    def tidy(self, vcov: Any = "iid", part: str = "linear", correction: str = "sandwich", level: float = 0.95) -> Any:
        """Return `table` as a data frame with broom's columns: term, estimate, std_error, statistic, and so on."""
        return tidy.tidy(self, vcov, part, correction, level)

    def glance(self) -> Any:
        """Return statistics of the whole fit as a data frame of one row."""
        return tidy.glance(self)

    def augment(self) -> Any:
        """Return the data with columns _fitted, _resid, _hat (leverages) and _std_resid."""
        return tidy.augment(self)

    def cross_validate(
        self,
        *,
        by: Any = None,
        time: Any = None,
        folds: int = 5,
        unseen: str = "average",
        starts: int = 3,
        seed: int = 1,
    ) -> "Validation":
        """Fit the model again without each of several folds, and predict the fold's rows (see `resampling.validate`).

        Parameters
        ----------
        by
            Groups of rows that are left out as a whole: the name of a column or an effect, or labels. By default folds
            are random rows.
        time
            Instead, the times of the rows: the name of a column, or a value for each row. Folds are then successive
            blocks of time, each predicted from all before it.
        unseen
            The effect of a group that is left out as a whole: "average", "zero", or "estimate", from the outcomes of
            the fold itself, to judge predictions within groups.
        starts
            Number of starts of each fold's fit, besides one from where this fit ended.

        Ctrl-C ends it at once with the folds predicted by then, if any, which a `ConvergenceWarning` counts.
        """
        from matbn.resampling import validate

        return validate.cross_validate(self, by, time, folds, unseen, starts, seed)

    def choose(
        self,
        sizes: Sequence[int] | None = None,
        penalties: Sequence[float] | None = None,
        *,
        criterion: str = "cv",
        by: Any = None,
        time: Any = None,
        folds: int = 5,
        unseen: str = "average",
        starts: int = 3,
        seed: int = 1,
    ) -> "Choice[Fit]":
        """Fit all combinations of net sizes and penalties, and return their scores and the best one's fit.

        `criterion` is "cv", the mean squared error of `cross_validate` with these arguments, or "bic". A size is that
        of each net; by default sizes and penalties are those of this fit.

        Ctrl-C ends it as it ends `cross_validate`, with the scores by then and no fit: `Choice.fit` is None.
        """
        from matbn.resampling import choose

        choice = choose.choose(self, sizes, penalties, criterion, by, time, folds, unseen, starts, seed)
        return choose.Choice(**{**vars(choice), "fit": None if choice.fit is None else Fit.of(choice.fit)})

    def bootstrap(
        self,
        statistic: "Callable[[Fit], Any] | None" = None,
        replicates: int = 999,
        *,
        by: Any = None,
        seed: int = 1,
        progress: bool | None = None,
    ) -> "Bootstrap":
        """Fit the model to resampled data, each time starting where this fit ended, and return a statistic's values.

        Parameters
        ----------
        statistic
            A function of a fit that returns a number or a vector. By default the linear coefficients and the average
            marginal effects of all variables.
        by
            Groups that are drawn as a whole (cluster bootstrap): the name of a column or an effect, or labels. By
            default rows are drawn (pairs bootstrap).
        progress
            Whether to show a bar; by default on a terminal, after one second.

        Ctrl-C ends it as it ends `cross_validate`, with the replicates by then, of which there must be two.
        """
        from matbn.resampling import bootstrap

        return bootstrap.bootstrap(self, _take_models(statistic), replicates, by, seed, progress)

    def plot(self, kind: str = "effects", axes: Any = None, **options: Any) -> Any:
        """Draw "effects", "fitted", "residuals", "trace" or "network"; `matbn.plotting` has the options."""
        from matbn.plotting import kinds

        return kinds.plot(self, kind, axes, **options)

    def to_json(self) -> str:
        """Return the fit as JSON text, from which `Fit.from_json` makes it again with all digits.

        The text holds no code and no data, except what the formula has learnt from them. An ArgumentError names what it
        cannot hold, such as functions of your own; a fit that has them can be pickled.
        """
        from matbn.saved import saved_fit

        return saved_fit.to_json(self)

    @staticmethod
    def from_json(text: str) -> "Fit":
        """Return the fit that `to_json` wrote; if it has a formula, it predicts new rows of a data frame.

        The text may come from anyone: nothing in it is run, and all of it is checked first (see `saved.saved_fit`).
        When the fit predicts, the formula sees the new data and functions that matbn knows, and nothing else.
        """
        from matbn.saved import saved_fit

        return Fit.of(saved_fit.from_json(text))

    def __str__(self) -> str:
        return report.text(self)


def _take_models(statistic: Any) -> Any:
    """Return a user's function of a `Fit` as a function of a `FittedModel`; other values pass, to be refused later."""
    return (lambda model: statistic(Fit.of(model))) if callable(statistic) else statistic
