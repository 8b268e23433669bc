"""What users type by mistake: each gets an error that names it, or a fit with a message where one is possible."""

import re
import warnings
from decimal import Decimal

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
    frame = frame.assign(one="a", constant=1.0, id=range(30), unit=np.arange(30) // 5, double=2 * frame.z)
    frame["day"] = pandas.date_range("2024-02-20", periods=30)
    frame["span"], frame["month"] = frame.day - frame.day[0], frame.day.dt.to_period("M")
    frame["complex"], frame["decimal"] = frame.z + 1j, [Decimal(k) for k in range(30)]
    frame["mixed"], frame["lists"] = [1, "a"] * 15, [[1, 2]] * 30
    frame["birth"] = frame.day.dt.date
    return frame


REFUSED = [
    ("y ~ foo", {}, "the linear part: data has no column 'foo'; it has z, w, g"),
    ("y ~ net(foo, size=2)", {}, r"net\(foo, size=2\): data has no column 'foo'"),
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
    # Syntax of other packages, and slips of the pen.
    ("y ~ (1 | unit)", {}, r"has \(1 \| unit\), which is how random effects are written, and matbn has none"),
    ("y ~ z + (z||unit)", {}, "how random effects are written"),
    ("y ~ net((1 | unit), size=2)", {}, "how random effects are written"),
    ("y ~ | unit", {}, "has nothing before the |; write 1 for no terms"),
    ("y ~ z | unit - id", {}, "has the fixed effect 'unit - id', but effects are names of columns"),
    ("y ~ net(z, size=2, size=3)", {}, "has size twice; give it once"),
    ("y ~ net(net(z, size=2), size=2)", {}, r"has a net inside of net\(z, size=2\)"),
    ("y ~ z * net(w, size=2)", {}, r"has a net inside of z \* net\(w, size=2\)"),
    ("y ~ net(z, , size=2)", {}, "or a comma with nothing beside it"),
    ("y ~ net(z, size=)", {}, "has size = with nothing beside it"),
    ("y ~ net(z, size=None)", {}, "size is None"),
    ("y ~ net(z, size=[1, 2])", {}, r"size is \[1, 2\]"),
    ("y ~ net(z, size=-1)", {}, "size is -1"),
    ("y ~ net(z, size=10**9)", {}, "1,000,000,000 nodes .* of memory or more, and there are .*; take a smaller size"),
    ("y ~ net(z, size=2, label=3)", {}, "label is 3, but must be text"),
    ("y ~ z - offset(w)", {}, r"subtracts offset\(w\); write offset\(-v\)"),
    ("y ~ .", {}, "has a dot, which matbn does not expand"),
    ("y ~ net(., size=2)", {}, "has a dot"),
    ("y ~ s(z)", {}, r"s\(z\) cannot be evaluated: 's' is neither a column of data nor a function"),
    ("y ~ 'z'", {}, "cannot be read: terms are columns and functions of them"),
    ("y ~ z +* w", {}, "cannot be read: [^⧛\\x1b]*$"),
    ("y ~ log(z)", {}, r"'log\(z\)' in the formula has .* infinite or undefined values"),
    ("log(y) ~ z", {}, r"'log\(y\)' in the formula has .* infinite or undefined values"),
    # Columns that hold neither numbers nor labels.
    ("y ~ complex", {}, "column 'complex' holds complex numbers"),
    ("complex ~ z", {}, "column 'complex' holds complex numbers"),
    ("y ~ net(complex, size=1)", {}, "column 'complex' holds complex numbers"),
    ("y ~ z", {"weights": "complex"}, "weights is complex, but must be real"),
    ("y ~ z", {"weights": np.ones(30) + 1j}, "weights is complex, but must be real"),
    ("y ~ decimal", {}, "column 'decimal' holds Decimal, neither numbers nor text alone"),
    ("y ~ net(mixed, size=1)", {}, "column 'mixed' holds int, neither numbers nor text alone"),
    ("y ~ lists", {}, "column 'lists' holds list"),
    ("y ~ month", {}, "column 'month' holds Period"),
    ("y ~ birth", {}, "column 'birth' holds date"),
    ("y ~ z | mixed", {}, r"effect 'mixed' has labels without an order \(int, str\)"),
    ("y ~ z | lists", {}, "effect 'lists' has labels without an order"),
    ("day ~ z", {}, "the outcome 'day' holds dates, but must be a number in each row"),
    ("span ~ z", {}, "the outcome 'span' holds dates"),
    ("y ~ z", {"weights": "day"}, "weights holds elements of type datetime64"),
    # Options of the wrong kind.
    ("y ~ z", {"weights": np.r_[np.nan, np.ones(29)]}, "weights has 1 entries that are missing"),
    ("y ~ z | unit", {"weights": (np.arange(30) > 4).astype(float)}, "weights are all zero in groups of 'unit': 0;"),
    ("y ~ z", {"environment": 3}, "environment is a int, but must be a mapping"),
    ("y ~ z", {"seed": -1}, "seed is -1"),
    ("y ~ z", {"seed": 10**400}, "seed is inf"),
    ("y ~ z", {"tolerance": np.nan}, "tolerance is nan"),
    ("y ~ z", {"linear_penalty": np.inf}, "linear_penalty is inf"),
    ("y ~ net(z, size=2)", {"penalty": 1e308}, "no start leads to a finite loss"),
    ("y ~ net(z, size=2)", {"starts": 10**9}, "1,000,000,000 starts .* of memory"),
    ("y ~ z", {"activation": ["tanh"]}, r"activation is \['tanh'\]"),
    ("y ~ z", {"activation": matbn.Activation("a", np.sin, None, np.cos)}, "slope of activation 'a' is a NoneType"),
    ("y ~ z", {"activation": matbn.Activation([], np.sin, np.sin, np.cos)}, "an activation's name is \\[\\]"),
]


@pytest.mark.parametrize(("formula", "options", "message"), REFUSED, ids=[f"{f} {list(o)}" for f, o, _ in REFUSED])
def test_mistakes_are_named(data, formula, options, message):
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
        (lambda d: d.drop(columns="z"), "new data has no column 'z'"),
        (lambda d: d.assign(g="q"), "'g' has levels that the fit has not seen: q"),
        (lambda d: d.assign(z="a"), "new data's column 'z' holds labels, but held numbers"),
        (lambda d: d.assign(unit=99), "'unit' has groups that the fit has not seen: 99"),
        (lambda d: d.assign(unit="a"), "'unit' has .* labels, but those of the fit are int64"),
        (lambda d: d[:0], "data has no rows"),
        (lambda d: [1, 2], "must be a data frame"),
    ],
)
def test_new_data_that_does_not_fit(data, change, message):
    fit = matbn.fit("y ~ g + net(z, size=1) | unit", data, starts=1)
    with pytest.raises(matbn.MatbnError, match=message):
        fit.predict(change(data))


