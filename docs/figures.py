"""Draw the pictures of docs/ that are Python's, from the guide's model: python docs/figures.py [DIRECTORY]."""

import sys
from pathlib import Path

import matplotlib
import numpy as np
from statsmodels.datasets import grunfeld

import matbn
from matbn.plotting import plot_gradients

matplotlib.use("Agg")
directory = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/plots")


def save(axes, name):
    """Write the figure that some axes are on."""
    figure = np.ravel(axes)[0].figure
    figure.savefig(directory / f"python-{name}.png", dpi=84, bbox_inches="tight")


data = grunfeld.load_pandas().data
fit = matbn.fit("invest ~ value + net(log(capital), size=2) | firm + year", data)
save(fit.plot("effects", vcov="~ firm"), "effects")
for kind in ("fitted", "residuals", "trace", "network"):
    save(fit.plot(kind), kind)

rng = np.random.default_rng(1)
X, y = rng.normal(size=(40, 4)), rng.normal(size=40)
net = {"Gamma1": rng.normal(size=(4, 3)), "gamma": np.ones(3), "beta": np.zeros(3), "Gamma2": rng.normal(size=3)}
one, other = (matbn.net_gradient(X, y, **net, activation="tanh", route=route) for route in ("loop", "matrix"))
save(plot_gradients(one, other), "gradients")
