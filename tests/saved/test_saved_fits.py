"""Fits to JSON and back: ordinary formulas predict the same to the last digit; errors name the place in bad texts."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import matbn

pandas = pytest.importorskip("pandas")
formulaic = pytest.importorskip("formulaic")

sqrt = np.sqrt  # as a formula's caller may have imported it

OLD = json.loads((Path(__file__).parents[1] / "fixtures" / "saved_fits_schema2.json").read_text())


def data(N=60, seed=2):
    rng = np.random.default_rng(seed)
    frame = pandas.DataFrame({name: rng.normal(size=N) for name in ("e", "z", "my var", "a:b", "my_other")})
    frame["x"], frame["g"], frame["k"] = rng.uniform(1, 3, N), rng.choice(list("abc"), N), rng.integers(3, size=N)
    frame["h"], frame["id"] = rng.choice(["u v", "it's", 'a "b"'], N), rng.integers(5, size=N)
    frame["cat"] = pandas.Categorical(frame.g, categories=list("cba"))
    return frame.assign(b=frame.k > 0, y=np.log(frame.x) + frame.z + (frame.g == "b") + rng.normal(size=N) / 5)


FRAME = data()
NEW = data(9, 3)[lambda new: new.x.between(FRAME.x.min(), FRAME.x.max())].drop(columns="y")
FORMULAS = [
    "y ~ {e + 1} + x",
    "y ~ {x**2} + {z / 2 - e * 3}",
    "y ~ `my var` + x",
    "`my var` ~ x",
    "{y * 2} ~ x",
    "log(y + 9) ~ x",
    "y ~ `a:b` + x",
    "y ~ {`my var` * 2} + poly(`my var`, 2)",
    "y ~ Q('my var')",
    "y ~ np.log(x) + sqrt(x) + abs(z)",
    "y ~ {np.where(x > 2, x, 0)} + np.clip(z, -1, 1)",
    "y ~ {log(x) + np.exp(-x)} + I(x**2)",
    "y ~ {g == 'a'} + {(x > 2) & (z < 0)}",
    "y ~ poly(x, 3) + poly(z, 2, raw=True)",
    "y ~ bs(x, df=5) + bs(z, knots=[-1/3, 0.5], degree=2, extrapolation='extend')",
    "y ~ cs(x, df=4, constraints='center') + cr(z, df=3)",
    "y ~ cc(x, df=4)",
    "y ~ bs(x, knots=np.linspace(1.5, 2.5, 3))",
    "y ~ scale(x, center=False) + center(z) + standardize(e) + scale(`my var`, 0.5, 2)",
    "y ~ scale(poly(x, 2))",
    "y ~ C(g, Treatment('b')) + C(k)",
    "y ~ C(g, contr.treatment(base='b')) + C(k, Sum)",
    "y ~ C(g, contr.helmert) + C(k, contr.poly) + C(b)",
    "y ~ C(g, {'t': [1, 0, -1]}) + C(k, [[1], [0], [-1]])",
    "y ~ C(g, levels=['c', 'b', 'a']) + cat + b",
    "y ~ h",
    'y ~ C(h, Treatment("it\'s"))',
    "y ~ hashed(g, levels=3)",
    "y ~ g * x + scale(x):g",
    "y ~ (g + x + z)**2 - g:x",
    "y ~ x / g + z:e",
    "y ~ x %in% g",
    "y ~ 0 + g + x | id",
    "y ~ x - 1 | id + k",
    "y ~ x + net(z, `my var`, size=2)",
    "y ~ net({z + 1}, g, size=2) + net(poly(e, 2), size=1, label='second') | id",
    "y ~ x + net(z, e, size=2, mask=np.eye(2))",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_ordinary_formulas(formula):
    fit = matbn.fit(formula, FRAME, penalty=0.01, starts=1)
    again = matbn.Fit.from_json(fit.to_json())
    for new in (NEW, FRAME):
        np.testing.assert_array_equal(again.predict(new), fit.predict(new))
    np.testing.assert_allclose(again.predict(FRAME), fit.fitted, atol=1e-9)
    assert again.to_json() == fit.to_json()
    assert str(again) == str(fit)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(again)).predict(NEW), fit.predict(NEW))


@pytest.mark.parametrize("old", OLD["fits"], ids=lambda old: old["formula"] or "arrays")
def test_texts_that_were_written_before(old):
    """Texts and predictions come from the previous version, which could not read all of its own texts."""
    again = matbn.Fit.from_json(old["text"])
    if old["formula"]:
        predicted = again.predict(pandas.DataFrame(OLD["new"]))
    else:
        arrays = OLD["arrays"]
        inputs, labels = [np.array(arrays["inputs"])], np.array(arrays["effects"], "M8[D]")
        predicted = again.predict(inputs=inputs, linear=np.array(arrays["linear"]), effects=labels)
    np.testing.assert_allclose(predicted, old["predicted"], rtol=1e-12)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([1, 2, 3], "i2"),
        np.array([1.5, 2, 3]),
        np.array([True, False, True]),
        np.array(["a", "b", "é"]),
        np.array(["a", "b", "c"], object),
        np.array(["2020-01-01", "2021-01-01", "2021-02-03"], "M8[D]"),
        np.array([1, 5, 9], "m8[D]"),
    ],
    ids=lambda labels: labels.dtype.str,
)
def test_groups_of_all_types(labels):
    labels = labels[np.arange(30) % 3]
    x = np.random.default_rng(4).normal(size=30)
    fit = matbn.fit(np.sin(x), linear=x, effects=labels)
    again = matbn.Fit.from_json(fit.to_json())
    np.testing.assert_array_equal(again.predict(linear=x, effects=labels), fit.predict(linear=x, effects=labels))
    assert again.effects[0].levels.dtype == fit.effects[0].levels.dtype


@pytest.mark.parametrize("labels", [np.array([b"a", b"b"]), np.array([1j, 2]), np.array(["a", "b"], "T")])
def test_groups_that_json_cannot_keep(labels):
    x = np.random.default_rng(4).normal(size=30)
    fit = matbn.fit(np.sin(x), linear=x, effects=labels[np.arange(30) % 2])
    with pytest.raises(matbn.ArgumentError, match=r"the groups of 'effect' are of type .* make them texts or numbers"):
        fit.to_json()


def double(x):
    return 2 * x


def test_functions_of_ones_own_predict_and_are_named_where_they_cannot_go():
    def scale(x):  # the name of one of formulaic's functions
        return x / 10

    factor = 3  # noqa: F841
    cases = {"double": "double(x)", "scale": "scale(x)", "factor": "{factor * x}", "pandas": "pandas.Series.abs(z)"}
    for name, term in cases.items():
        fit = matbn.fit(f"y ~ {term} + z", FRAME)
        np.testing.assert_allclose(fit.predict(FRAME), fit.fitted, atol=1e-12)
        with pytest.raises(matbn.ArgumentError, match=f"cannot go into JSON; pickle it instead: .* uses '{name}'"):
            fit.to_json()
        if name != "scale":  # a function within another does not pickle
            np.testing.assert_array_equal(pickle.loads(pickle.dumps(fit)).predict(NEW), fit.predict(NEW))
    with pytest.raises(matbn.ArgumentError, match=r"cannot go into JSON.* 'x\.clip\(1, 2\)' holds a call of 'x\.clip'"):
        matbn.fit("y ~ x.clip(1, 2)", FRAME).to_json()
    with pytest.raises(matbn.ArgumentError, match=r"the level Timestamp\(.*make it a text"):
        matbn.fit("y ~ C(d)", FRAME.assign(d=pandas.to_datetime("2020-01-01") + pandas.to_timedelta(FRAME.k))).to_json()


def test_a_column_is_not_renamed_for_a_name_of_the_callers():
    """formulaic calls `my var` my_var unless that name is taken, where what poly had learnt used to be lost."""
    my_var = 3
    fit = matbn.fit("y ~ poly(`my var`, 2)", FRAME, environment={"my_var": my_var})
    np.testing.assert_allclose(fit.predict(FRAME), fit.fitted, atol=1e-12)
    both = FRAME.assign(my_var=FRAME.x)
    fit = matbn.fit("y ~ poly(`my var`, 2)", both)
    for one in (fit, matbn.Fit.from_json(fit.to_json())):  # both read only the columns that they need
        np.testing.assert_allclose(one.predict(both), fit.fitted, atol=1e-12)
    fit = matbn.fit("y ~ poly(`my var`, 2) + my_var", both)
    for _ in range(2):
        with pytest.raises(matbn.ArgumentError, match="names that differ in signs only; rename one"):
            fit.predict(both)
    with pytest.raises(matbn.ArgumentError, match="cannot go into JSON"):
        fit.to_json()


def test_predicting_learns_nothing():
    fit = matbn.fit("y ~ poly(x, 2) + C(g)", FRAME)
    for one in (fit, matbn.Fit.from_json(fit.to_json())):
        first = one.predict(NEW)
        one.predict(FRAME[:3])
        np.testing.assert_array_equal(one.predict(NEW), first)


CONTENT = json.loads(matbn.fit("y ~ scale(x) + g + net(z, size=2) | id", FRAME, penalty=0.01, starts=1).to_json())


def changed(path, value):
    content = json.loads(json.dumps(CONTENT))
    *above, last = path
    place = content
    for key in above:
        place = place[key]
    place[last] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("nets", 0, "Gamma1", "values", 0, 1), None, r"nets\[0\]\.Gamma1\.values\[0\]\[1\] is null"),
        (("nets", 0, "Gamma1", "values", 0, 1), "1", r"nets\[0\]\.Gamma1\.values\[0\]\[1\] is '1'"),
        (("nets", 0, "Gamma1", "values"), [[1.0]], r"Gamma1\.values\[0\] is a list of 1, but must be a list of 2"),
        (("nets", 0, "gamma", "values", 0), -1.0, r"nets\[0\]\.gamma\.values is a list of 2, but must .* 0 or above"),
        (("nets", 0, "names"), [], r"nets\[0\]\.names is a list of 0"),
        (("nets", 0, "label"), "net(x, size=2)", r"nets\[0\]\.label is 'net\(x, size=2\)'"),
        (("nets",), [], r"theta\.values is a list of 4"),
        (("coefficients", "values"), [1.0], r"coefficients\.values is a list of 1, but must be a list of 3"),
        (("coefficients", "dtype"), "<i8", r"coefficients\.dtype is '<i8'"),
        (("coefficient_names", 1), 5, r"coefficient_names\[1\] is 5, but must be a text"),
        (("coefficient_names", 1), "\ud800", r"coefficient_names\[1\] is "),
        (("effects", 0, "levels", "values", 0), 7, r"effects\[0\]\.levels\.values is a list of 5, .* in rising order"),
        (("effects", 0, "levels", "values", 0), "a", r"effects\[0\]\.levels\.values\[0\] is 'a'"),
        (("effects", 0, "levels", "dtype"), "|O2", r"effects\[0\]\.levels\.dtype is '\|O2'"),
        (("effects", 0, "name"), "year", r"recipe\.formula is .* with the effects year"),
        (("N",), 59, r"fitted\.values is a list of 60, but must be a list of 59"),
        (("N",), True, "N is true, but must be a whole number"),
        (("rank",), 2.5, "rank is 2.5, but must be a whole number"),
        (("penalty",), -1.0, "penalty is -1.0, but must be a finite number of at least 0"),
        (("activation",), "open", "activation is 'open', but must be one of relu"),
        (("matbn_fit",), 4, r"no fit of matbn's \(schema 4, known are 2 and 3\)"),
        (("intercept",), True, r"intercept is true, but must be false beside effects"),
        (("matbn_fit",), True, r"no fit of matbn's \(schema True"),
        (("new",), 1, "the whole has the unknown key 'new'"),
        (("recipe", "new"), 1, "recipe has the unknown key 'new'"),
        (("recipe", "intercept"), True, r"recipe\.intercept is true"),
        (("recipe", "formula"), "y ~ x", r"recipe\.formula is 'y ~ x', but must be with as many nets"),
        (("recipe", "formula"), "y ~ scale(x) + g + net(z, size=3) | id", "must be of size 2"),
        (
            ("recipe", "formula"),
            "y ~ scale(z) + g + net(z, size=2) | id",
            r"\[1\]\.formula is .*, but must be '1 \+ sc",
        ),
        (("recipe", "specs", 1, "formula"), "1 + x", r"recipe\.specs\[1\]\.formula is '1 \+ x'"),
        (("recipe", "specs", 1, "factors", "g", "kind"), "odd", r"factors\['g'\]\.kind is 'odd'"),
        (("recipe", "specs", 1, "factors", "g", "levels"), ["a", "a"], r"factors\['g'\]\.levels is a list of 2"),
        (("recipe", "specs", 1, "transforms", "pairs"), [], r"transforms lacks what 'scale\(x\)' has learnt"),
        (("searches", 0, "trace"), 5, r"searches\[0\]\.trace is 5, but must be an object"),
        (("path",), [1], r"path\[0\] is 1, but must be an object with the keys penalty, score, edf"),
        (("edf",), "many", "edf is 'many', but must be a finite number"),
    ],
)
def test_a_refusal_says_where(path, value, said):
    with pytest.raises(matbn.ArgumentError, match=said):
        matbn.Fit.from_json(changed(path, value))


def test_what_pythons_reader_lets_through():
    text = json.dumps(CONTENT)
    beta = r"nets\[0\]\.beta\.values\[1\]"
    for bad, said in {
        "NaN": f"{beta} is NaN, but must be a finite number",
        "-Infinity": f"{beta} is -Infinity",
        "1e999": f"{beta} is 1e999, which 64 bits cannot hold",
        str(10**20): f"{beta} is a whole number of 21 digits",
        "9" * 5_001: f"{beta} is a whole number of 5001 digits",
        '{"a": 1, "a": 2}': f"{beta} is an object with the key 'a' twice",
        "[" * 100_000 + "]" * 100_000: "nests brackets more deeply",
    }.items():
        damaged = changed(("nets", 0, "beta", "values", 1), "@").replace('"@"', bad)
        with pytest.raises(matbn.ArgumentError, match=said):
            matbn.Fit.from_json(damaged)
    with pytest.raises(matbn.ArgumentError, match=r"no fit of matbn's"):
        matbn.Fit.from_json('{"matbn_fit": 2, "matbn_fit": 2}')
    for end in (1, 100, len(text) - 1):
        with pytest.raises(matbn.ArgumentError, match=r"no JSON at line 1, column \d+"):
            matbn.Fit.from_json(text[:end])
    for empty in ("", " \n"):
        with pytest.raises(matbn.ArgumentError, match="text is empty"):
            matbn.Fit.from_json(empty)
    for other in (text.encode(), None, 5, CONTENT):
        with pytest.raises(matbn.MatbnError, match=f"text is a {type(other).__name__}, but must be a str"):
            matbn.Fit.from_json(other)


def test_levels_in_another_order_do_not_predict_otherwise():
    factors = CONTENT["recipe"]["specs"][1]["factors"]["g"]
    assert factors["levels"] == ["a", "b", "c"]
    again = matbn.Fit.from_json(changed(("recipe", "specs", 1, "factors", "g", "levels"), ["b", "a", "c"]))
    with pytest.raises(matbn.ArgumentError, match=r"makes the columns .*g\[T\.a\].* but the saved fit has .*g\[T\.b\]"):
        again.predict(NEW)


def test_a_saved_fit_says_what_new_data_lacks():
    again = matbn.Fit.from_json(json.dumps(CONTENT))
    with pytest.raises(matbn.ArgumentError, match="data has no column 'x'"):
        again.predict(NEW.drop(columns="x"))
    with pytest.raises(matbn.ArgumentError, match="'g' has levels that the fit has not seen: unknown"):
        again.predict(NEW.assign(g="unknown"))
    with pytest.raises(matbn.ArgumentError, match="new data does not fit the formula's part"):
        again.predict(NEW.assign(x="text"))
