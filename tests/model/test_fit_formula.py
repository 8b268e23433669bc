"""`matbn.fit` as its users call it: formulas on data frames, arrays, predictions, and what they type wrong."""

import pickle

import numpy as np
import pytest

import matbn
from matbn.model.formula import parse

pd = pytest.importorskip("pandas")
pytest.importorskip("formulaic")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    N = 300
    frame = pd.DataFrame({name: rng.normal(size=N) for name in ("z1", "z2", "x")})
    frame["group"] = rng.choice(list("abc"), N)
    frame["id"], frame["year"] = rng.integers(15, size=N), rng.integers(4, size=N)
    frame["w"] = rng.uniform(0.5, 2, N)
    frame["y"] = np.sin(2 * frame.z1) + frame.z1 * frame.z2 + 0.5 * frame.x + 0.1 * frame.id + rng.normal(size=N) / 5
    return frame


def test_formulas_come_apart():
    found = parse(
        "log(y) ~ x + a:b - 1 + net(z1, s(z2, df=3), size = 2 + 2) + net(w, size=n, label='a, (b)') | id + year"
    )
    assert (found.outcome, found.linear, found.effects) == ("log(y)", "+ x + a:b - 1", ("id", "year"))
    first, second = found.nets
    assert (first.inputs, first.options) == ("z1 + s(z2, df=3)", (("size", "2 + 2"),))
    assert second.options == (("size", "n"), ("label", "'a, (b)'"))
    assert parse("y ~ net(z, size=1)").linear == ""


@pytest.mark.parametrize("effects", ["", " | id", " | id + year"])
def test_formula_and_arrays_give_the_same_fit(data, effects):
    by_formula = matbn.fit(f"y ~ x + group + net(z1, z2, size=2){effects}", data, weights="w", starts=2)
    dummies = np.column_stack([data.x, data.group == "b", data.group == "c"]).astype(float)
    groups = {name: data[name] for name in ("id", "year") if name in effects}
    by_arrays = matbn.fit(
        data.y, nets=matbn.net(data[["z1", "z2"]], 2), linear=dummies, effects=groups or None, weights=data.w, starts=2
    )
    np.testing.assert_allclose(by_formula.coefficients, by_arrays.coefficients, rtol=1e-9)
    np.testing.assert_allclose(by_formula.fitted, by_arrays.fitted, rtol=1e-9, atol=1e-9)
    assert by_formula.coefficient_names[-3:] == ("x", "group[T.b]", "group[T.c]")
    np.testing.assert_allclose(by_formula.predict(data), by_formula.fitted, atol=1e-12)
    new = {"inputs": [data[["z1", "z2"]]], "linear": dummies, "effects": groups or None}
    np.testing.assert_allclose(by_arrays.predict(**new), by_formula.predict(data), atol=1e-10)


def test_without_nets_it_is_least_squares(data):
    fit = matbn.fit("y ~ x * group + I(z1**2)", data)
    X = np.column_stack([np.ones(len(data)), data.x, data.group == "b", data.group == "c", data.z1**2])
    X = np.column_stack([X, X[:, 1:2] * X[:, 2:4]]).astype(float)
    expected = np.linalg.lstsq(X, data.y, rcond=None)[0]
    np.testing.assert_allclose(fit.fitted, X @ expected, rtol=1e-10, atol=1e-12)
    assert fit.coef["x"] == pytest.approx(expected[1], rel=1e-9)
    assert fit.coef["x:group[T.b]"] == pytest.approx(expected[5], rel=1e-9)
    assert fit.converged
    assert fit.r_squared == pytest.approx(1 - fit.residuals @ fit.residuals / ((data.y - data.y.mean()) ** 2).sum())


def test_missing_values_transformations_and_the_callers_variables(data):
    nodes, smooth = 2, np.array([[1.0], [2.0]])  # noqa: F841 (the formula uses them)
    holes = data.copy()
    holes.loc[[3, 7], "z1"] = np.nan
    holes.loc[5, "w"] = np.nan  # not used
    fit = matbn.fit("np.exp(y) ~ net(z1, np.tanh(z2), size=nodes) + net(x, z2, size=1, basis=smooth)", holes, starts=1)
    assert fit.N == 298
    assert "2 rows with missing values were left out" in fit.messages
    ratio = fit.nets[1].A[1] / fit.nets[1].A[0]
    np.testing.assert_allclose(ratio, 2, rtol=1e-9)
    predictions = fit.predict(holes)
    assert np.isnan(predictions[[3, 7]]).all()
    np.testing.assert_allclose(predictions[~np.isnan(predictions)], fit.fitted, atol=1e-12)


def test_stateful_transformations_are_remembered(data):
    fit = matbn.fit("y ~ scale(x) + net(bs(z1, df=4), size=1)", data, starts=1)
    np.testing.assert_allclose(fit.predict(data[:10]), fit.fitted[:10], atol=1e-10)
    assert len(fit.nets[0].names) == 4


def test_fits_pickle_and_print(data):
    fit = matbn.fit("y ~ x + net(z1, z2, size=2) | id", data, starts=3)
    again = pickle.loads(pickle.dumps(fit))
    np.testing.assert_allclose(again.predict(data), fit.fitted, atol=1e-12)
    text = str(fit)
    for part in (
        "y ~ x + net(z1, z2, size=2) | id",
        "300 rows",
        "Fixed effects of id: 15 groups",
        "2 nodes (tanh) on z1, z2",
    ):
        assert part in text
    assert "4 searches ended at losses from" in text
    assert str(again) == text


