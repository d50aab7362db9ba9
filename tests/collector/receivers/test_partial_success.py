"""What is taken in part is answered with partial_success: how much was left out, never to be repeated, and why."""

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.support.otlp_requests import request_of
from tests.support.otlp_senders import GrpcSender, post
from tests.support.servers import RecordingSink, ServeGrpc, ServeHttp

from infersight_collector.component import Receipt
from infersight_collector.signals import Signal

RESPONSES = [
    (Signal.TRACES, ExportTraceServiceResponse, "rejected_spans"),
    (Signal.METRICS, ExportMetricsServiceResponse, "rejected_data_points"),
    (Signal.LOGS, ExportLogsServiceResponse, "rejected_log_records"),
]
Response = type[ExportTraceServiceResponse]


@pytest.mark.parametrize("case", RESPONSES, ids=[*Signal])
def test_both_protocols_tell_what_was_left_out(
    serve_http: ServeHttp, serve_grpc: ServeGrpc, sink: RecordingSink, case: tuple[Signal, Response, str]
) -> None:
    signal, response, count = case
    sink.receipt = Receipt(3, 2, "too large")
    request = request_of(signal, "x")
    sender = GrpcSender(serve_grpc())
    address = serve_http()
    as_json = post(address, f"/v1/{signal}", b"{}", "application/json")
    assert as_json.status == 200
    for answer in (
        response.FromString(sender.send(signal, request)),
        response.FromString(post(address, f"/v1/{signal}", request).body),
        json_format.Parse(as_json.body, response()),
    ):
        partial = answer.partial_success
        assert (getattr(partial, count), partial.error_message) == (2, "too large")
    sender.close()


@pytest.mark.parametrize("case", RESPONSES, ids=[*Signal])
def test_what_is_taken_whole_has_no_partial_success(
    serve_http: ServeHttp, serve_grpc: ServeGrpc, case: tuple[Signal, Response, str]
) -> None:
    signal, response, count = case
    sender = GrpcSender(serve_grpc())
    address = serve_http()
    assert sender.send(signal, request_of(signal, "x")) == b""
    assert post(address, f"/v1/{signal}", request_of(signal, "x")).body == b""
    assert post(address, f"/v1/{signal}", b"{}", "application/json").body == b"{}"
    sender.close()
    assert hasattr(response().partial_success, count)
