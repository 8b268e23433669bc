"""`Fit`, what users hold: a fitted model with a method for each question, which hands over to what answers it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from matbn.arguments import Array, as_choice
from matbn.fitted import prediction, report
from matbn.fitted.fitted_model import FittedModel
from matbn.inference import intervals, marginal_effects, partial_dependence, summary, tables, tidy, wald
from matbn.inference.marginal_effects import MarginalEffects
from matbn.inference.partial_dependence import PartialDependence
from matbn.inference.predictions import Predicted
from matbn.inference.tables import Covariance, Table
from matbn.inference.wald import WaldTests
from matbn.plotting import kinds
from matbn.resampling import bootstrap, choose, validate
from matbn.resampling.bootstrap import Bootstrap
from matbn.resampling.choose import Choice
from matbn.resampling.validate import Validation
from matbn.saved import saved_fit

UNSEEN = ("error", "zero", "average", "estimate")


@dataclass(frozen=True, eq=False)
class Fit(FittedModel):
    """A fitted model y = linear part + effects + Σ a(b(ZΓ₁))Γ₂ + e; `fit` makes it."""

    @classmethod
    def of(cls, model: FittedModel) -> "Fit":
        """Return a fitted model with these methods."""
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
            Of a fit from arrays: the nets' inputs (a matrix for each), and the others as in `fit`.
        outcomes
            Known outcomes of the new rows, nan where there is none, from which effects of new groups are estimated. By
            default the outcome's column of `data`, if it is there.
        unseen
            What groups get that the fit has not seen: "error", "zero", the "average" effect of the fit's rows, or
            "estimate": the mean of what the rest of the model leaves of the group's known outcomes.
        """
        as_choice("unseen", unseen, UNSEEN)
        new = prediction.new_rows(self, data, inputs, linear, effects, outcomes, unseen)
        return self.fitted if new is None else prediction.predicted(self, new, unseen)

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

        The rows are those of `predict`, the errors those of `vcov`; what a group's effect adds to the error is in it.
        A group that was not seen adds to it where its effect is estimated (as if its outcomes' errors were iid), but
        not where it is taken to be zero or average.
        """
        as_choice("unseen", unseen, UNSEEN)
        new = prediction.new_rows(self, data, inputs, linear, effects, outcomes, unseen)
        value = self.fitted if new is None else prediction.predicted(self, new, unseen)
        return intervals.get_prediction(self, new, value, unseen, interval, level, vcov, correction)

    def vcov(self, vcov: Any = "iid", part: str = "linear", correction: str = "sandwich") -> Covariance:
        """Return covariances of the estimates; `inference.covariance` has the equations.

        Parameters
        ----------
        vcov
            "iid", "HC0" to "HC3"; "~ id" or "~ id + year" for errors that are correlated within groups, named as
            columns of the data frame or as effects, "~ id:year" for groups that are the combinations of two; or a
            mapping of such names to a label for each row.
        part
            "linear"; "nets", which is what of them is identified: each node's folded weights A = Γ₁γ, c = β - mᵀA (up
            to sign and order of the nodes) and Γ₂; or "all".
        correction
            For small numbers of clusters: "sandwich", "fixest", "plm" or "none".

        Raises
        ------
        ArgumentError
            Something is asked for that the data do not determine: the parts of a node whose output is 0, say, or, with
            a rectifier, weights whose scale may pass from one layer to the other.
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

        Variables are numeric columns of a formula's data, through all of its terms and transformations, or columns of
        arrays by their names; by default all. Errors are those of `vcov`.
        """
        return marginal_effects.marginal_effects(self, variables, average, vcov, correction, level)

    def partial_dependence(
        self,
        variable: str,
        at: Any = None,
        *,
        vcov: Any = "iid",
        correction: str = "sandwich",
        level: float = 0.95,
    ) -> PartialDependence:
        """Return the mean prediction over the fit's rows with a variable set to each of the values `at`, with bounds.

        By default `at` are 40 values over a number's range, or all levels of a factor.
        """
        return partial_dependence.partial_dependence(self, variable, at, vcov, correction, level)

    def summary(self, vcov: Any = "iid", correction: str = "sandwich") -> str:
        """Return a longer report than printing gives: coefficients and tests, fit statistics, nodes, searches."""
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
    ) -> Validation:
        """Fit the model again without each of several folds, and predict their rows; `resampling.validate` says how.

        Parameters
        ----------
        by
            Groups that stay together, as a column or an effect by name, or labels: whole groups are then predicted. By
            default rows are left out one by one.
        time
            Instead, blocks of time in order, each predicted from all before it: a column by name, or a value for each
            row.
        unseen
            What the effects of groups are that are left out altogether: "average", "zero", or "estimate" from the
            outcomes of the fold itself, to judge predictions within groups.
        starts
            Of each fold's fit, besides one that goes on from this fit.

        Ctrl-C ends it at once: the folds that had been predicted are returned and scored, with a `ConvergenceWarning`
        that counts them, and other rows' predictions are nan. If there are none, KeyboardInterrupt goes on.
        """
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
    ) -> Choice["Fit"]:
        """Fit all combinations of net sizes and penalties, and return their scores and the best one's fit.

        `criterion` is "cv", the mean squared error of `cross_validate` with these arguments, or "bic". A size counts
        for each net; without sizes or penalties, those of this fit stay.

        Ctrl-C ends it at once: the scores of those combinations are returned that had been scored in full, with a
        `ConvergenceWarning` that counts them and names the best, which is not fitted: `Choice.fit` is None, for a whole
        fit would take long, and one that is cut off is none to choose. If there are none, KeyboardInterrupt goes on.
        """
        found = choose.choose(self, sizes, penalties, criterion, by, time, folds, unseen, starts, seed)
        return Choice(**{**vars(found), "fit": None if found.fit is None else Fit.of(found.fit)})

    def bootstrap(
        self,
        statistic: "Callable[[Fit], Any] | None" = None,
        replicates: int = 999,
        *,
        by: Any = None,
        seed: int = 1,
        progress: bool | None = None,
    ) -> Bootstrap:
        """Fit the model to resampled data, each time from where this fit ended, and return a statistic's values.

        Parameters
        ----------
        statistic
            A function of a fit that returns a number or a vector; by default linear coefficients, then average marginal
            effects of all variables.
        by
            Groups that are drawn as a whole (cluster bootstrap), as a column or an effect by name, or labels. By
            default rows are drawn (pairs bootstrap).
        progress
            Whether to show a bar; by default on a terminal, from a second on.

        Ctrl-C ends it at once: the replicates that had ended are returned, with a `ConvergenceWarning` that counts
        them. If they are fewer than two, KeyboardInterrupt goes on.
        """
        return bootstrap.bootstrap(self, _of_fit(statistic), replicates, by, seed, progress)

    def plot(self, kind: str = "effects", axes: Any = None, **options: Any) -> Any:
        """Draw "effects", "fitted", "residuals", "trace" or "network"; `matbn.plotting` has the options."""
        return kinds.plot(self, kind, axes, **options)

    def to_json(self) -> str:
        """Return the fit as JSON text, from which `Fit.from_json` makes it again, to the last digit.

        The text holds no code and no data, but what the formula has learnt from them. An ArgumentError names what it
        cannot hold: functions of your own in the formula or as activation, methods of columns, groups or levels that
        are neither numbers, texts nor dates. Such a fit can be pickled.
        """
        return saved_fit.to_json(self)

    @staticmethod
    def from_json(text: str) -> "FittedModel":
        """Return the fit that `to_json` wrote; it predicts new rows of a data frame too, where it has a formula.

        The text may come from anyone, for nothing in it is run. All of it is checked first: JSON without doubled keys,
        NaN or numbers beyond 64 bits; the keys, their types, shapes that agree, finiteness; and a formula of columns,
        numbers, operators and calls of functions that matbn knows. An ArgumentError says where it holds something else.
        When the fit predicts, the formula sees the new data's columns and these functions, and nothing else.
        """
        return Fit.of(saved_fit.from_json(text))

    def __str__(self) -> str:
        return report.text(self)


def _of_fit(statistic: Any) -> Any:
    """Return a statistic of a `Fit` as one of a fitted model; what is no function is refused later."""
    return (lambda model: statistic(Fit.of(model))) if callable(statistic) else statistic
