# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false
# (pyarrow publishes no type information)
"""Rows of a query as Parquet or Arrow, batch by batch."""

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any, BinaryIO, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from infersight_analysis.errors import AnalysisError
from infersight_analysis.progress import Progress
from infersight_analysis.results import distinct_names

BATCH_ROWS: Final = 61_440
"""30 of DuckDB's vectors; a row group of a Parquet file."""


def write_columns(
    connection: duckdb.DuckDBPyConnection, query: str, form: str, sink: BinaryIO, progress: Progress
) -> None:
    """Write the rows of a query.

    Args:
        connection: from `connect`.
        query: one SELECT or EXPLAIN.
        form: `parquet`, `arrow` (IPC stream) or `arrow-file` (IPC file).
        sink: where to.
        progress: told of the rows.

    Raises:
        duckdb.Error: the query is wrong, or too large for the limits.
        AnalysisError: the form cannot hold a type of the result.
    """
    relation = connection.sql(query)
    schema, batches = read_batches(relation, BATCH_ROWS)
    with closing(batches):
        try:
            writer = _OPEN[form](sink, schema)
        except pa.ArrowException as error:
            raise _no_such_type(form, relation, error) from error
        with writer:
            for batch in batches:
                writer.write_batch(batch)
                progress.rows += batch.num_rows


def read_batches(relation: duckdb.DuckDBPyRelation, rows: int) -> tuple[pa.Schema, Generator[pa.RecordBatch]]:
    """The schema of a query's result, with distinct names, and its batches as they are computed.

    The connection does nothing else until the generator has ended or was closed.

    Args:
        relation: the query.
        rows: most rows of a batch.
    """
    reader = relation.to_arrow_reader(rows)
    names = distinct_names(reader.schema.names)
    return pa.schema([field.with_name(name) for field, name in zip(reader.schema, names, strict=True)]), _read(
        reader, names
    )


def _read(reader: pa.RecordBatchReader, names: list[str]) -> Generator[pa.RecordBatch]:
    with closing(reader):
        while (batch := _next(reader)) is not None:
            yield batch.rename_columns(names)


def _next(reader: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
    try:
        return next(reader, None)
    except OSError as error:  # how Arrow says an error of DuckDB's that came after the first batch
        interrupted = str(error).startswith("INTERRUPT")
        raise (duckdb.InterruptException if interrupted else duckdb.Error)(str(error)) from error


def _parquet(sink: BinaryIO, schema: pa.Schema) -> Any:
    return pq.ParquetWriter(sink, schema, compression="zstd")


_OPEN: Final[dict[str, Any]] = {
    "parquet": _parquet,
    "arrow": pa.ipc.new_stream,
    "arrow-file": pa.ipc.new_file,
}


def _no_such_type(form: str, relation: duckdb.DuckDBPyRelation, error: Exception) -> AnalysisError:
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(relation.columns, relation.types, strict=True))
    return AnalysisError(f"{form} cannot hold this result, cast it first: {error} ({columns[:200]})")
