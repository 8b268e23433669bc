"""The highest rates at which this machine reads memory and multiplies matrices."""

import os
import threading

import numpy as np
from turns import take_turns


def read_bandwidth(threads: int, dtype: str) -> float:
    """Return the bytes per second at which all threads together read an array that is too large for any cache."""
    parts = [np.ones(32 * 2**20 // np.dtype(dtype).itemsize * 4, dtype) for _ in range(threads)]
    ones = np.ones(16_384, dtype)

    def read(part: np.ndarray) -> None:
        np.dot(part.reshape(-1, len(ones)), ones)  # a product with a vector that stays in cache

    def read_all() -> None:
        helpers = [threading.Thread(target=read, args=(part,)) for part in parts[1:]]
        for helper in helpers:
            helper.start()
        read(parts[0])
        for helper in helpers:
            helper.join()

    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        seconds = take_turns({"read": read_all}, 5)["read"]
    return sum(part.nbytes for part in parts) / seconds


def product_rate(threads: int, dtype: str) -> float:
    """Return the floating-point operations per second of a large matrix product."""
    n = 2_000
    A, B = np.ones((n, n), dtype), np.ones((n, n), dtype)
    out = np.empty((n, n), dtype)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads):
        seconds = take_turns({"product": lambda: np.matmul(A, B, out=out)}, 5)["product"]
    return 2 * n**3 / seconds


def keep_to(threads: int) -> None:
    """Limit this process, and the libraries that are imported after this call, to so many cores."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < threads:
            raise SystemExit(f"this machine has {len(cores)} cores; use --threads {len(cores)}")
        os.sched_setaffinity(0, cores[:threads])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(threads)
