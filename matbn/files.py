"""Notice when the file under a memory-mapped array is cut off or changed.

Reading a mapped page that its file no longer has ends the process by a signal (SIGBUS) that cannot be caught, so the
file's length is checked before arrays are read. Rewritten contents show in the file's size and time of last change.
"""

import mmap
import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matbn.errors import ArgumentError


class Mapping(NamedTuple):
    """A file that an array is mapped from, wholly or in part."""

    name: str  # of the array, for messages
    mapped: mmap.mmap
    needed: int  # bytes that the file must have
    path: str | None  # None where the mapping does not tell


class FileState(NamedTuple):
    """The size and stamp of a mapped file when an array was prepared."""

    mapping: Mapping
    size: int | None
    stamp: tuple[int, ...] | None  # see `_stamp`


def check_length(name: str, array: NDArray[Any]) -> None:
    """Refuse an array that is mapped from a file which has become too short for it."""
    if array.base is not None and (mapping := _mapping(name, array)) is not None:
        _check_length(mapping)


def file_states(**arrays: NDArray[Any] | None) -> tuple[FileState, ...]:
    """Return the states of the files that the named arrays are mapped from; arrays in memory have none."""
    return tuple(_file_states(arrays))


def check_unchanged(files: tuple[FileState, ...]) -> None:
    """Refuse files that were changed or replaced since their states were taken."""
    for mapping, size, stamp in files:
        _check_length(mapping)
        now = _stamp(mapping.path)
        # A removed file lives on as long as it is mapped: only another file at its path is an error.
        if _file_size(mapping) != size or (now is not None and now != stamp):
            raise ArgumentError(
                f"{_name_of_file(mapping)}, was changed or replaced after {mapping.name} was prepared; map the file and"
                " prepare again"
            )


def _file_states(arrays: dict[str, NDArray[Any] | None]) -> Iterator[FileState]:
    for name, array in arrays.items():
        if array is not None and array.base is not None and (mapping := _mapping(name, array)) is not None:
            _check_length(mapping)
            yield FileState(mapping, _file_size(mapping), _stamp(mapping.path))


def _mapping(name: str, array: NDArray[Any]) -> Mapping | None:
    """Return the mapped file that an array is a view of, directly or through other views; None if there is none."""
    owner: Any = array
    start, path = 0, None
    while owner is not None and not isinstance(owner, mmap.mmap):
        if isinstance(owner, np.memmap) and owner.filename is not None:
            start, path = owner.offset - owner.offset % mmap.ALLOCATIONGRANULARITY, os.fspath(owner.filename)
        owner = owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)
    return None if owner is None else Mapping(name, owner, start + len(owner), path)


def _file_size(mapping: Mapping) -> int | None:
    """Return the mapped file's bytes, even if another file lies at its path by now; None for memory without a file."""
    try:
        return mapping.mapped.size()
    except (OSError, ValueError):
        return None


def _stamp(path: str | None) -> tuple[int, ...] | None:
    """Return what tells the file at a path from another one, or from other contents; None where there is no file."""
    try:
        status = None if path is None else os.stat(path)
    except OSError:
        return None
    return None if status is None else (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _check_length(mapping: Mapping) -> None:
    size = _file_size(mapping)
    if size is not None and size < mapping.needed:
        raise ArgumentError(
            f"{_name_of_file(mapping)}, has {size} bytes, but {mapping.needed} are needed: it was cut off after it was"
            " mapped; write it again, and map it anew"
        )


def _name_of_file(mapping: Mapping) -> str:
    file = "the file" if mapping.path is None else f"the file {mapping.path!r}"
    return f"{file}, which {mapping.name} is mapped from"
