"""The stored tables as DuckDB sees them: the files of a snapshot, with every column typed whether or not it occurs.

A file has the attribute keys of its own rows, and DuckDB finds them by name. It is told the table's whole schema, so
that it opens no file to learn what could be asked. A key has its type even where the files that have it were skipped, a
table that was never written is empty instead of unknown, arrays and maps are JSON, and the keys that the views and
verbs ask for are always there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources
from typing import Final

from infersight_collector.store.layout import (
    ATTRIBUTE_COLUMNS,
    COLUMN_TYPES,
    JSON_MARK,
    PARTITIONS,
    TIME_COLUMN,
    Field,
)
from infersight_collector.store.snapshot import Snapshot

NO_KEYS: Final = "MAP(VARCHAR, VARCHAR)"
"""Type of an attribute column without any key: asked for a key, it answers null."""

_EXCEPTION: Final = {
    "exception.type": "VARCHAR",
    "exception.message": "VARCHAR",
    "exception.stacktrace": "VARCHAR",
}
_CALLER: Final = {"enduser.id": "VARCHAR", "session.id": "VARCHAR", "user.id": "VARCHAR"}
_MODEL: Final = {"infersight.model.name": "VARCHAR", "infersight.model.version": "VARCHAR"}

_DEPLOYMENT: Final = {
    "deployment.environment": "VARCHAR",
    "deployment.environment.name": "VARCHAR",
    "deployment.id": "VARCHAR",
    "deployment.name": "VARCHAR",
}

_FLAG: Final = {
    "feature_flag.context.id": "VARCHAR",
    "feature_flag.key": "VARCHAR",
    "feature_flag.result.value": "VARCHAR",
    "feature_flag.result.variant": "VARCHAR",
    "feature_flag.variant": "VARCHAR",  # before it was called a result's
}

KNOWN_KEYS: Final[dict[str, dict[str, str]]] = {
    "spans.resource_attributes": {**_DEPLOYMENT, "host.name": "VARCHAR", "process.pid": "BIGINT"},
    "logs.resource_attributes": _DEPLOYMENT,
    "metrics.resource_attributes": _DEPLOYMENT,
    "spans.attributes": {
        **_MODEL,
        **_CALLER,
        "db.collection.name": "VARCHAR",
        "db.operation": "VARCHAR",
        "db.operation.name": "VARCHAR",
        "db.query.summary": "VARCHAR",
        "db.query.text": "VARCHAR",
        "db.sql.table": "VARCHAR",
        "db.statement": "VARCHAR",
        "db.system": "VARCHAR",
        "db.system.name": "VARCHAR",
        "error.type": "VARCHAR",
        "gen_ai.provider.name": "VARCHAR",
        "gen_ai.system": "VARCHAR",
        "http.request.method": "VARCHAR",
        "http.response.status_code": "BIGINT",
        "http.route": "VARCHAR",
        "infersight.batch.queue.duration": "DOUBLE",
        "infersight.batch.release_reason": "VARCHAR",
        "infersight.batch.share": "DOUBLE",
        "infersight.batch.size": "BIGINT",
        "infersight.cpu.duration": "DOUBLE",
        "infersight.cpu.queue.duration": "DOUBLE",
        "infersight.event_loop.lag": "DOUBLE",
        "infersight.gc.duration": "DOUBLE",
        "infersight.operation": "VARCHAR",
        "infersight.request.queue.duration": "DOUBLE",
        "infersight.requests.in_flight": "BIGINT",
        "infersight.thread_pool.queue.duration": "DOUBLE",
        "messaging.system": "VARCHAR",
        "peer.service": "VARCHAR",
        "rpc.grpc.status_code": "BIGINT",
        "rpc.response.status_code": "VARCHAR",
        "server.address": "VARCHAR",
    },
    "spans.events.attributes": {
        **_EXCEPTION,
        **_FLAG,
        "infersight.compile.duration": "DOUBLE",
        "infersight.compile.id": "VARCHAR",
        "infersight.compile.recompile_reason": "VARCHAR",
    },
    "logs.attributes": {
        **_MODEL,
        **_EXCEPTION,
        **_CALLER,
        **_FLAG,
        "error.type": "VARCHAR",
        "http.route": "VARCHAR",
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
        "infersight.cpu.queue.duration": "DOUBLE",
        "infersight.event_loop.lag": "DOUBLE",
        "infersight.log.template": "VARCHAR",
        "infersight.profile.sample.awaiting": "JSON",
        "infersight.profile.sample.stacks": "JSON",
        "infersight.profile.sample.times": "JSON",
        "infersight.profile.stacks": "JSON",
    },
}
"""Keys that views and verbs ask for, with the type that the SDK gives them. Where the store's own type differs, that
is the column's, so queries that depend on a type cast."""

_ELEMENTS: Final = {
    "events": {"time_ns": "BIGINT", "name": "VARCHAR"},
    "links": {"trace_id": "VARCHAR", "span_id": "VARCHAR", "trace_state": "VARCHAR", "flags": "BIGINT"},
}
_ELEMENT_REST: Final = {"attributes_other": "JSON", "dropped_attributes_count": "BIGINT"}

_SCALARS: Final = {
    "boolean": "BOOLEAN",
    "integer": "INTEGER",
    "long": "BIGINT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "binary": "BLOB",
}


TABLES: Final = tuple(TIME_COLUMN)
"""The stored tables."""


