"""The contract of formulas, tests/fixtures/formulas.csv, which testthat/test-formulas.R holds R to as well.

r_scripts/golden/formulas.R says what its columns are, and has R's own lm fill in the numbers.
"""

import csv
import re
from pathlib import Path

import numpy as np
import pytest

import matbn

pd = pytest.importorskip("pandas")
pytest.importorskip("formulaic")
FIXTURES = Path(__file__).parents[1] / "fixtures"
with (FIXTURES / "formulas.csv").open() as file:
    CONTRACT = list(csv.DictReader(file))
MEANT = [row for row in CONTRACT if not row["refusal"]]
REFUSED = [row for row in CONTRACT if row["refusal"]]
NAMES = {"B": np.ones((2, 1)), "M": np.array([[1, 0], [1, 1]])}  # what formulas use besides columns
INTERNALS = re.compile(r"\x1b|[⧛⧚]|formulaic|Factor|Error|literal|Kind|Operator|token|<unknown>|__", re.ASCII)


@pytest.fixture(scope="module")
def data():
    frame = pd.read_csv(FIXTURES / "formulas_data.csv", parse_dates=["day"])
    return frame.assign(b=frame.b.astype(bool))


def fitted(row, data):
    return matbn.fit(
        row["formula"], data, weights=row["weights"] or None, starts=1, penalty=1e-2, seed=1, environment=NAMES
    )


def name(row):
    return f"{row['formula']} {row['weights']}".strip()


def checksum(X):
    return float((np.asarray(X, float).T * np.arange(1, len(X) + 1)).sum())


def test_the_contract_is_long_enough_and_says_everything_once():
    assert len(MEANT) > 60
    assert len(REFUSED) > 60
    assert len({name(row) for row in CONTRACT}) == len(CONTRACT)


@pytest.mark.parametrize("row", MEANT, ids=name)
def test_formulas_mean_what_the_contract_says(row, data):
    fit = fitted(row, data)
    assert fit.design is not None
    assert (fit.N, fit.intercept, fit.rank) == (int(row["rows"]), row["intercept"] == "1", int(row["rank"]))
    assert [effect.name for effect in fit.effects] == (row["effects"].split(" + ") if row["effects"] else [])
    linear = fit.design.linear[:, int(fit.intercept) :]
    if row["columns"]:
        assert linear.shape[1] == int(row["columns"])
        assert checksum(np.abs(linear)) == pytest.approx(float(row["design"]), rel=1e-9)
    nets = [re.split(" x |: ", net) for net in filter(None, row["inputs"].split("; "))]
    assert [(term.size, term.Z.shape[1]) for term in fit.design.terms] == [(int(net[0]), int(net[1])) for net in nets]
    sums = [checksum(np.abs(term.Z)) for term in fit.design.terms]
    assert sums == pytest.approx([float(net[2]) for net in nets], rel=1e-9)
    new = fit.predict(data[2:8])
    if row["fitted"]:
        assert checksum(fit.fitted) == pytest.approx(float(row["fitted"]), rel=1e-9, abs=1e-9)
        assert checksum(np.nan_to_num(new)) == pytest.approx(float(row["predicted"]), rel=1e-9, abs=1e-9)
    same = fit.predict(data)
    np.testing.assert_allclose(same[~np.isnan(same)][: fit.N], fit.fitted if not row["weights"] else same[: fit.N])
    if "mean(" not in row["formula"]:  # which is that of the new rows, as in R
        np.testing.assert_allclose(new, same[2:8])


@pytest.mark.parametrize("row", MEANT, ids=name)
def test_formulas_mean_the_same_from_json(row, data):
    fit = fitted(row, data)
    if any(term.basis is not None or term.mask is not None for term in fit.design.terms):
        pytest.skip("B and M are the caller's own")
    again = matbn.Fit.from_json(fit.to_json())
    np.testing.assert_array_equal(again.predict(data[2:8]), fit.predict(data[2:8]))


@pytest.mark.parametrize("row", REFUSED, ids=name)
def test_formulas_are_refused_in_our_own_words(row, data):
    with pytest.raises(matbn.MatbnError) as refusal:
        fitted(row, data)
    assert row["refusal"] in str(refusal.value)
    assert not INTERNALS.search(str(refusal.value))


def test_an_offset_is_taken_off_before_the_fit_and_added_to_all_predictions(data):
    fit = matbn.fit("y ~ x + offset(u) + net(z, size=1) | g", data, starts=1, penalty=1e-2, seed=1)
    less = matbn.fit("I(y - u) ~ x + net(z, size=1) | g", data, starts=1, penalty=1e-2, seed=1)
    u = data.u.to_numpy()
    np.testing.assert_allclose(fit.coefficients, less.coefficients)
    np.testing.assert_allclose(fit.fitted + fit.residuals, data.y)
    np.testing.assert_allclose(fit.fitted, less.fitted + u)
    assert fit.r_squared == pytest.approx(less.r_squared)
    one, other = (each.get_prediction(data[:6]) for each in (fit, less))
    np.testing.assert_allclose(one.value, other.value + u[:6])
    np.testing.assert_allclose(one.lower, other.lower + u[:6])
    dependence, plain = (each.partial_dependence("z", [0.0, 1.0]).estimate for each in (fit, less))
    np.testing.assert_allclose(dependence, plain + u.mean())
    folds, of_less = (each.cross_validate(seed=3) for each in (fit, less))
    np.testing.assert_allclose(folds.predictions, of_less.predictions + u)
    assert folds.mse == pytest.approx(of_less.mse)
    replicates = (each.bootstrap(lambda again: again.fitted.mean(), 3, seed=1) for each in (fit, less))
    means, of_less = (each.draws[:, 0] for each in replicates)
    assert (means > of_less + 1).all()
    new = data[:4].assign(g="new", y=[1.0, 2.0, np.nan, np.nan])
    np.testing.assert_allclose(fit.predict(new, unseen="estimate"), less.predict(new, unseen="estimate") + u[:4])


def test_rows_without_a_group_have_no_prediction(data):
    fit = matbn.fit("y ~ x | gap + id", data)
    new = data[:3].assign(gap=["a", None, np.nan])
    assert np.isnan(fit.predict(new)).tolist() == [False, True, True]
    assert np.isnan(fit.get_prediction(new).upper).tolist() == [False, True, True]
    assert np.isnan(fit.predict(new.assign(y=1.0), unseen="estimate")).tolist() == [False, True, True]
    with pytest.raises(matbn.ArgumentError, match="has not seen: q"):
        fit.predict(new.assign(gap=["q", None, "a"]))
