"""What Ctrl-C does while matbn computes: it is noted at once, and the work ends where it can be left.

Python raises KeyboardInterrupt between any two instructions of the main thread: also between those that take a lock
and give it back, hold BLAS to one thread and let it go, start threads and join them. While matbn is `listening`, the
exception is therefore noted in place of being raised, and what works looks at the note where nothing is half done:
between blocks of rows, iterations, starts, replicates. Functions of the user's, and work that has nothing to lose yet,
are `interruptible`: there it is raised. A second Ctrl-C changes nothing, unless the first has been without effect for
ten seconds: then it is raised wherever the work is.
"""

import ctypes
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_PATIENCE = 10.0  # seconds
_SIGINT = int(signal.SIGINT)
_SIGACTION_BYTES = 512  # more than any platform's struct sigaction
_sigaction: Any = getattr(ctypes.CDLL(None), "sigaction", None) if hasattr(signal, "pthread_kill") else None


class Stop:
    """Whether some work is to end before its time; all of its threads look at it."""

    def __init__(self) -> None:
        self.asked = False
        self.heeded = False  # whether a result is returned that says so; else KeyboardInterrupt goes on in the end
        self._since = 0.0

    def ask(self) -> None:
        """Ask the work to end."""
        if not self.asked:
            self._since = time.monotonic()
            self.asked = True

    def check(self) -> None:
        """Raise KeyboardInterrupt if the work is to end."""
        if self.asked:
            raise KeyboardInterrupt

    @property
    def late(self) -> bool:
        """Whether the work should have ended long ago."""
        return self.asked and time.monotonic() > self._since + _PATIENCE

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let Ctrl-C raise KeyboardInterrupt at any instruction inside, where this work is the one that listens."""
        if not _in_main_thread() or _state.stops[-1:] != [self]:
            yield
            return
        outer, _state.raising = _state.raising, True
        try:
            self.check()
            yield
        finally:
            _state.raising = outer


class _State:
    """Of the main thread, which alone gets signals."""

    def __init__(self) -> None:
        self.stops: list[Stop] = []  # of works that listen, one inside another where a user's function calls matbn
        self.raising = False  # whether an interrupt is raised where it arrives


_state = _State()


@contextmanager
def listening() -> Iterator[Stop]:
    """Note interrupts of what is done inside; at the end raise KeyboardInterrupt if one came and was not heeded.

    Inside other work of matbn's that listens, it is that which notes them. In other threads than the main one there are
    none.
    """
    stop = Stop()
    if not _in_main_thread() or (_state.stops and not _state.raising):
        yield stop
        return
    outer, _state.raising = _state.raising, False
    _state.stops.append(stop)
    try:
        with _noting():
            yield stop
    finally:
        _state.stops.remove(stop)
        _state.raising = outer
    if not stop.heeded:
        stop.check()


@contextmanager
def _noting() -> Iterator[None]:
    """Note what SIGINT's handler in Python raises: where it raises no KeyboardInterrupt, there is no interrupt."""
    theirs = signal.getsignal(_SIGINT)
    if not callable(theirs) or isinstance(theirs, _Handler):
        yield
        return
    with saved_handler():
        signal.signal(_SIGINT, _Handler(theirs))
        try:
            yield
        finally:
            signal.signal(_SIGINT, theirs)


class _Handler:
    def __init__(self, theirs: Callable[[int, FrameType | None], Any]) -> None:
        self._theirs = theirs

    def __call__(self, number: int, frame: FrameType | None) -> None:
        try:
            self._theirs(number, frame)
        except KeyboardInterrupt:
            late = any(stop.late for stop in _state.stops)
            for stop in _state.stops:
                stop.ask()
            if _state.raising or late or not _state.stops:
                _state.raising = False  # what is on its way out must not be interrupted again
                raise


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def saved_handler() -> Iterator[None]:
    """Put the process's handler of SIGINT back in the end as C knows it, which may be R's and none of Python's."""
    before = current_action()
    try:
        yield
    finally:
        set_action(before)


def current_action() -> Any:
    """Return the process's handler of SIGINT, as C knows it; None where C has no sigaction."""
    if _sigaction is None:
        return None
    action = ctypes.create_string_buffer(_SIGACTION_BYTES)
    _sigaction(_SIGINT, None, action)
    return action


def set_action(action: Any) -> None:
    """Make an action that `current_action` returned the process's handler of SIGINT."""
    if _sigaction is not None:
        _sigaction(_SIGINT, action, None)