def column_types(snapshot: Snapshot, table: str) -> dict[str, str]:
    """DuckDB's type of every column of a table, those included that no row has yet."""
    fields = {field["name"]: field for field in snapshot.fields(table)}
    every = {name: Field(name=name, type=kind, metadata={}) for name, kind in COLUMN_TYPES[table].items()} | fields
    types = {name: sql_type(field) for name, field in every.items()}
    for column in ATTRIBUTE_COLUMNS[table]:
        types[column] = _attributes_type(f"{table}.{column}", _members(fields.get(column)))
    if table == "spans":
        types |= {column: _elements_type(column, fields.get(column)) for column in _ELEMENTS}
    return types | {name: "JSON" for name in types if name.endswith("attributes_other")}


def sql_type(field: Field) -> str:
    """DuckDB's type of a field; text that is marked as JSON is JSON.

    Raises:
        TypeError: the schema holds a type that the store never writes.
    """
    kind = field["type"]
    if JSON_MARK in field["metadata"].items():
        return "JSON"
    if isinstance(kind, str):
        if kind not in _SCALARS:
            raise TypeError(f"no SQL type for {kind} of {field['name']}")
        return _SCALARS[kind]
    if "elementType" in kind:
        return f"{sql_type(Field(name=field['name'], type=kind['elementType'], metadata={}))}[]"
    return _struct({child["name"]: sql_type(child) for child in kind["fields"]}) if kind["fields"] else NO_KEYS


def attribute_keys(snapshot: Snapshot) -> Iterator[tuple[str, str, str, str]]:
    """Table, column, key and SQL type of every attribute key that occurs."""
    for table, columns in ATTRIBUTE_COLUMNS.items():
        fields = {field["name"]: field for field in snapshot.fields(table)}
        for column in columns:
            yield from ((table, column, field["name"], sql_type(field)) for field in _members(fields.get(column)))
        for column in _ELEMENTS if table == "spans" else ():
            keys = _members(_attributes_of(fields.get(column)))
            yield from (("spans", f"{column}.attributes", field["name"], sql_type(field)) for field in keys)


def rows(table: str, types: Mapping[str, str], files: Sequence[str]) -> str:
    """The rows of some files of a table, for a FROM.

    The last columns are the partition of the file: where that is joined to few, files of others are not opened.

    Args:
        table: name of the table.
        types: every column with its type, as `column_types` gives them.
        files: paths of the files.
    """
    if not files:
        every = {**types, **dict.fromkeys(PARTITIONS, "VARCHAR")}
        columns = ", ".join(f"null::{kind} as {identifier(name)}" for name, kind in every.items())
        return f"(select {columns} where false) as {table}"
    columns = ", ".join(
        f"{literal(name)}: {{'name': {literal(name)}, 'type': {literal(kind)}, 'default_value': null}}"
        for name, kind in types.items()
    )
    arguments = f"[{literals(files)}], schema = map {{{columns}}}"
    if "=" in files[0].rsplit("/", len(PARTITIONS) + 1)[0]:  # DuckDB would take that for partitions, too
        place = "regexp_extract(filename, '/date=([^/]*)/hour=([^/]*)/[^/]*$', ['date', 'hour'])"
        return f"(select *, unnest({place}) from read_parquet({arguments}, hive_partitioning = false)) as {table}"  # noqa: S608
    kinds = ", ".join(f"{literal(name)}: VARCHAR" for name in PARTITIONS)
    return f"read_parquet({arguments}, hive_partitioning = true, hive_types = {{{kinds}}}) as {table}"


def within(table: str, start_ns: int | None, end_ns: int | None) -> str:
    """The WHERE that leaves rows of a table from `start_ns` on and before `end_ns`; nothing where neither is given."""
    time = TIME_COLUMN[table]
    conditions = [f"{time} >= {start_ns}"] if start_ns is not None else []
    conditions += [f"{time} < {end_ns}"] if end_ns is not None else []
    return f" where {' and '.join(conditions)}" if conditions else ""


def with_summaries_of(snapshot: Snapshot, files: Sequence[str], summaries: str, where: str) -> str:
    """Summaries of traces where some spans have none, for a FROM: these are summed up as they are read.

    Args:
        snapshot: the tables.
        files: the files with those spans.
        summaries: the rest, as `rows` gives them.
        where: which spans count, as `within` says it.
    """
    spans = f"from {rows('spans', column_types(snapshot, 'spans'), files)}{where}"
    text = (resources.files("infersight_analysis") / "sql" / "stored" / "summaries_of_spans.sql").read_text()
    return f"(from {summaries} union all by name (with unsummarised as ({spans}) {text})) as traces"


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


def _attributes_type(column: str, fields: Iterable[Field]) -> str:
    keys = {field["name"]: sql_type(field) for field in fields}
    present = {key.lower() for key in keys}
    keys |= {key: kind for key, kind in KNOWN_KEYS.get(column, {}).items() if key not in present}
    return _struct(keys) if keys else NO_KEYS


def _elements_type(column: str, field: Field | None) -> str:
    attributes = _attributes_type(f"spans.{column}.attributes", _members(_attributes_of(field)))
    return _struct({**_ELEMENTS[column], "attributes": attributes, **_ELEMENT_REST}) + "[]"


def _members(field: Field | None) -> Sequence[Field]:
    """The fields of a STRUCT, or of the STRUCTs in a list; none where there is no such column."""
    kind = field["type"] if field else ""
    if not isinstance(kind, str) and "elementType" in kind:
        kind = kind["elementType"]
    return () if isinstance(kind, str) or "elementType" in kind else kind["fields"]


def _attributes_of(field: Field | None) -> Field | None:
    """The attributes of a list's elements."""
    return next((member for member in _members(field) if member["name"] == "attributes"), None)
