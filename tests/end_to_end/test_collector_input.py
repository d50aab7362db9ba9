"""What a real collector says to good, bad and hostile requests; a refused one never harms the next."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# grpc and pyarrow publish no types.

import gzip
import http.client
import json
import zlib
from collections.abc import Callable, Generator
from pathlib import Path

import grpc
import pyarrow as pa
import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.support.collectors import RunningCollector, wait_until
from tests.support.hostile_requests import REFUSED
from tests.support.otlp_requests import request_of, spans_request
from tests.support.otlp_senders import GrpcSender, post

from infersight_collector.signals import Signal

EXAMPLES = sorted((Path(__file__).parents[1] / "collector" / "decode" / "examples").glob("*.json"))
LIMIT = 16 * 2**20
BOMB = gzip.compress(bytes(2 * LIMIT))
MALFORMED = [
    pytest.param(b"\x0a\x05\x12", id="cut off"),
    pytest.param(b"\x00\x00", id="field number 0"),
    pytest.param(spans_request("x")[:-1], id="cut off in a span"),
    pytest.param(spans_request("name").replace(b"name", b"n\xff\xfee"), id="text that is not UTF-8"),
]


@pytest.fixture(scope="module")
def sender(collector: RunningCollector) -> Generator[GrpcSender]:
    sender = GrpcSender(collector.grpc)
    yield sender
    sender.close()


def wait_for_span(collector: RunningCollector, name: str) -> None:
    collector.wait_for(f"select count(*) from spans where name = '{name}'", 1)


def gzip_of_two_members(content: bytes) -> bytes:
    return gzip.compress(content[:7]) + gzip.compress(content[7:])


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


def deflate_without_header(content: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(content) + stream.flush()


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("identity", bytes),
        ("gzip", gzip.compress),
        ("gzip", gzip_of_two_members),
        ("zstd", zstd),
        ("deflate", zlib.compress),
        ("deflate", deflate_without_header),
    ],
    ids=["identity", "gzip", "gzip of two members", "zstd", "deflate", "deflate without header"],
)
def test_a_request_is_unpacked(
    collector: RunningCollector, request: pytest.FixtureRequest, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    name = request.node.name
    answer = post(collector.http, "/v1/traces", compress(spans_request(name)), content_encoding=encoding)
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"", "application/x-protobuf")
    wait_for_span(collector, name)


def test_a_json_request_is_answered_in_json(collector: RunningCollector) -> None:
    answer = post(collector.http, "/v1/logs", b'{"resourceLogs": []}', "application/json; charset=utf-8")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"{}", "application/json")


def test_the_published_example_messages_arrive(collector: RunningCollector) -> None:
    assert EXAMPLES
    before = sum(collector.query(f"select count(*) from {table}")[0][0] for table in ("spans", "logs", "metrics"))
    for example in EXAMPLES:
        text = example.read_bytes()
        signal = next(signal for signal in Signal if f"resource{_field(signal)}".encode() in text)
        assert post(collector.http, f"/v1/{signal}", text, "application/json").status == 200, example

    def arrived() -> bool:
        rows = sum(collector.query(f"select count(*) from {table}")[0][0] for table in ("spans", "logs", "metrics"))
        return bool(rows >= before + len(EXAMPLES))

    wait_until(arrived)
    wait_for_span(collector, "I''m a server span")
    assert collector.query("select trace_id from spans where name = 'I''m a server span'") == [
        ("5b8efff798038103d269b633813fc60c",)
    ]


def _field(signal: Signal) -> str:
    return {Signal.TRACES: "Spans", Signal.LOGS: "Logs", Signal.METRICS: "Metrics"}[signal]


@pytest.mark.parametrize("malformed", MALFORMED)
def test_malformed_protobuf_is_refused_with_the_reason_and_its_place(
    collector: RunningCollector, sender: GrpcSender, request: pytest.FixtureRequest, malformed: bytes
) -> None:
    answer = post(collector.http, "/v1/traces", malformed)
    status = Status.FromString(answer.body)
    assert (answer.status, status.code) == (400, grpc.StatusCode.INVALID_ARGUMENT.value[0])
    assert " at byte " in status.message
    with pytest.raises(grpc.RpcError) as refused:
        sender.send(Signal.TRACES, malformed)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.details() == status.message
    assert sender.send(Signal.TRACES, spans_request(request.node.name)) == b""
    wait_for_span(collector, request.node.name)


@pytest.mark.parametrize("malformed", [b"{", b"[]", b'{"resourceSpans": 3}', b"\xff", b""])
def test_malformed_json_is_refused_in_json(collector: RunningCollector, malformed: bytes) -> None:
    answer = post(collector.http, "/v1/traces", malformed, "application/json")
    status = json.loads(answer.body)
    assert (answer.status, status["code"]) == (400, 3)
    assert " at byte " in status["message"]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"no gzip"),
        ("gzip", gzip.compress(spans_request("x"), mtime=0)[:-9]),
        ("zstd", b"no zstd"),
        ("deflate", b"\xff"),
        ("deflate", zlib.compress(b"") + b"more"),
    ],
)
def test_a_damaged_compressed_body_is_refused(collector: RunningCollector, encoding: str, body: bytes) -> None:
    assert post(collector.http, "/v1/traces", body, content_encoding=encoding).status == 400


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (bytes(LIMIT + 1), {}),
        (BOMB, {"content_encoding": "gzip"}),
        (zstd(bytes(2 * LIMIT)), {"content_encoding": "zstd"}),
        (zlib.compress(bytes(2 * LIMIT)), {"content_encoding": "deflate"}),
    ],
    ids=["large body", "gzip bomb", "zstd bomb", "deflate bomb"],
)
def test_what_is_or_unpacks_to_more_than_the_limit_is_refused(
    collector: RunningCollector, body: bytes, headers: dict[str, str]
) -> None:
    answer = post(collector.http, "/v1/traces", body, **headers)
    assert answer.status == 413
    assert str(LIMIT) in Status.FromString(answer.body).message


@pytest.mark.parametrize("compress", [False, True])
def test_a_message_beyond_the_limit_is_refused_over_grpc(
    collector: RunningCollector, sender: GrpcSender, compress: bool
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        sender.send(Signal.TRACES, bytes(LIMIT + 1), compress=compress)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    sender.send(Signal.LOGS, request_of(Signal.LOGS, f"after large {compress}"))
    collector.wait_for(f"select count(*) from logs where event_name = 'after large {compress}'", 1)


@pytest.mark.parametrize(
    ("path", "content_type", "headers", "status"),
    [
        ("/v1/profiles", "application/x-protobuf", {}, 404),
        ("/", "application/json", {}, 404),
        ("/v1/traces", "text/plain", {}, 415),
        ("/v1/traces", "", {}, 415),
        ("/v1/traces", "application/json", {"content_encoding": "br"}, 415),
    ],
)
def test_what_is_no_otlp_is_told_so(
    collector: RunningCollector, path: str, content_type: str, headers: dict[str, str], status: int
) -> None:
    answer = post(collector.http, path, b"", content_type, **headers)
    assert answer.status == status
    assert json.loads(answer.body)["message"]


def test_get_is_answered_with_the_method_to_use(collector: RunningCollector) -> None:
    connection = http.client.HTTPConnection(collector.http, timeout=30)
    connection.request("GET", "/v1/traces")
    response = connection.getresponse()
    assert (response.status, response.getheader("allow")) == (405, "POST")
    connection.close()


def test_a_sender_that_leaves_in_the_middle_harms_nobody(collector: RunningCollector) -> None:
    connection = http.client.HTTPConnection(collector.http, timeout=30)
    connection.putrequest("POST", "/v1/traces")
    connection.putheader("content-type", "application/x-protobuf")
    connection.putheader("content-length", "1000")
    connection.endheaders(b"only this")
    connection.close()
    assert post(collector.http, "/v1/traces", spans_request("after a cut")).status == 200
    wait_for_span(collector, "after a cut")


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_resource_that_is_too_large_as_rows_does_not_cost_the_others_theirs(
    collector: RunningCollector, sender: GrpcSender, protocol: str
) -> None:
    name = f"beside a large one over {protocol}"
    request = REFUSED["1 MiB of resource and 1000 spans"]() + spans_request(name)
    body = sender.send(Signal.TRACES, request) if protocol == "grpc" else post_traces(collector, request)
    partial = ExportTraceServiceResponse.FromString(body).partial_success
    assert partial.rejected_spans == 1000
    assert "the largest resources" in partial.error_message
    wait_for_span(collector, name)
    assert metrics_page(collector)['infersight_collector_dropped_records_total{reason="too_large",signal="traces"}'] > 0


def post_traces(collector: RunningCollector, request: bytes) -> bytes:
    answer = post(collector.http, "/v1/traces", request)
    assert answer.status == 200
    return answer.body


def test_an_empty_request_is_accepted(collector: RunningCollector, sender: GrpcSender) -> None:
    assert sender.send(Signal.METRICS, b"") == b""
    assert post(collector.http, "/v1/metrics", b"").status == 200


def test_the_metrics_page_counts_what_was_accepted_and_refused(collector: RunningCollector) -> None:
    before = metrics_page(collector)
    post(collector.http, "/v1/metrics", request_of(Signal.METRICS, "counted"))
    post(collector.http, "/v1/metrics", b"\x00\x00")
    after = metrics_page(collector)
    for name in (
        'accepted_requests_total{signal="metrics"}',
        'accepted_records_total{signal="metrics"}',
        'refused_requests_total{reason="malformed",signal="metrics"}',
    ):
        full = f"infersight_collector_{name}"
        assert after[full] == before.get(full, 0) + 1


def metrics_page(collector: RunningCollector) -> dict[str, float]:
    connection = http.client.HTTPConnection(collector.health, timeout=30)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}
