# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# (pyarrow publishes no type information)
"""Telemetry by hand, put into a store the way a collector does: OTLP requests, decoded and written."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, ResourceMetrics, ScopeMetrics
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from infersight_collector.decode import decode
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

T0 = 1_760_000_000_000_000_000
"""The first moment, 2025-10-09T08:53:20Z, nanoseconds since the epoch."""

MS = 10**6
SECOND = 10**9

Source = tuple[str, str, str | None]
"""Name, instance and version of a service."""

API: Source = ("api", "api-1", "1.0")


def trace_id(number: int) -> str:
    """The id of a trace by its number."""
    return f"{number:032x}"


def any_value(value: Any) -> AnyValue:
    """A Python value as OTLP's."""
    if value is None:
        return AnyValue()
    if isinstance(value, dict):
        members: dict[str, Any] = value
        return AnyValue(kvlist_value=KeyValueList(values=key_values(members)))
    if isinstance(value, list):
        elements: list[Any] = value
        return AnyValue(array_value=ArrayValue(values=[any_value(element) for element in elements]))
    return AnyValue(**{_FIELDS[type(value)]: value})


_FIELDS: Final[dict[type, Any]] = {
    bool: "bool_value",
    int: "int_value",
    float: "double_value",
    bytes: "bytes_value",
    str: "string_value",
}


def key_values(attributes: Mapping[str, Any]) -> list[KeyValue]:
    """Attributes as OTLP's."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


class Recording:
    """Records of a test; `write` puts them into a store."""

    def __init__(self) -> None:
        self._spans: defaultdict[tuple[Source, str], list[Span]] = defaultdict(list)
        self._logs: defaultdict[Source, list[LogRecord]] = defaultdict(list)
        self._metrics: defaultdict[Source, list[Metric]] = defaultdict(list)

    def span(
        self,
        trace: int,
        span: int,
        name: str,
        start_ns: int,
        duration_ns: int | None,
        *,
        parent: int | None = None,
        kind: str = "INTERNAL",
        source: Source = API,
        error: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        events: Sequence[tuple[int, str, Mapping[str, Any]]] = (),
        links: Sequence[tuple[int, int]] = (),
        resource: Mapping[str, Any] | None = None,
        trace_state: str = "",
    ) -> None:
        """A span that starts `start_ns` after T0; unfinished without a duration, failed with an error.

        Links are traces and spans; the resource has more attributes than those of its source; the trace state may say
        how it was sampled, as `ot=th:c` does of one in four.
        """
        record = Span(
            trace_id=trace.to_bytes(16, "big"),
            span_id=span.to_bytes(8, "big"),
            parent_span_id=b"" if parent is None else parent.to_bytes(8, "big"),
            trace_state=trace_state,
            name=name,
            kind=Span.SpanKind.Value(f"SPAN_KIND_{kind}"),
            start_time_unix_nano=T0 + start_ns,
            end_time_unix_nano=0 if duration_ns is None else T0 + start_ns + duration_ns,
            attributes=key_values(attributes or {}),
            status=Status(code=Status.STATUS_CODE_ERROR, message=error) if error is not None else None,
            events=[
                Span.Event(time_unix_nano=T0 + time_ns, name=event, attributes=key_values(facts))
                for time_ns, event, facts in events
            ],
            links=[
                Span.Link(trace_id=linked.to_bytes(16, "big"), span_id=other.to_bytes(8, "big"))
                for linked, other in links
            ],
        )
        self._spans[source, json.dumps(resource or {})].append(record)

    def log(
        self,
        time_ns: int,
        body: str,
        *,
        trace: int | None = None,
        span: int | None = None,
        source: Source = API,
        severity: int = 9,
        event_name: str = "",
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """A log record `time_ns` after T0."""
        record = LogRecord(
            time_unix_nano=T0 + time_ns,
            severity_number=severity,  # type: ignore[arg-type] # protobuf takes enum numbers
            severity_text={9: "INFO", 13: "WARN", 17: "ERROR"}[severity],
            body=any_value(body),
            trace_id=b"" if trace is None else trace.to_bytes(16, "big"),
            span_id=b"" if span is None else span.to_bytes(8, "big"),
            event_name=event_name,
            attributes=key_values(attributes or {}),
        )
        self._logs[source].append(record)

    def metric(self, metric: Metric, source: Source = API) -> None:
        """A metric with its data points."""
        self._metrics[source].append(metric)

    def write(self, path: Path, writer: str = "test") -> Path:
        """Write everything to the store at `path`, which is returned."""
        store = Store.open(path)
        requests = (
            (Signal.TRACES, self._traces_request()),
            (Signal.LOGS, self._logs_request()),
            (Signal.METRICS, self._metrics_request()),
        )
        for number, (signal, request) in enumerate(requests, 1):
            store.write(decode(signal, request), Origin(writer, number))
        return path

    def _traces_request(self) -> bytes:
        resources = [
            ResourceSpans(
                resource=_resource(source, json.loads(more)), scope_spans=[ScopeSpans(scope=_SCOPE, spans=spans)]
            )
            for (source, more), spans in self._spans.items()
        ]
        return bytes(ExportTraceServiceRequest(resource_spans=resources).SerializeToString())

    def _logs_request(self) -> bytes:
        resources = [
            ResourceLogs(resource=_resource(source), scope_logs=[ScopeLogs(scope=_SCOPE, log_records=records)])
            for source, records in self._logs.items()
        ]
        return bytes(ExportLogsServiceRequest(resource_logs=resources).SerializeToString())

    def _metrics_request(self) -> bytes:
        resources = [
            ResourceMetrics(resource=_resource(source), scope_metrics=[ScopeMetrics(scope=_SCOPE, metrics=metrics)])
            for source, metrics in self._metrics.items()
        ]
        return bytes(ExportMetricsServiceRequest(resource_metrics=resources).SerializeToString())


_SCOPE = InstrumentationScope(name="tests", version="1")


def _resource(source: Source, more: Mapping[str, Any] | None = None) -> Resource:
    name, instance, version = source
    attributes = {**(more or {}), "service.name": name, "service.instance.id": instance}
    if version is not None:
        attributes["service.version"] = version
    return Resource(attributes=key_values(attributes))
