"""What all estimates with errors share: fields, and bounds by Student's quantiles as SciPy's statistics has them."""

import inspect
from dataclasses import fields

import numpy as np
import pytest
from scipy import stats

import matbn
from matbn.inference.estimates import Estimates

pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(5)
    data = pandas.DataFrame(rng.normal(size=(60, 3)), columns=["y", "x", "z"])
    fit = matbn.fit("y ~ x + net(z, size=1)", data, penalty=1e-2, starts=1)
    return {
        "table": fit.table(level=0.9),
        "effects": fit.marginal_effects(level=0.9),
        "dependence": fit.partial_dependence("z", level=0.9),
        "prediction": fit.get_prediction(data, level=0.9),
        "outcome": fit.get_prediction(data, level=0.9, interval="prediction"),
    }


def test_bounds_are_students(answers):
    for name, found in answers.items():
        spread = np.hypot(found.error, found.sigma) if name == "outcome" else found.error
        expected = stats.t.interval(0.9, found.df, found.estimate, spread)
        np.testing.assert_allclose([found.lower, found.upper], expected, rtol=1e-12, err_msg=name)
    np.testing.assert_array_equal(answers["prediction"].value, answers["prediction"].estimate)


def test_all_are_one_class(answers):
    shared = {field.name for field in fields(Estimates)}
    for name, found in answers.items():
        assert isinstance(found, Estimates), name
        assert not shared & set(inspect.get_annotations(type(found))), name
