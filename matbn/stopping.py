"""What Ctrl-C does while matbn computes: it is noted at once, and the work ends where nothing is half done.

Python raises KeyboardInterrupt between any two instructions of the main thread, even between taking a lock and giving
it back, or between starting threads and joining them. While matbn is `listening`, the interrupt is therefore noted and
not raised, and the work looks at the note at safe places: between blocks of rows, iterations, starts and replicates.
Users' functions, and work that has no result to lose yet, are `interruptible`: there it is raised at once. A second
Ctrl-C changes nothing, unless the first one has had no effect for ten seconds: then it is raised at any place.
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
    """A request that work end early; all threads of the work look at it."""

    def __init__(self) -> None:
        self.asked = False
        self.heeded = False  # whether a partial result is returned; if not, KeyboardInterrupt is raised in the end
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
        """Whether the work was asked to end more than ten seconds ago."""
        return self.asked and time.monotonic() > self._since + _PATIENCE

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Let Ctrl-C raise KeyboardInterrupt at any instruction inside, if this is the innermost work that listens."""
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
    """What the main thread, which alone receives signals, is doing."""

    def __init__(self) -> None:
        self.stops: list[Stop] = []  # of work that listens, the innermost last: a user's function may call matbn
        self.raising = False  # whether an interrupt is raised where it arrives


_state = _State()


@contextmanager
def listening() -> Iterator[Stop]:
    """Note interrupts of the work inside; at its end raise KeyboardInterrupt if one came and no partial result is kept.

    Inside other work that listens, the outer work notes them. Threads other than the main one receive no signals.
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
    """Call Python's own handler of SIGINT when the signal comes, and note the KeyboardInterrupt if it raises one."""
    original = signal.getsignal(_SIGINT)
    if not callable(original) or isinstance(original, _Handler):
        yield
        return
    with saved_handler():
        signal.signal(_SIGINT, _Handler(original))
        try:
            yield
        finally:
            signal.signal(_SIGINT, original)


class _Handler:
    """A handler of SIGINT that notes what the original one raises."""

    def __init__(self, original: Callable[[int, FrameType | None], Any]) -> None:
        self._original = original

    def __call__(self, number: int, frame: FrameType | None) -> None:
        try:
            self._original(number, frame)
        except KeyboardInterrupt:
            late = any(stop.late for stop in _state.stops)
            for stop in _state.stops:
                stop.ask()
            if _state.raising or late or not _state.stops:
                _state.raising = False  # nothing may interrupt the work that ends because of this one
                raise


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextmanager
def saved_handler() -> Iterator[None]:
    """In the end restore the process's handler of SIGINT as C knows it: it may be R's, which Python does not know."""
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
