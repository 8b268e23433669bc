"""Rows of Arrow tables and datasets, among them Parquet files larger than memory; pyarrow reads them."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from matbn.arguments import Array, as_vector, shown_place
from matbn.errors import ArgumentError, ElementTypeError, NotFiniteError, ShapeError
from matbn.files import check_unchanged, file_states
from matbn.stream.arrow_files import check_same, open_data, reading, state_reader
from matbn.stream.rows import Piece, Rows, Source, as_weights, working_precision
from matbn.stream.sizes import even_pieces

_BATCH_ROWS = 24_000  # decoded at a time
_READ_BYTES = 1 << 16  # read of a column at a time


def arrow_source(
    X: Any,
    y: str | ArrayLike | None,
    weights: str | ArrayLike | None,
    columns: Sequence[str] | None,
    dtype: DTypeLike | None,
) -> Source:
    """Return the rows of an Arrow table or dataset, or of the Parquet or Arrow files at a path."""
    data = open_data(X)
    read_state = state_reader(X, data)
    before = read_state()
    schema = data.schema
    used = [name for name in (y, weights) if isinstance(name, str)]
    names = [name for name in schema.names if name not in used] if columns is None else _column_names(columns)
    for name in [*used, *names]:
        _check_column(schema, name)
    if not names:
        raise ShapeError("X has no columns besides y and weights, but a net needs at least one input")
    if y is None:
        raise ArgumentError("y is missing; give a column's name, or one number for each row")
    wanted = list(dict.fromkeys([*names, *used]))
    in_memory = hasattr(data, "num_rows")
    N, parts = _table_parts(data.select(wanted)) if in_memory else _dataset_parts(data, wanted)
    if N == 0:
        raise ShapeError("X has no rows")
    kinds = [schema.field(name).type.to_pandas_dtype() for name in names]
    precision = working_precision(np.result_type(*kinds, np.float32), dtype)
    outcome = y if isinstance(y, str) else as_vector("y", y, N, "one for each row of X")
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

    def pieces(block: int) -> Iterator[Piece]:
        for start, batches in parts(block):
            yield lambda start=start, batches=batches: read(start, batches())  # type: ignore[misc]

    states = file_states(
        y=outcome if isinstance(outcome, np.ndarray) else None,
        weights=case_weights if isinstance(case_weights, np.ndarray) else None,
    )

    def check() -> None:
        check_unchanged(states)
        check_same(before, read_state())

    return Source(len(names), precision, pieces, N, weights is not None, check)


def _column_names(columns: Any) -> list[str]:
    if isinstance(columns, str) or not all(isinstance(name, str) for name in columns):
        raise ElementTypeError(f"columns is {columns!r}, but must be a list of names")
    return list(columns)


def _check_column(schema: Any, name: str, place: str = "") -> None:
    from pyarrow import types

    if schema.names.count(name) != 1:
        count = "no column" if name not in schema.names else "several columns"
        raise ArgumentError(f"X has {count} {name!r}; it has {', '.join(schema.names)}")
    kind = schema.field(name).type
    if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
        raise ElementTypeError(
            f"column {name!r} of X{place} holds {kind}, not numbers; convert it, or leave it out with columns=[...]"
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
    numbers = _numbers(batch, name, start)
    bad = np.flatnonzero(~np.isfinite(numbers))
    if len(bad):
        raise NotFiniteError(
            f"column {name!r} of X has an entry that is missing (NaN) or infinite in row"
            f" {shown_place(start + int(bad[0]))} (counted from {shown_place(0)}); drop such rows or fill them in"
        )
    return as_vector(f"column {name!r}", numbers)


def _table_parts(table: Any) -> tuple[int, Any]:
    def parts(block: int) -> Iterator[tuple[int, Any]]:
        for start, stop in even_pieces(table.num_rows, block):
            yield start, partial(table.slice(start, stop - start).to_batches, max_chunksize=_BATCH_ROWS)

    return table.num_rows, parts


def _dataset_parts(data: Any, columns: list[str]) -> tuple[int, Any]:
    """Return the number of rows and the parts, each read by one thread: row groups, or files where there are none."""
    try:
        fragments = list(data.get_fragments())
    except ValueError as error:
        raise ArgumentError(
            f"X is a dataset whose files cannot be read one by one ({error}); write what it selects to files of its own"
        ) from None
    sized: list[tuple[int, Any]] = []
    for fragment in fragments:
        path = getattr(fragment, "path", "")
        with reading(path):
            schema = fragment.physical_schema
            for name in columns:
                if name not in schema.names:
                    raise ArgumentError(f"column {name!r} is not in the file {path!r}; leave it out with columns=[...]")
                _check_column(schema, name, f" in the file {path!r}" if path else "")
            if hasattr(fragment, "row_groups"):
                counts = [group.num_rows for group in fragment.row_groups]
                sized += [(n, partial(_row_group, fragment, group, columns)) for group, n in enumerate(counts)]
            else:
                sized.append((fragment.count_rows(), partial(_whole_fragment, fragment, data.schema, columns)))
    starts = np.cumsum([0] + [n for n, _ in sized]).tolist()

    def parts(_: int) -> Iterator[tuple[int, Any]]:
        return ((start, batches) for start, (_, batches) in zip(starts[:-1], sized, strict=True))

    return starts[-1], parts


def _row_group(fragment: Any, group: int, columns: list[str]) -> Iterator[Any]:
    """Read a row group batch by batch; the dataset's own reader would load it as a whole, and the next ones with it."""
    from pyarrow.parquet import ParquetFile

    options = {"buffer_size": _READ_BYTES, "pre_buffer": False, "page_checksum_verification": True}
    with reading(fragment.path), ParquetFile(fragment.open(), metadata=fragment.metadata, **options) as file:
        yield from file.iter_batches(_BATCH_ROWS, [group], columns, use_threads=False)


def _whole_fragment(fragment: Any, schema: Any, columns: list[str]) -> Iterator[Any]:
    """Read a fragment without row groups batch by batch."""
    with reading(getattr(fragment, "path", "X")):
        for batch in fragment.to_batches(schema=schema, columns=columns, batch_size=_BATCH_ROWS, use_threads=False):
            batch.validate(full=True)  # a damaged file may refer to numbers beyond its end
            yield batch
