"""What a search tells while it runs, and how it is stopped."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import numpy as np

from matbn.arguments import Array
from matbn.stopping import Stop

_FIRST, _EVERY = 1.0, 0.1  # seconds until a bar is shown, and between its changes


@dataclass(frozen=True)
class Progress:
    """How far a fit is."""

    starts: int  # in all
    finished: int  # starts that have ended
    iterations: int  # of all starts
    loss: float  # least so far, in the units of y
    seconds: float  # since the first


Report = Callable[[Progress], None]


@dataclass(eq=False)
class SharedProgress:
    """What the threads of one fit share: where each search is, and whether they are to stop."""

    starts: int
    scale: float  # of losses
    report: Report | None
    stop: Stop = field(default_factory=Stop)
    began: float = field(default_factory=time.perf_counter)
    finished: int = 0
    told: int = 0  # of the finished, at the last report
    losses: dict[int, list[float]] = field(default_factory=dict)  # of each search, one an iteration
    best: dict[int, Array] = field(default_factory=dict)  # θ of each search, where its loss was least
    lock: threading.Lock = field(default_factory=threading.Lock)

    def forget(self) -> None:
        """Begin again, with searches under another penalty."""
        self.finished = self.told = 0
        self.losses.clear()
        self.best.clear()

    def watch(self, search: int) -> Callable[[int, float | None, Array], bool]:
        """Return what sees the iterations of one search (with a loss: those on all rows) and says whether to stop."""
        losses = self.losses.setdefault(search, [])

        def see(iteration: int, loss: float | None, theta: Array) -> bool:
            if loss is None or loss * self.scale**2 <= min(losses, default=np.inf):
                self.best[search] = theta
            if loss is not None:
                losses.append(loss * self.scale**2)
            self.tell()
            return self.stop.asked

        return see

    def ended(self) -> None:
        """Count a search that has ended."""
        with self.lock:
            self.finished += 1
        self.tell()

    def all_ended(self) -> None:
        """Report the end, if other threads were the last to reach it: quick searches may all be theirs."""
        if self.told < self.finished:
            self.tell()

    def tell(self) -> None:
        """Report, from the main thread only: R takes calls from no other."""
        if self.report is not None and threading.current_thread() is threading.main_thread():
            kept = list(self.losses.values())
            least = min((losses[-1] for losses in kept if losses), default=np.nan)
            seconds = time.perf_counter() - self.began
            self.told = self.finished
            try:
                with self.stop.interruptible():
                    self.report(Progress(self.starts, self.finished, sum(map(len, kept)), least, seconds))
            except KeyboardInterrupt:
                self.stop.ask()


def throttle(report: Report) -> Report:
    """Return a report that leaves out what comes too soon to be read."""
    told = _FIRST - _EVERY

    def tell(progress: Progress) -> None:
        nonlocal told
        if progress.seconds >= told + _EVERY:
            told = progress.seconds
            report(progress)

    return tell


class Bar:
    """A bar by tqdm on the terminal; silent where there is neither."""

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
    """A bar on the terminal for work in equal pieces, from a second on; counts from any thread."""

    def __init__(self, what: str, total: int, wanted: bool | None) -> None:
        self._what, self._total, self._wanted = what, total, wanted
        self._began, self._done, self._lock = time.perf_counter(), 0, threading.Lock()
        self._bar: Any = None

    def __enter__(self) -> "Counter":
        return self

    def one_more(self) -> None:
        """Count a piece."""
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
    """Return tqdm; None where it is not there, or not wanted, or (without a wish) no terminal would show it."""
    if wanted is False:
        return None
    try:
        import sys

        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm if wanted or sys.stderr.isatty() else None
