"""How often confidence intervals cover, over simulated panels.

    python benchmarks/coverage.py [--panels 2000]

Each panel has G units that are observed T times, fixed effects that are correlated with the inputs, a linear term and
two tanh nodes. Errors and the variable of the linear term are autocorrelated within units (first order, 0.7).
Standard errors are clustered by unit, with t quantiles of G - 1 degrees of freedom. The default correction counts the
fixed effects among the parameters although they are nested in the clusters, which makes intervals slightly
conservative; fixest's correction does not. The true average marginal effect is the average over the panel's own rows.
"""

import argparse
import time
import warnings
from concurrent.futures import ProcessPoolExecutor

import numpy as np

import matbn

B = 0.8
A = np.array([[1.2, -0.5], [-0.6, 1.0]])
C = np.array([0.4, -0.3])
OUTPUT = np.array([1.5, 1.0])
CORRELATION = 0.7
COLUMNS = (
    "linear coefficient",
    "average marginal effect",
    "linear coefficient, fixest's correction",
    "average marginal effect, fixest's correction",
    "linear coefficient, iid errors",
)


def autoregression(rng, G, T):
    """Return a series for each unit, of variance 1."""
    values = rng.normal(size=(G, T))
    for t in range(1, T):
        values[:, t] = CORRELATION * values[:, t - 1] + np.sqrt(1 - CORRELATION**2) * values[:, t]
    return values.ravel()


def panel(seed, G, T):
    """Return a panel, and the true average marginal effect of the first input."""
    rng = np.random.default_rng([seed, 11])
    unit = np.repeat(np.arange(G), T)
    alpha = rng.normal(size=G)[unit]
    Z = rng.normal(size=(G * T, 2)) + 0.3 * alpha[:, None]
    x = 0.5 * alpha + 0.4 * Z[:, 0] + autoregression(rng, G, T)
    e = 0.5 * autoregression(rng, G, T)
    nodes = np.tanh(Z @ A + C)
    y = B * x + nodes @ OUTPUT + alpha + e
    effect = ((1 - nodes**2) @ (A[0] * OUTPUT)).mean()
    return y, Z, x, unit, effect


def one(arguments):
    """Return for each of `COLUMNS` whether its interval covers, the estimate less the truth, and its error."""
    seed, G, T, penalty, starts = arguments
    y, Z, x, unit, effect = panel(seed, G, T)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", matbn.ConvergenceWarning)
        fit = matbn.fit(
            y,
            nets=matbn.net(Z, 2, names=["z1", "z2"]),
            linear=x,
            effects={"unit": unit},
            penalty=penalty,
            starts=starts,
            seed=seed,
        )
    tables = []
    for vcov, correction in (("~ unit", "sandwich"), ("~ unit", "fixest"), ("iid", "sandwich")):
        tables.append((fit.table(vcov, correction=correction), B))
        tables.append((fit.marginal_effects(["z1"], vcov=vcov, correction=correction), effect))
    rows = [(f.lower[0] <= truth <= f.upper[0], f.estimate[0] - truth, f.error[0]) for f, truth in tables[:5]]
    return list(zip(*rows, strict=True))


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--panels", type=int, default=2_000)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--penalty", type=float, default=1e-5)
    parser.add_argument("--starts", type=int, default=2)
    given = parser.parse_args()
    began = time.perf_counter()
    work = [(seed, given.units, given.times, given.penalty, given.starts) for seed in range(given.panels)]
    with ProcessPoolExecutor() as pool:
        rows = list(pool.map(one, work, chunksize=20))
    inside, off, errors = (np.array(column, float) for column in zip(*rows, strict=True))
    print(f"{given.panels:,} panels of {given.units} units × {given.times}, {time.perf_counter() - began:.0f} s\n")
    print("| 95 % interval of the | covers | Monte-Carlo error | bias | mean error | spread |")
    print("|---|---|---|---|---|---|")
    for k, name in enumerate(COLUMNS):
        share = inside[:, k].mean()
        noise = np.sqrt(share * (1 - share) / given.panels)
        print(
            f"| {name} | {share:.4f} | {noise:.4f} | {off[:, k].mean():.4f} | {errors[:, k].mean():.4f} |"
            f" {off[:, k].std(ddof=1):.4f} |"
        )


if __name__ == "__main__":
    main()
