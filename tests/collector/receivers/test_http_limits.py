"""Senders over HTTP that take their time, or never come to the point: they are cut off, and the others are served."""

import socket
import time
from contextlib import ExitStack
from http import HTTPStatus

import pytest
from google.rpc.status_pb2 import Status
from tests.support.collectors import wait_until
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import post
from tests.support.raw_http import HEAD, connected, read_to_the_end
from tests.support.servers import RecordingSink, ServeHttp

from infersight_collector.config.values import Duration
from infersight_collector.receivers.otlp_config import HttpConfig

LONG = Duration(60)
SHORT = Duration(0.3)
REQUEST = spans_request("x")


def send_until_refused(connection: socket.socket, piece: bytes, most: int) -> int:
    """Sends pieces until the server has closed the connection; the bytes that it took."""
    sent = 0
    try:
        while sent < most:
            connection.sendall(piece)
            sent += len(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent


def assert_serves(address: str) -> None:
    assert post(address, "/v1/traces", REQUEST).status == HTTPStatus.OK


@pytest.mark.parametrize("start", [b"", b"POST /v1", b"\r\n", HEAD + b"x: "])
def test_a_connection_without_a_whole_head_is_closed_in_time(serve_http: ServeHttp, start: bytes) -> None:
    address = serve_http(HttpConfig(read_header_timeout=SHORT, read_timeout=LONG, idle_timeout=LONG))
    with connected(address) as connection:
        began = time.monotonic()
        connection.sendall(start)
        assert read_to_the_end(connection) == b""
        assert time.monotonic() - began >= SHORT * 0.9
    assert_serves(address)


def test_a_head_that_trickles_in_is_cut_off(serve_http: ServeHttp) -> None:
    address = serve_http(HttpConfig(read_header_timeout=SHORT, read_timeout=LONG, idle_timeout=LONG))
    with connected(address) as connection:
        connection.settimeout(0.05)
        began = time.monotonic()

        def closed() -> bool:
            try:
                connection.sendall(b"P")
                return connection.recv(1) == b""
            except TimeoutError:
                return False
            except OSError:
                return True

        connection.sendall(b"POST /")
        wait_until(closed)
        assert time.monotonic() - began < 10


def test_an_idle_connection_is_closed_and_one_in_use_is_not(serve_http: ServeHttp) -> None:
    address = serve_http(HttpConfig(read_header_timeout=LONG, read_timeout=LONG, idle_timeout=SHORT))
    with connected(address) as connection:
        whole = HEAD + b"content-length: %d\r\n\r\n" % len(REQUEST) + REQUEST
        for _ in range(2):
            connection.sendall(whole)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert read_to_the_end(connection) == b""


def test_a_line_end_behind_a_request_does_not_keep_the_connection(serve_http: ServeHttp) -> None:
    address = serve_http(HttpConfig(read_header_timeout=SHORT, read_timeout=LONG, idle_timeout=LONG))
    with connected(address) as connection:
        connection.sendall(HEAD + b"content-length: %d\r\n\r\n" % len(REQUEST) + REQUEST)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"\r\n")
        assert read_to_the_end(connection) == b""


def test_a_body_that_does_not_come_is_to_be_sent_again(serve_http: ServeHttp, sink: RecordingSink) -> None:
    address = serve_http(HttpConfig(read_header_timeout=SHORT, read_timeout=SHORT, idle_timeout=SHORT))
    with connected(address) as connection:
        connection.sendall(HEAD + b"content-length: 1000\r\n\r\nonly this")
        head, _, body = read_to_the_end(connection).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5" in head
        assert "did not arrive within 0.3 s" in Status.FromString(body).message
    assert sink.refusals == ["incomplete"]


def test_hundreds_of_slow_senders_do_not_stop_another_one(serve_http: ServeHttp) -> None:
    address = serve_http(HttpConfig(read_header_timeout=LONG, read_timeout=LONG))
    with ExitStack() as slow:
        for number in range(400):
            connection = slow.enter_context(connected(address))
            connection.sendall(HEAD + b"content-length: 1000\r\n\r\nonly this" if number % 2 else b"POST /")
        assert_serves(address)


def test_connections_beyond_the_limit_are_closed_at_once(serve_http: ServeHttp) -> None:
    address = serve_http(HttpConfig(read_header_timeout=LONG), max_connections=3)
    with ExitStack() as few:
        for _ in range(3):
            few.enter_context(connected(address)).sendall(b"POST /")
        with connected(address) as further:
            assert read_to_the_end(further) == b""
    wait_until(lambda: _is_served(address))


def _is_served(address: str) -> bool:
    try:
        return post(address, "/v1/traces", REQUEST).status == HTTPStatus.OK
    except OSError:
        return False


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (HEAD, b"x: " + b"y" * 1000 + b"\r\n"),
        (HEAD + b"x: ", b"y" * 1000),
        (b"POST /", b"y" * 1000),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 100),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\n", b"x: " + b"y" * 1000 + b"\r\n"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n0\r\nx: ", b"y" * 1000),
    ],
    ids=["headers", "one header", "path", "tiny chunks", "trailers", "one trailer"],
)
def test_what_has_no_end_beside_the_body_is_cut_off(serve_http: ServeHttp, start: bytes, piece: bytes) -> None:
    address = serve_http(HttpConfig(read_header_timeout=LONG, read_timeout=LONG))
    with connected(address) as connection:
        connection.sendall(start)
        # Far more than the limit fits the buffers between the two.
        assert send_until_refused(connection, piece, 200 * 2**20) < 200 * 2**20
    assert_serves(address)


def test_a_large_body_in_chunks_of_the_usual_sizes_is_taken(serve_http: ServeHttp, sink: RecordingSink) -> None:
    address = serve_http()
    body = b"".join(spans_request(f"number {number}") for number in range(40_000))
    with connected(address) as connection:
        connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
        for start in range(0, len(body), 1024):
            piece = body[start : start + 1024]
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert sink.requests == [body]
