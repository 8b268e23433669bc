"""What users ask of a fit: each method hands over to the module that answers, which is imported only then."""

from typing import TYPE_CHECKING, Any, cast

from matbn.arguments import Array, as_choice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matbn.fitting.result import Fit
    from matbn.inference.dependence import Dependence
    from matbn.inference.effects import Effects
    from matbn.inference.predictions import Predicted
    from matbn.inference.tables import Covariance, Table
    from matbn.inference.wald import WaldTests
    from matbn.resampling.bootstrap import Bootstrap
    from matbn.resampling.choose import Choice
    from matbn.resampling.validate import Validation

UNSEEN = ("error", "zero", "average", "estimate")


class Methods:
    """The methods of `Fit`."""

    @property
    def _fit(self) -> "Fit":
        return cast("Fit", self)

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
        from matbn.fitting.predict import new_rows, predicted

        as_choice("unseen", unseen, UNSEEN)
        new = new_rows(self._fit, data, inputs, linear, effects, outcomes, unseen)
        return self._fit.fitted if new is None else predicted(self._fit, new, unseen)

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
    ) -> "Predicted":
        """Return predictions with standard errors and bounds, for the mean or ("prediction") for a new outcome.

        The rows are those of `predict`, the errors those of `vcov`; what a group's effect adds to the error is in it.
        A group that was not seen adds to it where its effect is estimated (as if its outcomes' errors were iid), but
        not where it is taken to be zero or average.
        """
        from matbn.fitting.predict import new_rows, predicted
        from matbn.inference.intervals import predicted_with_errors

        as_choice("unseen", unseen, UNSEEN)
        fit = self._fit
        new = new_rows(fit, data, inputs, linear, effects, outcomes, unseen)
        value = fit.fitted if new is None else predicted(fit, new, unseen)
        return predicted_with_errors(fit, new, value, unseen, interval, level, vcov, correction)

    def vcov(self, vcov: Any = "iid", part: str = "linear", correction: str = "sandwich") -> "Covariance":
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
        from matbn.inference.tables import covariance_by_name

        return covariance_by_name(self._fit, vcov, part, correction)

    def table(
        self, vcov: Any = "iid", part: str = "linear", correction: str = "sandwich", level: float = 0.95
    ) -> "Table":
        """Return estimates with standard errors, t and p values and confidence bounds; arguments as for `vcov`."""
        from matbn.inference.tables import coefficient_table

        return coefficient_table(self._fit, vcov, part, correction, level)

    def confint(
        self,
        names: "Sequence[str] | None" = None,
        level: float = 0.95,
        vcov: Any = "iid",
        part: str = "linear",
        correction: str = "sandwich",
    ) -> dict[str, tuple[float, float]]:
        """Return confidence bounds by name; arguments as for `vcov`."""
        from matbn.inference.tables import bounds

        return bounds(self._fit, names, level, vcov, part, correction)

    def wald(
        self, variables: "Sequence[str] | None" = None, vcov: Any = "iid", correction: str = "sandwich"
    ) -> "WaldTests":
        """Test for each variable that it has no effect: that all weights and coefficients of its columns are 0.

        W = θᵀV⁺θ/q for those parameters θ, their covariance V and its rank q, as an F statistic with q and the degrees
        of freedom of `vcov`. Variables are the columns of a formula's data, or of arrays by their names. A penalty
        pulls weights towards 0, so that the test is rather too careful than exact.
        """
        from matbn.inference.wald import variables_tested

        return variables_tested(self._fit, variables, vcov, correction)

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
        from matbn.inference.marginal import marginal_effects

        return marginal_effects(self._fit, variables, average, vcov, correction, level)

    def partial_dependence(
        self,
        variable: str,
        at: Any = None,
        *,
        vcov: Any = "iid",
        correction: str = "sandwich",
        level: float = 0.95,
    ) -> "Dependence":
        """Return the mean prediction over the fit's rows with a variable set to each of the values `at`, with bounds.

        By default `at` are 40 values over a number's range, or all levels of a factor.
        """
        from matbn.inference.dependence import partial_dependence

        return partial_dependence(self._fit, variable, at, vcov, correction, level)

    def summary(self, vcov: Any = "iid", correction: str = "sandwich") -> str:
        """Return a longer report than printing gives: coefficients and tests, fit statistics, nodes, searches."""
        from matbn.inference.summary import summary

        return summary(self._fit, vcov, correction)

    def tidy(self, vcov: Any = "iid", part: str = "linear", correction: str = "sandwich", level: float = 0.95) -> Any:
        """Return `table` as a data frame with broom's columns: term, estimate, std_error, statistic, and so on."""
        from matbn.inference.tidy import tidy

        return tidy(self._fit, vcov, part, correction, level)

    def glance(self) -> Any:
        """Return statistics of the whole fit as a data frame of one row."""
        from matbn.inference.tidy import glance

        return glance(self._fit)

    def augment(self) -> Any:
        """Return the data with columns _fitted, _resid, _hat (leverages) and _std_resid."""
        from matbn.inference.tidy import augment

        return augment(self._fit)

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
        from matbn.resampling.validate import cross_validate

        return cross_validate(self._fit, by, time, folds, unseen, starts, seed)

    def choose(
        self,
        sizes: "Sequence[int] | None" = None,
        penalties: "Sequence[float] | None" = None,
        *,
        criterion: str = "cv",
        by: Any = None,
        time: Any = None,
        folds: int = 5,
        unseen: str = "average",
        starts: int = 3,
        seed: int = 1,
    ) -> "Choice":
        """Fit all combinations of net sizes and penalties, and return their scores and the best one's fit.

        `criterion` is "cv", the mean squared error of `cross_validate` with these arguments, or "bic". A size counts
        for each net; without sizes or penalties, those of this fit stay.

        Ctrl-C ends it at once: the scores of those combinations are returned that had been scored in full, with a
        `ConvergenceWarning` that counts them and names the best, which is not fitted: `Choice.fit` is None, for a whole
        fit would take long, and one that is cut off is none to choose. If there are none, KeyboardInterrupt goes on.
        """
        from matbn.resampling.choose import choose

        return choose(self._fit, sizes, penalties, criterion, by, time, folds, unseen, starts, seed)

    def bootstrap(
        self,
        statistic: "Callable[[Fit], Any] | None" = None,
        replicates: int = 999,
        *,
        by: Any = None,
        seed: int = 1,
        progress: bool | None = None,
    ) -> "Bootstrap":
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
        from matbn.resampling.bootstrap import bootstrap

        return bootstrap(self._fit, statistic, replicates, by, seed, progress)

    def plot(self, kind: str = "effects", axes: Any = None, **options: Any) -> Any:
        """Draw "effects", "fitted", "residuals", "trace" or "network"; `matbn.plotting` has the options."""
        from matbn.plotting import plot

        return plot(self._fit, kind, axes, **options)