def renamed(data, **names):
    return data[["y", "z", "w", "unit"]].rename(columns=names)


def test_a_column_with_the_intercepts_name_does_not_vanish(data):
    for formula in ("y ~ Intercept + w", "y ~ net(Intercept, size=1)", "Intercept ~ w", "y ~ Intercept:w"):
        with pytest.raises(matbn.ArgumentError, match="a column is named 'Intercept', as formulas call the intercept"):
            matbn.fit(formula, renamed(data, z="Intercept"))
    expected = matbn.fit("y ~ z | unit", data)
    grouped = matbn.fit("y ~ z | Intercept", renamed(data, unit="Intercept"))
    np.testing.assert_allclose(grouped.fitted, expected.fitted, rtol=1e-12)
    logged = matbn.fit("y ~ I(2 * Intercept)", renamed(data, z="Intercept"))
    np.testing.assert_allclose(logged.fitted, matbn.fit("y ~ z", data).fitted, rtol=1e-12)
    with pytest.raises(matbn.ArgumentError, match=r"linear has a column named '\(Intercept\)', which is the intercept"):
        matbn.fit("y ~ `(Intercept)`", renamed(data, z="(Intercept)"))


@pytest.mark.parametrize("name", ["lambda", "a b", "a.b", "a(b", "a|b", "net", "log", "None", "é"])
def test_columns_with_odd_names_stand_in_backquotes(data, name):
    expected = matbn.fit("y ~ z + net(z, w, size=1) | unit", data, starts=1, penalty=1e-3)
    for column in ("z", "unit"):
        formula = re.sub(rf"\b{column}\b", f"`{name}`", "y ~ z + net(z, w, size=1) | unit")
        fit = matbn.fit(formula, renamed(data, **{column: name}), starts=1, penalty=1e-3)
        np.testing.assert_allclose(fit.fitted, expected.fitted, rtol=1e-10)


def test_names_of_columns_that_cannot_be_told_apart(data):
    twice = pandas.concat([renamed(data), data[["z", "unit", "y"]]], axis=1)
    for formula in ("y ~ w", "w ~ z", "w ~ net(z, size=1)", "w ~ log(z + 9)", "w ~ 1 | unit"):
        with pytest.raises(matbn.ArgumentError, match=r"data has 2 columns named '(y|z|unit)'; tell them apart"):
            matbn.fit(formula, twice)
    assert matbn.fit("w ~ 1", twice).N == 30  # columns that are not used do not matter
    numbered = data[["y", "z"]].set_axis([0, 1], axis=1)
    with pytest.raises(matbn.ArgumentError, match="data has no column '0', but one named 0, which is no text"):
        matbn.fit("`0` ~ `1`", numbered)
    levels = data[["y", "z"]].set_axis(pandas.MultiIndex.from_product([["a"], ["y", "z"]]), axis=1)
    with pytest.raises(matbn.ArgumentError, match=r"data has no column 'y', but one named \('a', 'y'\)"):
        matbn.fit("y ~ z", levels)


