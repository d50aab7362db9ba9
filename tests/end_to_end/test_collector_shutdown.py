"""A collector that is told to end answers what is under way, refuses what is new, and stores what it acknowledged."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# grpc publishes no types.

import http.client
import itertools
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from tests.support.collectors import STOP_SECONDS, RunningCollector, StartCollector, wait_until
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import GrpcSender, post

from infersight_collector.signals import Signal

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
RETRYABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


class Load:
    """Senders that go on until the collector is gone, each over one connection, and what it acknowledged to them."""

    def __init__(self, collector: RunningCollector) -> None:
        self.acknowledged: set[str] = set()
        self.permanent: list[object] = []
        self._collector = collector
        sends = [self._send_grpc, self._send_http] * 2
        self._threads = [threading.Thread(target=send, args=(f"{number}",)) for number, send in enumerate(sends)]
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(STOP_SECONDS)
            assert not thread.is_alive()

    def _names(self, sender: str) -> Iterator[str]:
        # Until the process has ended: for a while it may refuse, and must not take what it does not store.
        for number in itertools.count():
            if self._collector.process.poll() is not None:
                return
            yield f"{sender}-{number}"

    def _send_grpc(self, sender: str) -> None:
        channel = GrpcSender(self._collector.grpc)
        for name in self._names(sender):
            try:
                channel.send(Signal.TRACES, spans_request(name))
                self.acknowledged.add(name)
            except grpc.RpcError as error:
                if error.code() not in RETRYABLE:
                    self.permanent.append(error)
        channel.close()

    def _send_http(self, sender: str) -> None:
        connection = http.client.HTTPConnection(self._collector.http, timeout=30)
        for name in self._names(sender):
            try:
                connection.request(
                    "POST", "/v1/traces", spans_request(name), {"content-type": "application/x-protobuf"}
                )
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                connection.close()  # and opened again by the next request
                continue
            if response.status == 200:
                self.acknowledged.add(name)
            elif response.status != 503:
                self.permanent.append(response.status)
        connection.close()


@pytest.mark.parametrize("attempt", range(3))
def test_under_load_every_acknowledged_record_is_stored(start_collector: StartCollector, attempt: int) -> None:
    collector = start_collector()
    load = Load(collector)
    wait_until(lambda: len(load.acknowledged) > 50 * (attempt + 1))
    assert collector.stop() == 0
    load.join()
    stored = [name for (name,) in collector.query("select name from spans")]
    assert len(stored) == len(set(stored))
    assert load.acknowledged <= set(stored)
    assert load.permanent == []


def test_a_request_whose_body_is_under_way_is_answered_and_stored(start_collector: StartCollector) -> None:
    collector = start_collector()
    request = spans_request("half of it before")
    connection = http.client.HTTPConnection(collector.http, timeout=30)
    connection.putrequest("POST", "/v1/traces")
    connection.putheader("content-type", "application/x-protobuf")
    connection.putheader("content-length", str(len(request)))
    connection.endheaders(request[:5])
    # Without an answer to this there would be no telling whether the request above had been begun.
    assert post(collector.http, "/v1/traces", b"").status == 200
    collector.process.terminate()
    wait_until(lambda: _is_closed(collector.http))
    connection.send(request[5:])
    assert connection.getresponse().status == 200
    connection.close()
    assert collector.process.wait(STOP_SECONDS) == 0
    assert collector.query("select name from spans") == [("half of it before",)]


def test_a_call_whose_message_is_under_way_is_answered_and_stored(start_collector: StartCollector) -> None:
    collector = start_collector()
    stopping = threading.Event()

    def message() -> Iterator[bytes]:
        stopping.wait(STOP_SECONDS)
        yield spans_request("sent at the end")

    channel: Any = grpc.insecure_channel(collector.grpc)
    # Declared as a stream, so that the client sends the head of the call before there is a message.
    call = channel.stream_unary(EXPORT).future(message(), timeout=30)
    sender = GrpcSender(collector.grpc)
    sender.send(Signal.TRACES, b"")
    sender.close()
    collector.process.terminate()
    wait_until(lambda: _is_closed(collector.grpc))
    stopping.set()
    assert call.result() == b""
    channel.close()
    assert collector.process.wait(STOP_SECONDS) == 0
    assert collector.query("select name from spans") == [("sent at the end",)]


def _is_closed(address: str) -> bool:
    try:
        connection = http.client.HTTPConnection(address, timeout=30)
        connection.connect()
    except OSError:
        return True
    connection.close()
    return False
