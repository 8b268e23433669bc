"""R values as NumPy arrays without a copy, and results as R values with one.

rpy2's own array interface is writable and does not keep the R object alive; `_Memory` is read-only and
does, for as long as any array made from it lives. R's side coerces integers and logicals to doubles (with
their NA) before they come here, so that R_NaInt is never taken for a number.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import rpy2.rinterface as ri
from rpy2.rinterface_lib import openrlib

from matbn.errors import ElementTypeError

_rlib, _ffi = openrlib.rlib, openrlib.ffi
_TYPES = {ri.FloatSexpVector: ("<f8", 8, _rlib.REAL), ri.ComplexSexpVector: ("<c16", 16, _rlib.COMPLEX)}


class _Memory:
    """An R vector's memory as NumPy reads it; holds the R object."""

    def __init__(self, vector: Any, shape: tuple[int, ...]) -> None:
        kind, size, pointer = _TYPES[type(vector)]
        strides = (size,) if len(shape) == 1 else (size, size * shape[0])
        address = int(_ffi.cast("uintptr_t", pointer(vector.__sexp__._cdata))) if len(vector) else 0
        self.vector = vector
        self.__array_interface__ = {
            "version": 3,
            "shape": shape,
            "strides": strides,
            "typestr": kind,
            "data": (address, True),
        }


def from_r(value: Any) -> Any:
    """Return an R value for Python: arrays for numbers, scalars for text and truth values, None for NULL."""
    kind = type(value)
    if kind in _TYPES:
        shape = _shape(value)
        if 0 in shape:
            return np.zeros(shape)
        return np.asarray(_Memory(value, shape))
    if value is ri.NULL:
        return None
    if kind is ri.StrSexpVector:
        texts = [text if isinstance(text, str) else None for text in value]
        return texts[0] if len(texts) == 1 else texts
    if kind is ri.BoolSexpVector and len(value) == 1 and value[0] in (True, False):
        return bool(value[0])
    if kind is ri.ListSexpVector:
        parts = [from_r(part) for part in value]
        return parts if value.names is ri.NULL else dict(zip(value.names, parts, strict=True))
    if isinstance(value, ri.SexpClosure):
        return value
    raise ElementTypeError(f"an R value of type {kind.__name__} cannot be used here")


def to_r(value: Any) -> Any:
    """Return a Python result for R: vectors and matrices, named lists for mappings and dataclasses."""
    if isinstance(value, np.ndarray):
        return _array_to_r(value)
    if value is None:
        return ri.NULL
    if isinstance(value, bool | np.bool_):
        return ri.BoolSexpVector([bool(value)])
    if isinstance(value, int | float | np.number):
        return ri.FloatSexpVector([float(value)])
    if isinstance(value, str):
        return ri.StrSexpVector([value])
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        named = ri.ListSexpVector([to_r(part) for part in value.values()])
        named.names = ri.StrSexpVector(list(value))
        return named
    if isinstance(value, list | tuple):
        if value and all(isinstance(part, str) for part in value):
            return ri.StrSexpVector(value)
        return ri.ListSexpVector([to_r(part) for part in value])
    raise ElementTypeError(f"a result of type {type(value).__name__} has no R counterpart")


def _array_to_r(array: np.ndarray[Any, Any]) -> Any:
    if array.dtype.kind == "c":
        vector = ri.ComplexSexpVector(array.reshape(-1, order="F").tolist())
    else:
        flat = np.asarray(array, dtype=np.float64).reshape(-1, order="F")
        if not flat.flags.c_contiguous:
            flat = flat.copy()
        vector = ri.FloatSexpVector.from_memoryview(flat.data)
    if array.ndim > 1:
        dim = ri.IntSexpVector(array.shape)
        _rlib.Rf_setAttrib(vector.__sexp__._cdata, _rlib.R_DimSymbol, dim.__sexp__._cdata)
    return vector


def _shape(vector: Any) -> tuple[int, ...]:
    dim = _rlib.Rf_getAttrib(vector.__sexp__._cdata, _rlib.R_DimSymbol)
    if dim == _rlib.R_NilValue:
        return (len(vector),)
    return tuple(_rlib.INTEGER_ELT(dim, k) for k in range(_rlib.Rf_xlength(dim)))
