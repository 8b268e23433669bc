"""Linear models with fixed effects beside R's lm and plm, on the panels and references of r_scripts/golden/panels.R."""

from pathlib import Path

import numpy as np
import pytest

import matbn

pandas = pytest.importorskip("pandas")
pytest.importorskip("formulaic")

FIXTURES = Path(__file__).parents[1] / "fixtures"
REFERENCES = pandas.read_csv(FIXTURES / "panels.csv", keep_default_na=False)
MODELS = list(REFERENCES.groupby(["dataset", "formula", "effect", "weights"], sort=False))


@pytest.mark.parametrize(("model", "reference"), MODELS, ids=[" ".join(filter(None, model)) for model, _ in MODELS])
def test_coefficients_equal_those_of_lm_and_plm(model, reference):
    dataset, formula, effect, weights = model
    data = pandas.read_csv(FIXTURES / f"{dataset}.csv")
    bar = f" | {effect}" if effect else ""
    fit = matbn.fit(f"{formula}{bar}", data, weights=weights or None)
    estimates = [fit.coef[name] for name in reference["name"]]
    np.testing.assert_allclose(estimates, reference["value"], rtol=1e-8)
    assert fit.coef.keys() == set(reference["name"])


@pytest.mark.parametrize("effects", ["firm", "firm + year"])
def test_integer_weights_equal_copies_of_rows_in_an_unbalanced_panel_with_a_net(effects):
    data = pandas.read_csv(FIXTURES / "emplUK.csv")
    data = data[data.firm <= 60]
    copies = np.random.default_rng(1).integers(1, 4, len(data))
    formula = f"log(emp) ~ log(wage) + net(log(capital), year, size=2) | {effects}"
    weighted = matbn.fit(formula, data, weights=copies, penalty=1e-4, starts=2, tolerance=1e-9)
    copied = matbn.fit(formula, data.loc[data.index.repeat(copies)], penalty=1e-4, starts=2, tolerance=1e-9)
    assert weighted.converged
    assert copied.converged
    assert weighted.coef["log(wage)"] == pytest.approx(copied.coef["log(wage)"], rel=1e-6)
    np.testing.assert_allclose(weighted.predict(data), copied.predict(data), atol=1e-6)
    assert weighted.loss == pytest.approx(copied.loss, rel=1e-9)
