"""Out-of-sample error on real regression sets: matbn with its default settings beside peers tuned as users tune them.

    python benchmarks/regression_sets.py                              # all sets, 10 splits
    python benchmarks/regression_sets.py --sets mcycle,cpus --splits 3

The peers are nnet with caret's own grid (5 sizes, 5 decays), mgcv's additive model by REML, and scikit-learn's
MLPRegressor with a grid of sizes and penalties, both grids by 5-fold cross-validation; a linear model is shown for
comparison, without a rank. Everyone gets the same random splits, two thirds to train on, and the same inputs,
dummy-coded by R. The error is the root of the mean squared error on the test rows over the standard deviation of the
set's outcomes, averaged over the splits. Each variant of matbn is ranked by itself against the three peers.

The sets come with R's MASS, mlbench and plm: those with a continuous outcome, at least 40 rows that are independent
of each other (of the panels Wages and Produc one year), and different data; so without BostonHousing2 and Hedonic,
which are Boston once more. `regression_sets.R` has each set's model. It needs `pip install '.[sklearn]'`, pandas, and
on Debian r-recommended, r-cran-mlbench, r-cran-plm and r-cran-caret.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

VARIANTS = {  # arguments of NetRegressor; the first is the default
    "matbn": {},
    "matbn by gcv": {"penalty": "gcv"},
}
PEERS = ("nnet by caret", "gam", "MLP by grid")
REFERENCE = "linear model"
GRID = {
    "regressor__net__hidden_layer_sizes": [(5,), (10,), (20,), (50,)],
    "regressor__net__alpha": [10.0**k for k in range(-4, 2)],
}
SCRIPT = Path(__file__).with_suffix(".R")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Run the sets that the command line names, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", metavar="NAME,…", help="only these")
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--processes", type=int, default=2, help="number of processes, each on one core")
    parser.add_argument("--csv", metavar="FILE", help="write the error of each system on each split there")
    options = parser.parse_args()
    os.environ.update(dict.fromkeys(THREADS, "1"))  # for R, and for the workers below, which import NumPy anew
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        names = write_sets(Path(folder), options.sets)
        for name in names:
            write_splits(Path(folder), name, options.splits)
        errors, seconds = measure(Path(folder), names, options.processes)
    if options.csv:
        errors.to_csv(options.csv, index=False)
    print(table(errors, seconds, names))
    print(f"\n{options.splits} splits, {options.processes} processes, {time.perf_counter() - started:.0f} s in all")


def write_sets(folder: Path, wanted: str | None) -> list[str]:
    """Let R write its sets to the folder, and return the names of those to run."""
    run_r("write", str(folder))
    available = sorted((path.stem for path in folder.glob("*.csv")), key=str.lower)
    names = available if wanted is None else wanted.split(",")
    unknown = set(names) - set(available)
    if unknown:
        raise SystemExit(f"--sets: {', '.join(sorted(unknown))} not among {', '.join(available)}")
    return names


def run_r(*arguments: str) -> None:
    """Run the R side."""
    done = subprocess.run(["Rscript", str(SCRIPT), *arguments], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{SCRIPT.name} {' '.join(arguments)}:\n{done.stderr}")


def write_splits(folder: Path, name: str, splits: int) -> None:
    """Write a column for each split: 1 for the two thirds of the rows to train on, 0 for the rest."""
    N = len(pd.read_csv(folder / f"{name}.csv"))
    columns = {}
    for split in range(1, splits + 1):
        order = np.random.default_rng(split).permutation(N)
        columns[f"split{split}"] = (order < round(2 * N / 3)).astype(int)
    pd.DataFrame(columns).to_csv(folder / f"{name}.splits.csv", index=False)


def measure(folder: Path, names: list[str], processes: int) -> tuple[pd.DataFrame, pd.Series]:
    """Return the error of each system on each split of each set, and each system's seconds."""
    errors, seconds = [], pd.Series(dtype=float)
    largest_first = sorted(names, key=lambda name: -(folder / f"{name}.csv").stat().st_size)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        parts = [(part, name) for name in largest_first for part in (by_r, by_mlp, by_matbn)]
        futures = [pool.submit(part, folder, name) for part, name in parts]
        for (part, name), future in zip(parts, futures, strict=True):
            predictions, taken = future.result()
            errors.append(relative_errors(folder, name, predictions))
            seconds = seconds.add(taken, fill_value=0)
            print(f"{name}, {part.__name__}: {taken.round(1).to_dict()} s", file=sys.stderr, flush=True)
    return pd.concat(errors, ignore_index=True), seconds


