"""The exporters otlp and otlphttp against receivers that answer as they like."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.support.collectors import wait_until
from tests.support.otlp_receivers import GrpcAnswer, GrpcReceiver, HttpAnswer, HttpReceiver, retry_info
from tests.support.otlp_requests import request_of, spans_request

from infersight_collector.component import Batch, Surroundings
from infersight_collector.config.values import Duration
from infersight_collector.decode import decode
from infersight_collector.exporters.otlp import OtlpExporter, OtlpExporterConfig, OtlpHttpExporterConfig, QueueConfig
from infersight_collector.exporters.sender import RetryConfig
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.store.wal import Origin
from infersight_collector.telemetry import Telemetry

Config = OtlpExporterConfig | OtlpHttpExporterConfig
Receiver = HttpReceiver | GrpcReceiver

SOON = RetryConfig(initial_interval=Duration(0.02), max_interval=Duration(0.05))
PLAIN = {"content-type": "application/x-protobuf"}


@dataclass
class Protocol:
    """How a receiver is made, how one sends to it, and how it says what over this protocol."""

    receiver: Callable[[], Receiver]
    config: Callable[[Any], Config]
    away: Any
    later: Any
    refusal: Any
    partial: Callable[[bytes], Any]


PROTOCOLS = {
    "http": Protocol(
        HttpReceiver,
        lambda receiver: OtlpHttpExporterConfig(receiver.url, retry_on_failure=SOON),
        away=HttpAnswer(503),
        later=HttpAnswer(503, {"retry-after": "1"}),
        refusal=HttpAnswer(400, PLAIN, Status(code=3, message="no such\ntenant").SerializeToString()),
        partial=lambda body: HttpAnswer(200, PLAIN, body),
    ),
    "grpc": Protocol(
        GrpcReceiver,
        lambda receiver: OtlpExporterConfig(receiver.url, retry_on_failure=SOON),
        away=GrpcAnswer("UNAVAILABLE"),
        later=GrpcAnswer("UNAVAILABLE", details=retry_info(1)),
        refusal=GrpcAnswer("INVALID_ARGUMENT", "no such\ntenant"),
        partial=lambda body: GrpcAnswer(response=body),
    ),
}


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    return PROTOCOLS[request.param]


@pytest.fixture
def receiver(protocol: Protocol) -> Generator[Receiver]:
    with protocol.receiver() as receiver:
        yield receiver


class Exporting:
    """A running exporter and its metrics."""

    def __init__(self, config: Config, directory: Path) -> None:
        self.telemetry = Telemetry()
        self.exporter = OtlpExporter(config, Surroundings(directory, self.telemetry))
        self._number = 0
        self.exporter.start()

    def export(self, *requests: tuple[Signal, bytes], origin: Origin | None = None, untouched: bool = True) -> None:
        self._number += 1
        self.exporter.begin()
        for signal, request in requests:
            self.exporter.consume(Batch(signal, decode(signal, request), [request] if untouched else []))
        self.exporter.commit(origin or Origin("w", self._number))

    def metric(self, name: str) -> float:
        page = self.telemetry.render().splitlines()
        values = [line.rsplit(" ", 1)[1] for line in page if line.startswith(f"infersight_collector_exporter_{name}{{")]
        return float(values[0]) if values else 0.0


@contextmanager
def exporting(config: Config, directory: Path) -> Generator[Exporting]:
    running = Exporting(config, directory / "otlp")
    with ExitStack() as stack:
        stack.callback(running.exporter.stop)
        yield running


def test_requests_go_on_as_they_came_and_are_counted(protocol: Protocol, receiver: Receiver, tmp_path: Path) -> None:
    sent = [(signal, request_of(signal, f"{signal}")) for signal in Signal]
    with exporting(protocol.config(receiver), tmp_path) as running:
        running.export(*sent)
        wait_until(lambda: len(receiver.taken) == 3)
        assert sorted(receiver.taken) == sorted(sent)
        wait_until(lambda: running.metric("queue_size_bytes") == 0)
        assert running.metric("sent_requests_total") == 3
        assert running.metric("sent_bytes_total") == sum(len(request) for _, request in sent)
        assert running.metric("failed_sends_total") == 0


def test_rows_that_a_processor_has_changed_are_encoded_anew(
    protocol: Protocol, receiver: Receiver, tmp_path: Path
) -> None:
    request = spans_request("a", "b")
    with exporting(protocol.config(receiver), tmp_path) as running:
        running.export((Signal.TRACES, request), untouched=False)
        wait_until(lambda: receiver.taken)
    ((signal, arrived),) = receiver.taken
    assert decode(signal, arrived)["spans"].equals(decode(Signal.TRACES, request)["spans"])


def test_a_receiver_that_is_away_gets_everything_in_order_when_it_is_back(
    protocol: Protocol, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.answers.extend([protocol.away] * 4)
    with exporting(protocol.config(receiver), tmp_path) as running:
        names = ["a", "b", "c"]
        for name in names:
            running.export((Signal.TRACES, spans_request(name)))
        wait_until(lambda: len(receiver.taken) == 3)
        assert [request for _, request in receiver.taken] == [spans_request(name) for name in names]
        wait_until(lambda: running.metric("sent_requests_total") == 3)
        assert running.metric("failed_sends_total") == 4


def test_a_receiver_that_says_when_is_asked_then(protocol: Protocol, receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers.append(protocol.later)
    with exporting(protocol.config(receiver), tmp_path) as running:
        running.export((Signal.TRACES, spans_request("a")))
        wait_until(lambda: receiver.taken)
    first, second = receiver.attempts
    assert second.time - first.time >= 1.0


def test_what_is_refused_for_good_is_set_aside_and_the_rest_goes_on(
    protocol: Protocol, receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers.append(protocol.refusal)
    with exporting(protocol.config(receiver), tmp_path) as running:
        running.export((Signal.TRACES, spans_request("bad")))
        running.export((Signal.TRACES, spans_request("good")))
        wait_until(lambda: receiver.taken)
        assert running.metric("set_aside_requests_total") == 1
    assert receiver.taken == [(Signal.TRACES, spans_request("good"))]
    (kept,) = (tmp_path / "otlp" / "refused").iterdir()
    assert kept.read_bytes() == spans_request("bad")
    assert f"set aside as {kept}" in caplog.text
    assert "no such tenant" in caplog.text  # in one line


def test_a_partial_success_is_logged_and_counted(
    protocol: Protocol, receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    traces, logs = ExportTraceServiceResponse(), ExportLogsServiceResponse()
    traces.partial_success.rejected_spans = 2
    traces.partial_success.error_message = "too old"
    logs.partial_success.rejected_log_records = 3
    receiver.answers.extend(protocol.partial(response.SerializeToString()) for response in (traces, logs))
    with exporting(protocol.config(receiver), tmp_path) as running:
        running.export((Signal.TRACES, spans_request("a")))
        running.export((Signal.LOGS, request_of(Signal.LOGS, "b")))
        wait_until(lambda: running.metric("rejected_records_total") == 5)
        assert running.metric("sent_requests_total") == 2
    assert "rejected 2 records in it: too old" in caplog.text


def test_the_next_start_sends_what_waited_and_nothing_twice(
    protocol: Protocol, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.answers.append(protocol.away)
    slow = replace(protocol.config(receiver), retry_on_failure=RetryConfig(initial_interval=Duration(600)))
    with exporting(slow, tmp_path) as running:
        running.export((Signal.TRACES, spans_request("waits")), origin=Origin("w", 1))
        wait_until(lambda: receiver.attempts)
    assert receiver.taken == []
    with exporting(protocol.config(receiver), tmp_path) as running:
        wait_until(lambda: receiver.taken)
        running.export((Signal.TRACES, spans_request("waits")), origin=Origin("w", 1))
        running.export((Signal.TRACES, spans_request("new")), origin=Origin("w", 2))
        wait_until(lambda: len(receiver.taken) == 2)
    assert [request for _, request in receiver.taken] == [spans_request("waits"), spans_request("new")]


def test_at_the_end_what_can_be_sent_at_once_is_sent(protocol: Protocol, receiver: Receiver, tmp_path: Path) -> None:
    with exporting(protocol.config(receiver), tmp_path) as running:
        for number in range(20):
            running.export((Signal.TRACES, spans_request(str(number))))
    assert len(receiver.taken) == 20


def test_without_retries_a_failure_sets_aside(protocol: Protocol, receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers.append(protocol.away)
    config = replace(protocol.config(receiver), retry_on_failure=RetryConfig(enabled=False))
    with exporting(config, tmp_path) as running:
        running.export((Signal.TRACES, spans_request("a")))
        running.export((Signal.TRACES, spans_request("b")))
        wait_until(lambda: receiver.taken)
        assert running.metric("set_aside_requests_total") == 1
    assert receiver.taken == [(Signal.TRACES, spans_request("b"))]


def test_a_request_is_given_up_after_the_longest_time(protocol: Protocol, receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers.extend([protocol.away] * 1_000)
    retry = replace(SOON, max_elapsed_time=Duration(0.2))
    with exporting(replace(protocol.config(receiver), retry_on_failure=retry), tmp_path) as running:
        running.export((Signal.TRACES, spans_request("a")))
        wait_until(lambda: running.metric("set_aside_requests_total") == 1)
        assert receiver.attempts[-1].time - receiver.attempts[0].time >= 0.1


def test_a_full_queue_refuses_a_segment_and_takes_it_later(
    protocol: Protocol, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.answers.append(protocol.later)
    config = replace(protocol.config(receiver), sending_queue=QueueConfig(100))
    with exporting(config, tmp_path) as running:
        running.export((Signal.TRACES, spans_request("a")))
        with pytest.raises(StoreUnavailable, match="the receiver is away or too slow"):
            running.export((Signal.TRACES, spans_request("b")), origin=Origin("w", 2))
        wait_until(lambda: running.metric("queue_size_bytes") == 0)
        running.export((Signal.TRACES, spans_request("b")), origin=Origin("w", 2))
        wait_until(lambda: len(receiver.taken) == 2)


def test_requests_of_a_segment_are_joined_up_to_their_size(
    receiver: Receiver, protocol: Protocol, tmp_path: Path
) -> None:
    requests = [spans_request("x" * 1_000_000) for _ in range(10)]
    with exporting(protocol.config(receiver), tmp_path) as running:
        running.exporter.begin()
        running.exporter.consume(Batch(Signal.TRACES, {}, requests))
        running.exporter.commit(Origin("w", 1))
        wait_until(lambda: len(receiver.taken) == 3)
    assert b"".join(request for _, request in receiver.taken) == b"".join(requests)


def test_headers_go_along(protocol: Protocol, receiver: Receiver, tmp_path: Path) -> None:
    config = replace(protocol.config(receiver), headers={"Authorization": "Bearer secret", "x-tenant": "t"})
    with exporting(config, tmp_path) as running:
        running.export((Signal.TRACES, spans_request("a")))
        wait_until(lambda: receiver.taken)
    headers = receiver.attempts[0].headers
    assert (headers["authorization"], headers["x-tenant"]) == ("Bearer secret", "t")
    assert "secret" not in repr(config)


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_bodies_are_compressed_as_configured(compression: Any, tmp_path: Path) -> None:
    with HttpReceiver() as receiver:
        config = OtlpHttpExporterConfig(f"{receiver.url}/", compression=compression)
        with exporting(config, tmp_path) as running:
            running.export((Signal.TRACES, spans_request("a" * 1_000)))
            wait_until(lambda: receiver.taken)
        headers = receiver.attempts[0].headers
    assert headers.get("content-encoding", "none") == compression
    assert (int(headers["content-length"]) < 500) == (compression != "none")
    assert receiver.taken == [(Signal.TRACES, spans_request("a" * 1_000))]


def test_a_slow_receiver_is_waited_for_no_longer_than_the_timeout(tmp_path: Path) -> None:
    with HttpReceiver() as receiver:
        receiver.answers.append(HttpAnswer(503, delay_s=2))
        config = OtlpHttpExporterConfig(receiver.url, timeout=Duration(0.2), retry_on_failure=SOON)
        with exporting(config, tmp_path) as running:
            running.export((Signal.TRACES, spans_request("a")))
            wait_until(lambda: receiver.taken, seconds=1.5)
