"""Files that arrays are mapped from: whether they are still as long, and as old, as they were.

Reading a mapped page that its file no longer has ends the process by a signal (SIGBUS) that nothing can catch, so the
length is asked for before arrays are read. That a file's contents were rewritten shows in its size and in the time of
its last change.
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


class Watched(NamedTuple):
    """A mapping with what its file was like."""

    mapping: Mapping
    size: int | None
    stamp: tuple[int, ...] | None  # of what lies at the path


def check_length(name: str, array: NDArray[Any]) -> None:
    """Refuse an array that is mapped from a file which has become too short for it."""
    if array.base is not None and (mapping := _mapping(name, array)) is not None:
        _check_length(mapping)


def watched(**arrays: NDArray[Any] | None) -> tuple[Watched, ...]:
    """Return what the files are like that arrays, by name, are mapped from; none for arrays in memory."""
    return tuple(_watched(arrays))


def check_unchanged(files: tuple[Watched, ...]) -> None:
    """Refuse files that are not what they were."""
    for mapping, size, stamp in files:
        _check_length(mapping)
        now = _stamp(mapping.path)
        # A file that was only removed lives on as long as it is mapped.
        if _size(mapping) != size or (now is not None and now != stamp):
            raise ArgumentError(
                f"{_described(mapping)}, was changed or replaced after {mapping.name} was prepared; map the file and"
                " prepare again"
            )


def _watched(arrays: dict[str, NDArray[Any] | None]) -> Iterator[Watched]:
    for name, array in arrays.items():
        if array is not None and array.base is not None and (mapping := _mapping(name, array)) is not None:
            _check_length(mapping)
            yield Watched(mapping, _size(mapping), _stamp(mapping.path))


def _mapping(name: str, array: NDArray[Any]) -> Mapping | None:
    """Return what an array is a view of, at however many removes, if it is a mapped file."""
    owner: Any = array
    start, path = 0, None
    while owner is not None and not isinstance(owner, mmap.mmap):
        if isinstance(owner, np.memmap) and owner.filename is not None:
            start, path = owner.offset - owner.offset % mmap.ALLOCATIONGRANULARITY, os.fspath(owner.filename)
        owner = owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)
    return None if owner is None else Mapping(name, owner, start + len(owner), path)


def _size(mapping: Mapping) -> int | None:
    """Return the bytes of the file that is mapped, whatever lies at its path by now; None for memory without a file."""
    try:
        return mapping.mapped.size()
    except (OSError, ValueError):
        return None


def _stamp(path: str | None) -> tuple[int, ...] | None:
    try:
        found = None if path is None else os.stat(path)
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _check_length(mapping: Mapping) -> None:
    size = _size(mapping)
    if size is not None and size < mapping.needed:
        raise ArgumentError(
            f"{_described(mapping)}, has {size} bytes, but {mapping.needed} are needed: it was cut off after it was"
            " mapped; write it again, and map it anew"
        )


def _described(mapping: Mapping) -> str:
    file = "the file" if mapping.path is None else f"the file {mapping.path!r}"
    return f"{file}, which {mapping.name} is mapped from"
