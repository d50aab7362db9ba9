"""The sampling weight of spans and log records, from tracestate and attribute."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from infersight_collector.decode import decode
from infersight_collector.signals import Signal


def weight(value: Any) -> list[KeyValue]:
    kind = {float: "double_value", int: "int_value", str: "string_value"}[type(value)]
    return [KeyValue(key="infersight.sample.weight", value=AnyValue(**{kind: value}))]


def span_weights(*spans: Span) -> list[float]:
    resource = ResourceSpans(scope_spans=[ScopeSpans(spans=spans)])
    request = ExportTraceServiceRequest(resource_spans=[resource]).SerializeToString()
    return list(decode(Signal.TRACES, request)["spans"]["sample_weight"].to_pylist())


@pytest.mark.parametrize(
    ("trace_state", "expected"),
    [
        ("", 1.0),
        ("ot=th:0", 1.0),
        ("ot=th:8", 2.0),
        ("ot=th:c", 4.0),
        ("ot=th:e6666666666668", 10.0),
        ("ot=rv:123456789abcde;th:8", 2.0),
        ("vendor=x, ot=th:8;rv:123456789abcde,other=th:c", 2.0),
        ("vendor=th:8", 1.0),
        ("not=th:8", 1.0),
        ("ot=th:", 1.0),
        ("ot=th:8z", 1.0),
        ("ot=th:123456789abcdef", 1.0),
        ("ot=th:ffffffffffffff", 2.0**56),
    ],
)
def test_a_span_stands_for_as_many_as_the_threshold_in_its_tracestate_says(trace_state: str, expected: float) -> None:
    assert span_weights(Span(trace_state=trace_state)) == [pytest.approx(expected)]


def test_each_span_has_its_own_weight_and_the_attribute_comes_first() -> None:
    spans = [
        Span(trace_state="ot=th:8"),
        Span(),
        Span(trace_state="ot=th:8", attributes=weight(0.0)),
        Span(attributes=weight(2.5)),
        Span(trace_state="ot=th:c", attributes=weight(-1.0)),
        Span(attributes=weight(float("nan"))),
    ]
    assert span_weights(*spans) == [2.0, 1.0, 0.0, 2.5, 4.0, 1.0]


@pytest.mark.parametrize(("value", "expected"), [(10.0, 10.0), (10, 10.0), ("10", 1.0)])
def test_a_log_record_stands_for_as_many_as_its_attribute_says(value: Any, expected: float) -> None:
    resource = ResourceLogs(scope_logs=[ScopeLogs(log_records=[LogRecord(attributes=weight(value)), LogRecord()])])
    request = ExportLogsServiceRequest(resource_logs=[resource]).SerializeToString()
    assert decode(Signal.LOGS, request)["logs"]["sample_weight"].to_pylist() == [expected, 1.0]
