"""Hold BLAS to one thread. The limit is the process's, so all callers share it, and the last one lifts it.

A child process that is forked while the limit holds does not inherit its holders: it starts with a new lock and with
as many BLAS threads as before the limit.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any


class _Limit:
    """How many callers hold BLAS to one thread, and how many threads it had before."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.holders = 0
        self.before: tuple[int, ...] = ()  # threads of each library before the limit; empty while nobody holds it


_limit = _Limit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread; concurrent and nested holders share one limit, and the last one lifts it."""
    limit, held = _limit, False
    try:
        with limit.lock:
            if limit.holders == 0:
                limit.before = limit.before or thread_counts()
                _set_threads([1] * len(limit.before))
            limit.holders, held = limit.holders + 1, True
        yield
    finally:
        if held and limit is _limit:  # otherwise this is a forked child, where the limit is already lifted
            with limit.lock:
                limit.holders -= 1
                if limit.holders == 0:
                    _set_threads(limit.before)
                    limit.before = ()


def thread_counts() -> tuple[int, ...]:
    """Return how many threads each BLAS library in this process may use; none without threadpoolctl."""
    controller = libraries()
    return () if controller is None else tuple(library.num_threads for library in controller.lib_controllers)


@cache
def libraries() -> Any:
    """Return threadpoolctl's controller of the BLAS libraries in this process; it is kept, as finding them is slow."""
    if find_spec("threadpoolctl") is None:
        return None
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def _set_threads(counts: Sequence[int]) -> None:
    for library, count in zip(libraries().lib_controllers, counts, strict=True) if counts else ():
        # From version 3.8 on, threadpoolctl lets only the first thread that set OpenBLAS's limit change it and silently
        # ignores all others. Here any thread may change it, for they take turns.
        released = getattr(library, "clear_controlling_thread", lambda force: None)
        released(force=True)
        library.set_num_threads(count)
        released(force=True)


def _before_fork() -> None:
    _limit.lock.acquire()  # so that no other thread is halfway through setting a limit


def _after_fork_in_parent() -> None:
    _limit.lock.release()


def _after_fork_in_child() -> None:
    global _limit
    before, _limit = _limit.before, _Limit()
    _set_threads(before)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
