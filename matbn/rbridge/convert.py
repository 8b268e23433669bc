"""R values as NumPy arrays without a copy, and results as R values with one.

R's objects are named here as C names them (SEXP, rpy2's cdata). R's side coerces integers and logicals to
doubles (with their NA) before they come here, so that R's integer NA is never taken for a number.

Two ways lead into R's library. rpy2's releases Python's lock during each call, which is harmless where R only
reads. A call that allocates may start R's garbage collector, and that may run finalizers of reticulate's, some of
which (in old versions) take the lock for granted and would end the process: such calls go through
ctypes.PyDLL, which keeps the lock.
"""

import ctypes
import dataclasses
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rpy2.rinterface_lib import openrlib
from rpy2.rinterface_lib._rinterface_capi import _TYPEOF

from matbn.errors import ElementTypeError, MatbnError
from matbn.rbridge import interrupts

_rlib, _ffi = openrlib.rlib, openrlib.ffi
_locked = ctypes.PyDLL(str(next(Path(openrlib.R_HOME, "lib").glob("libR.*"))))
_NUMBERS = {_rlib.REALSXP: ("<f8", 8, _rlib.REAL), _rlib.CPLXSXP: ("<c16", 16, _rlib.COMPLEX)}
_FUNCTIONS = (_rlib.CLOSXP, _rlib.BUILTINSXP, _rlib.SPECIALSXP)
_COPIED = 10_000  # numbers; so few are copied faster than shared


def _allocating(name: str, *arguments: Any, result: Any = ctypes.c_void_p) -> Any:
    function = getattr(_locked, name)
    function.argtypes, function.restype = arguments, result
    return function


_SEXP = ctypes.c_void_p
_alloc_vector = _allocating("Rf_allocVector", ctypes.c_uint, ctypes.c_ssize_t)
_alloc_matrix = _allocating("Rf_allocMatrix", ctypes.c_uint, ctypes.c_int, ctypes.c_int)
_scalar_real = _allocating("Rf_ScalarReal", ctypes.c_double)
_scalar_logical = _allocating("Rf_ScalarLogical", ctypes.c_int)
_string = _allocating("Rf_mkCharCE", ctypes.c_char_p, ctypes.c_int)
_set_attribute = _allocating("Rf_setAttrib", _SEXP, _SEXP, _SEXP)
_utf8 = _allocating("Rf_translateCharUTF8", _SEXP, result=ctypes.c_char_p)
_preserve = _allocating("R_PreserveObject", _SEXP, result=None)
_release = _allocating("R_ReleaseObject", _SEXP, result=None)
_call_of_two = _allocating("Rf_lang2", _SEXP, _SEXP)
_try_eval = _allocating("R_tryEvalSilent", _SEXP, _SEXP, ctypes.POINTER(ctypes.c_int))

_main_thread = threading.main_thread().ident
_dropped: list[int] = []
_names: dict[tuple[str, ...], "Kept"] = {}  # names vectors, which R shares freely


class Kept:
    """An R object that R's garbage collector leaves alone while this lives."""

    def __init__(self, cdata: Any) -> None:
        self.cdata = cdata
        self._address = address(cdata)
        _preserve(self._address)

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        """Let R have it; at once on the thread that R runs on, otherwise at the next call.

        When the interpreter ends, this module's own names may be gone before its objects; so the question is kept.
        """
        if ending():
            return
        if threading.get_ident() == _main_thread:
            _release(self._address)
        else:
            _dropped.append(self._address)


def release_dropped() -> None:
    """Let R have what other threads have let go since the last call."""
    while _dropped:
        _release(_dropped.pop())


class _Memory:
    """An R vector's memory as NumPy reads it."""

    def __init__(self, cdata: Any, shape: tuple[int, ...]) -> None:
        typestr, size, pointer = _NUMBERS[_TYPEOF(cdata)]
        self.kept = Kept(cdata)
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "strides": tuple(size * int(np.prod(shape[:k])) for k in range(len(shape))),
            "typestr": typestr,
            "data": (address(pointer(cdata)), True),
        }


class RFunction:
    """An R function of one list, for Python: it must answer list(value), or a message where it fails."""

    def __init__(self, cdata: Any) -> None:
        self._function = Kept(cdata)

    def __call__(self, arguments: Any) -> Any:
        """Return the value, or raise RFunctionError."""
        with interrupts.postponed():
            value = self._answer(arguments)
        if isinstance(value, str):
            raise RFunctionError(value)
        return value[0]

    def _answer(self, arguments: Any) -> Any:
        failed = ctypes.c_int(0)
        given = _rlib.Rf_protect(to_r(arguments))
        call = _rlib.Rf_protect(_sexp(_call_of_two(address(self._function.cdata), address(given))))
        answer = _sexp(_try_eval(address(call), address(_rlib.R_GlobalEnv), ctypes.byref(failed)))
        _rlib.Rf_unprotect(2)
        if failed.value:
            raise RFunctionError("the function was interrupted, or left by other means than a value or an error")
        _rlib.Rf_protect(answer)
        try:
            return from_r(answer)
        finally:
            _rlib.Rf_unprotect(1)


class RFunctionError(MatbnError):
    """A function of the user's, called from Python, stopped with an error in R."""


