# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false
# (pyarrow publishes no type information)
"""OTLP/JSON, one request a line: what `infersight import`, and any OTLP receiver of files, reads."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any, BinaryIO, Final

import duckdb
import pyarrow as pa

from infersight_analysis.export.selection import Selection
from infersight_analysis.progress import Progress
from infersight_analysis.report.columnar import read_batches
from infersight_analysis.stored import identifier
from infersight_collector.encode import encode
from infersight_collector.exporters.otlp_json import json_line
from infersight_collector.signals import Signal
from infersight_collector.store.layout import PARTITIONS
from infersight_collector.store.schema import COLUMNS, JSON_FIELD

_ROWS: Final = 10_000
_NO_KEYS: Final = "map"
"""What the type of an attribute column without any key is, which the layout does not have."""

_RECORDS: Final = {Signal.TRACES: "spans", Signal.LOGS: "logs", Signal.METRICS: "metrics"}
_LEFT_OUT: Final = {
    ("spans", "end_time_ns"): "coalesce(end_time_ns, start_time_ns + duration_ns)",
    ("logs", "observed_time_ns"): "coalesce(observed_time_ns, time_ns + observed_delay_ns)",
}
"""Columns that the store leaves out where others tell them."""


def write_otlp(connection: duckdb.DuckDBPyConnection, selection: Selection, sink: BinaryIO, progress: Progress) -> None:
    """Write the selected records as requests.

    An exemplar comes with its data point, and not at all where that is not selected.

    Args:
        connection: from `connect`.
        selection: which rows.
        sink: where to.
        progress: told of the rows.
    """
    for signal, table in _RECORDS.items():
        # By time, so that data points and their exemplars are found together.
        order = " order by time_ns" if signal is Signal.METRICS else ""
        for rows in _read(connection, table, selection.conditions[table] + order):
            tables = {table: rows}
            if signal is Signal.METRICS:
                tables["exemplars"] = _exemplars(connection, rows)
            sink.writelines(json_line(signal, request) for request in encode(signal, tables))
            progress.rows += rows.num_rows


def _exemplars(connection: duckdb.DuckDBPyConnection, points: pa.Table) -> pa.Table:
    """The exemplars of the times of data points."""
    times = points["time_ns"].to_pylist()
    # The connection itself is busy with the data points.
    parts = list(_read(connection.cursor(), "exemplars", f"point_time_ns between {times[0]} and {times[-1]}"))
    return pa.concat_tables(parts) if parts else COLUMNS["exemplars"].empty_table()


def _read(connection: duckdb.DuckDBPyConnection, table: str, condition: str) -> Iterator[pa.Table]:
    """Rows in the layout of `store.schema`: whole, and with the marks of its JSON columns."""
    described = connection.sql(f"select * exclude ({', '.join(PARTITIONS)}) from stored.{table}")  # noqa: S608
    names = [name for name, kind in zip(described.columns, described.types, strict=True) if kind.id != _NO_KEYS]
    columns = ", ".join(f"{_LEFT_OUT.get((table, name), name)} as {identifier(name)}" for name in names)
    rows = connection.sql(f"select {columns} from stored.{table} where {condition}")  # noqa: S608 - our own
    kinds = rows.types
    schema, batches = read_batches(rows, _ROWS)
    marked = [_marked(field, kind) for field, kind in zip(schema, kinds, strict=True)]
    with closing(batches):
        for batch in batches:
            arrays = [_retyped(array, field.type) for array, field in zip(batch.columns, marked, strict=True)]
            yield pa.Table.from_arrays(arrays, schema=pa.schema(marked))


def _marked(field: pa.Field, kind: Any) -> pa.Field:
    """A field of a result, with the mark of what is JSON inside of it; `kind` is its type in DuckDB."""
    if str(kind) == "JSON":
        return field.with_metadata(JSON_FIELD)
    if kind.id == "struct":
        members = [
            _marked(member, child)
            for member, (_, child) in zip(field.type, kind.children, strict=True)
            if child.id != _NO_KEYS
        ]
        return field.with_type(pa.struct(members))
    if kind.id == "list":
        return field.with_type(pa.list_(_marked(field.type.value_field, kind.children[0][1])))
    return field


def _retyped(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The same values with a type that has marks, and perhaps fewer fields."""
    if pa.types.is_struct(kind):
        children = [_retyped(array.field(member.name), member.type) for member in kind]
    elif pa.types.is_list(kind):
        children = [_retyped(array.values, kind.value_type)]
    else:
        return array
    own: list[Any] = array.buffers()[: kind.num_buffers]
    return pa.Array.from_buffers(kind, len(array), own, offset=array.offset, children=children)
