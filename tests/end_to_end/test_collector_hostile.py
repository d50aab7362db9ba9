"""Requests that are made to hurt: memory stays bounded, the collector goes on, nothing acknowledged is lost."""

# pyright: reportUnknownMemberType=false
# grpc publishes no types.

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import grpc
import pytest
from google.rpc.status_pb2 import Status
from tests.support.collectors import RunningCollector, StartCollector, wait_until
from tests.support.hostile_requests import ACCEPTED, MIB, REFUSED, deep_span, spans
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import GrpcSender, post

from infersight_collector.decode.walk import MAX_DEPTH
from infersight_collector.signals import Signal

IDLE_MEMORY = 1024 * MIB
"""What the collector may take while it refuses, with the libraries that it loads and the requests in its buffers."""

FULL_MEMORY = 1792 * MIB
"""What it may take with a segment as large as there is one: its rows, and a copy of them in the order of the store."""


def peak_memory(collector: RunningCollector) -> int:
    """The most memory that the process has had, in bytes."""
    status = Path(f"/proc/{collector.process.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def stored(collector: RunningCollector) -> int:
    return int(collector.query("select count(*) from spans")[0][0])


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_with_too_large_rows_is_refused_for_good(collector: RunningCollector, name: str) -> None:
    answer = post(collector.http, "/v1/traces", REFUSED[name]())
    message = Status.FromString(answer.body).message
    assert (answer.status, answer.headers.get("retry-after")) == (413, None)
    assert "the rows of the request would take" in message
    assert "send smaller batches" in message
    assert peak_memory(collector) < IDLE_MEMORY


def test_grpc_refuses_it_too_and_answers_the_next_request(collector: RunningCollector) -> None:
    sender = GrpcSender(collector.grpc)
    with pytest.raises(grpc.RpcError) as refused:
        sender.send(Signal.TRACES, REFUSED["1 MiB of resource and 1000 spans"]())
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    trailers: dict[str, bytes] = dict(cast("list[tuple[str, bytes]]", refused.value.trailing_metadata()))
    assert not Status.FromString(trailers["grpc-status-details-bin"]).details, "it would come again"
    assert sender.send(Signal.TRACES, spans_request("after it")) == b""
    sender.close()
    collector.wait_for("select count(*) from spans where name = 'after it'", 1)


def test_a_decompression_bomb_over_grpc_is_not_unpacked(collector: RunningCollector) -> None:
    sender = GrpcSender(collector.grpc)
    sender.send(Signal.TRACES, spans_request("before the bomb"))
    before = peak_memory(collector)
    with pytest.raises(grpc.RpcError) as refused:
        sender.send(Signal.TRACES, bytes(1024 * MIB), compress=True)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert peak_memory(collector) - before < 256 * MIB
    sender.close()


def test_nesting_beyond_the_limit_is_refused_and_harms_nobody(collector: RunningCollector) -> None:
    deep = spans(deep_span(MAX_DEPTH))
    answer = post(collector.http, "/v1/traces", deep)
    assert answer.status == 400
    assert "nested deeper" in Status.FromString(answer.body).message


def test_what_is_taken_is_stored_within_bounds_though_all_of_it_comes_at_once(start_collector: StartCollector) -> None:
    collector = start_collector()
    requests = [make() for make, _ in ACCEPTED.values()]

    def send(request: bytes) -> int:
        return post(collector.http, "/v1/traces", request).status

    with ThreadPoolExecutor(4) as senders:
        assert set(senders.map(send, requests)) == {200}
    expected = sum(count for _, count in ACCEPTED.values())
    assert wait_until(lambda: stored(collector) == expected, 120)
    assert post(collector.http, "/v1/traces", spans_request("after all")).status == 200
    collector.wait_for("select count(*) from spans where name = 'after all'", 1)
    assert peak_memory(collector) < FULL_MEMORY
    assert not (collector.store / "quarantine").exists()
    assert collector.stop() == 0


def test_very_many_tiny_requests_leave_memory_as_it_was(start_collector: StartCollector) -> None:
    collector = start_collector()
    senders = [GrpcSender(collector.grpc) for _ in range(8)]

    def send(sender: GrpcSender, count: int) -> None:
        for _ in range(count):
            sender.send(Signal.TRACES, spans_request("tiny"))

    def burst(count: int) -> None:
        with ThreadPoolExecutor(len(senders)) as threads:
            list(threads.map(send, senders, [count // len(senders)] * len(senders)))

    burst(400)
    before = peak_memory(collector)
    burst(4000)
    collector.wait_for("select count(*) from spans", 4400)
    assert peak_memory(collector) < before + 128 * MIB
    for sender in senders:
        sender.close()
