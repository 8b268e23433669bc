"""Progress reports of a fit while its searches run, and the bars that show them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.stopping import Stop

_FIRST, _EVERY = 1.0, 0.1  # seconds until a bar is shown, and between its updates


@dataclass(frozen=True)
class Progress:
    """How far a fit is."""

    starts: int  # number of searches in all
    finished: int  # number of searches that have ended
    iterations: int  # of all searches together
    loss: float  # the least so far, in the units of y
    seconds: float  # since the fit began


Report = Callable[[Progress], None]


@dataclass(eq=False)
class SharedProgress:
    """How far each search of one fit is, shared by its threads, and the stop that ends them all."""

    starts: int
    scale: float  # unit of the problem's outcomes, by whose square losses are multiplied
    report: Report | None
    stop: Stop = field(default_factory=Stop)
    began: float = field(default_factory=time.perf_counter)
    finished: int = 0
    reported: int = 0  # value of `finished` in the last report
    losses: dict[int, list[float]] = field(default_factory=dict)  # each search's loss after each iteration
    best: dict[int, Array] = field(default_factory=dict)  # each search's θ of the least loss
    lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        """Forget all searches, before those under another penalty begin."""
        self.finished = self.reported = 0
        self.losses.clear()
        self.best.clear()

    def watch(self, search: int) -> Callable[[int, float | None, Array], bool]:
        """Return the function to call after each iteration of a search; the loss is None on a sample of the rows."""
        losses = self.losses.setdefault(search, [])

        def see(iteration: int, loss: float | None, theta: Array) -> bool:
            if loss is None or loss * self.scale**2 <= min(losses, default=np.inf):
                self.best[search] = theta
            if loss is not None:
                losses.append(loss * self.scale**2)
            self.tell()
            return self.stop.asked

        return see

    def count_end(self) -> None:
        """Count a search that has ended."""
        with self.lock:
            self.finished += 1
        self.tell()

    def report_end(self) -> None:
        """Report that all searches have ended, unless the last report said so: other threads do not report."""
        if self.reported < self.finished:
            self.tell()

    def tell(self) -> None:
        """Call the user's report, if this is the main thread: R can be called from no other."""
        if self.report is not None and threading.current_thread() is threading.main_thread():
            traces = list(self.losses.values())
            least = min((trace[-1] for trace in traces if trace), default=np.nan)
            seconds = time.perf_counter() - self.began
            self.reported = self.finished
            try:
                with self.stop.interruptible():
                    self.report(Progress(self.starts, self.finished, sum(map(len, traces)), least, seconds))
            except KeyboardInterrupt:
                self.stop.ask()


def throttle(report: Report) -> Report:
    """Return a report that drops calls which follow each other too quickly to be read."""
    last = _FIRST - _EVERY

    def throttled(progress: Progress) -> None:
        nonlocal last
        if progress.seconds >= last + _EVERY:
            last = progress.seconds
            report(progress)

    return throttled


class Bar:
    """A bar by tqdm on the terminal; it shows nothing without tqdm or a terminal."""

    def __init__(self, wanted: bool | None) -> None:
        self._wanted = wanted
        self._bar: Any = None

    def __enter__(self) -> Report | None:
        self._make = _bar_maker(self._wanted)
        if self._make is None:
            return None
        return throttle(self._show)

    def _show(self, progress: Progress) -> None:
        if self._bar is None:
            self._bar = self._make(total=progress.starts, unit="start", leave=False, desc="fit")
        self._bar.n = progress.finished
        self._bar.set_postfix_str(f"iteration {progress.iterations:,}, loss {progress.loss:.6g}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


class Counter:
    """A bar for work in equal pieces, shown after one second; any thread may count pieces."""

    def __init__(self, what: str, total: int, wanted: bool | None) -> None:
        self._what, self._total, self._wanted = what, total, wanted
        self._began, self._done, self._lock = time.perf_counter(), 0, threading.Lock()
        self._bar: Any = None

    def __enter__(self) -> "Counter":
        return self

    def one_more(self) -> None:
        """Count a finished piece."""
        with self._lock:
            self._done += 1
            if self._bar is None:
                if time.perf_counter() - self._began < _FIRST or (make := _bar_maker(self._wanted)) is None:
                    return
                self._bar = make(total=self._total, desc=self._what, leave=False, initial=self._done)
            else:
                self._bar.update()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def _bar_maker(wanted: bool | None) -> Any:
    """Return tqdm; None if it is not installed or not wanted, or if the user does not say and there is no terminal."""
    if wanted is False:
        return None
    try:
        import sys

        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm if wanted or sys.stderr.isatty() else None
