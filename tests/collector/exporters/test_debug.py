"""The exporter debug: what arrived, on stdout, for people."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from tests.support.otlp_requests import request_of

from infersight_collector.component import Batch
from infersight_collector.decode import decode
from infersight_collector.exporters.debug import DebugConfig, DebugExporter
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin


def shown(capsys: pytest.CaptureFixture[str], verbosity: str, *requests: tuple[Signal, bytes]) -> str:
    exporter = DebugExporter(DebugConfig(verbosity))  # type: ignore[arg-type]
    exporter.start()
    exporter.begin()
    for signal, request in requests:
        exporter.consume(Batch(signal, decode(signal, request), [request]))
    assert capsys.readouterr().out == ""
    exporter.commit(Origin("w", 1))
    return capsys.readouterr().out


def span_request(name: str) -> bytes:
    attributes = [KeyValue(key="route", value=AnyValue(string_value="/predict"))]
    span = Span(name=name, kind=Span.SPAN_KIND_SERVER, trace_id=b"t" * 16, attributes=attributes)
    span.start_time_unix_nano, span.end_time_unix_nano = 1, 2_500_001
    resource = ResourceSpans(scope_spans=[ScopeSpans(spans=[span])])
    return bytes(ExportTraceServiceRequest(resource_spans=[resource]).SerializeToString())


def test_basic_counts_records(capsys: pytest.CaptureFixture[str]) -> None:
    requests = [(signal, request_of(signal, "a")) for signal in Signal]
    assert shown(capsys, "basic", *requests) == "debug     1 spans, 1 log records, 1 data points\n"


def test_normal_has_a_line_for_each_record(capsys: pytest.CaptureFixture[str]) -> None:
    requests = [(Signal.TRACES, span_request("work")), (Signal.METRICS, request_of(Signal.METRICS, "load"))]
    assert shown(capsys, "normal", *requests).splitlines()[1:] == [
        f'spans  -  work  SERVER  2.500 ms  UNSET  {(b"t" * 16).hex()}  {{"route": "/predict"}}',
        "metrics  -  load  1.5",
    ]


def test_detailed_has_every_field_that_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "detailed", (Signal.TRACES, span_request("work"))).splitlines()
    assert {"    name: work", "    duration_ns: 2500000", '    attributes: {"route": "/predict"}'} <= set(lines)
    assert not any("null" in line for line in lines)


def test_what_would_steer_the_terminal_is_spelled_out(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, "normal", (Signal.TRACES, span_request("\x1b[2Jgone\x07 ünï")))
    assert "\x1b" not in out
    assert r"\x1b[2Jgone\x07 ünï" in out