def from_r(cdata: Any) -> Any:
    """Return an R value for Python: arrays for numbers, scalars for text, None for NULL.

    A named list is a dictionary. One double without dimensions comes as a float, which every function takes
    for a vector of one too.
    """
    kind = _TYPEOF(cdata)
    if kind in _NUMBERS:
        return _numbers(cdata, kind)
    if cdata == _rlib.R_NilValue:
        return None
    if kind == _rlib.STRSXP and _rlib.Rf_xlength(cdata) == 1:
        return _text(_rlib.STRING_ELT(cdata, 0))
    if kind == _rlib.VECSXP:
        parts = [from_r(_rlib.VECTOR_ELT(cdata, k)) for k in range(_rlib.Rf_xlength(cdata))]
        names = _rlib.Rf_getAttrib(cdata, _names_symbol())
        if names == _rlib.R_NilValue:
            return parts
        return {_text(_rlib.STRING_ELT(names, k)): part for k, part in enumerate(parts)}
    if kind in _FUNCTIONS:
        return RFunction(cdata)
    raise ElementTypeError(f"an R value of this kind (SEXPTYPE {kind}) cannot be used here")


def _numbers(cdata: Any, kind: int) -> Any:
    typestr, size, pointer = _NUMBERS[kind]
    count = _rlib.Rf_xlength(cdata)
    dim = _rlib.Rf_getAttrib(cdata, _rlib.R_DimSymbol)
    shape: tuple[int, ...] = (count,)
    if dim != _rlib.R_NilValue:
        shape = tuple(_rlib.INTEGER_ELT(dim, k) for k in range(_rlib.Rf_xlength(dim)))
    elif count == 1 and kind == _rlib.REALSXP:
        return _rlib.REAL_ELT(cdata, 0)
    if count == 0:
        return np.zeros(shape)
    if count > _COPIED:
        return np.asarray(_Memory(cdata, shape))
    few = np.frombuffer(_ffi.buffer(pointer(cdata), count * size), dtype=typestr).copy()
    return few.reshape(shape, order="F")


def _text(charsxp: Any) -> str:
    return _utf8(address(charsxp)).decode("utf-8")  # type: ignore[no-any-return]


def to_r(value: Any) -> Any:
    """Return a Python result as an R value: vectors, matrices, text, lists named like a mapping.

    The caller must protect it, or return it to R, before R allocates again.
    """
    if isinstance(value, np.ndarray):
        return _array(value)
    if value is None:
        return _rlib.R_NilValue
    if isinstance(value, bool | np.bool_):
        return _sexp(_scalar_logical(int(value)))
    if isinstance(value, int | float | np.number):
        return _sexp(_scalar_real(float(value)))
    if isinstance(value, str):
        return _texts([value])
    if isinstance(value, Mapping):
        return _list(list(value.values()), tuple(value))
    if isinstance(value, list | tuple):
        if value and all(isinstance(part, str) for part in value):
            return _texts(value)
        return _list(value, None)
    if dataclasses.is_dataclass(value):
        names = tuple(value.__dataclass_fields__)
        return _list([getattr(value, name) for name in names], names)
    raise ElementTypeError(f"a result of type {type(value).__name__} has no R counterpart")


def _list(parts: Sequence[Any], names: tuple[str, ...] | None) -> Any:
    built = _rlib.Rf_protect(_sexp(_alloc_vector(_rlib.VECSXP, len(parts))))
    try:
        for k, part in enumerate(parts):
            _rlib.SET_VECTOR_ELT(built, k, to_r(part))
        if names is not None:
            if names not in _names:
                _names[names] = Kept(_texts(names))
            _set_attribute(address(built), address(_names_symbol()), address(_names[names].cdata))
    finally:
        _rlib.Rf_unprotect(1)
    return built


def _texts(texts: Sequence[str]) -> Any:
    built = _rlib.Rf_protect(_sexp(_alloc_vector(_rlib.STRSXP, len(texts))))
    for k, text in enumerate(texts):
        _rlib.SET_STRING_ELT(built, k, _sexp(_string(text.encode("utf-8"), _rlib.CE_UTF8)))
    _rlib.Rf_unprotect(1)
    return built


def _array(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype.kind == "c":
        kind, pointer, flat = _rlib.CPLXSXP, _rlib.COMPLEX, np.asarray(array, np.complex128, order="F")
    else:
        kind, pointer, flat = _rlib.REALSXP, _rlib.REAL, np.asarray(array, np.float64, order="F")
    if flat.ndim > 2:
        raise ElementTypeError(f"a result of {flat.ndim} dimensions has no R counterpart")
    built = _sexp(_alloc_matrix(kind, *flat.shape) if flat.ndim == 2 else _alloc_vector(kind, flat.size))
    if flat.size:
        _ffi.memmove(pointer(built), _ffi.from_buffer(flat.reshape(-1, order="F")), flat.nbytes)
    return built


def address(cdata: Any) -> int:
    """Return where a C object is, as ctypes takes it."""
    return int(_ffi.cast("uintptr_t", cdata))


def _sexp(where: int) -> Any:
    return _ffi.cast("SEXP", where)


@cache
def _names_symbol() -> Any:
    """Return R's symbol for the attribute names; asked for at the first use, for R must be running."""
    return _rlib.Rf_install(b"names")
