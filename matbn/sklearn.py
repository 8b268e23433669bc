"""A regressor for scikit-learn: a net and a linear part, for pipelines and searches over its settings.

    from matbn.sklearn import NetRegressor

It needs scikit-learn (`pip install 'matbn[sklearn]'`), which nothing else of matbn imports.
"""

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import ConvergenceWarning as SklearnConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from matbn.arguments import Array
from matbn.errors import ConvergenceWarning
from matbn.model.design import net
from matbn.regression.api import fit


class NetRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Least-squares regression on a batch-normalised net of one hidden layer.

    Parameters
    ----------
    size
        Number of nodes.
    activation, penalty, starts, tolerance, iterations
        As in `matbn.fit`.
    linear_penalty
        Penalty of a linear part in the same inputs, which is added to the net; None leaves the linear part out.
    random_state
        Seed of the starting values, a generator, or None for a new draw at each fit.

    Attributes
    ----------
    fit_
        The `matbn.Fit`.
    used_
        Whether each input varies; the net takes those that do.
    n_iter_
        Iterations of the best start.
    """

    def __init__(
        self,
        size: int = 10,
        activation: str = "tanh",
        penalty: float | str | None = None,
        linear_penalty: float | None = 0.01,
        starts: int | None = None,
        tolerance: float = 1e-6,
        iterations: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.size = size
        self.activation = activation
        self.penalty = penalty
        self.linear_penalty = linear_penalty
        self.starts = starts
        self.tolerance = tolerance
        self.iterations = iterations
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "NetRegressor":
        """Fit to inputs X (N × p) and outcomes y (N).

        Ctrl-C raises KeyboardInterrupt, and no fit is kept: scikit-learn's searches and scores could not tell an
        interrupted fit from a finished one. (`matbn.fit` itself returns the best fit so far.)
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2)
        w = None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        has_weight = np.ones(len(y), bool) if w is None or not (w > 0).any() else w > 0  # `fit` refuses weights of 0
        used = np.ptp(X[has_weight], axis=0) > 1e-12 * np.abs(X[has_weight]).max(axis=0, initial=0)
        nets = [net(X[:, used], self.size)] if used.any() else []
        linear = None if self.linear_penalty is None else X[:, used]
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ConvergenceWarning)
            fitted = fit(
                y,
                nets=nets,
                linear=linear,
                weights=w,
                activation=self.activation,
                penalty=self.penalty,
                linear_penalty=0.0 if self.linear_penalty is None else self.linear_penalty,
                starts=self.starts,
                seed=seed,
                tolerance=self.tolerance,
                iterations=self.iterations,
            )
        if fitted.searches and fitted.searches[0].status == "interrupted":
            raise KeyboardInterrupt
        self.fit_, self.used_ = fitted, used
        for warning in caught:  # raised again, with scikit-learn's class for convergence
            own = issubclass(warning.category, ConvergenceWarning)
            warnings.warn(str(warning.message), SklearnConvergenceWarning if own else warning.category, stacklevel=2)
        self.n_iter_ = max(1, self.fit_.searches[0].iterations) if self.fit_.searches else 1
        return self

    def predict(self, X: Any) -> Array:
        """Return predictions at new inputs."""
        check_is_fitted(self, "fit_")
        X = validate_data(self, X, dtype=np.float64, reset=False)
        inputs = [X[:, self.used_]] if self.used_.any() else []
        linear = X[:, self.used_] if len(self.fit_.coefficients) > 1 else np.empty((len(X), 0))
        return self.fit_.predict(inputs=inputs, linear=linear)
