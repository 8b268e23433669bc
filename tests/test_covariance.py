"""Standard errors beside R's lm, sandwich, plm and nls, as the scripts in r_scripts/golden have written them."""

from pathlib import Path

import numpy as np
import pytest

import matbn

pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")

FIXTURES = Path(__file__).parent / "fixtures"
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
