"""Python functions as R closures that never raise inside R.

What an exception inside rpy2's callback would do (R gets NULL and no error), an envelope does not: a call
returns list(value), or list(NULL, message, classes) from which R's side makes a condition.
"""

import ctypes
import inspect
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import rpy2.rinterface as ri

from matbn.errors import MatbnError
from matbn.rbridge.convert import from_r, to_r

_libc = ctypes.CDLL(None)
_SIGACTION_BYTES = 512  # more than any platform's struct sigaction
_kept: list[Any] = []  # R holds these by address only: if Python let them go, the next call would crash R


def closure(function: Callable[..., Any]) -> Any:
    """Return an R closure for a Python function of positional arguments."""

    def call(*arguments: Any) -> Any:
        try:
            with _interruptible(), np.errstate(invalid="ignore"):
                return ri.ListSexpVector([to_r(function(*map(from_r, arguments)))])
        except BaseException as error:  # an interrupt too must not pass through R's C code
            return _failure(error)

    # rpy2 asks for the signature at each call; an own attribute answers at once.
    call.__signature__ = inspect.signature(call)  # type: ignore[attr-defined]
    wrapped = ri.rternalize(call)
    _kept.append((call, wrapped))
    return wrapped


def _failure(error: BaseException) -> Any:
    if isinstance(error, KeyboardInterrupt):
        classes = ["interrupt"]
    else:
        own = [kind.__name__ for kind in type(error).__mro__ if issubclass(kind, MatbnError) and kind is not MatbnError]
        classes = [f"matbn_{name}" for name in own or [type(error).__name__]] + ["matbn_error"]
    message = str(error) or type(error).__name__
    return ri.ListSexpVector([ri.NULL, ri.StrSexpVector([message]), ri.StrSexpVector(classes)])


@contextmanager
def saved_interrupt_handler() -> Iterator[None]:
    """Put back the handler of Ctrl-C that the process had, as C knows it: R's own is none that Python knows."""
    before = ctypes.create_string_buffer(_SIGACTION_BYTES)
    _libc.sigaction(int(signal.SIGINT), None, before)
    try:
        yield
    finally:
        _libc.sigaction(int(signal.SIGINT), before, None)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt in Python while it computes, and R have it again afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with saved_interrupt_handler():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
