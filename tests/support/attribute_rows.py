"""Batches of records with given attributes, through the real decoder, and their attributes read back."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pyarrow as pa
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from infersight_collector.component import Batch
from infersight_collector.decode import decode
from infersight_collector.processors import json_text
from infersight_collector.signals import Signal
from infersight_collector.store.attributes import is_json

TIME_NS = 1_760_000_000_000_000_000

Attributes = Mapping[str, Any]


def any_value(value: Any) -> AnyValue:  # noqa: PLR0911 - one for each kind of value
    """A Python value as OTLP's."""
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case str():
            return AnyValue(string_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case dict():
            found = AnyValue()
            found.kvlist_value.values.extend(key_values(cast("Attributes", value)))
            return found
        case _:
            found = AnyValue()
            found.array_value.values.extend(map(any_value, value))
            return found


def key_values(attributes: Attributes) -> list[KeyValue]:
    """Attributes as OTLP's."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def spans_batch(*records: Attributes, resource: Attributes | None = None, **fields: Any) -> Batch:
    """A batch with one span for each record's attributes.

    Args:
        records: the attributes of each span; a key `events` has a list of (name, attributes).
        resource: the attributes of the resource of all.
        fields: of each span.
    """
    request = ExportTraceServiceRequest()
    group = ResourceSpans(resource=Resource(attributes=key_values(resource or {})))
    scope = group.scope_spans.add()
    for number, record in enumerate(records, 1):
        attributes = dict(record)
        events: list[tuple[str, Attributes]] = attributes.pop("events", [])
        links: list[Attributes] = attributes.pop("links", [])
        span = scope.spans.add(
            trace_id=number.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            start_time_unix_nano=TIME_NS,
            end_time_unix_nano=TIME_NS + 1_000 * number,
            attributes=key_values(attributes),
            **{"name": f"span {number}", **fields},
        )
        for name, of_event in events:
            span.events.add(name=name, time_unix_nano=TIME_NS, attributes=key_values(of_event))
        for of_link in links:
            span.links.add(trace_id=b"l" * 16, span_id=b"l" * 8, attributes=key_values(of_link))
    request.resource_spans.append(group)
    return _batch(Signal.TRACES, request)


def logs_batch(*bodies: Any, attributes: Sequence[Attributes] = (), resource: Attributes | None = None) -> Batch:
    """A batch with one log record for each body; severity numbers count from 1."""
    request = ExportLogsServiceRequest()
    group = ResourceLogs(resource=Resource(attributes=key_values(resource or {})))
    scope = group.scope_logs.add()
    for number, body in enumerate(bodies):
        scope.log_records.add(
            time_unix_nano=TIME_NS + number,
            severity_number=number + 1,  # pyright: ignore[reportArgumentType] - any number
            body=any_value(body),
            attributes=key_values(attributes[number]) if attributes else [],
        )
    request.resource_logs.append(group)
    return _batch(Signal.LOGS, request)


def metrics_batch(*points: tuple[str, float, Attributes]) -> Batch:
    """A batch with a sum of one point for each name, value and attributes; each point has an exemplar."""
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    for number, (name, value, attributes) in enumerate(points, 1):
        metric = scope.metrics.add(name=name)
        point = metric.sum.data_points.add(
            time_unix_nano=TIME_NS + number, as_double=value, attributes=key_values(attributes)
        )
        point.exemplars.add(time_unix_nano=TIME_NS, as_double=value, trace_id=b"t" * 16, span_id=b"s" * 8)
    return _batch(Signal.METRICS, request)


def attributes_of(rows: pa.Table, column: str = "attributes") -> list[dict[str, Any]]:
    """The attributes of each row as Python values, those of the STRUCT before those beside it."""
    found: list[dict[str, Any]] = [{} for _ in range(rows.num_rows)]
    if f"{column}_other" in rows.column_names:
        for row, text in zip(found, rows.column(f"{column}_other").to_pylist(), strict=True):
            row.update(json_text.parse(text) if text else {})
    if column in rows.column_names:
        kinds = {field.name: field for field in rows.schema.field(column).type}
        for row, values in zip(found, rows.column(column).to_pylist(), strict=True):
            for key, value in (values or {}).items():
                if value is not None:
                    row[key] = json_text.parse(value) if is_json(kinds[key]) else value
    return found


def _batch(signal: Signal, message: Any) -> Batch:
    request: bytes = message.SerializeToString()
    return Batch(signal, decode(signal, request), [request])
