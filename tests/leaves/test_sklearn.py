"""scikit-learn's own checks of the regressor, and its use in a pipeline and a search."""

import numpy as np
import pytest

import matbn

pytest.importorskip("sklearn", minversion="1.6")

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from matbn.sklearn import NetRegressor

QUICK = NetRegressor(size=2, starts=2, penalty=1e-3, tolerance=1e-8, random_state=1)


@parametrize_with_checks([QUICK])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def data(N=200):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N, 3))
    return X, np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + rng.normal(size=N) / 10


def test_it_is_the_same_fit():
    X, y = data()
    regressor = NetRegressor(size=3, starts=2, random_state=1).fit(X, y)
    seed = int(np.random.RandomState(1).randint(2**31 - 1))
    expected = matbn.fit(y, nets=matbn.net(X, 3), linear=X, linear_penalty=0.01, starts=2, seed=seed)
    np.testing.assert_allclose(regressor.predict(X), expected.fitted, atol=1e-10)
    assert regressor.score(X, y) == pytest.approx(expected.r_squared)
    alone = NetRegressor(size=3, linear_penalty=None, starts=2, random_state=1).fit(X, y)
    expected = matbn.fit(y, nets=matbn.net(X, 3), starts=2, seed=seed)
    np.testing.assert_allclose(alone.predict(X), expected.fitted, atol=1e-10)


def test_pipeline_and_grid_search():
    X, y = data()
    pipeline = make_pipeline(StandardScaler(), NetRegressor(starts=2, random_state=1))
    search = GridSearchCV(pipeline, {"netregressor__size": [1, 5], "netregressor__penalty": [1e-4, 1e-2]}, cv=3)
    search.fit(X, y)
    assert search.best_params_["netregressor__size"] == 5
    assert search.best_score_ > 0.7
