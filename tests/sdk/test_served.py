"""Real uvicorn processes, real OTLP: what a request leaves behind, in every worker, until the last moment."""

import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Row, Serve

from tests.sdk.conftest import free_port, served_by

HEALTH_EXCLUDED = {"OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "health", "OTEL_METRIC_EXPORT_INTERVAL": "200"}


def traceparent(number: int) -> dict[str, str]:
    """Headers of a request whose trace id is known before it is sent."""
    return {"traceparent": f"00-{number:032x}-{number:016x}-01"}


def of_trace(rows: "list[Row]", number: int) -> "list[Row]":
    return [row for row in rows if row.trace_id == f"{number:032x}"]


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_one_trace_id_is_on_spans_logs_and_exemplars_of_both_workers(
    receiver: "Receiver", serve: "Serve", protocol: str
) -> None:
    endpoint = receiver.grpc_endpoint if protocol == "grpc" else receiver.http_endpoint
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}
    answered: dict[int, int] = {}
    with serve(workers=2, **exporting, **HEALTH_EXCLUDED) as server:
        for number in range(1, 500):
            status, body = server.get("/double", traceparent(number))
            assert status == 200
            answered[number] = json.loads(body)
            if number >= 20 and len(set(answered.values())) == 2:
                break
        server.stop()

    assert len(set(answered.values())) == 2
    for number, pid in answered.items():
        spans = {span.name: span for span in of_trace(receiver.spans, number)}
        assert sorted(spans) == ["GET /double", "inference doubler", "preprocess"]
        root = spans["GET /double"]
        assert [spans[name].record.parent_span_id.hex() for name in ("preprocess", "inference doubler")] == [
            root.span_id,
            root.span_id,
        ]
        assert root.resource["process.pid"] == pid
        records = [log for log in of_trace(receiver.logs, number) if log.attributes.get("items") == 3]
        assert [(log.span_id, log.record.body.string_value) for log in records] == [(root.span_id, "doubled")]
    inference_exemplars = [row for row in receiver.exemplars if row.name == "infersight.inference.duration"]
    spans_by_id = {span.span_id: span for span in receiver.spans}
    instances = {row.resource["service.instance.id"] for row in inference_exemplars}
    assert len(instances) == 2
    for exemplar in inference_exemplars:
        span = spans_by_id[exemplar.span_id]
        assert (span.trace_id, span.name) == (exemplar.trace_id, "inference doubler")
        assert span.resource["service.instance.id"] == exemplar.resource["service.instance.id"]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_requests_of_one_connection_are_traces_of_their_own_also_after_a_large_body(
    receiver: "Receiver", serve: "Serve", loop: str
) -> None:
    sizes = [10, 2_000_000, 10, 3_000_000, 10]
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint, "UVICORN_LOOP": loop}
    with serve(**exporting, **HEALTH_EXCLUDED) as server:
        connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"))
        for number, size in enumerate(sizes, start=1):
            connection.request("POST", "/size", b"x" * size, traceparent(number))
            assert connection.getresponse().read() == str(size).encode()
        connection.request("POST", "/size", b"x")
        connection.getresponse().read()
        connection.close()
        server.stop()
    spans = [span for span in receiver.spans if span.name == "POST /size"]
    assert {span.record.kind for span in spans} == {Span.SPAN_KIND_SERVER}
    assert [len(of_trace(spans, number)) for number in range(1, len(sizes) + 1)] == [1] * len(sizes)
    assert len(spans) == len(sizes) + 1
    assert sum(not span.record.parent_span_id for span in spans) == 1


def test_the_resource_says_which_service_version_and_process(receiver: "Receiver", serve: "Serve") -> None:
    with serve(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint, OTEL_RESOURCE_ATTRIBUTES="team=search") as server:
        server.get("/double")
        server.stop()
    resource = receiver.spans[0].resource
    assert (resource["service.name"], resource["service.version"], resource["team"]) == ("served", "1.2.3", "search")
    assert resource["process.pid"] == server.process.pid
    assert {"infersight.inference.duration", "infersight.inference.active", "infersight.event_loop.lag"} <= (
        receiver.metric_names
    )


