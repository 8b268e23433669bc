"""Work on a sequence of pieces in threads, each of which multiplies matrices on one core.

Results are combined in the order of the pieces, so that sums depend neither on the number of threads nor on which of
them is faster. The threads live for one call only, so that a fork between calls is safe.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import Generic, TypeVar

import numpy as np

from matbn.arguments import as_integer
from matbn.blas import libraries, one_blas_thread, thread_counts
from matbn.errors import ArgumentError
from matbn.stopping import Stop, listening

_FEW_PRODUCTS = 5_000_000  # they take less than 1 ms; starting and stopping threads alone takes a third of one

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def default_threads() -> int:
    """Return how many threads to use: the cores of this process, or as many as the user allows BLAS, if fewer.

    It is 1 where threadpoolctl is missing or does not know the BLAS library: threads whose matrix products start
    threads of their own would be slower than one thread.
    """
    allowed = thread_counts()
    if not allowed:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, *allowed))


def as_threads(threads: object) -> int:
    """Return the number of threads that the user asks for; more than one need threadpoolctl."""
    wanted = as_integer("threads", threads, at_least=1)
    if wanted > 1 and libraries() is None:
        raise ArgumentError(
            f"threads is {wanted}, but more than one need the package threadpoolctl, which holds BLAS to one thread in"
            " each: pip install 'matbn[threads]'"
        )
    return wanted


def threads_that_pay(threads: int, products: int) -> int:
    """Return `threads`, or 0 where the work has so few multiplications that not even limiting BLAS pays off."""
    return 0 if products < _FEW_PRODUCTS else threads


def combine_in_order(
    pieces: Iterable[Piece],
    process: Callable[[Piece], Result],
    combine: Callable[[Result, Result], Result],
    threads: int,
) -> Result | None:
    """Return combine(… combine(combine(r₀, r₁), r₂) …) of the results r_i of the pieces, None if there are none.

    `process` runs in all threads, the calling one included, at the same time; only one thread at a time takes the next
    of `pieces`. The first error stops all threads and is raised; so is an interrupt, once the pieces in work are done.
    With threads=0 the calling thread works alone, and BLAS is not limited.
    """
    with listening() if threads else nullcontext(Stop()) as stop:
        return _work_through(_Run(iter(pieces), combine, stop), process, threads)


def _work_through(run: "_Run[Piece, Result]", process: Callable[[Piece], Result], threads: int) -> Result | None:
    def work() -> None:
        try:
            with np.errstate(all="ignore"):
                while (taken := run.take()) is not None:
                    run.give(taken[0], process(taken[1]))
        except BaseException as error:
            run.fail(error)  # raised below, in the calling thread

    helpers = [threading.Thread(target=work, name="matbn") for _ in range(threads - 1)]
    with one_blas_thread() if threads else nullcontext():
        try:
            _start(helpers)
            work()
        finally:
            run.stop()
            for helper in helpers:
                if helper.ident is not None:
                    helper.join()
    return run.result()


def _start(helpers: list[threading.Thread]) -> None:
    """Start as many threads as the system allows; where memory or processes are limited, that may be none."""
    try:
        for helper in helpers:
            helper.start()
    except (RuntimeError, MemoryError):  # "can't start new thread": the caller, and those that did start, do the work
        return


class _Run(Generic[Piece, Result]):
    """What the threads of one call share; each method is one step under the lock."""

    def __init__(self, pieces: Iterator[Piece], combine: Callable[[Result, Result], Result], stop: Stop) -> None:
        self._pieces = enumerate(pieces)
        self._combine = combine
        self._stop = stop
        self._lock = threading.Lock()
        self._waiting: dict[int, Result] = {}  # results that came before those of earlier pieces
        self._combined: Result | None = None
        self._count = 0  # how many results are combined
        self._stopped = False
        self._error: BaseException | None = None

    def take(self) -> tuple[int, Piece] | None:
        with self._lock:
            if self._stopped or self._stop.asked:
                return None
            with self._stop.interruptible():  # reading rows may take long
                return next(self._pieces, None)

    def give(self, index: int, result: Result) -> None:
        with self._lock:
            self._waiting[index] = result
            while self._count in self._waiting:
                following = self._waiting.pop(self._count)
                self._combined = following if self._count == 0 else self._combine(self._combined, following)  # type: ignore[arg-type]
                self._count += 1

    def fail(self, error: BaseException) -> None:
        with self._lock:
            self._stopped = True
            self._error = self._error or error

    def stop(self) -> None:
        with self._lock:
            self._stopped = True

    def result(self) -> Result | None:
        if self._error is not None:
            raise self._error
        return self._combined
