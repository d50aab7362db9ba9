"""Senders over gRPC that take their time or go away: their connections end, and the others are served."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# grpc publishes no types.

import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
from tests.support.collectors import wait_until
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import GrpcSender
from tests.support.servers import RecordingSink, ServeGrpc

from infersight_collector.config.values import Count, Duration
from infersight_collector.receivers import otlp_grpc
from infersight_collector.receivers.otlp_config import Keepalive, ServerParameters
from infersight_collector.receivers.token import BearerTokens
from infersight_collector.signals import Signal

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
EMPTY_SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
MAX_CONCURRENT_STREAMS = 3  # its number among the settings of RFC 9113
MORE_THAN_ARE_READ = 80  # at a time, and less than streams of one connection
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@contextmanager
def connected(address: str) -> Generator[socket.socket]:
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        yield connection


def read_to_the_end(connection: socket.socket) -> float:
    """Returns when the server has closed the connection: after how many seconds."""
    began = time.monotonic()
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - began


def test_a_connection_that_never_begins_is_closed_in_time(
    serve_grpc: ServeGrpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_grpc, "_HANDSHAKE_TIMEOUT_S", 1)
    with connected(serve_grpc()) as connection:
        assert read_to_the_end(connection) < 10


def test_a_sender_that_gives_no_sign_of_life_is_cut_off(serve_grpc: ServeGrpc) -> None:
    parameters = ServerParameters(time=Duration(1), timeout=Duration(1))
    with connected(serve_grpc(keepalive=Keepalive(parameters))) as connection:
        connection.sendall(PREFACE + EMPTY_SETTINGS)
        assert read_to_the_end(connection) < 10


@pytest.mark.parametrize("parameter", ["max_connection_idle", "max_connection_age"])
def test_connections_end_when_they_are_idle_or_old(serve_grpc: ServeGrpc, parameter: str) -> None:
    limits: dict[str, Any] = {parameter: Duration(1), "max_connection_age_grace": Duration(1)}
    address = serve_grpc(keepalive=Keepalive(ServerParameters(**limits)))
    with connected(address) as connection:
        connection.sendall(PREFACE + EMPTY_SETTINGS)
        assert read_to_the_end(connection) < 15
    sender = GrpcSender(address)
    assert sender.send(Signal.TRACES, spans_request("x")) == b""
    sender.close()


def test_senders_are_told_how_many_requests_they_may_have_under_way(serve_grpc: ServeGrpc) -> None:
    with connected(serve_grpc(max_concurrent_streams=Count(7))) as connection:
        connection.sendall(PREFACE + EMPTY_SETTINGS)
        stream = connection.makefile("rb")
        length, kind = int.from_bytes(stream.read(3), "big"), stream.read(6)[0]
        settings = stream.read(length)
    assert kind == 4
    pairs = [settings[start : start + 6] for start in range(0, length, 6)]
    told = {int.from_bytes(pair[:2], "big"): int.from_bytes(pair[2:], "big") for pair in pairs}
    assert told[MAX_CONCURRENT_STREAMS] == 7


def test_senders_that_stall_in_a_call_give_their_places_back(
    serve_grpc: ServeGrpc, sink: RecordingSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp_grpc, "_READ_TIMEOUT_S", 1.0)
    address = serve_grpc()
    never = threading.Event()

    def nothing() -> Iterator[bytes]:
        never.wait(60)
        yield b""

    channel: Any = grpc.insecure_channel(address)
    calls = [channel.stream_unary(EXPORT).future(nothing(), timeout=30) for _ in range(MORE_THAN_ARE_READ)]
    sender = GrpcSender(address)
    assert sender.send(Signal.TRACES, spans_request("x")) == b""
    sender.close()
    for call in calls:
        assert call.exception().code() is grpc.StatusCode.UNAVAILABLE
    never.set()
    channel.close()
    wait_until(lambda: sink.refusals == ["incomplete"] * MORE_THAN_ARE_READ)


def test_a_call_that_ends_without_a_message_is_refused(serve_grpc: ServeGrpc, sink: RecordingSink) -> None:
    channel: Any = grpc.insecure_channel(serve_grpc())
    with pytest.raises(grpc.RpcError) as refused:
        channel.stream_unary(EXPORT)(iter(()), timeout=30)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    channel.close()
    assert sink.refusals == ["incomplete"]


def test_whoever_has_no_token_is_refused_before_sending_and_keeps_no_place(
    serve_grpc: ServeGrpc, sink: RecordingSink
) -> None:
    address = serve_grpc(BearerTokens(["right"]))
    never = threading.Event()

    def nothing() -> Iterator[bytes]:
        never.wait(60)
        yield b""

    channel: Any = grpc.insecure_channel(address)
    # Declared as streams, so that the client sends the head of the call and then nothing.
    calls = [channel.stream_unary(EXPORT).future(nothing(), timeout=30) for _ in range(MORE_THAN_ARE_READ)]
    for call in calls:
        assert call.exception().code() is grpc.StatusCode.UNAUTHENTICATED
    sender = GrpcSender(address)
    assert sender.send(Signal.TRACES, spans_request("x"), token="right") == b""
    sender.close()
    never.set()
    channel.close()
    assert sink.refusals == ["unauthorized"] * MORE_THAN_ARE_READ
