"""How large a request becomes: told without decoding it, and never much less than what decoding takes."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import random
from collections.abc import Callable

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Exemplar,
    Histogram,
    HistogramDataPoint,
    Metric,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from infersight_collector.decode import decode, examine
from infersight_collector.decode.attributes import MAX_CELLS
from infersight_collector.decode.expansion import ROW_BYTES
from infersight_collector.signals import Signal

MIB = 2**20


def text(size: int) -> KeyValue:
    return KeyValue(key="k", value=AnyValue(string_value="x" * size))


def numbers(count: int) -> list[KeyValue]:
    return [KeyValue(key=f"k{number}", value=AnyValue(int_value=number)) for number in range(count)]


def spans(count: int, resource: int = 0, scope: int = 0) -> bytes:
    """Empty spans with text of these sizes in their resource and scope."""
    within = ScopeSpans(scope=InstrumentationScope(attributes=[text(scope)]), spans=[Span()] * count)
    around = ResourceSpans(resource=Resource(attributes=[text(resource)]), scope_spans=[within])
    return bytes(ExportTraceServiceRequest(resource_spans=[around]).SerializeToString())


def metrics(points: int, exemplars: int, description: int = 0, of_point: int = 0) -> bytes:
    point = HistogramDataPoint(attributes=[text(of_point)], exemplars=[Exemplar()] * exemplars)
    metric = Metric(description="x" * description, histogram=Histogram(data_points=[point] * points))
    around = ResourceMetrics(scope_metrics=[ScopeMetrics(metrics=[metric])])
    return bytes(ExportMetricsServiceRequest(resource_metrics=[around]).SerializeToString())


def rows_size(signal: Signal, request: bytes) -> int:
    return sum(table.nbytes for table in decode(signal, request).values())


@pytest.mark.parametrize(
    ("signal", "request_"),
    [
        pytest.param(Signal.TRACES, spans(1000, resource=100_000), id="resource"),
        pytest.param(Signal.TRACES, spans(1000, scope=100_000), id="scope"),
        pytest.param(Signal.TRACES, spans(100_000), id="empty spans"),
        pytest.param(Signal.METRICS, metrics(1000, 0, description=100_000), id="description"),
        pytest.param(Signal.METRICS, metrics(3, 1000, of_point=30_000), id="exemplars of a large point"),
        pytest.param(Signal.METRICS, metrics(100_000, 0), id="small points"),
    ],
)
def test_what_rows_share_is_counted_for_each_of_them(signal: Signal, request_: bytes) -> None:
    told, true = examine(signal, request_).rows_bytes, rows_size(signal, request_)
    assert 0.8 * true < told < 1.3 * true


def test_what_one_resource_has_is_not_counted_for_the_spans_of_another() -> None:
    apart = spans(1, resource=MIB) + spans(1000)
    assert examine(Signal.TRACES, apart).rows_bytes < 3 * MIB


def test_bytes_of_unknown_groups_are_passed_by() -> None:
    plain = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[Span()] * 3)])])
    group = b"\x9b\x06" + b"\x12\x02\x12\x00" + b"\x9c\x06"  # field 99: in it what would be a scope with a span
    inner = plain.resource_spans[0].SerializeToString() + group
    request = b"\x0a" + bytes([len(inner)]) + inner
    assert examine(Signal.TRACES, request).records == 3
    assert examine(Signal.TRACES, request).rows_bytes == len(request) + 3 * (ROW_BYTES + len(group))


@pytest.mark.parametrize("signal", list(Signal))
def test_random_requests_are_told_to_be_no_smaller_than_they_become(
    signal: Signal, random_request: Callable[[Signal, random.Random], bytes]
) -> None:
    rng = random.Random(7)
    for _ in range(100):
        request = random_request(signal, rng)
        records, rows, walk = examine(signal, request)
        tables = decode(signal, request)
        assert records == next(iter(tables.values())).num_rows
        assert rows >= len(request) + ROW_BYTES * sum(table.num_rows for table in tables.values())
        assert walk >= 8 * records


def test_keys_of_one_resource_take_no_room_in_the_rows_of_another() -> None:
    with_keys = ResourceSpans(resource=Resource(attributes=numbers(1000)), scope_spans=[ScopeSpans(spans=[Span()])])
    without = ResourceSpans(scope_spans=[ScopeSpans(spans=[Span()] * 200_000)])
    request = ExportTraceServiceRequest(resource_spans=[with_keys, without]).SerializeToString()
    table = decode(Signal.TRACES, request)["spans"]
    keys = table.schema.field("resource_attributes").type.num_fields
    assert 0 < keys * table.num_rows <= MAX_CELLS
    (other,) = table.column("resource_attributes_other").drop_null().to_pylist()
    assert other.count(":") == 1000 - keys


def test_many_rows_that_each_have_a_key_of_their_own_take_bounded_room() -> None:
    many = [Span(attributes=[KeyValue(key=f"k{row}", value=AnyValue(int_value=row))]) for row in range(50_000)]
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=many)])])
    table = decode(Signal.TRACES, request.SerializeToString())["spans"]
    assert table.nbytes < 200 * MIB
    struct = table.column("attributes").combine_chunks()
    in_fields = sum(len(values) - values.null_count for values in struct.flatten())
    assert in_fields + len(table.column("attributes_other").drop_null()) == 50_000
