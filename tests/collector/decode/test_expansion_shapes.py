"""How large a request becomes, told of requests of all shapes that telemetry has."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import random
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Exemplar,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ScopeMetrics,
    SummaryDataPoint,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

from infersight_collector.decode import decode, examine
from infersight_collector.signals import Signal

TIME_NS = 1_790_000_000_000_000_000
RECORDS = 300

Buckets = ExponentialHistogramDataPoint.Buckets


class Shape:
    """What all records of one request have in common: how many there are of everything."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.attributes, self.resource = self.rng.randrange(15), self.rng.randrange(10)
        self.elements = self.rng.choice([0, 1, 10])
        self.buckets = self.rng.choice([1, 12, 160])
        self.most = self.rng.choice([1, 10**3, 10**9])
        self.has_ids, self.has_times = self.rng.random() < 0.8, self.rng.random() < 0.9
        self.texts = self.rng.randrange(1, 60)

    def pairs(self, count: int) -> list[KeyValue]:
        return [KeyValue(key=f"key.{number}", value=self._value(number)) for number in range(count)]

    def id(self, size: int) -> bytes:
        return self.rng.randbytes(size) if self.has_ids else b""

    def time(self) -> int:
        return TIME_NS + self.rng.randrange(10**12) if self.has_times else 0

    def counts(self) -> list[int]:
        return [self.rng.randrange(self.most) for _ in range(self.buckets)]

    def _value(self, number: int) -> AnyValue:
        match number % 4:
            case 0:
                return AnyValue(int_value=self.rng.getrandbits(self.rng.choice([3, 60])))
            case 1:
                return AnyValue(double_value=self.rng.random())
            case _:
                return AnyValue(string_value="x" * self.rng.randrange(self.texts))


def traces(shape: Shape) -> ScopeSpans:
    scope = ScopeSpans()
    for _ in range(RECORDS):
        span = scope.spans.add(trace_id=shape.id(16), span_id=shape.id(8), name="predict", kind=Span.SPAN_KIND_SERVER)
        span.start_time_unix_nano, span.end_time_unix_nano = shape.time(), shape.time()
        span.attributes.extend(shape.pairs(shape.attributes))
        for _ in range(shape.elements):
            span.events.add(
                name="exception", time_unix_nano=shape.time(), attributes=shape.pairs(shape.attributes // 4)
            )
            span.links.add(trace_id=shape.id(16), span_id=shape.id(8))
    return scope


def numbers(metric: Metric, shape: Shape) -> NumberDataPoint:
    point: NumberDataPoint = metric.sum.data_points.add(as_int=shape.rng.randrange(shape.most))
    point.exemplars.extend(exemplars(shape))
    return point


def histogram(metric: Metric, shape: Shape) -> HistogramDataPoint:
    point: HistogramDataPoint = metric.histogram.data_points.add(count=5, sum=1.5, bucket_counts=shape.counts())
    point.explicit_bounds.extend(float(bound) for bound in range(shape.buckets - 1))
    point.exemplars.extend(exemplars(shape))
    return point


def exponential(metric: Metric, shape: Shape) -> ExponentialHistogramDataPoint:
    buckets = Buckets(bucket_counts=shape.counts())
    point: ExponentialHistogramDataPoint = metric.exponential_histogram.data_points.add(
        count=5, scale=3, positive=buckets, negative=buckets
    )
    return point


def summary(metric: Metric, shape: Shape) -> SummaryDataPoint:
    point: SummaryDataPoint = metric.summary.data_points.add(count=5)
    for number in range(shape.elements):
        point.quantile_values.add(quantile=number / 10, value=shape.rng.random())
    return point


def exemplars(shape: Shape) -> list[Exemplar]:
    trace, span = shape.id(16), shape.id(8)
    return [
        Exemplar(time_unix_nano=shape.time(), as_double=0.5, trace_id=trace, span_id=span)
        for _ in range(shape.elements)
    ]


def metrics(shape: Shape) -> ScopeMetrics:
    make = shape.rng.choice([numbers, histogram, exponential, summary])
    metric = Metric(name="http.server.request.duration", unit="s")
    for _ in range(RECORDS):
        point: Any = make(metric, shape)
        point.time_unix_nano = shape.time()
        point.attributes.extend(shape.pairs(shape.attributes))
    return ScopeMetrics(metrics=[metric])


def traces_request(shape: Shape) -> bytes:
    request = ExportTraceServiceRequest()
    around = request.resource_spans.add(scope_spans=[traces(shape)])
    around.resource.attributes.extend(shape.pairs(shape.resource))
    return bytes(request.SerializeToString())


def logs_request(shape: Shape) -> bytes:
    request = ExportLogsServiceRequest()
    around = request.resource_logs.add()
    around.resource.attributes.extend(shape.pairs(shape.resource))
    scope = around.scope_logs.add()
    for _ in range(RECORDS):
        record = scope.log_records.add(time_unix_nano=shape.time(), trace_id=shape.id(16), span_id=shape.id(8))
        record.body.string_value = "x" * shape.rng.randrange(shape.texts * 3)
        record.attributes.extend(shape.pairs(shape.attributes))
    return bytes(request.SerializeToString())


def metrics_request(shape: Shape) -> bytes:
    request = ExportMetricsServiceRequest()
    around = request.resource_metrics.add(scope_metrics=[metrics(shape)])
    around.resource.attributes.extend(shape.pairs(shape.resource))
    return bytes(request.SerializeToString())


REQUESTS: dict[Signal, Callable[[Shape], bytes]] = {
    Signal.TRACES: traces_request,
    Signal.LOGS: logs_request,
    Signal.METRICS: metrics_request,
}


@pytest.mark.parametrize("signal", list(Signal))
def test_what_is_told_is_between_four_fifths_and_twice_of_what_the_rows_take(signal: Signal) -> None:
    for seed in range(60):
        request = REQUESTS[signal](Shape(seed))
        told = examine(signal, request).rows_bytes
        true = sum(table.nbytes for table in decode(signal, request).values())
        assert 0.8 * true < told < 2 * true, f"{told / true:.2f} with seed {seed}"
