"""What Ctrl-C does while Python computes for R.

R's own handler of SIGINT is none that Python knows, so it is saved and put back as C knows it. While a call from R
is in Python, Python's handler has the signal instead: it raises KeyboardInterrupt where a function of matbn's
computes, and waits where R objects are being read or made, which must not be left half done.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rpy2.rinterface_lib import openrlib

from matbn.stopping import current_action, saved_handler, set_action

_main_thread = threading.main_thread().ident
_SIGINT = int(signal.SIGINT)


class _State:
    raising = False  # a function computes: an interrupt may stop it
    late = False  # an interrupt has come and waits
    raised = False  # one has been raised in the call that runs, so that others after it say nothing new
    depth = 0  # calls from R that are in Python, one inside another where a function of the user's calls matbn
    r_is_outside = False  # an R session, which is told of an interrupt that came too late for Python
    before: Any = None  # the handler that a Python session had
    action: Any = None  # C's way to `_handle`


_state = _State()


def prepare(r_is_outside: bool) -> None:
    """Set how interrupts reach Python; to be called once rpy2, which sets a handler too, has started."""
    _state.r_is_outside = r_is_outside
    _state.before = signal.getsignal(_SIGINT)
    with saved_handler():
        signal.signal(_SIGINT, _handle)
        _state.action = current_action()


def enter() -> Any:
    """Let Python have interrupts, at the start of a call from R; return what `leave` needs."""
    _state.depth += 1
    before = None
    if threading.get_ident() == _main_thread:
        before = current_action()
        set_action(_state.action)
    if _state.depth == 1:
        _state.late = False  # reticulate repeats here an interrupt that R has had in its own code
    return before


def leave(before: Any) -> None:
    """Give interrupts back to whoever had them, and one that waits to R."""
    if before is not None:
        set_action(before)
    _state.depth -= 1
    if _state.depth == 0:
        _state.raising = False
        if _state.late and not _state.raised:
            openrlib.rlib.R_interrupts_pending = 1
        _state.late = _state.raised = False


def computed(function: Any, arguments: Any) -> Any:
    """Return function(*arguments), which an interrupt stops by KeyboardInterrupt."""
    outer = _state.raising
    try:
        _state.raising = True
        return function(*arguments)
    finally:
        _state.raising = outer


@contextmanager
def postponed() -> Iterator[None]:
    """Let an interrupt wait until what is done inside is done."""
    outer, _state.raising = _state.raising, False
    try:
        yield
    finally:
        _state.raising = outer
    if _state.late and outer:
        _state.late = False
        _state.raised = True
        raise KeyboardInterrupt


def _handle(number: int, frame: FrameType | None) -> None:
    if _state.raising:
        _state.raised = True
        raise KeyboardInterrupt
    if _state.depth > 0 or _state.r_is_outside:
        _state.late = True
    elif callable(_state.before):
        _state.before(number, frame)
