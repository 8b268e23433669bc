"""Standard errors beside R's lm, sandwich, plm and nls, as the scripts in r_scripts/golden have written them."""

from pathlib import Path

import numpy as np
import pytest

import matbn

pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")

FIXTURES = Path(__file__).parents[1] / "fixtures"
FORMULAS = {
    "produc": "log(gsp) ~ log(pcap) + log(pc) + log(emp) + unemp",
    "grunfeld": "inv ~ value + capital",
    "emplUK": "log(emp) ~ log(wage) + log(capital)",
}
CASES = list(
    pandas.read_csv(
        FIXTURES / "covariances.csv", keep_default_na=False, na_values=["NaN"], dtype={"value": float}
    ).groupby(["dataset", "effect", "weights", "peer", "type", "cluster"], sort=False)
)


@pytest.mark.parametrize(("case", "reference"), CASES, ids=[" ".join(filter(None, case)) for case, _ in CASES])
def test_standard_errors_equal_those_of_lm_sandwich_and_plm(case, reference):
    dataset, effect, weights, peer, kind, cluster = case
    data = pandas.read_csv(FIXTURES / f"{dataset}.csv")
    data["late"] = data["year"] > data["year"].median()
    fit = matbn.fit(FORMULAS[dataset] + (f" | {effect}" if effect else ""), data, weights=weights or None)
    correction = "none" if peer.endswith("none") else peer.split()[0]
    if correction == "lm":
        correction = "sandwich"
    found = fit.vcov(f"~ {cluster}" if cluster else kind, correction=correction).errors
    np.testing.assert_allclose([found[name] for name in reference["name"]], reference["value"], rtol=1e-8)


PEERS = list(
    pandas.read_csv(FIXTURES / "fixest.csv", keep_default_na=False, na_values=["nan"]).groupby(
        ["dataset", "effect", "weights", "peer", "type", "cluster"], sort=False
    )
)


@pytest.mark.parametrize(("case", "reference"), PEERS, ids=[" ".join(filter(None, case)) for case, _ in PEERS])
def test_standard_errors_equal_those_of_pyfixest_and_statsmodels(case, reference):
    dataset, effect, weights, peer, kind, cluster = case
    data = pandas.read_csv(FIXTURES / f"{dataset}.csv")
    unit = "state" if dataset == "produc" else "firm"
    data["region"] = data[unit].astype("category").cat.codes % 7
    fit = matbn.fit(FORMULAS[dataset] + (f" | {effect}" if effect else ""), data, weights=weights or None)
    correction = "fixest" if peer == "fixest" else "sandwich"
    found = fit.vcov(f"~ {cluster}" if cluster else kind, correction=correction).errors
    np.testing.assert_allclose([found[name] for name in reference["name"]], reference["value"], rtol=1e-8)


def test_one_tanh_node_has_the_covariance_that_nls_finds():
    reference = pandas.read_csv(FIXTURES / "nls.csv", sep=";", keep_default_na=False)
    fit = matbn.fit("y ~ x + net(z, size=1)", pandas.read_csv(FIXTURES / "nls_data.csv"), penalty=0.0, tolerance=1e-10)
    table, V = fit.table(part="all"), fit.vcov(part="all")
    place = {name: k for k, name in enumerate(V.names)}
    for first, second, value in reference.itertuples(index=False):
        if second:
            assert V.matrix[place[first], place[second]] == pytest.approx(value, rel=1e-5, abs=1e-9)
        else:
            assert table.estimate[place[first]] == pytest.approx(value, rel=1e-6)
    assert table.df == 115


@pytest.fixture(scope="module")
def clustered():
    rng = np.random.default_rng(3)
    data = pandas.DataFrame({"y": rng.normal(size=80), "x": rng.normal(size=80), "a b": rng.integers(0, 6, 80)})
    data["c"], data["a:b"] = rng.integers(0, 5, 80), rng.integers(0, 3, 80)
    data["both"] = data["a b"].astype(str) + " " + data["c"].astype(str)
    return matbn.fit("y ~ x", data)


@pytest.mark.parametrize("formula", ["~ a b:c", "~a b ^ c", "~ `a b`:c", "~ c:`a b`", "~ c:a b:c"])
def test_combinations_are_one_way_of_clustering(clustered, formula):
    np.testing.assert_allclose(clustered.vcov(formula).matrix, clustered.vcov("~ both").matrix, rtol=1e-12)


def test_a_column_with_a_sign_in_its_name_stands_in_backticks(clustered):
    expected = clustered.vcov({"one": clustered.data["a:b"], "two": clustered.data["c"]})
    np.testing.assert_array_equal(clustered.vcov("~ `a:b` + c").matrix, expected.matrix)
    with pytest.raises(matbn.ArgumentError, match="'a' is neither a column nor an effect"):
        clustered.vcov("~ a:b")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("y ~ c", "for two ways"),
        ("~ c +", "for two ways"),
        ("~ :c", "for two ways"),
        ("~ ``", "for two ways"),
        ("~ c * both", "'c \\* both' is neither a column"),
        ("~ log(c)", "'log\\(c\\)' is neither a column .*put what must be computed first into a column"),
        ("~ 1", "'1' is neither a column"),
        (["c"], "vcov is a list"),
        (pandas.Series(range(80)), "vcov is a Series.*{'id': labels}"),
        (np.arange(80), "vcov is a ndarray"),
        (None, "vcov is a NoneType"),
        ({}, "an empty mapping"),
        ({"c": [[1], [2, 3]] * 40}, r"'c' has labels without an order \(list\)"),
        ({"c": [1, (2,)] * 40}, r"'c' has labels without an order \(int, tuple\)"),
        ({"c": pandas.Series([1, "b"] * 40, dtype=object)}, r"without an order \(int, str\)"),
        ({"c": pandas.Series([1, pandas.NA] * 40)}, "missing labels"),
        ({"c": pandas.Series([pandas.NaT] * 80)}, "missing labels"),
    ],
    ids=str,
)
def test_what_is_no_way_of_clustering_gets_a_sentence(clustered, asked, message):
    with pytest.raises(matbn.MatbnError, match=message):
        clustered.vcov(asked)
