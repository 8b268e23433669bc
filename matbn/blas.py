"""BLAS held to one thread: for the whole process, so all who need it share one limit, and the last one lifts it.

A child that is forked while others hold the limit has none of them: it starts with a new lock and with BLAS's threads
as they were before.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any


class _Limit:
    """Who holds BLAS to one thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.holders = 0
        self.before: tuple[int, ...] = ()  # threads of each library without the limit; none where nobody holds it


_limit = _Limit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread; concurrent and nested holders share one limit, and the last one lifts it."""
    limit, held = _limit, False
    try:
        with limit.lock:
            if limit.holders == 0:
                limit.before = limit.before or thread_counts()
                _set([1] * len(limit.before))
            limit.holders, held = limit.holders + 1, True
        yield
    finally:
        if held and limit is _limit:  # else this is a forked child, which has lifted it
            with limit.lock:
                limit.holders -= 1
                if limit.holders == 0:
                    _set(limit.before)
                    limit.before = ()


def thread_counts() -> tuple[int, ...]:
    """Return how many threads each BLAS library in this process may use; none without threadpoolctl."""
    found = libraries()
    return () if found is None else tuple(library.num_threads for library in found.lib_controllers)


@cache
def libraries() -> Any:
    """Return threadpoolctl's handle on the BLAS libraries in this process; finding them takes far more than a call."""
    if find_spec("threadpoolctl") is None:
        return None
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


def _set(counts: Sequence[int]) -> None:
    for library, count in zip(libraries().lib_controllers, counts, strict=True) if counts else ():
        # From version 3.8 on, threadpoolctl heeds one thread only, the first that has set OpenBLAS's limit, and does
        # nothing for others without a word. Here any thread may, for they take turns.
        released = getattr(library, "clear_controlling_thread", lambda force: None)
        released(force=True)
        library.set_num_threads(count)
        released(force=True)


def _before_fork() -> None:
    _limit.lock.acquire()  # no other thread is then between setting a limit and noting it


def _after_fork_in_parent() -> None:
    _limit.lock.release()


def _after_fork_in_child() -> None:
    global _limit
    before, _limit = _limit.before, _Limit()
    _set(before)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