def test_the_log_record_of_an_exception_that_left_the_application_belongs_to_its_request(
    receiver: "Receiver", serve: "Serve"
) -> None:
    with serve(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint, **HEALTH_EXCLUDED) as server:
        assert server.get("/fail", traceparent(7) | {"x-request-id": "order-7"})[0] == 500
        server.stop()
    (span,) = of_trace(receiver.spans, 7)
    logged = [row for row in receiver.logs if "Exception in ASGI application" in row.record.body.string_value]
    assert [(row.trace_id, row.span_id) for row in logged] == [(span.trace_id, span.span_id)]
    assert logged[0].attributes["exception.type"] == "LookupError"
    assert logged[0].attributes["exception.message"] == "no such row"
    assert "in fail" in logged[0].attributes["exception.stacktrace"]
    (access,) = [row for row in of_trace(receiver.logs, 7) if '"GET /fail' in row.record.body.string_value]
    assert [row.attributes["infersight.request.id"] for row in (*logged, access)] == ["order-7"] * 2


def test_a_blocked_event_loop_names_the_request_and_function_that_blocked_it_and_marks_its_victims(
    receiver: "Receiver", serve: "Serve"
) -> None:
    with serve(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint, **HEALTH_EXCLUDED) as server:
        with ThreadPoolExecutor(1) as pool:
            victim = pool.submit(server.get, "/wait", traceparent(1))
            deadline = time.monotonic() + 10
            while server.get("/in-flight") != (200, b"2"):
                assert time.monotonic() < deadline
            server.get("/block", traceparent(2) | {"x-request-id": "order-17"})
            assert victim.result()[0] == 200
        server.stop()

    (event,) = [row for row in receiver.logs if row.name == "infersight.event_loop.blocked"]
    assert event.record.severity_text == "WARN"
    assert event.trace_id == f"{2:032x}"
    assert event.attributes["code.function.name"] == "stall"
    assert event.attributes["code.file.path"].endswith("served_application.py")
    assert "in stall" in event.attributes["code.stacktrace"]
    assert event.attributes["infersight.event_loop.lag"] > 0.3
    (waiting,) = of_trace(receiver.spans, 1)
    (blocking,) = of_trace(receiver.spans, 2)
    assert waiting.attributes["infersight.event_loop.lag"] > 0.3
    assert blocking.attributes["infersight.event_loop.lag"] > 0.3
    assert blocking.attributes["infersight.requests.in_flight"] == 2
    assert blocking.attributes["infersight.request.id"] == "order-17"


def test_access_log_records_reach_otlp_though_uvicorn_keeps_them_to_itself(
    receiver: "Receiver", serve: "Serve"
) -> None:
    with serve(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint, **HEALTH_EXCLUDED) as server:
        server.get("/double", traceparent(3))
        server.stop()
    access = [row for row in of_trace(receiver.logs, 3) if "GET /double" in row.record.body.string_value]
    assert len(access) == 1


def test_an_access_log_that_is_switched_off_stays_off(receiver: "Receiver", tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "served_application:app", "--app-dir", str(Path(__file__).parent)]
    command += ["--port", str(port), "--no-access-log"]
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint}
    with served_by(command, port, tmp_path / "server.log", exporting) as server:
        server.get("/double", traceparent(3))
        server.stop()
    assert [row.record.body.string_value for row in of_trace(receiver.logs, 3)] == ["doubled"]


def test_a_server_without_a_collector_serves_and_stops_in_time(serve: "Serve") -> None:
    with serve(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9") as server:
        assert server.get("/double")[0] == 200
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 15  # 3 s for what is waiting, and a slow machine
    assert "Traceback" not in server.output.read_text()


def test_a_disabled_sdk_leaves_the_server_as_it_is(receiver: "Receiver", serve: "Serve") -> None:
    exporting = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint}
    with serve(**exporting, OTEL_SDK_DISABLED="true") as server:
        assert server.get("/double")[0] == 200
        server.stop()
    assert (receiver.spans, receiver.logs, receiver.metric_names) == ([], [], set())
