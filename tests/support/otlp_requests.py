"""Small OTLP requests, for tests that ask what becomes of requests rather than of their fields."""

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from infersight_collector.signals import Signal

TIME_NS = 1_760_000_000_000_000_000


def spans_request(*names: str) -> bytes:
    """A traces request with one span for each name, all of one trace and second."""
    spans = [
        Span(
            trace_id=b"t" * 16,
            span_id=number.to_bytes(8, "big"),
            name=name,
            start_time_unix_nano=TIME_NS,
            end_time_unix_nano=TIME_NS + 1,
        )
        for number, name in enumerate(names, 1)
    ]
    resource = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    return bytes(ExportTraceServiceRequest(resource_spans=[resource]).SerializeToString())


def request_of(signal: Signal, name: str) -> bytes:
    """A request with one record: a span or a gauge of this name, or a log record with this event name."""
    match signal:
        case Signal.TRACES:
            return spans_request(name)
        case Signal.LOGS:
            record = LogRecord(time_unix_nano=TIME_NS, event_name=name)
            resource = ResourceLogs(scope_logs=[ScopeLogs(log_records=[record])])
            return bytes(ExportLogsServiceRequest(resource_logs=[resource]).SerializeToString())
        case Signal.METRICS:
            gauge = Gauge(data_points=[NumberDataPoint(time_unix_nano=TIME_NS, as_double=1.5)])
            metrics = ResourceMetrics(scope_metrics=[ScopeMetrics(metrics=[Metric(name=name, gauge=gauge)])])
            return bytes(ExportMetricsServiceRequest(resource_metrics=[metrics]).SerializeToString())
