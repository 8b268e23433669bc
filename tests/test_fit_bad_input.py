"""What users type by mistake: each gets an error that names it, or a fit with a message where one is possible."""

import warnings

import numpy as np
import pytest

import matbn

pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    frame = pandas.DataFrame({"z": rng.normal(size=30), "w": rng.normal(size=30), "g": rng.choice(list("abc"), 30)})
    frame["y"] = frame.z + rng.normal(size=30)
    frame["two"] = np.where(frame.z > 0, "a", "b")
    return frame.assign(one="a", constant=1.0, id=range(30), unit=np.arange(30) // 5, double=2 * frame.z)


REFUSED = [
    ("y ~ foo", {}, "the linear part: 'foo' is no column of data; it has z, w, g"),
    ("y ~ net(foo, size=2)", {}, r"net\(foo, size=2\): 'foo' is no column of data"),
    ("y ~ z | foo", {}, "data has no column 'foo'; it has z, w"),
    ("y ~ net(one, size=2)", {}, "its inputs make no columns; a factor needs two levels or more"),
    ("y ~ net(z + constant, size=2)", {}, "has constant inputs, constant, from which a net can learn nothing"),
    ("two ~ z", {}, "the outcome 'two' must be a number in each row"),
    ("g ~ z", {}, "the outcome 'g' must be a number in each row"),
    ("y ~ net(z, size=0)", {}, "size is 0, but must be a whole number, 1 or larger"),
    ("y ~ net(z, size=2.5)", {}, r"size is 2\.5"),
    ("y ~ net(z, size='a')", {}, "size is 'a', but must be a real number"),
    ("y ~ net(z)", {}, r"net\(z\) has no size; write how many nodes"),
    ("y ~ net(z, size=2, nodes=3)", {}, "'nodes' is no option of a net; there are size, basis, mask, label"),
    ("y ~ z | unit*2", {}, "effects are names of columns"),
    ("y ~ z + net(z, size=2", {}, "leaves a bracket or a quote open"),
    ("y ~", {}, "must have the form 'y ~ terms'"),
    ("~ z", {}, "must have the form 'y ~ terms'"),
    ("y ~ np.log(constant - 1)", {}, r"'np.log\(constant - 1\)' in the formula has 30 infinite or undefined values"),
    ("y ~ z", {"weights": [1.0, 2.0]}, "weights has 2 entries, but 30 are needed: one for each row of data"),
    ("y ~ z", {"weights": np.zeros(30)}, "weights are all zero"),
    ("y ~ z", {"weights": -np.ones(30)}, "weights has 30 negative entries"),
    ("y ~ z", {"weights": "foo"}, "data has no column 'foo'"),
    ("y ~ z", {"penalty": -1}, "penalty is -1"),
    ("y ~ z", {"penalty": "bic"}, "penalty is 'bic', but must be one of 'cv', 'gcv'"),
    ("y ~ z", {"activation": "tanhh"}, "activation is 'tanhh', but must be one of relu"),
    ("y ~ z", {"starts": 0}, "starts is 0"),
    ("y ~ z", {"iterations": 0}, "iterations is 0"),
]


@pytest.mark.parametrize(("formula", "options", "message"), REFUSED, ids=[f"{f} {list(o)}" for f, o, _ in REFUSED])
def test_mistakes_are_named(data, formula, options, message):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        with pytest.raises(matbn.MatbnError, match=message):
            matbn.fit(formula, data, **options)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y ~ z | id", "as many free parameters as rows .30., which it fits exactly"),
        ("y ~ net(z, size=2) | id", "30 rows are alone in a group"),
        ("y ~ z + double", "double: dropped from the linear part"),
        ("y ~ net(z, double, size=1)", "its 2 inputs vary in 1 directions only"),
        ("y ~ net(z, w, size=40)", "the model has 161 parameters for 30 rows"),
        (
            "y ~ net(z, size=40)",
            r"nodes \(.*\) (are copies of others; a smaller size fits as well|add nothing to the fit)",
        ),
    ],
)
def test_what_can_be_fitted_is_with_a_message(data, formula, message):
    import re

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", matbn.ConvergenceWarning)
        fit = matbn.fit(formula, data, starts=1)
    assert re.search(message, " ".join(fit.messages))
    assert np.isfinite(fit.fitted).all()


def test_factors_are_inputs_as_they_are_elsewhere(data):
    fit = matbn.fit("y ~ net(g, z, size=1)", data, starts=1)
    assert fit.nets[0].names == ("g[T.b]", "g[T.c]", "z")


def test_tiny_data(data):
    with pytest.raises(matbn.ArgumentError, match="data has no rows"):
        matbn.fit("y ~ z", data[:0])
    one = matbn.fit("y ~ z", data[:1])
    assert one.fitted[0] == pytest.approx(data.y[0])
    assert "dropped" in " ".join(one.messages)
    for frame in (None, np.ones((3, 2))):
        with pytest.raises(matbn.ArgumentError, match="must be a data frame where a formula is given"):
            matbn.fit("y ~ z", frame)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.drop(columns="unit"), "data has no column 'unit'"),
        (lambda d: d.drop(columns="z"), "new data does not fit the formula's part '1 . z'"),
        (lambda d: d.assign(g="q"), "categories outside"),
        (lambda d: d.assign(z="a"), "new data does not fit"),
        (lambda d: d.assign(unit=99), "'unit' has groups that the fit has not seen: 99"),
        (lambda d: d.assign(unit="a"), "'unit' has .* labels, but those of the fit are int64"),
        (lambda d: d[:0], "data has no rows"),
        (lambda d: [1, 2], "must be a data frame"),
    ],
)
def test_new_data_that_does_not_fit(data, change, message):
    fit = matbn.fit("y ~ g + net(z, size=1) | unit", data, starts=1)
    with pytest.raises(matbn.ArgumentError, match=message):
        fit.predict(change(data))
