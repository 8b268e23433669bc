"""Loss and exact full-batch gradient of the batch-normalised net: matbn beside NumPy, PyTorch and JAX.

    python benchmarks/gradient.py                                   # the cases of the README's table
    python benchmarks/gradient.py --case 1000000,10,8,relu --json - # one of your own
    python benchmarks/gradient.py --sweep --plot time.png           # time against N

All systems run in one process: their results are compared first, then they take turns, each once the others' threads
are idle; times are medians over the rounds. The limit is the time that this machine needs at least, by measurements
in the same run: to read X once and for the two products, at the rates of a long read and of a large product. Everyone
has the same number of threads, ddof = 0 and eps = 1e-5. Needs `pip install '.[bench]'`; systems that are not
installed are left out.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass, field

import numpy as np
from machine import keep_to, product_rate, read_bandwidth
from turns import take_turns

CASES = (
    "1000000,10,8,relu",
    "1000000,20,32,relu",
    "300000,100,64,relu",
    "1000000,20,32,tanh",
    "1000,10,8,relu",
    "10,7,4,relu",
    "1000000,20,32,relu,float32",
)
SWEEP = tuple(f"{10**k},10,8,relu" for k in range(1, 8))


@dataclass
class Case:
    """A size of net and data, and the measurements at it."""

    N: int
    p1: int
    p2: int
    activation: str
    dtype: str = "float64"
    seconds: dict[str, float] = field(default_factory=dict)
    limit_seconds: float = float("nan")
    difference: dict[str, float] = field(default_factory=dict)  # from matbn's gradient, relative to its largest entry

    @property
    def label(self) -> str:
        """Return the case in words."""
        return f"{self.N:,} × {self.p1} × {self.p2}, {self.activation}, {self.dtype}"


def main() -> None:
    """Run the cases that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--case", action="append", metavar="N,p1,p2,activation[,dtype]", help="run this one (repeatable)"
    )
    parser.add_argument("--sweep", action="store_true", help="run N = 10, 100, …, 10⁷ of 10 × 8, relu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--without", action="append", default=[], help="leave out a system (repeatable)")
    parser.add_argument("--json", metavar="FILE", help="write the figures there; - for the screen")
    parser.add_argument("--plot", metavar="FILE", help="plot time against N there")
    options = parser.parse_args()
    keep_to(options.threads)
    cases = [as_case(text) for text in options.case or (SWEEP if options.sweep else CASES)]
    rates = {}
    for case in cases:
        if case.dtype not in rates:
            rates[case.dtype] = read_bandwidth(options.threads, case.dtype), product_rate(options.threads, case.dtype)
            print(
                f"this machine, {options.threads} threads, {case.dtype}: reads {rates[case.dtype][0] / 1e9:.1f} GB/s,"
                f" multiplies {rates[case.dtype][1] / 1e9:.0f} Gflop/s",
                file=sys.stderr,
            )
        measure(case, options.threads, max(7, options.rounds), options.without, *rates[case.dtype])
        print(row(case), flush=True)
    if options.json:
        text = json.dumps({"threads": options.threads, "cases": [asdict(case) for case in cases]}, indent=1)
        if options.json == "-":
            print(text)
        else:
            with open(options.json, "w") as file:
                file.write(text + "\n")
    if options.plot:
        plot(cases, options.plot)


def as_case(text: str) -> Case:
    """Read N,p1,p2,activation[,dtype]."""
    try:
        N, p1, p2, activation, *dtype = text.split(",")
        case = Case(int(float(N)), int(p1), int(p2), activation, *dtype)
    except (TypeError, ValueError):
        raise SystemExit(f"--case {text!r} is not N,p1,p2,activation[,dtype]") from None
    if activation not in ("relu", "tanh") or case.dtype not in ("float32", "float64"):
        raise SystemExit(f"--case {text!r}: activation is relu or tanh, dtype float64 or float32")
    return case


def measure(case: Case, threads: int, rounds: int, without: list[str], bandwidth: float, rate: float) -> None:
    """Compare the systems' results, then time them."""
    from gradient_systems import SYSTEMS

    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((case.N, case.p1)).astype(case.dtype), rng.standard_normal(case.N).astype(case.dtype)
    parameters = {
        "Gamma1": rng.standard_normal((case.p1, case.p2)),
        "gamma": rng.uniform(0.5, 1.5, case.p2),
        "beta": rng.standard_normal(case.p2) / 2,
        "Gamma2": rng.standard_normal(case.p2),
    }
    parameters = {name: value.astype(case.dtype) for name, value in parameters.items()}
    calls, expected = {}, None
    for name, build in SYSTEMS.items():
        if name in without:
            continue
        try:
            call, theta = build(X, y, parameters, case.activation, threads)
            found = theta()
        except Exception as error:  # the peer is not installed, or cannot compile here
            print(f"{name} is left out: {type(error).__name__}: {str(error).splitlines()[0][:200]}", file=sys.stderr)
            continue
        expected = found if expected is None else expected
        case.difference[name] = float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))
        if case.difference[name] > (1e-9 if case.dtype == "float64" else 1e-2):
            raise SystemExit(f"{case.label}: {name} differs from matbn by {case.difference[name]:.1e}")
        calls[name] = call
    case.seconds = take_turns(calls, rounds)
    case.limit_seconds = X.nbytes / bandwidth + 4 * case.N * case.p1 * case.p2 / rate


def row(case: Case) -> str:
    """Return a case's line of the table."""
    own = case.seconds["matbn"]
    peers = ", ".join(
        f"{name} {seconds * 1e3:.4g} ({seconds / own:.3g})" for name, seconds in case.seconds.items() if name != "matbn"
    )
    limit = f"limit {case.limit_seconds * 1e3:.3g} (1/{own / case.limit_seconds:.3g})"
    return f"{case.label}: matbn {own * 1e3:.4g} ms; times as long: {peers}; {limit}"


def plot(cases: list[Case], path: str) -> None:
    """Draw time against N, a line a system."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    cases = sorted(cases, key=lambda case: case.N)
    for name in dict.fromkeys(name for case in cases for name in case.seconds):
        points = [(case.N, case.seconds[name]) for case in cases if name in case.seconds]
        own = {"color": "black", "linewidth": 2.2, "zorder": 3} if name == "matbn" else {"linewidth": 1.2}
        axes.loglog(*zip(*points, strict=True), marker="o", markersize=4, label=name, **own)
    axes.loglog([case.N for case in cases], [case.limit_seconds for case in cases], "k:", label="limit of the machine")
    axes.set(xlabel="rows N", ylabel="seconds per loss and gradient")
    sizes = {(case.p1, case.p2, case.activation, case.dtype) for case in cases}
    if len(sizes) == 1:
        p1, p2, activation, dtype = sizes.pop()
        axes.set_title(f"{p1} inputs, {p2} nodes, {activation}, {dtype}", fontsize=10)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=9)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
