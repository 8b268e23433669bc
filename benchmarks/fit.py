"""Training loss against time: matbn beside R's nnet, scikit-learn's lbfgs and PyTorch's LBFGS.

    python benchmarks/fit.py [--cases 500 2000 20000] [--seeds 20] [--plot fit-time.png]

Friedman's first problem (10 inputs, 5 of them noise), tanh nodes (logistic ones in nnet, which has no others: the same
functions), standardised inputs and outcomes, the same tiny ridge of 1e-6 on all weights, one start for each seed, which
each system draws in its own way. All use the same cores, and run until they stop by themselves or for 2,000 iterations.

The clock starts with the arrays in memory, and includes the work before the first iteration. The target is the best
peer's median final loss; the table says when the median loss over the seeds of each system came within 0.1 % of it.
"""

import argparse
import os
import pty
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from machine import keep_to

CASES = {500: 5, 2_000: 10, 20_000: 10}  # rows, and nodes
RIDGE = 1e-6
ITERATIONS = 2_000
NEAR = 1.001  # of the target

Trace = list[tuple[float, float]]  # seconds, penalised loss
System = Callable[[np.ndarray, np.ndarray, int, int], tuple[Trace, float]]


def friedman(N: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return standardised inputs and outcomes."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(N, 10))
    y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
    y += rng.normal(size=N)
    return (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()


def by_matbn(X: np.ndarray, y: np.ndarray, size: int, seed: int) -> tuple[Trace, float]:
    """Fit by matbn's default solver."""
    import matbn

    trace: Trace = []

    def note(progress: matbn.Progress) -> None:
        if np.isfinite(progress.loss):  # it is not finite while the search works on a part of the rows
            trace.append((time.perf_counter() - start, progress.loss))

    start = time.perf_counter()
    fit = matbn.fit(
        y, nets=matbn.net(X, size), penalty=RIDGE, starts=1, seed=seed, iterations=ITERATIONS, progress=note
    )
    return trace, fit.loss


def by_nnet(X: np.ndarray, y: np.ndarray, size: int, seed: int) -> tuple[Trace, float]:
    """Fit by R's nnet, reading its trace from a terminal, to which it writes each line at once."""
    N, p = X.shape
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        np.concatenate([X.T.reshape(-1), y]).tofile(data)
        script = str(Path(__file__).with_name("fit_nnet.R"))
        numbers = map(str, (N, p, size, N * RIDGE, ITERATIONS, seed))
        reader, writer = pty.openpty()
        process = subprocess.Popen(["Rscript", script, str(data), *numbers], stdout=writer)
        os.close(writer)
        trace, start, mean_square = [], 0.0, np.nan
        with os.fdopen(reader, "r", errors="replace") as lines:
            for line in _until_closed(lines):
                now, words = time.perf_counter(), line.split()
                if words[:1] == ["start"]:
                    start = now
                elif words[:1] in (["iter"], ["initial"], ["final"]):
                    trace.append((now - start, float(words[-1]) / N))
                elif words[:1] == ["mean"]:
                    mean_square = float(words[-1])
        if process.wait():
            raise SystemExit("nnet failed: is R's package nnet installed?")
    return trace, mean_square


def _until_closed(lines):
    try:
        yield from lines
    except OSError:  # Linux raises it when the other side of a terminal is closed
        return


def by_sklearn(X: np.ndarray, y: np.ndarray, size: int, seed: int) -> tuple[Trace, float]:
    """Fit by scikit-learn's MLPRegressor, whose loss is half of ours."""
    from sklearn.neural_network import MLPRegressor

    trace: Trace = []

    class Traced(MLPRegressor):
        def _loss_grad_lbfgs(self, *arguments):
            loss, gradient = super()._loss_grad_lbfgs(*arguments)
            trace.append((time.perf_counter() - start, 2 * loss))
            return loss, gradient

    N = len(y)
    model = Traced(
        hidden_layer_sizes=(size,), activation="tanh", solver="lbfgs", alpha=N * RIDGE, max_iter=ITERATIONS, tol=1e-6,
        max_fun=10 * ITERATIONS, random_state=seed,
    )  # fmt: skip
    start = time.perf_counter()
    model.fit(X, y)
    return trace, float(np.mean((model.predict(X) - y) ** 2))


def by_torch(X: np.ndarray, y: np.ndarray, size: int, seed: int) -> tuple[Trace, float]:
    """Fit by PyTorch's LBFGS with its strong Wolfe line search, in double precision."""
    import torch

    torch.manual_seed(seed)
    trace: Trace = []
    start = time.perf_counter()
    inputs, outcomes = torch.from_numpy(X), torch.from_numpy(y)
    net = torch.nn.Sequential(torch.nn.Linear(X.shape[1], size), torch.nn.Tanh(), torch.nn.Linear(size, 1)).double()
    parameters = list(net.parameters())
    search = torch.optim.LBFGS(
        parameters, max_iter=ITERATIONS, max_eval=10 * ITERATIONS, tolerance_grad=1e-6, tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def evaluate() -> torch.Tensor:
        search.zero_grad()
        loss = torch.mean((net(inputs)[:, 0] - outcomes) ** 2)
        penalised = loss + RIDGE * sum((parameter**2).sum() for parameter in parameters)
        penalised.backward()
        trace.append((time.perf_counter() - start, float(penalised.detach())))
        return penalised

    search.step(evaluate)
    with torch.no_grad():
        return trace, float(torch.mean((net(inputs)[:, 0] - outcomes) ** 2))


SYSTEMS: dict[str, System] = {"matbn": by_matbn, "nnet": by_nnet, "scikit-learn": by_sklearn, "PyTorch": by_torch}


def median_curve(traces: list[Trace]) -> tuple[np.ndarray, np.ndarray]:
    """Return times, and for each the median over the traces of the lowest loss so far."""
    times = np.unique([seconds for trace in traces for seconds, _ in trace])
    curves = []
    for trace in traces:
        seconds, losses = np.array(trace).T
        least = np.minimum.accumulate(losses)
        place = np.searchsorted(seconds, times, side="right") - 1
        curves.append(np.where(place < 0, np.inf, least[np.maximum(place, 0)]))
    return times, np.median(curves, axis=0)


def time_to_reach(curve: tuple[np.ndarray, np.ndarray], target: float) -> float:
    """Return when a curve first came near the target; inf if it never did."""
    times, losses = curve
    there = np.flatnonzero(losses <= NEAR * target)
    return float(times[there[0]]) if len(there) else np.inf


def run_case(N: int, seeds: int) -> dict[str, list[tuple[Trace, float]]]:
    """Run all systems on all seeds, taking turns."""
    runs: dict[str, list[tuple[Trace, float]]] = {name: [] for name in SYSTEMS}
    for seed in range(seeds):
        X, y = friedman(N, seed)
        for name, system in SYSTEMS.items():
            runs[name].append(system(X, y, CASES[N], seed))
    return runs


def report(N: int, runs: dict[str, list[tuple[Trace, float]]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Print a case's table and return the curves."""
    curves = {name: median_curve([trace for trace, _ in results]) for name, results in runs.items()}
    final = {
        name: float(np.median([min(loss for _, loss in trace) for trace, _ in results]))
        for name, results in runs.items()
    }
    best = min((name for name in final if name != "matbn"), key=final.__getitem__)
    print(f"\n{N:,} × 10, {CASES[N]} nodes, {len(runs['matbn'])} seeds; the best peer is {best}\n")
    print("| system | median final loss | mean square | median seconds | to the best peer's loss | as long as matbn |")
    print("|---|---|---|---|---|---|")
    own = time_to_reach(curves["matbn"], final[best])
    for name, results in runs.items():
        end = np.median([trace[-1][0] for trace, _ in results])
        there = time_to_reach(curves[name], final[best])
        square = np.median([mean_square for _, mean_square in results])
        print(f"| {name} | {final[name]:.5f} | {square:.5f} | {end:.3g} | {there:.3g} | {there / own:.3g} |")
    return curves


def plot(cases: dict[int, dict[str, tuple[np.ndarray, np.ndarray]]], path: str) -> None:
    """Draw median loss against time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(cases), figsize=(4 * len(cases), 3.4), squeeze=False)
    for panel, (N, curves) in zip(panels[0], cases.items(), strict=True):
        for name, (times, losses) in curves.items():
            panel.loglog(times, losses, label=name)
        lowest = min(losses.min() for _, losses in curves.values())
        panel.set(title=f"{N:,} rows, {CASES[N]} nodes", xlabel="seconds", ylim=(0.95 * lowest, 3 * lowest))
        panel.set_yticks([lowest, 1.5 * lowest, 2 * lowest, 3 * lowest], minor=False)
        panel.yaxis.set_major_formatter("{x:.3f}")
        panel.minorticks_off()
    panels[0, 0].set_ylabel("median training loss")
    panels[0, -1].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def main() -> None:
    """Run the cases and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--plot", metavar="FILE")
    options = parser.parse_args()
    keep_to(options.threads)
    warnings.filterwarnings("ignore", message=".*(onverge|search stopped).*")
    cases = {N: report(N, run_case(N, options.seeds)) for N in options.cases}
    if options.plot:
        plot(cases, options.plot)


if __name__ == "__main__":
    main()
