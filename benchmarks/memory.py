"""Memory over many calls of the engine: how much more a process holds after thousands of them than before.

    python benchmarks/memory.py [--calls 10000]

For each function, it shows the growth of Python's own count of bytes (tracemalloc) and of the process's resident
memory, from a tenth of the calls to the last one. "varying nets" gives each call another number of nodes.
"""

import argparse
import itertools
import resource
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

import matbn


def calls_by_name(N: int) -> dict[str, Callable[[], object]]:
    """Return each function of the engine, ready to be called on N rows."""
    rng = np.random.default_rng(1)
    X, y, w = rng.normal(size=(N, 3)), rng.normal(size=N), rng.uniform(0, 2, N)
    nets = {p2: (rng.normal(size=(3, p2)), np.ones(p2), np.zeros(p2), rng.normal(size=p2)) for p2 in range(1, 101)}
    net, turns = nets[4], itertools.cycle(nets.values())
    prepared = matbn.prepare(X, y, w)
    return {
        "prepare": lambda: matbn.prepare(X, y, w),
        "prepare blocks": lambda: matbn.prepare(lambda: iter([X]), y),
        "gradient": lambda: prepared.gradient(*net),
        "gradient, varying nets": lambda: prepared.gradient(*next(turns)),
        "fitted": lambda: prepared.fitted(*net),
        "cross_products": lambda: prepared.cross_products(*net[:3]),
        "jacobian_product": lambda: prepared.jacobian_product(*net, direction=np.ones(24)),
        "adjoint_product": lambda: prepared.adjoint_product(*net, u=y),
        "jacobian_gram": lambda: prepared.jacobian_gram(*net),
        "net_gradient": lambda: matbn.net_gradient(X, y, *net),
        "net_gradient, varying nets": lambda: matbn.net_gradient(X, y, *next(turns)),
    }


def growth(call: Callable[[], object], calls: int) -> tuple[int, int]:
    """Return by how many bytes Python's and the process's memory grew after the first tenth of the calls."""
    tracemalloc.start()
    try:
        for _ in range(calls // 10):
            call()
        traced, resident = tracemalloc.get_traced_memory()[0], _resident()
        for _ in range(calls - calls // 10):
            call()
        return tracemalloc.get_traced_memory()[0] - traced, _resident() - resident
    finally:
        tracemalloc.stop()


def _resident() -> int:
    """Return the process's resident memory, or its largest so far where the system reports only that."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Print a line for each function."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--calls", type=int, default=10_000)
    options.add_argument("--rows", type=int, default=300)
    given = options.parse_args()
    print(f"{given.calls:,} calls on {given.rows:,} rows; growth in KiB: Python, process")
    for name, call in calls_by_name(given.rows).items():
        traced, resident = growth(call, given.calls)
        print(f"{name:28} {traced / 1024:10.1f} {resident / 1024:10.0f}", flush=True)


if __name__ == "__main__":
    main()