def relative_errors(folder: Path, name: str, predictions: pd.DataFrame) -> pd.DataFrame:
    """Return each system's and split's test RMSE over the standard deviation of the set's outcomes."""
    y = pd.read_csv(folder / f"{name}.csv")["y"].to_numpy(float)
    square = np.square(predictions["prediction"] - y[predictions["row"] - 1])
    error = np.sqrt(square.groupby([predictions["system"], predictions["split"]]).mean()) / y.std()
    return error.rename("error").reset_index().assign(set=name)


Predictions = tuple[pd.DataFrame, pd.Series]  # rows of system, split, row (from 1) and prediction; seconds by system


def by_r(folder: Path, name: str) -> Predictions:
    """Let R predict the test rows of a set."""
    run_r("fit", str(folder), name)
    seconds = pd.read_csv(folder / f"{name}.seconds.csv", index_col="system")["seconds"]
    return pd.read_csv(folder / f"{name}.predictions.csv"), seconds


def by_mlp(folder: Path, name: str) -> Predictions:
    """Predict the test rows of a set by the MLP."""
    return predict_splits(folder, name, {"MLP by grid": tuned_mlp})


def by_matbn(folder: Path, name: str) -> Predictions:
    """Predict the test rows of a set by the variants of matbn."""
    from matbn.sklearn import NetRegressor

    def system(arguments: dict) -> object:
        return lambda seed: NetRegressor(**arguments, random_state=seed)

    return predict_splits(folder, name, {label: system(arguments) for label, arguments in VARIANTS.items()})


def predict_splits(folder: Path, name: str, systems: dict) -> Predictions:
    """Fit regressors, made from a seed, on each split, and predict its test rows."""
    data = pd.read_csv(folder / f"{name}.csv").to_numpy(float)
    y, X = data[:, 0], data[:, 1:]
    frames, seconds = [], dict.fromkeys(systems, 0.0)
    for split, train in enumerate(pd.read_csv(folder / f"{name}.splits.csv").to_numpy(bool).T, 1):
        for system, regressor in systems.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # MLPs that stop at max_iter, and nets that reach no sharp minimum
                started = time.perf_counter()
                prediction = regressor(split).fit(X[train], y[train]).predict(X[~train])
                seconds[system] += time.perf_counter() - started
            rows = {"system": system, "split": split, "row": np.flatnonzero(~train) + 1, "prediction": prediction}
            frames.append(pd.DataFrame(rows))
    return pd.concat(frames), pd.Series(seconds)


def tuned_mlp(seed: int) -> object:
    """Return scikit-learn's net with its grid search."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.model_selection import GridSearchCV, KFold
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    net = MLPRegressor(solver="lbfgs", max_iter=2000, activation="tanh", random_state=seed)
    scaled = Pipeline([("scale", StandardScaler()), ("net", net)])
    model = TransformedTargetRegressor(scaled, transformer=StandardScaler())
    folds = KFold(5, shuffle=True, random_state=seed)
    return GridSearchCV(model, GRID, cv=folds, scoring="neg_mean_squared_error")


def table(errors: pd.DataFrame, seconds: pd.Series, names: list[str]) -> str:
    """Return the mean errors, ranks and seconds as a table in Markdown."""
    systems = [*VARIANTS, *PEERS, REFERENCE]
    by_split = errors.pivot(index=["set", "split"], columns="system", values="error")[systems]
    means = by_split.groupby("set").mean().loc[names]
    against = np.exp(np.log(means).sub(np.log(means[next(iter(VARIANTS))]), axis=0).mean())
    lines = [("set", *systems), ("---", *["---"] * len(systems))]
    lines += [(name, *(f"{value:.3f}" for value in row)) for name, row in zip(names, means.to_numpy(), strict=True)]
    lines.append(("times matbn's error, geometric mean", *(f"{value:.3f}" for value in against)))
    for variant in VARIANTS:
        for words, values in (("sets", means), ("splits", by_split)):
            ranks = values[[variant, *PEERS]].rank(axis=1).mean().reindex(systems)
            cells = ["" if np.isnan(rank) else f"{rank:.2f}" for rank in ranks]
            lines.append((f"mean rank over {words}, {variant}", *cells))
    lines.append(("seconds", *(f"{seconds[system]:.0f}" for system in systems)))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
