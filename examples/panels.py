"""Small nets on real longitudinal data: three sets that ship with R, as in panels.R, and Grunfeld's from statsmodels.

python examples/panels.py        # R writes its sets as CSV; without R, only Grunfeld's is fitted
"""

import io
import shutil
import subprocess

import numpy as np
import pandas as pd
from statsmodels.datasets import grunfeld

import matbn


def r_data(name: str) -> pd.DataFrame:
    """Return one of R's data sets, with factor levels in the order in which they appear."""
    code = f"write.csv(as.data.frame({name}), stdout(), row.names = FALSE)"
    data = pd.read_csv(io.BytesIO(subprocess.check_output(["Rscript", "-e", code])))
    for column in {"Chick", "Diet", "Subject", "Plant", "Type", "Treatment"}.intersection(data.columns):
        labels = data[column].astype(str)
        data[column] = pd.Categorical(labels, categories=labels.unique())
    return data


def show(fit: matbn.Fit) -> None:
    """Print how well a model fits, and how far apart its searches ended."""
    losses = [search.loss for search in fit.searches]
    print(f"\n{fit.recipe.formula.text}")
    print(
        f"  within R2 {fit.within_r_squared:.4f}, residual deviation {np.sqrt(np.mean(fit.residuals**2)):.4g}", end=""
    )
    print(f"; {fit.searches[0].status}, {len(losses)} starts, losses from {min(losses):.6g} to {max(losses):.6g}")


def growth() -> None:
    """Growth of 50 chicks on four diets, each chick with a level of its own: what the diets do to the curve."""
    data = r_data("ChickWeight")
    fit = matbn.fit("weight ~ net(Time, Diet, size = 4) | Chick", data)
    show(fit)
    chicks = data.groupby("Diet", observed=True).first().reset_index()
    ends = [fit.predict(chicks.assign(Time=day)) for day in (0, 21)]
    print("  grams gained in 21 days, by diet:", *(f"{gain:.1f}" for gain in ends[1] - ends[0]))
    effect = fit.marginal_effects(["Time"], vcov="~ Chick")
    print(f"  grams a day on average: {effect.estimate[0]:.3f}, error {effect.error[0]:.3f}, clustered by chick")
    tests = fit.wald(vcov="~ Chick")
    for name, F, df in zip(tests.names, tests.F, tests.numerator, strict=True):
        print(f"  no effect of {name}: F {F:.3g} on {df:.0f} and {tests.df:.0f} degrees of freedom")
    left_out = fit.cross_validate(by="Chick", unseen="estimate", seed=1)
    print(f"  chicks left out are predicted, given their level, within {left_out.rmse:.4g} grams")


def blood() -> None:
    """Theophylline in the blood of twelve subjects: up within two hours, down over a day."""
    fit = matbn.fit("conc ~ net(Time, size = 4) | Subject", r_data("Theoph"))
    show(fit)
    hours = pd.DataFrame({"Time": np.arange(0, 24.5, 0.5), "Subject": "1"})
    print(f"  highest after {hours.Time[np.argmax(fit.predict(hours))]:g} hours")


def uptake() -> None:
    """Uptake of carbon dioxide by twelve plants: a curve in concentration that differs by origin and by chilling."""
    data = r_data("CO2")
    fit = matbn.fit("uptake ~ net(log(conc), Type, Treatment, size = 3) | Plant", data)
    show(fit)
    scores = fit.choose(sizes=[1, 2, 3], criterion="bic").scores
    print("  BIC with 1, 2 and 3 nodes:", *(f"{score:.1f}" for score in scores))
    straight = matbn.fit("uptake ~ log(conc) * Type * Treatment | Plant", data)
    print(f"  a straight line in log(conc) for each group has within R2 {straight.within_r_squared:.4f}")


def investment() -> None:
    """Investment of eleven firms over twenty years: linear or not in their capital, given firm and year."""
    data = grunfeld.load_pandas().data
    straight = matbn.fit("invest ~ value + capital | firm + year", data)
    print(f"\ninvest ~ value + capital | firm + year\n  within R2 {straight.within_r_squared:.4f}")
    show(matbn.fit("invest ~ value + net(log(capital), size = 2) | firm + year", data))


if __name__ == "__main__":
    if shutil.which("Rscript"):
        growth()
        blood()
        uptake()
    investment()
