"""ClickHouse's embedded engine with the tables that the OpenTelemetry Collector's exporter for ClickHouse makes.

Column names, types, codecs, order and indexes are those of that exporter for a server that has text indexes, the
attributes maps of text as it fills them. The rows are read from our own files.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# chdb and pyarrow publish no types.

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from infersight_collector.store.snapshot import Snapshot

_MAP: Final = "Map(LowCardinality(String), String)"
_NAME: Final = "LowCardinality(String)"
_TIME: Final = "DateTime64(9)"
_PLAIN: Final = "ZSTD(1)"

_SOURCE: Final = {"ResourceAttributes": _MAP, "ScopeName": "String", "ScopeVersion": "String"}
_TRACES: Final = {
    "TraceId": "String",
    "SpanId": "String",
    "ParentSpanId": "String",
    "TraceState": "String",
    "SpanName": _NAME,
    "SpanKind": _NAME,
    "ServiceName": _NAME,
    **_SOURCE,
    "SpanAttributes": _MAP,
    "StatusCode": _NAME,
    "StatusMessage": "String",
    "Events": f"Nested (Timestamp {_TIME}, Name {_NAME}, Attributes {_MAP})",
    "Links": f"Nested (TraceId String, SpanId String, TraceState String, Attributes {_MAP})",
}
_LOGS: Final = {
    "TraceId": "String",
    "SpanId": "String",
    "SeverityText": _NAME,
    "ServiceName": _NAME,
    "Body": "String",
    "ResourceSchemaUrl": _NAME,
    "ResourceAttributes": _MAP,
    "ScopeSchemaUrl": _NAME,
    "ScopeName": "String",
    "ScopeVersion": _NAME,
    "ScopeAttributes": _MAP,
    "LogAttributes": _MAP,
    "EventName": "String",
}
_POINTS: Final = {
    **_SOURCE,
    "ResourceSchemaUrl": "String",
    "ScopeAttributes": _MAP,
    "ScopeDroppedAttrCount": "UInt32",
    "ScopeSchemaUrl": "String",
    "ServiceName": _NAME,
    "MetricName": _NAME,
    "MetricDescription": "String",
    "MetricUnit": "String",
    "Attributes": _MAP,
    "Flags": "UInt32",
    "Exemplars": f"Nested (FilteredAttributes {_MAP}, TimeUnix DateTime, Value Float64, SpanId String, TraceId String)",
}
_DISTRIBUTION: Final = {"Sum": "Float64", "Min": "Float64", "Max": "Float64", "AggregationTemporality": "Int32"}
_METRICS: Final[dict[str, dict[str, str]]] = {
    "gauge": {"Value": "Float64"},
    "sum": {"Value": "Float64", "AggregationTemporality": "Int32"},
    "histogram": _DISTRIBUTION | {"BucketCounts": "Array(UInt64)", "ExplicitBounds": "Array(Float64)"},
    "exponential_histogram": _DISTRIBUTION
    | {
        "Scale": "Int32",
        "ZeroCount": "UInt64",
        "PositiveOffset": "Int32",
        "PositiveBucketCounts": "Array(UInt64)",
        "NegativeOffset": "Int32",
        "NegativeBucketCounts": "Array(UInt64)",
    },
}


def load(store: Path, peer: Path) -> None:
    """Makes the tables in a new directory, fills them from the store, and merges each into as few parts as it has."""
    session = open_session(peer)
    for statement in _tables():
        session.query(statement)
    snapshot = Snapshot.of(store)
    exemplars = ", ".join(f"'{file}'" for file in snapshot.files("exemplars"))
    for table, fill in (("spans", _spans), ("logs", _logs)):
        for file in snapshot.files(table):
            session.query(fill(file, pq.read_schema(file)))
    for file in snapshot.files("metrics"):
        for kind in _METRICS:
            session.query(_points(kind, file, pq.read_schema(file), exemplars))
    for table in _names(session):
        session.query(f"OPTIMIZE TABLE {table} FINAL")
    session.close()


def open_session(peer: Path) -> Any:
    """The engine on a directory; one a process."""
    sessions: Any = import_module("chdb.session")
    return sessions.Session(str(peer))


def sizes(session: Any) -> dict[str, int]:
    """Bytes on disk by table, indexes included."""
    found = session.query(
        "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'default' GROUP BY table", "CSV"
    )
    lines = (line.split(",") for line in str(found).splitlines())
    return {name.strip('"'): int(size) for name, size in lines}


def _names(session: Any) -> list[str]:
    return [*sizes(session)]


def _columns(columns: Mapping[str, str]) -> Iterator[str]:
    return (f"{name} {kind} CODEC({_PLAIN})" for name, kind in columns.items())


def _text_index(name: str, on: str, tokenizer: str = "array") -> str:
    return f"INDEX {name} {on} TYPE text(tokenizer = '{tokenizer}')"


def _attribute_indexes(columns: Iterable[str]) -> Iterator[str]:
    for column in columns:
        items = f"arrayMap(kv -> concat(kv.1, '=', kv.2), CAST({column}, 'Array(Tuple(String, String))'))"
        yield f"{column}Items Array(String) ALIAS {items}"
        yield _text_index(f"key_{column}", f"mapKeys({column})")
        yield _text_index(f"item_{column}", f"{column}Items")


def _create(name: str, parts: Iterable[str], partition: str, order: str, primary: str | None = None) -> str:
    key = f"PRIMARY KEY ({primary})" if primary else ""
    return (
        f"CREATE TABLE {name} ({', '.join(parts)}) ENGINE = MergeTree PARTITION BY {partition} {key} ORDER BY ({order})"
        " SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1"
    )


def _tables() -> Iterator[str]:
    timestamp = f"Timestamp {_TIME} CODEC(Delta(8), {_PLAIN})"
    yield _create(
        "otel_traces",
        (
            timestamp,
            *_columns(_TRACES),
            f"Duration UInt64 CODEC(T64, {_PLAIN})",
            *_attribute_indexes(("ResourceAttributes", "SpanAttributes")),
            _text_index("idx_trace_id", "TraceId"),
            "INDEX idx_duration Duration TYPE minmax GRANULARITY 1",
            "INDEX idx_lower_span_name lower(SpanName) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 8",
        ),
        "toDate(Timestamp)",
        "ServiceName, SpanName, toDateTime(Timestamp), Timestamp",
        "ServiceName, SpanName, toDateTime(Timestamp)",
    )
    yield (
        f"CREATE TABLE otel_traces_trace_id_ts (TraceId String CODEC({_PLAIN}), "
        f"Start SimpleAggregateFunction(min, DateTime) CODEC({_PLAIN}), "
        f"End SimpleAggregateFunction(max, DateTime) CODEC({_PLAIN})) ENGINE = AggregatingMergeTree "
        "PARTITION BY toStartOfWeek(Start) ORDER BY TraceId"
    )
    yield (
        "CREATE MATERIALIZED VIEW otel_traces_trace_id_ts_mv TO otel_traces_trace_id_ts AS SELECT TraceId,"
        " min(Timestamp) AS Start, max(Timestamp) AS End FROM otel_traces WHERE TraceId != '' GROUP BY TraceId"
    )
    yield _create(
        "otel_logs",
        (
            timestamp,
            "TraceFlags UInt8",
            "SeverityNumber UInt8",
            *_columns(_LOGS),
            *_attribute_indexes(("ResourceAttributes", "ScopeAttributes", "LogAttributes")),
            _text_index("idx_trace_id", "TraceId"),
            _text_index("idx_lower_body", "lower(Body)", "splitByNonAlpha"),
        ),
        "toDate(Timestamp)",
        "toStartOfFiveMinutes(Timestamp), ServiceName, Timestamp",
    )
    for kind, columns in _METRICS.items():
        yield _points_table(kind, columns)


def _points_table(kind: str, columns: Mapping[str, str]) -> str:
    times = [f"{name} DateTime CODEC(Delta, {_PLAIN})" for name in ("StartTimeUnix", "TimeUnix")]
    if kind == "sum":
        times.append(f"IsMonotonic Boolean CODEC(Delta, {_PLAIN})")
    elif kind != "gauge":
        times.append(f"Count UInt64 CODEC(Delta, {_PLAIN})")
    indexes = [
        f"INDEX idx_{of}_{column} {of}({column}) TYPE bloom_filter(0.01) GRANULARITY 1"
        for column in ("ResourceAttributes", "ScopeAttributes", "Attributes")
        for of in ("mapKeys", "mapValues")
    ]
    return _create(
        f"otel_metrics_{kind}",
        (*times, *_columns({**_POINTS, **columns}), *indexes, "INDEX idx_time TimeUnix TYPE minmax GRANULARITY 1"),
        "toDate(TimeUnix)",
        "ServiceName, MetricName, toStartOfHour(TimeUnix), cityHash64(Attributes), TimeUnix",
    )


def _insert(table: str, values: Mapping[str, str], source: str) -> str:
    selected = ", ".join(values.values())
    return f"INSERT INTO {table} ({', '.join(f'`{name}`' for name in values)}) SELECT {selected} FROM {source}"


def _map_of(column: str, kind: pa.DataType | None) -> str:
    """The fields of a STRUCT that are there, as a map of texts."""
    if kind is None or not kind.num_fields:
        return f"CAST(map(), '{_MAP}')"
    entries = ", ".join(
        f"'{field.name}', ifNull(toString(tupleElement({column}, '{field.name}')), '')" for field in kind
    )
    return f"mapFilter((k, v) -> v != '', map({entries}))"


def _type_of(schema: pa.Schema, column: str) -> pa.DataType | None:
    return schema.field(column).type if column in schema.names else None


def _text(column: str) -> str:
    return f"ifNull({column}, '')"


def _time(column: str) -> str:
    return f"fromUnixTimestamp64Nano(assumeNotNull({column}))"


def _spans(file: str, schema: pa.Schema) -> str:
    event: Any = schema.field("events").type.value_type
    attributes = event.field("attributes").type if event.get_field_index("attributes") >= 0 else None
    values = {
        "Timestamp": _time("start_time_ns"),
        "TraceId": _text("trace_id"),
        "SpanId": _text("span_id"),
        "ParentSpanId": _text("parent_span_id"),
        "TraceState": _text("trace_state"),
        "SpanName": _text("name"),
        "SpanKind": "concat(upper(substring(assumeNotNull(kind), 1, 1)), lower(substring(assumeNotNull(kind), 2)))",
        "ServiceName": _text("service_name"),
        "ResourceAttributes": _map_of("resource_attributes", _type_of(schema, "resource_attributes")),
        "ScopeName": _text("scope_name"),
        "ScopeVersion": _text("scope_version"),
        "SpanAttributes": _map_of("attributes", _type_of(schema, "attributes")),
        "Duration": "assumeNotNull(duration_ns)",
        "StatusCode": "multiIf(status_code = 'ERROR', 'Error', status_code = 'OK', 'Ok', 'Unset')",
        "StatusMessage": _text("status_message"),
        "Events.Timestamp": f"arrayMap(e -> {_time('e.time_ns')}, events)",
        "Events.Name": f"arrayMap(e -> {_text('e.name')}, events)",
        "Events.Attributes": f"arrayMap(e -> {_map_of('e.attributes', attributes)}, events)",
    }
    return _insert("otel_traces", values, f"file('{file}', Parquet)")


def _logs(file: str, schema: pa.Schema) -> str:
    values = {
        "Timestamp": _time("time_ns"),
        "TraceId": _text("trace_id"),
        "SpanId": _text("span_id"),
        "TraceFlags": "ifNull(flags, 0)",
        "SeverityText": _text("severity_text"),
        "SeverityNumber": "ifNull(severity_number, 0)",
        "ServiceName": _text("service_name"),
        "Body": _text("body"),
        "EventName": _text("event_name"),
        "ResourceAttributes": _map_of("resource_attributes", _type_of(schema, "resource_attributes")),
        "ScopeName": _text("scope_name"),
        "LogAttributes": _map_of("attributes", _type_of(schema, "attributes")),
    }
    return _insert("otel_logs", values, f"file('{file}', Parquet)")


_OF_KIND: Final[dict[str, dict[str, str]]] = {
    "gauge": {"Value": "ifNull(value, toFloat64(ifNull(value_int, 0)))"},
    "sum": {
        "Value": "ifNull(value, toFloat64(ifNull(value_int, 0)))",
        "AggregationTemporality": "2",
        "IsMonotonic": "ifNull(is_monotonic, 0)",
    },
    "histogram": {
        "Count": "ifNull(count, 0)",
        "Sum": "ifNull(sum, 0)",
        "BucketCounts": "arrayMap(n -> assumeNotNull(n), bucket_counts)",
        "ExplicitBounds": "arrayMap(n -> assumeNotNull(n), bounds)",
        "AggregationTemporality": "2",
    },
    "exponential_histogram": {
        "Count": "ifNull(count, 0)",
        "Sum": "ifNull(sum, 0)",
        "Min": "ifNull(min, 0)",
        "Max": "ifNull(max, 0)",
        "Scale": "ifNull(scale, 0)",
        "ZeroCount": "ifNull(zero_count, 0)",
        "PositiveOffset": "ifNull(positive_offset, 0)",
        "PositiveBucketCounts": "arrayMap(n -> assumeNotNull(n), positive_bucket_counts)",
        "AggregationTemporality": "1",
    },
}


def _points(kind: str, file: str, schema: pa.Schema, exemplars: str) -> str:
    values = {
        "TimeUnix": f"toDateTime({_time('time_ns')})",
        "StartTimeUnix": f"toDateTime({_time('ifNull(start_time_ns, 0)')})",
        "ResourceAttributes": _map_of("resource_attributes", _type_of(schema, "resource_attributes")),
        "ScopeName": _text("scope_name"),
        "ServiceName": _text("service_name"),
        "MetricName": _text("name"),
        "MetricDescription": _text("description"),
        "MetricUnit": _text("unit"),
        "Attributes": _map_of("attributes", _type_of(schema, "attributes")),
        **_OF_KIND[kind],
    }
    source = f"file('{file}', Parquet)"
    if kind == "histogram":
        values |= {
            "Exemplars.FilteredAttributes": f"arrayMap(t -> CAST(map(), '{_MAP}'), kept.times)",
            "Exemplars.TimeUnix": "kept.times",
            "Exemplars.Value": "kept.values",
            "Exemplars.SpanId": "kept.spans",
            "Exemplars.TraceId": "kept.traces",
        }
        source += f" AS points LEFT JOIN ({_EXEMPLARS.format(exemplars)}) AS kept ON {_SAME_POINT}"
    return f"{_insert(f'otel_metrics_{kind}', values, source)} WHERE type = '{kind}'"


# One series of each route, the successful one, carries the exemplars.
_EXEMPLARS: Final = """
    SELECT
        assumeNotNull(point_time_ns) AS at,
        assumeNotNull(service_instance_id) AS instance,
        assumeNotNull(tupleElement(point_attributes, 'http.route')) AS route,
        200 AS status,
        groupArray(toDateTime(fromUnixTimestamp64Nano(assumeNotNull(time_ns)))) AS times,
        groupArray(assumeNotNull(value)) AS values,
        groupArray(assumeNotNull(span_id)) AS spans,
        groupArray(assumeNotNull(trace_id)) AS traces
    FROM file([{}], Parquet)
    GROUP BY at, instance, route
"""
_SAME_POINT: Final = (
    "points.time_ns = kept.at AND points.service_instance_id = kept.instance"
    " AND tupleElement(points.attributes, 'http.route') = kept.route"
    " AND tupleElement(points.attributes, 'http.response.status_code') = kept.status"
)