def test_dates_are_days_since_1970_as_in_r(data):
    days = (data.day - pandas.Timestamp("1970-01-01")).dt.days
    assert days[0] == 19773  # as.numeric(as.Date("2024-02-20")) in R
    for formula in ("y ~ {} | unit", "y ~ net({}, size=1)"):
        expected = matbn.fit(formula.format("days"), data.assign(days=days), starts=1, penalty=1e-3)
        fit = matbn.fit(formula.format("day"), data, starts=1, penalty=1e-3)
        np.testing.assert_array_equal(fit.fitted, expected.fitted)
        np.testing.assert_array_equal(fit.predict(data[:4]), expected.predict(data.assign(days=days)[:4]))
        zoned = data.assign(day=data.day.dt.tz_localize("Europe/Zurich").dt.tz_convert("UTC"))
        assert matbn.fit(formula.format("day"), zoned, starts=1, penalty=1e-3).converged
        for other, held in ((1.0, "no dates, but held some"),):
            with pytest.raises(matbn.ElementTypeError, match=f"new data's column 'day' holds {held}"):
                fit.predict(data.assign(day=other))
        assert np.isnan(fit.predict(data[:2].assign(day=[pandas.NaT, data.day[1]]))[0])
    spans = matbn.fit("y ~ span", data)
    assert spans.coef["span"] == pytest.approx(np.polyfit(np.arange(30), data.y, 1)[0])
    with pytest.raises(matbn.ElementTypeError, match="new data's column 'z' holds dates, but held none in the fit"):
        matbn.fit("y ~ z", data).predict(data.assign(z=data.day))
    months = matbn.fit("y ~ C(day.dt.month)", data)  # inside a call dates stay dates
    assert set(months.coef) == {"(Intercept)", "C(day.dt.month)[T.3]"}


def test_kinds_of_numbers_and_labels_mean_the_same(data):
    expected = matbn.fit("y ~ z + g + net(w, size=1)", data, starts=1, penalty=1e-3)
    kinds = {
        "z": ["Float64", object, "float64"],
        "g": ["string", "category", object],
        "w": ["Float64", object, "float64"],
    }
    for choice in range(3):
        other = data.assign(**{name: data[name].astype(options[choice]) for name, options in kinds.items()})
        fit = matbn.fit("y ~ z + g + net(w, size=1)", other, starts=1, penalty=1e-3)
        np.testing.assert_allclose(fit.fitted, expected.fitted, rtol=1e-12)
        np.testing.assert_allclose(expected.predict(other), expected.fitted, rtol=1e-12)
    yes = data.assign(t=data.z > 0)
    expected = matbn.fit("y ~ t", yes)
    for other in (yes.assign(t=yes.t.astype("boolean")), yes.assign(t=yes.t.astype(object))):
        np.testing.assert_allclose(matbn.fit("y ~ t", other).fitted, expected.fitted, rtol=1e-12)


def test_missing_values_inside_of_splines_and_polynomials_leave_out_their_rows(data):
    lacking = data.assign(z=data.z.where(data.z.index != 3))
    for formula in ("y ~ poly(z, 2)", "y ~ scale(z)", "y ~ net(bs(z, df=4), size=1)"):
        fit = matbn.fit(formula, lacking, starts=1, penalty=1e-3)
        assert fit.N == 29
        assert np.isnan(fit.predict(lacking)).tolist() == [k == 3 for k in range(30)]
        with pytest.raises(matbn.ArgumentError, match="new data has no column 'z'"):
            fit.predict(data.drop(columns="z"))


def test_predictions_where_something_is_missing_have_no_errors_either(data):
    fit = matbn.fit("y ~ z + g + net(w, size=1)", data, starts=1, penalty=1e-3)
    whole = fit.get_prediction(data[:4])
    lacking = data[:4].assign(g=[None, *data.g[1:4]])
    prediction = fit.get_prediction(lacking)
    for name in ("value", "error", "lower", "upper"):
        np.testing.assert_allclose(getattr(prediction, name)[1:], getattr(whole, name)[1:])
        assert np.isnan(getattr(prediction, name)[0])
    assert np.isnan(fit.get_prediction(data[:2].assign(z=np.nan)).error).all()
    for change in ({"z": np.inf}, {"z": 1e308}):
        with pytest.raises(matbn.NotFiniteError, match=r"infinite|would not be finite"):
            matbn.fit("y ~ I(10 * z)", data).predict(data.assign(**change))


DATA_KINDS = [{"z": [1.0]}, [1, 2], None, "data.csv", pandas.Series([1.0]), pandas.DataFrame, 3, np.ones((3, 2))]


@pytest.mark.parametrize("given", DATA_KINDS, ids=lambda given: type(given).__name__)
def test_data_that_are_no_frame(given):
    with pytest.raises(matbn.ArgumentError, match="but must be a data frame where a formula is given"):
        matbn.fit("y ~ z", given)
