"""Open Arrow data with pyarrow, and notice when their files change.

Files are read again in each pass, so their sizes and times of change must stay the same, and in a directory no file may
be added or removed.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from matbn.errors import ArgumentError, ElementTypeError, MatbnError

_FORMATS = {".parquet": "parquet", ".pq": "parquet", ".arrow": "ipc", ".feather": "ipc", ".ipc": "ipc"}

State = dict[str, tuple[int | None, int | None]]  # the files' sizes and times of change, by path


def open_data(X: Any) -> Any:
    """Return the table or dataset that a user passes or names by a path."""
    try:
        import pyarrow
        from pyarrow import dataset
    except ImportError as error:
        raise MatbnError(
            f"reading Arrow and Parquet data needs the package pyarrow ({error}): pip install 'matbn[arrow]'"
        ) from None
    if isinstance(X, pyarrow.RecordBatch):
        return pyarrow.Table.from_batches([X])
    if isinstance(X, pyarrow.Table | dataset.Dataset):
        return X
    if not isinstance(X, str | os.PathLike):
        raise ElementTypeError(
            f"X is a pyarrow {type(X).__name__}, but must be a Table, a RecordBatch, a Dataset or a path: it is read"
            " again at each evaluation"
        )
    path = os.fspath(X)
    if not os.path.exists(path):
        raise ArgumentError(f"X is the path {path!r}, where there is nothing")
    suffix = os.path.splitext(path)[1].lower()
    if not os.path.isdir(path) and suffix not in _FORMATS:
        raise ArgumentError(
            f"X is the path {path!r}, but must end with {', '.join(_FORMATS)} or be a directory of Parquet files; open"
            " others yourself, for example numpy.load(path, mmap_mode='r')"
        )
    with reading(path):
        data = dataset.dataset(path, format=_FORMATS.get(suffix, "parquet"))
    if not data.files:
        raise ArgumentError(f"X is the directory {path!r}, which is empty")
    return data


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turn an error of pyarrow about a file that it cannot read into an error of matbn that names the file."""
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise ArgumentError(
            f"X: {path!r} cannot be read ({reason}); the file is damaged, of another format, or was changed while it"
            " was read: write it again and prepare again"
        ) from None


def state_reader(X: Any, data: Any) -> Callable[[], State]:
    """Return a function that returns the state of the files from which rows are read; data in memory have none."""
    if isinstance(X, str | os.PathLike) and os.path.isdir(X):
        return partial(_directory_state, data.filesystem, data.filesystem.normalize_path(os.fspath(X)))
    files = [(part.filesystem, part.files) for part in _parts(data) if getattr(part, "files", None)]
    return lambda: {path: state for system, paths in files for path, state in _state(system, paths).items()}


def _parts(data: Any) -> Iterator[Any]:
    """Yield a dataset, after those that it is the union of."""
    for child in getattr(data, "children", None) or ():
        yield from _parts(child)
    yield data


def _directory_state(system: Any, directory: str) -> State:
    from pyarrow import fs

    with reading(directory):
        states = _state(system, fs.FileSelector(directory, recursive=True))
    names = {path: path.removeprefix(directory).split("/") for path in states}
    # pyarrow skips names that begin with . or _
    return {path: states[path] for path in states if not any(name.startswith((".", "_")) for name in names[path])}


def _state(system: Any, files: Any) -> State:
    return {info.path: (info.size, info.mtime_ns) for info in system.get_file_info(files) if info.is_file}


def check_same(before: State, now: State) -> None:
    """Refuse files that have changed, and name one of them."""
    if now == before:
        return
    path = next(path for path in [*before, *now] if before.get(path) != now.get(path))
    happened = "has vanished" if path not in now else "was added" if path not in before else "was changed"
    raise ArgumentError(f"X: the file {path!r} {happened} after the data were prepared; prepare them again")
