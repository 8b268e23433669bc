"""Python functions as R closures that never raise inside R.

What an exception in a C callback would do (R gets NULL and no error), an envelope does not: a call returns
list(value), list(value, message and class of each warning), or list(NULL, message, classes) of an error, from which R's
side makes conditions.
"""

import warnings
from collections.abc import Callable
from typing import Any

import rpy2.rinterface as ri
from rpy2.rinterface_lib import openrlib
from rpy2.rinterface_lib.conversion import _cdata_to_rinterface

from matbn.errors import CollinearityWarning, ConvergenceWarning, MatbnError, PrecisionWarning
from matbn.rbridge import interrupts
from matbn.rbridge.convert import from_r, release_dropped, to_r

_rlib, _ffi = openrlib.rlib, openrlib.ffi
_PASSED_ON = (CollinearityWarning, ConvergenceWarning, PrecisionWarning)
_warned: list[tuple[str, str]] = []  # messages and classes of warnings of the call that runs
_kept: list[Any] = []  # R holds these by address only: if Python let them go, the next call would crash R


def closure(function: Callable[..., Any]) -> Any:
    """Return an R closure for a Python function of positional arguments.

    rpy2's rternalize does this too, but makes a Python object of each argument and inspects the function's
    signature at each call; here .Call comes straight to a C callback with one list.
    """

    @_ffi.callback("SEXP(SEXP)")  # type: ignore[untyped-decorator]
    def call(arguments: Any) -> Any:
        before = interrupts.enter()
        try:
            release_dropped()
            _warned.clear()
            value = interrupts.computed(function, from_r(arguments))
            return to_r((value, list(_warned)) if _warned else (value,))
        except BaseException as error:  # an interrupt too must not pass through R's C code
            return _failure(error)
        finally:
            interrupts.leave(before)

    _kept.append(call)
    symbol = _rlib.Rf_install(b"native symbol")
    pointer = _rlib.Rf_protect(_rlib.R_MakeExternalPtr(_ffi.cast("void *", call), symbol, _rlib.R_NilValue))
    make = ri.evalr("function(pointer) { force(pointer); function(...) .Call(pointer, list(...)) }")
    wrapped = make(_cdata_to_rinterface(pointer))
    _rlib.Rf_unprotect(1)
    return wrapped


def pass_warnings_on() -> None:
    """Let R have matbn's own warnings, every time; others go where they went."""
    elsewhere = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, _PASSED_ON):
            warning = str(message), f"matbn_{category.__name__}"
            _warned.extend([warning] if warning not in _warned else [])
        else:
            elsewhere(message, category, *place, **more)

    warnings.showwarning = show
    for kind in _PASSED_ON:
        warnings.simplefilter("always", kind)


def _failure(error: BaseException) -> Any:
    if isinstance(error, KeyboardInterrupt):
        classes = ["interrupt"]
    else:
        own = [kind.__name__ for kind in type(error).__mro__ if issubclass(kind, MatbnError) and kind is not MatbnError]
        classes = [f"matbn_{name}" for name in own or [type(error).__name__]] + ["matbn_error"]
    message = str(error) or type(error).__name__
    return to_r((None, message, classes))
