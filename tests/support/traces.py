"""Traces as requests, and as the batches that they become: few words for a span, a log record or an exemplar."""

# pyright: reportUnknownVariableType=false
# pyarrow, in what `decode` returns, publishes no types.

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_DELTA,
    Exemplar,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Sum as SumData
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from infersight_collector.component import Batch
from infersight_collector.decode import decode
from infersight_collector.signals import Signal

START_NS = 1_790_000_000_000_000_000
MS = 1_000_000

Value = str | int | float | bool


def trace_id(number: int) -> str:
    """The id of a trace by its number, 32 hex digits that look like random ones."""
    return f"{(number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"


@dataclass(frozen=True)
class Span:
    """A span of a trace; times in milliseconds since `START_NS`."""

    trace: int
    duration_ms: float = 1.0
    start_ms: float = 0.0
    name: str = "work"
    kind: str = "INTERNAL"
    error: bool = False
    weight: float | None = None
    attributes: Mapping[str, Value] = field(default_factory=dict[str, Value])
    resource: Mapping[str, Value] = field(default_factory=dict[str, Value])


def spans_request(spans: Iterable[Span]) -> bytes:
    """A traces request; span ids count from 1."""
    resources: defaultdict[tuple[tuple[str, Value], ...], list[SpanMessage]] = defaultdict(list)
    for number, span in enumerate(spans, 1):
        resources[tuple(span.resource.items())].append(_span(span, number))
    messages = [
        ResourceSpans(resource=Resource(attributes=_pairs(dict(resource))), scope_spans=[ScopeSpans(spans=of_resource)])
        for resource, of_resource in resources.items()
    ]
    return bytes(ExportTraceServiceRequest(resource_spans=messages).SerializeToString())


def spans_batch(*spans: Span) -> Batch:
    """The batch of spans; those of one resource stand together."""
    return batch_of(Signal.TRACES, spans_request(spans))


def logs_request(*traces: int | None) -> bytes:
    """A logs request with one prediction for each number of a trace; None for a record of no trace."""
    records = [
        LogRecord(
            time_unix_nano=START_NS,
            event_name="infersight.prediction",
            trace_id=b"" if trace is None else bytes.fromhex(trace_id(trace)),
        )
        for trace in traces
    ]
    resource = ResourceLogs(scope_logs=[ScopeLogs(log_records=records)])
    return bytes(ExportLogsServiceRequest(resource_logs=[resource]).SerializeToString())


def exemplars_request(*traces: int) -> bytes:
    """A metrics request with one data point, and one exemplar for each number of a trace."""
    exemplars = [
        Exemplar(time_unix_nano=START_NS, as_double=1.0, trace_id=bytes.fromhex(trace_id(trace))) for trace in traces
    ]
    point = NumberDataPoint(time_unix_nano=START_NS, as_int=len(traces), exemplars=exemplars)
    total = SumData(data_points=[point], is_monotonic=True, aggregation_temporality=AGGREGATION_TEMPORALITY_DELTA)
    metric = Metric(name="requests", sum=total)
    resource = ResourceMetrics(scope_metrics=[ScopeMetrics(metrics=[metric])])
    return bytes(ExportMetricsServiceRequest(resource_metrics=[resource]).SerializeToString())


def batch_of(signal: Signal, request: bytes) -> Batch:
    """The batch that a request becomes."""
    return Batch(signal, decode(signal, request), [request])


def _span(span: Span, number: int) -> SpanMessage:
    attributes = dict(span.attributes)
    if span.weight is not None:
        attributes["infersight.sample.weight"] = span.weight
    start = START_NS + round(span.start_ms * MS)
    return SpanMessage(
        trace_id=bytes.fromhex(trace_id(span.trace)),
        span_id=number.to_bytes(8, "big"),
        name=span.name,
        kind=SpanMessage.SpanKind.Value(f"SPAN_KIND_{span.kind}"),
        start_time_unix_nano=start,
        end_time_unix_nano=start + round(span.duration_ms * MS),
        status=Status(code=Status.STATUS_CODE_ERROR if span.error else Status.STATUS_CODE_UNSET),
        attributes=_pairs(attributes),
    )


def _pairs(values: Mapping[str, Value]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any_value(value)) for key, value in values.items()]


def _any_value(value: Any) -> AnyValue:
    kinds = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
    return AnyValue(**{kinds[type(value)]: value})
