"""R values as NumPy arrays without a copy, and results as R values with one.

rpy2's own array interface is writable and does not keep the R object alive; `_Memory` is read-only and
does, for as long as any array made from it lives. R's side coerces integers and logicals to doubles (with
their NA) before they come here, so that R_NaInt is never taken for a number.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import rpy2.rinterface as ri
from rpy2.rinterface_lib import openrlib
from rpy2.rinterface_lib._rinterface_capi import _TYPEOF
from rpy2.rinterface_lib.conversion import _cdata_to_rinterface

from matbn.errors import ElementTypeError

_rlib, _ffi = openrlib.rlib, openrlib.ffi
_NUMBERS = {_rlib.REALSXP: ("<f8", 8, _rlib.REAL), _rlib.CPLXSXP: ("<c16", 16, _rlib.COMPLEX)}
_FUNCTIONS = (_rlib.CLOSXP, _rlib.BUILTINSXP, _rlib.SPECIALSXP)
_COPIED = 1000  # numbers; so few are copied faster than shared
_names: dict[tuple[str, ...], Any] = {}


class _Memory:
    """An R vector's memory as NumPy reads it; keeps the R object from R's garbage collector."""

    def __init__(self, cdata: Any, shape: tuple[int, ...]) -> None:
        typestr, size, pointer = _NUMBERS[_TYPEOF(cdata)]
        self.owner = _cdata_to_rinterface(cdata)
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "strides": tuple(size * int(np.prod(shape[:k])) for k in range(len(shape))),
            "typestr": typestr,
            "data": (int(_ffi.cast("uintptr_t", pointer(cdata))), True),
        }


def from_r(cdata: Any) -> Any:
    """Return an R value (as C sees it) for Python: arrays for numbers, scalars for text and truth values.

    NULL is None, a named list a dictionary, a function rpy2's closure. One double without dimensions comes as
    a float, which every function takes for a vector of one too.
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
        names = _rlib.Rf_getAttrib(cdata, _rlib.Rf_install(b"names"))
        if names == _rlib.R_NilValue:
            return parts
        return {_text(_rlib.STRING_ELT(names, k)): part for k, part in enumerate(parts)}
    if kind in _FUNCTIONS:
        return _cdata_to_rinterface(cdata)
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
    return _ffi.string(_rlib.Rf_translateCharUTF8(charsxp)).decode("utf-8")  # type: ignore[no-any-return]


def to_r(value: Any) -> Any:
    """Return a Python result as an R value (as C sees it): vectors, matrices, lists named like a mapping.

    The caller must protect it, or return it to R, before R allocates again. A result of several parts would
    cost rpy2 some ten Python objects each; this writes R's memory directly.
    """
    if isinstance(value, np.ndarray):
        return _build_array(value)
    if value is None:
        return _rlib.R_NilValue
    if isinstance(value, bool | np.bool_):
        return _rlib.Rf_ScalarLogical(int(value))
    if isinstance(value, int | float | np.number):
        return _rlib.Rf_ScalarReal(float(value))
    if isinstance(value, str):
        return _build_texts([value])
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return _build_list(list(value.values()), tuple(value))
    if isinstance(value, list | tuple):
        if value and all(isinstance(part, str) for part in value):
            return _build_texts(value)
        return _build_list(value, None)
    raise ElementTypeError(f"a result of type {type(value).__name__} has no R counterpart")


def owned(value: Any) -> Any:
    """Return a Python value as rpy2's object, which keeps it from R's garbage collector."""
    built = _rlib.Rf_protect(to_r(value))
    try:
        return _cdata_to_rinterface(built)
    finally:
        _rlib.Rf_unprotect(1)


def _build_list(parts: Sequence[Any], names: tuple[str, ...] | None) -> Any:
    built = _rlib.Rf_protect(_rlib.Rf_allocVector(_rlib.VECSXP, len(parts)))
    try:
        for k, part in enumerate(parts):
            _rlib.SET_VECTOR_ELT(built, k, to_r(part))
        if names is not None:
            if names not in _names:  # R shares a names vector freely, so each is made once
                _names[names] = ri.StrSexpVector(names)
            _rlib.Rf_setAttrib(built, _rlib.Rf_install(b"names"), _names[names].__sexp__._cdata)
    finally:
        _rlib.Rf_unprotect(1)
    return built


def _build_texts(texts: Sequence[str]) -> Any:
    built = _rlib.Rf_protect(_rlib.Rf_allocVector(_rlib.STRSXP, len(texts)))
    for k, text in enumerate(texts):
        _rlib.SET_STRING_ELT(built, k, _rlib.Rf_mkCharCE(text.encode("utf-8"), _rlib.CE_UTF8))
    _rlib.Rf_unprotect(1)
    return built


def _build_array(array: np.ndarray[Any, Any]) -> Any:
    kind, pointer, dtype = (
        (_rlib.CPLXSXP, _rlib.COMPLEX, np.complex128)
        if array.dtype.kind == "c"
        else (_rlib.REALSXP, _rlib.REAL, np.float64)
    )
    built = _rlib.Rf_protect(_rlib.Rf_allocVector(kind, array.size))
    if array.size:
        flat = np.asarray(array, dtype=dtype, order="F")
        # NumPy copies a matrix into R's order by itself; where it has that order already, this copies nothing.
        _ffi.memmove(pointer(built), _ffi.from_buffer(flat.reshape(-1, order="F")), flat.nbytes)
    if array.ndim > 1:
        dim = _rlib.Rf_protect(_rlib.Rf_allocVector(_rlib.INTSXP, array.ndim))
        for k, extent in enumerate(array.shape):
            _rlib.SET_INTEGER_ELT(dim, k, extent)
        _rlib.Rf_setAttrib(built, _rlib.R_DimSymbol, dim)
        _rlib.Rf_unprotect(1)
    _rlib.Rf_unprotect(1)
    return built
