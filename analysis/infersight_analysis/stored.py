# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false
# (pyarrow publishes no type information)
"""The stored tables as DuckDB sees them: the files of a snapshot, with every column typed whether or not it occurs.

A file has the attribute keys of its own rows, and DuckDB joins the files' columns by name. One more file without rows
carries the table's whole schema. With it a key has its type even where the files that have it were skipped, a table
that was never written is empty instead of unknown, arrays and maps are JSON, and the keys that the views and verbs
ask for are always there.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from infersight_collector.store.layout import ATTRIBUTE_COLUMNS, JSON_FIELD, TIME_COLUMN
from infersight_collector.store.schema import COLUMNS
from infersight_collector.store.snapshot import Snapshot

NO_KEYS: Final = "MAP(VARCHAR, VARCHAR)"
"""Type of an attribute column without any key: asked for a key, it answers null."""

_EXCEPTION: Final = {
    "exception.type": "VARCHAR",
    "exception.message": "VARCHAR",
    "exception.stacktrace": "VARCHAR",
}
_MODEL: Final = {"infersight.model.name": "VARCHAR", "infersight.model.version": "VARCHAR"}

KNOWN_KEYS: Final[dict[str, dict[str, str]]] = {
    "spans.attributes": {
        **_MODEL,
        "error.type": "VARCHAR",
        "http.request.method": "VARCHAR",
        "http.response.status_code": "BIGINT",
        "http.route": "VARCHAR",
        "infersight.event_loop.lag": "DOUBLE",
        "infersight.operation": "VARCHAR",
        "infersight.requests.in_flight": "BIGINT",
    },
    "spans.events.attributes": _EXCEPTION,
    "logs.attributes": {
        **_MODEL,
        **_EXCEPTION,
        "error.type": "VARCHAR",
        "infersight.feedback.label": "VARCHAR",
        "infersight.feedback.trace_id": "VARCHAR",
        "infersight.prediction.confidence": "DOUBLE",
        "infersight.prediction.entropy": "DOUBLE",
        "infersight.prediction.id": "VARCHAR",
        "infersight.prediction.label": "VARCHAR",
        "code.file.path": "VARCHAR",
        "code.function.name": "VARCHAR",
        "code.line.number": "BIGINT",
        "code.stacktrace": "VARCHAR",
        "infersight.event_loop.lag": "DOUBLE",
    },
}
"""Keys that views and verbs ask for, with the type that the SDK gives them. Where the store's own type differs, that
is the column's, so queries that depend on a type cast."""

_ELEMENTS: Final = {
    "events": {"time_ns": "BIGINT", "name": "VARCHAR"},
    "links": {"trace_id": "VARCHAR", "span_id": "VARCHAR", "trace_state": "VARCHAR", "flags": "BIGINT"},
}
_ELEMENT_REST: Final = {"attributes_other": "JSON", "dropped_attributes_count": "BIGINT"}

_SCALARS: Final = (
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_int32, "INTEGER"),
    (pa.types.is_integer, "BIGINT"),
    (pa.types.is_floating, "DOUBLE"),
    (pa.types.is_binary, "BLOB"),
    (pa.types.is_large_binary, "BLOB"),
    (pa.types.is_string, "VARCHAR"),
    (pa.types.is_large_string, "VARCHAR"),
)


TABLES: Final = tuple(TIME_COLUMN)
"""The stored tables."""


def column_types(snapshot: Snapshot, table: str) -> dict[str, str]:
    """DuckDB's type of every column of a table, those included that no row has yet."""
    schema = snapshot.schema(table)
    fields = {field.name: field for columns in (COLUMNS[table], schema) for field in columns}
    types = {name: sql_type(field) for name, field in fields.items()}
    for column in ATTRIBUTE_COLUMNS[table]:
        types[column] = _attributes_type(f"{table}.{column}", _struct_fields(schema, column))
    if table == "spans":
        types |= {column: _elements_type(schema, column) for column in _ELEMENTS}
    return types | {name: "JSON" for name in types if name.endswith("attributes_other")}


def sql_type(field: pa.Field) -> str:
    """DuckDB's type of an Arrow field; text that is marked as JSON is JSON.

    Raises:
        TypeError: the schema holds a type that the store never writes.
    """
    kind = field.type
    if JSON_FIELD.items() <= (field.metadata or {}).items():
        return "JSON"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"{sql_type(kind.value_field)}[]"
    if pa.types.is_struct(kind):
        return _struct({child.name: sql_type(child) for child in kind}) if kind.num_fields else NO_KEYS
    for matches, name in _SCALARS:
        if matches(kind):
            return name
    raise TypeError(f"no SQL type for {kind} of {field.name}")


def attribute_keys(snapshot: Snapshot) -> Iterator[tuple[str, str, str, str]]:
    """Table, column, key and SQL type of every attribute key that occurs."""
    for table, columns in ATTRIBUTE_COLUMNS.items():
        schema = snapshot.schema(table)
        for column in columns:
            yield from ((table, column, field.name, sql_type(field)) for field in _struct_fields(schema, column))
    for column in _ELEMENTS:
        fields = _element_attributes(snapshot.schema("spans"), column)
        yield from (("spans", f"{column}.attributes", field.name, sql_type(field)) for field in fields)


def schema_file_statement(types: Mapping[str, str], path: Path) -> str:
    """The statement that writes the file without rows."""
    columns = ", ".join(f"null::{kind} as {identifier(name)}" for name, kind in types.items())
    return f"copy (select {columns} where false) to {literal(path)} (format parquet)"


def scan(table: str, files: Iterable[object], start_ns: int | None, end_ns: int | None) -> str:
    """The SELECT over the files of a table, narrowed to rows from `start_ns` on and before `end_ns`."""
    paths = literals(files)
    time = TIME_COLUMN[table]
    conditions = [f"{time} >= {start_ns}"] if start_ns is not None else []
    conditions += [f"{time} < {end_ns}"] if end_ns is not None else []
    where = f" where {' and '.join(conditions)}" if conditions else ""
    files_of = f"read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
    return f"select * from {files_of}{where}"  # noqa: S608 - literals are quoted


def identifier(name: str) -> str:
    """A name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Text quoted for SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def literals(values: Iterable[object]) -> str:
    """A list of texts for SQL's `in (...)`; one that nothing equals where there are none."""
    return ", ".join(map(literal, values)) or "null"


def _struct(fields: Mapping[str, str]) -> str:
    return f"STRUCT({', '.join(f'{identifier(name)} {kind}' for name, kind in fields.items())})"


def _attributes_type(column: str, fields: Iterable[pa.Field]) -> str:
    keys = {field.name: sql_type(field) for field in fields}
    present = {key.lower() for key in keys}
    keys |= {key: kind for key, kind in KNOWN_KEYS.get(column, {}).items() if key not in present}
    return _struct(keys) if keys else NO_KEYS


def _elements_type(schema: pa.Schema, column: str) -> str:
    attributes = _attributes_type(f"spans.{column}.attributes", _element_attributes(schema, column))
    return _struct({**_ELEMENTS[column], "attributes": attributes, **_ELEMENT_REST}) + "[]"


def _struct_fields(schema: pa.Schema, column: str) -> list[pa.Field]:
    return list(schema.field(column).type) if column in schema.names else []


def _element_attributes(schema: pa.Schema, column: str) -> list[pa.Field]:
    if column not in schema.names:
        return []
    elements: Any = schema.field(column).type.value_type
    return list(elements.field("attributes").type) if elements.get_field_index("attributes") >= 0 else []
