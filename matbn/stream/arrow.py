"""Rows of Arrow tables and datasets, among them Parquet files larger than memory; pyarrow reads them."""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from matbn.arguments import Array, as_vector, shown_place
from matbn.errors import ArgumentError, ElementTypeError, MatbnError, NotFiniteError, ShapeError
from matbn.stream.rows import Piece, Rows, Source, as_weights, working_precision
from matbn.stream.sizes import even_pieces

_BATCH_ROWS = 24_000  # that are decoded at a time
_READ_BYTES = 1 << 16  # of a column at a time
_FORMATS = {".parquet": "parquet", ".pq": "parquet", ".arrow": "ipc", ".feather": "ipc", ".ipc": "ipc"}


def arrow_source(
    X: Any,
    y: str | ArrayLike | None,
    weights: str | ArrayLike | None,
    columns: Sequence[str] | None,
    dtype: DTypeLike | None,
) -> Source:
    """Return the rows of an Arrow table or dataset, or of the Parquet or Arrow files at a path."""
    data = _opened(X)
    schema = data.schema
    used = [name for name in (y, weights) if isinstance(name, str)]
    names = [name for name in schema.names if name not in used] if columns is None else _named(columns)
    for name in [*used, *names]:
        _check_column(schema, name)
    if not names:
        raise ShapeError("X has no columns besides y and weights, but a net needs at least one input")
    if y is None:
        raise ArgumentError("y is missing; give a column's name, or one number a row")
    N = data.num_rows if hasattr(data, "num_rows") else data.count_rows()
    if N == 0:
        raise ShapeError("X has no rows")
    kinds = [schema.field(name).type.to_pandas_dtype() for name in names]
    precision = working_precision(np.result_type(*kinds, np.float32), dtype)
    outcome = y if isinstance(y, str) else as_vector("y", y, N, "one a row of X")
    case_weights = weights if isinstance(weights, str | None) else as_weights("weights", weights, N)

    def rows(start: int, batch: Any) -> Rows:
        n = batch.num_rows
        block = np.empty((len(names), n), precision)
        for k, name in enumerate(names):
            block[k] = _numbers(batch, name, start)
        own_y = outcome[start : start + n] if isinstance(outcome, np.ndarray) else _vector(batch, outcome, start)
        if isinstance(case_weights, str):
            return Rows(start, block.T, own_y, as_weights(case_weights, _vector(batch, case_weights, start)))
        return Rows(start, block.T, own_y, None if case_weights is None else case_weights[start : start + n])

    def read(start: int, batches: Iterable[Any]) -> Iterator[Rows]:
        for batch in batches:
            yield rows(start, batch)
            start += batch.num_rows

    wanted = list(dict.fromkeys([*names, *used]))
    parts = _table_parts(data.select(wanted)) if hasattr(data, "num_rows") else _dataset_parts(data, wanted)

    def pieces(block: int) -> Iterator[Piece]:
        for start, batches in parts(block):
            yield lambda start=start, batches=batches: read(start, batches())  # type: ignore[misc]

    return Source(len(names), precision, pieces, N, weights is not None)


def _opened(X: Any) -> Any:
    """Return a table or a dataset."""
    try:
        import pyarrow
        from pyarrow import dataset
    except ImportError:
        raise MatbnError(
            "reading Arrow and Parquet data needs the package pyarrow: pip install 'matbn[arrow]'"
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
    try:
        found = dataset.dataset(path, format=_FORMATS.get(suffix, "parquet"))
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ArgumentError(f"X is the path {path!r}, which pyarrow cannot read: {error}") from None
    if not found.files:
        raise ArgumentError(f"X is the directory {path!r}, which is empty")
    return found


def _named(columns: Any) -> list[str]:
    if isinstance(columns, str) or not all(isinstance(name, str) for name in columns):
        raise ElementTypeError(f"columns is {columns!r}, but must be a list of names")
    return list(columns)


def _check_column(schema: Any, name: str) -> None:
    from pyarrow import types

    if name not in schema.names:
        raise ArgumentError(f"X has no column {name!r}; it has {', '.join(schema.names)}")
    kind = schema.field(name).type
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        raise ElementTypeError(
            f"column {name!r} of X holds {kind}, not numbers; convert it, or leave it out with columns=[...]"
        )


def _numbers(batch: Any, name: str, start: int) -> Array:
    column = batch.column(name)
    if column.null_count:
        row = shown_place(start + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False))))
        raise NotFiniteError(
            f"column {name!r} of X has a missing value in row {row} (counted from {shown_place(0)}); drop such rows or"
            " fill them in"
        )
    numbers: Array = column.to_numpy(zero_copy_only=False)
    return numbers


def _vector(batch: Any, name: str, start: int) -> Array:
    return as_vector(f"column {name!r}", _numbers(batch, name, start))


def _table_parts(table: Any) -> Any:
    def parts(block: int) -> Iterator[tuple[int, Any]]:
        for start, stop in even_pieces(table.num_rows, block):
            yield start, partial(table.slice(start, stop - start).to_batches, max_chunksize=_BATCH_ROWS)

    return parts


def _dataset_parts(data: Any, columns: list[str]) -> Any:
    """Return the row groups of all files, or the files where a format has none; each is read by one thread."""
    sized: list[tuple[int, Any]] = []
    for fragment in data.get_fragments():
        for name in columns:
            if name not in fragment.physical_schema.names:
                raise ArgumentError(
                    f"column {name!r} is not in the file {fragment.path!r}; leave it out with columns=[...]"
                )
        if fragment.format.default_extname == "parquet":
            counts = [group.num_rows for group in fragment.row_groups]
            sized += [(n, partial(_row_group, fragment, group, columns)) for group, n in enumerate(counts)]
        else:
            options = {"columns": columns, "schema": data.schema, "batch_size": _BATCH_ROWS, "use_threads": False}
            sized.append((fragment.count_rows(), partial(fragment.to_batches, **options)))
    starts = np.cumsum([0] + [n for n, _ in sized]).tolist()

    def parts(_: int) -> Iterator[tuple[int, Any]]:
        return ((start, batches) for start, (_, batches) in zip(starts[:-1], sized, strict=True))

    return parts


def _row_group(fragment: Any, group: int, columns: list[str]) -> Iterator[Any]:
    """Read a row group batch by batch; the dataset's own reader would take all of it, and the next ones, at once."""
    from pyarrow.parquet import ParquetFile

    file = ParquetFile(fragment.open(), metadata=fragment.metadata, buffer_size=_READ_BYTES, pre_buffer=False)
    with file:
        yield from file.iter_batches(_BATCH_ROWS, [group], columns, use_threads=False)
