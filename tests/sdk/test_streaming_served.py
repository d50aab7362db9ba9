"""Token streams and batches of a real server, with clients that stay, that leave, and many at once."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Row, Serve, Served

DEADLINE_SECONDS = 20
REQUESTS = 200


def wait_for(receiver: "Receiver", name: str, path: str) -> "Row":
    """The span of this name in the trace of a request for this path, when both have arrived."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        traces = {span.trace_id for span in receiver.spans if span.attributes.get("url.path") == path}
        for span in receiver.spans:
            if span.name == name and span.trace_id in traces:
                return span
        time.sleep(0.05)
    arrived = {(span.attributes.get("url.path"), span.name) for span in receiver.spans}
    raise AssertionError(f"no span {name!r} of {path} among {arrived}")


def read_a_little_and_leave(served: "Served", path: str) -> None:
    """Ask for a stream, read until its fourth token and close the connection."""
    url = urlsplit(served.base_url)
    with socket.create_connection((url.hostname, url.port or 80), DEADLINE_SECONDS) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\n\r\n".encode())
        read = b""
        while b"3 " not in read.partition(b"\r\n\r\n")[2]:
            read += connection.recv(4096)


def test_a_stream_is_one_generation_under_its_request_until_its_end_or_its_clients(
    receiver: "Receiver", serve: "Serve"
) -> None:
    with serve(module="streaming_application", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint) as served:
        for kind in ("/generate", "/generate-sync"):
            assert served.get(f"{kind}/5") == (200, b"0 1 2 3 4 ")
            read_a_little_and_leave(served, f"{kind}/1000000")
            wait_for(receiver, f"GET {kind}/{{count}}", f"{kind}/1000000")
            served.get("/collect")
            whole = wait_for(receiver, "text_completion tiny", f"{kind}/5")
            cut = wait_for(receiver, "text_completion tiny", f"{kind}/1000000")
            by_id = {span.span_id: span for span in receiver.spans}
            assert by_id[whole.record.parent_span_id.hex()].name == f"GET {kind}/{{count}}"
            assert whole.attributes["gen_ai.usage.output_tokens"] == 5
            for seconds in ("gen_ai.response.time_to_first_chunk", "infersight.generation.token.duration"):
                assert 0 < whole.attributes[seconds] < DEADLINE_SECONDS
            steps = [span for span in receiver.spans if span.name == "decode" and span.trace_id == whole.trace_id]
            assert [span.record.parent_span_id.hex() for span in steps] == [whole.span_id] * 5
            assert cut.attributes["error.type"] in {"GeneratorExit", "asyncio.exceptions.CancelledError"}
            assert 3 < cut.attributes["gen_ai.usage.output_tokens"] < 1_000_000
        served.stop()
        assert "Failed to detach" not in served.output.read_text()
    assert {"gen_ai.server.time_to_first_token", "gen_ai.client.token.usage"} <= receiver.metric_names


def test_concurrent_requests_share_batches_and_mix_up_nothing(receiver: "Receiver", serve: "Serve") -> None:
    with (
        serve(module="streaming_application", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.grpc_endpoint) as served,
        ThreadPoolExecutor(16) as clients,
    ):
        answers = list(clients.map(served.get, [f"/identity/{number}" for number in range(REQUESTS)]))
        assert answers == [(200, str(number).encode()) for number in range(REQUESTS)]
        served.stop()
    spans = receiver.spans
    requests = {span.span_id for span in spans if span.name == "GET /identity/{number}"}
    batches = {span.span_id: span for span in spans if span.name == "batch identity"}
    queues = [span for span in spans if span.name == "queue"]
    assert len(requests) == len(queues) == REQUESTS
    served_ids = [link.span_id.hex() for batch in batches.values() for link in batch.record.links]
    assert sorted(served_ids) == sorted(requests)
    for queue in queues:
        (batch_link,) = queue.record.links
        links = {link.span_id for link in batches[batch_link.span_id.hex()].record.links}
        assert queue.record.parent_span_id in links
    forwards = [span for span in spans if span.name == "forward identity"]
    assert {span.record.parent_span_id.hex() for span in forwards} == set(batches)
    for span in forwards:
        batch = batches[span.record.parent_span_id.hex()]
        assert span.trace_id == batch.trace_id
        assert span.attributes["infersight.batch.size"] == batch.attributes["infersight.batch.size"]
