"""Write standard errors of pyfixest and statsmodels, for the tests: python r_scripts/golden/fixest.py.

pyfixest has fixest's small-sample corrections. It needs an environment of its own, pip install pyfixest statsmodels.
"""

from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest
import statsmodels.formula.api as smf

FIXTURES = Path(__file__).parents[2] / "tests" / "fixtures"
MODELS = {
    "produc": ("np.log(gsp) ~ np.log(pcap) + np.log(pc) + np.log(emp) + unemp", "state", "emp"),
    "grunfeld": ("inv ~ value + capital", "firm", "value"),
    "emplUK": ("np.log(emp) ~ np.log(wage) + np.log(capital)", "firm", "wage"),
}
ROWS = []


def keep(dataset, effect, weights, peer, kind, cluster, errors):
    """Add a row for each coefficient but the intercept."""
    for name, value in errors.items():
        if name != "Intercept":
            ROWS.append((dataset, effect, weights, peer, kind, cluster, name.replace("np.", ""), repr(float(value))))


for dataset, (formula, unit, weight) in MODELS.items():
    data = pd.read_csv(FIXTURES / f"{dataset}.csv")
    data["region"] = data[unit].astype("category").cat.codes % 7  # units lie within regions
    for effect in ("", unit, f"{unit} + year", "year"):
        for weights in (None, weight):
            model = formula.replace("np.", "") + (f" | {effect}" if effect else "")
            for kind, cluster in (
                ("iid", ""), ("HC1", ""), ("cluster", unit), ("cluster", "region"), ("cluster", f"{unit} + year"),
            ):  # fmt: skip
                vcov = {"iid": "iid", "HC1": "hetero"}.get(kind, {"CRV1": cluster})
                fit = pyfixest.feols(model, data, vcov=vcov, weights=weights, fixef_tol=1e-12, fixef_maxiter=100_000)
                keep(dataset, effect, weights or "", "fixest", kind, cluster, fit.se())
            if effect:
                continue
            fit = smf.wls(formula, data, weights=1.0 if weights is None else data[weights])
            for kind in ("HC0", "HC1", "HC2", "HC3"):
                keep(dataset, effect, weights or "", "statsmodels", kind, "", fit.fit(cov_type=kind).bse)
            groups = np.unique(data[unit], return_inverse=True)[1]
            both = np.column_stack([groups, np.unique(data["year"], return_inverse=True)[1]])
            for cluster, labels in ((unit, groups), (f"{unit} + year", both)):
                found = fit.fit(cov_type="cluster", cov_kwds={"groups": labels})
                keep(dataset, effect, weights or "", "statsmodels", "cluster", cluster, found.bse)

columns = ["dataset", "effect", "weights", "peer", "type", "cluster", "name", "value"]
pd.DataFrame(ROWS, columns=columns).to_csv(FIXTURES / "fixest.csv", index=False)
print(f"{len(ROWS)} errors, pyfixest {version('pyfixest')}, statsmodels {version('statsmodels')}")