def test_same_seed_same_fit_and_more_starts_never_worse(data):
    formula = "y ~ net(z1, z2, x, size=3)"
    one, again, more = (matbn.fit(formula, data, penalty=1e-3, starts=starts, seed=4) for starts in (2, 2, 6))
    assert (one.fitted == again.fitted).all()
    assert more.searches[0].loss <= one.searches[0].loss * (1 + 1e-9)
    losses = [search.loss for search in more.searches]
    assert losses == pytest.approx(sorted(losses), rel=1e-8)


def test_a_search_that_ends_early_warns_and_says_what_to_try(data):
    with pytest.warns(matbn.ConvergenceWarning, match="stopped after 4 iterations .* larger penalty"):
        fit = matbn.fit("y ~ net(z1, size=2)", data, iterations=4, starts=1)
    assert not fit.converged


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("y", "must have the form"),
        ("y ~ nope", "the linear part: data has no column 'nope'"),
        ("nope ~ x", "the outcome: data has no column 'nope'"),
        ("y ~ net(z1)", r"net\(z1\) has no size"),
        ("y ~ net(size=2)", "has no inputs"),
        ("y ~ net(z1, nope, size=2)", "data has no column 'nope'"),
        ("y ~ net(z1, size=nope)", "size = nope cannot be evaluated"),
        ("y ~ net(z1, size=0)", "size is 0"),
        ("y ~ net(z1, size=2, rate=1)", "'rate' is no option"),
        ("y ~ x - net(z1, size=2)", "a net can only be added"),
        ("y ~ x + ", "nothing beside it"),
        ("y ~ (x", "leaves a bracket"),
        ("y ~ x) + net(z1, size=2)", "closes a bracket"),
        ("y ~ x | id | year", "more than one"),
        ("y ~ x | id:year", "effects are names of columns"),
        ("y ~ x | nope", "data has no column 'nope'"),
        ("group ~ x", "outcome 'group' must be a number in each row"),
    ],
)
def test_formulas_that_cannot_be_used(data, formula, message):
    with pytest.raises(matbn.ArgumentError, match=message):
        matbn.fit(formula, data)


def test_arguments_that_cannot_be_used(data):
    Z, y = data[["z1", "z2"]], data.y
    for error, match, arguments, named in (
        (matbn.ArgumentError, "data is a list", ("y ~ x", [1]), {}),
        (matbn.ArgumentError, "with a formula they stand in it", ("y ~ x", data), {"linear": Z}),
        (matbn.ArgumentError, "data is for a formula", (y, data), {}),
        (matbn.ArgumentError, "penalty is -1", (y,), {"penalty": -1}),
        (matbn.ArgumentError, "starts is 0", (y,), {"starts": 0}),
        (matbn.ArgumentError, "activation is 'step'", (y,), {"activation": "step"}),
        (matbn.ShapeError, "the inputs of 'net' have 299 rows", (y,), {"nets": matbn.net(Z[1:], 2)}),
        (matbn.ArgumentError, "net has constant inputs, net1,", (y,), {"nets": matbn.net(np.ones((300, 1)), 2)}),
        (matbn.ArgumentError, "data has no column 'nope'", ("y ~ x", data), {"weights": "nope"}),
    ):
        with pytest.raises(error, match=match):
            matbn.fit(*arguments, **named)
    fit = matbn.fit("y ~ x | id", data)
    with pytest.raises(matbn.ArgumentError, match="has not seen: 99"):
        fit.predict(data.assign(id=99))
    with pytest.raises(matbn.ArgumentError, match="give new rows as a data frame"):
        fit.predict(linear=data.x)
    by_arrays = matbn.fit(y, linear=data.x)
    with pytest.raises(matbn.ShapeError, match=r"the linear part has 2 columns \(\(Intercept\), x1\), but 3"):
        by_arrays.predict(linear=Z)


def test_data_at_the_edge_of_what_can_be_fitted():
    rng = np.random.default_rng(1)
    Z, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    crowded = matbn.fit(y[:8], nets=matbn.net(Z[:8], 20), starts=1)
    assert "101 parameters for 8 rows" in crowded.messages[0]
    constant = matbn.fit(np.ones(30), nets=matbn.net(Z, 2))
    assert np.isnan(constant.r_squared)
    assert "leave nothing to the nets" in constant.messages[0]
    np.testing.assert_allclose(constant.predict(inputs=[Z[:4]]), 1)
    exact = matbn.fit(Z @ [1, 2, 3.0], nets=matbn.net(Z, 2), linear=Z)
    assert "leave nothing to the nets" in exact.messages[0]
    np.testing.assert_allclose(exact.predict(inputs=[Z], linear=Z), Z @ [1, 2, 3.0])
    alone = matbn.fit(y, nets=matbn.net(Z, 2), effects=np.arange(30))
    assert alone.loss < 1e-20
    assert any("30 rows are alone" in message for message in alone.messages)
    collinear = matbn.fit(y, nets=matbn.net(np.hstack([Z, Z]), 2), starts=1)
    assert any("6 inputs vary in 3 directions" in message for message in collinear.messages)
    for error, match, arguments, named in (
        (matbn.ShapeError, "y has no entries", ([],), {}),
        (matbn.ArgumentError, "too large to be squared", (y * 1e200,), {"nets": matbn.net(Z, 2)}),
        (matbn.ArgumentError, "constant inputs", (y[:1],), {"nets": matbn.net(Z[:1], 2)}),
        (
            matbn.ArgumentError,
            "weights are all zero in groups of 'effect': 0",
            (y,),
            {"effects": [0] * 10 + [1] * 20, "weights": [0] * 10 + [1] * 20},
        ),
    ):
        with pytest.raises(error, match=match):
            matbn.fit(*arguments, **named)
