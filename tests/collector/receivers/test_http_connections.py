"""What a connection is to senders over HTTP/1.1: kept, pipelined, closed, and read no faster than it is answered."""

import gzip
import json
import threading
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from http import HTTPStatus

import pytest
from tests.support.collectors import wait_until
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import post
from tests.support.raw_http import HEAD, Answers, connected, read_to_the_end, whole
from tests.support.servers import RecordingSink, ServeHttp

from infersight_collector.component import Receipt
from infersight_collector.config.values import Count, Duration, Endpoint
from infersight_collector.http_exchange import Exchange
from infersight_collector.http_server import HttpServer
from infersight_collector.receivers import upload
from infersight_collector.receivers.otlp_config import HttpConfig
from infersight_collector.receivers.otlp_http import OtlpHttpServer
from infersight_collector.receivers.token import BearerTokens
from infersight_collector.signals import Signal

ANY_PORT = Endpoint("127.0.0.1", 0)
REQUEST = spans_request("x")
NOWHERE = b"GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n"


class HeldSink(RecordingSink):
    """Keeps nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.groups: list[int] = []

    def submit_all(self, requests: Sequence[tuple[Signal, bytes]]) -> list[Receipt | Exception]:
        self.groups.append(len(requests))
        assert self.go_on.wait(20)
        return super().submit_all(requests)


@pytest.fixture
def sink() -> RecordingSink:
    """The sink of the servers, which most tests let go on at once."""
    sink = HeldSink()
    sink.go_on.set()
    return sink


def test_requests_of_a_pipeline_are_answered_in_their_order(serve_http: ServeHttp, sink: RecordingSink) -> None:
    names = [spans_request(f"number {number}") for number in range(3)]
    with connected(serve_http()) as connection:
        connection.sendall(whole(names[0]) + NOWHERE + whole(names[1]) + whole(b"{", head=_json()) + whole(names[2]))
        answers = Answers(connection)
        assert [answers.next().status for _ in range(5)] == [200, 404, 200, 400, 200]
    assert sink.requests == names


def _json() -> bytes:
    return b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


def test_the_rest_of_a_pipelined_request_may_come_later(serve_http: ServeHttp, sink: RecordingSink) -> None:
    second = whole(spans_request("second"))
    with connected(serve_http()) as connection:
        connection.sendall(whole(REQUEST) + second[:-5])
        answers = Answers(connection)
        assert answers.next().status == HTTPStatus.OK
        connection.sendall(second[-5:])
        assert answers.next().status == HTTPStatus.OK
    assert sink.requests == [REQUEST, spans_request("second")]


def test_thousands_of_requests_behind_one_that_waits_are_all_answered(serve_http: ServeHttp) -> None:
    count = 3000
    with connected(serve_http()) as connection:
        threading.Thread(target=connection.sendall, args=(whole(REQUEST) + NOWHERE * count,)).start()
        answers = Answers(connection)
        assert answers.next().status == HTTPStatus.OK
        assert {answers.next().status for _ in range(count)} == {HTTPStatus.NOT_FOUND}


def test_no_more_is_taken_from_a_sender_that_does_not_read_its_answers(
    serve_http: ServeHttp, sink: RecordingSink
) -> None:
    with connected(serve_http(tokens=BearerTokens(["right"]))) as connection:
        connection.settimeout(2)
        sent = 0
        with suppress(TimeoutError):
            while sent < 200_000:
                sent += connection.send(whole(b"") * 100) // len(whole(b""))
        refused = len(sink.refusals)
        assert refused <= sent < 200_000
        connection.settimeout(20)
        answers = Answers(connection)
        for _ in range(refused):
            assert answers.next().status == HTTPStatus.UNAUTHORIZED
        wait_until(lambda: len(sink.refusals) > refused)


@pytest.mark.parametrize(
    ("head", "says_so"),
    [
        (HEAD + b"connection: close\r\n", True),
        (HEAD.replace(b"HTTP/1.1", b"HTTP/1.0"), True),
        (HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + b"connection: keep-alive\r\n", True),
    ],
    ids=["close", "HTTP/1.0", "HTTP/1.0 that would like to stay"],
)
def test_a_connection_that_is_not_to_be_kept_is_closed(
    serve_http: ServeHttp, sink: RecordingSink, head: bytes, says_so: bool
) -> None:
    with connected(serve_http()) as connection:
        connection.sendall(whole(REQUEST, head=head) + whole(REQUEST))
        answers = Answers(connection)
        answer = answers.next()
        assert (answer.status, answer.headers.get("connection") == "close") == (HTTPStatus.OK, says_so)
        assert answers.at_end()
    assert sink.requests == [REQUEST]


def test_an_answer_has_a_date_and_its_length(serve_http: ServeHttp) -> None:
    with connected(serve_http()) as connection:
        connection.sendall(whole(REQUEST))
        answer = Answers(connection).next()
    assert answer.headers["date"].endswith("GMT")
    assert answer.headers["content-length"] == "0"
    assert "connection" not in answer.headers


@pytest.mark.parametrize(
    ("head", "invited", "status"),
    [
        (HEAD, True, 200),
        (HEAD.replace(b"traces", b"nothing"), False, 404),
        (HEAD.replace(b"protobuf", b"x"), False, 415),
    ],
)
def test_only_a_body_that_is_wanted_is_invited(serve_http: ServeHttp, head: bytes, invited: bool, status: int) -> None:
    with connected(serve_http()) as connection:
        connection.sendall(head + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(REQUEST))
        answers = Answers(connection)
        if invited:
            assert answers.next().status == HTTPStatus.CONTINUE
            connection.sendall(REQUEST)
        assert answers.next().status == status


def test_the_body_of_whoever_has_no_token_is_thrown_away_and_the_next_request_is_taken(
    serve_http: ServeHttp, sink: RecordingSink
) -> None:
    with connected(serve_http(tokens=BearerTokens(["right"]))) as connection:
        answers = Answers(connection)
        connection.sendall(whole(REQUEST, b"authorization: Bearer wrong")[:-5])
        assert answers.next().status == HTTPStatus.UNAUTHORIZED
        connection.sendall(REQUEST[-5:] + whole(REQUEST, b"authorization: Bearer right"))
        assert answers.next().status == HTTPStatus.OK
    assert (sink.requests, sink.refusals) == ([REQUEST], ["unauthorized"])


def test_head_is_answered_without_a_body(serve_http: ServeHttp) -> None:
    with connected(serve_http()) as connection:
        connection.sendall(NOWHERE.replace(b"GET", b"HEAD") + whole(REQUEST))
        answers = Answers(connection)
        answer = answers.next(bodyless=True)
        assert (answer.status, int(answer.headers["content-length"]) > 0) == (404, True)
        assert answers.next().status == HTTPStatus.OK


@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_offer_of_another_protocol_is_passed_over_and_the_body_taken(
    serve_http: ServeHttp, sink: RecordingSink, chunked: bool, pieces: int
) -> None:
    head = HEAD + b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(REQUEST), REQUEST)
    offer = head + b"transfer-encoding: chunked\r\n\r\n" + body if chunked else whole(REQUEST, head=head)
    sent = offer * 2 + whole(b"") + offer
    size = len(sent) // pieces + 1
    with connected(serve_http()) as connection:
        for start in range(0, len(sent), size):
            connection.sendall(sent[start : start + size])
        answers = Answers(connection)
        assert [answers.next().status for _ in range(4)] == [200] * 4
    assert sink.requests == [REQUEST, REQUEST, b"", REQUEST]


def test_a_proxy_is_not_what_this_is(serve_http: ServeHttp) -> None:
    with connected(serve_http()) as connection:
        connection.sendall(b"CONNECT x:4318 HTTP/1.1\r\nhost: x\r\n\r\n" + whole(REQUEST))
        answers = Answers(connection)
        assert answers.next().status == HTTPStatus.BAD_REQUEST
        assert answers.at_end()


@pytest.mark.parametrize("target", [b"/v1/%74races", b"http://x/v1/traces", b"/v1/traces?tenant=1"])
def test_the_path_may_be_written_in_every_way_of_http(serve_http: ServeHttp, target: bytes) -> None:
    with connected(serve_http()) as connection:
        connection.sendall(whole(REQUEST, head=HEAD.replace(b"/v1/traces", target)))
        assert Answers(connection).next().status == HTTPStatus.OK


def test_trailers_do_not_change_what_the_head_says(serve_http: ServeHttp) -> None:
    chunks = b"%x\r\n%s\r\n0\r\n" % (len(REQUEST), REQUEST)
    with_trailer = HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"content-type: text/plain\r\n\r\n"
    with connected(serve_http()) as connection:
        # The second waits for the first, so that its trailer is there before it is looked at.
        connection.sendall(with_trailer * 2)
        answers = Answers(connection)
        for _ in range(2):
            answer = answers.next()
            assert (answer.status, answer.headers["content-type"]) == (HTTPStatus.OK, "application/x-protobuf")


@pytest.mark.parametrize(
    "garbage", [b"garbage\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
def test_what_is_no_http_is_told_so_and_cut_off(serve_http: ServeHttp, garbage: bytes) -> None:
    with connected(serve_http()) as connection:
        connection.sendall(garbage)
        answers = Answers(connection)
        answer = answers.next()
        assert (answer.status, answer.headers["connection"]) == (HTTPStatus.BAD_REQUEST, "close")
        assert answers.at_end()


@pytest.mark.parametrize("way", ["length", "gzip", "chunked"])
def test_a_sender_that_leaves_in_its_body_is_counted_once(serve_http: ServeHttp, sink: RecordingSink, way: str) -> None:
    heads = {
        "length": b"content-length: 1000",
        "gzip": b"content-encoding: gzip\r\ncontent-length: 1000",
        "chunked": b"transfer-encoding: chunked",
    }
    with connected(serve_http()) as connection:
        connection.sendall(HEAD + heads[way] + b"\r\n\r\n5\r\nhello\r\n")
    wait_until(lambda: sink.refusals)
    assert (sink.refusals, sink.requests) == (["incomplete"], [])


def test_a_request_is_kept_though_its_sender_has_left(serve_http: ServeHttp, sink: HeldSink) -> None:
    sink.go_on.clear()
    address = serve_http()
    with connected(address) as connection:
        connection.sendall(whole(REQUEST))
        wait_until(lambda: sink.groups)
    sink.go_on.set()
    assert post(address, "/v1/traces", spans_request("another")).status == HTTPStatus.OK
    assert sink.requests == [REQUEST, spans_request("another")]
    assert sink.refusals == []


def test_a_too_large_body_is_read_away_and_the_next_request_is_taken(
    serve_http: ServeHttp, sink: RecordingSink
) -> None:
    with connected(serve_http(HttpConfig(max_request_body_size=Count(1000)))) as connection:
        answers = Answers(connection)
        connection.sendall(whole(bytes(3000)) + whole(REQUEST))
        assert [answers.next().status for _ in range(2)] == [413, 200]
    assert sink.requests == [REQUEST]


def test_a_body_without_end_is_answered_before_its_end(serve_http: ServeHttp, sink: RecordingSink) -> None:
    config = HttpConfig(max_request_body_size=Count(1000), read_header_timeout=Duration(0.3))
    with connected(serve_http(config)) as connection:
        connection.sendall(HEAD + b"content-length: 1000000\r\n\r\n" + bytes(5000))
        answers = Answers(connection)
        assert answers.next().status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        connection.sendall(bytes(5000))
        assert answers.at_end()
    assert sink.refusals == ["too_large"]


def test_bodies_that_take_too_much_memory_together_are_to_come_again(
    serve_http: ServeHttp, sink: RecordingSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "_MAX_HELD_BYTES", 1000)
    address = serve_http()
    with ExitStack() as slow:
        for _ in range(2):
            connection = slow.enter_context(connected(address))
            connection.sendall(HEAD + b"content-length: 1000\r\n\r\n" + bytes(600))
        wait_until(lambda: sink.refusals)
        assert sink.refusals == ["overloaded"]
    wait_until(lambda: post(address, "/v1/traces", REQUEST).status == HTTPStatus.OK)
    assert post(address, "/v1/traces", bytes(1001)).status == HTTPStatus.SERVICE_UNAVAILABLE


@pytest.mark.parametrize("spans", [1, 2000])
def test_a_small_body_may_unpack_to_a_small_or_to_a_large_request(
    serve_http: ServeHttp, sink: RecordingSink, spans: int
) -> None:
    content = spans_request("the same " * 20) * spans
    packed = gzip.compress(content)
    assert len(packed) < 16 * 1024
    assert (len(content) > 256 * 1024) == (spans > 1)
    assert post(serve_http(), "/v1/traces", packed, content_encoding="gzip").status == HTTPStatus.OK
    assert sink.requests == [content]


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(REQUEST, mtime=0)[:-9]])
def test_a_small_body_that_cannot_be_unpacked_is_refused(
    serve_http: ServeHttp, sink: RecordingSink, body: bytes
) -> None:
    assert post(serve_http(), "/v1/traces", body, content_encoding="gzip").status == HTTPStatus.BAD_REQUEST
    assert sink.refusals == ["malformed"]


def test_a_server_that_stops_answers_what_it_has_and_closes_the_other_connections(sink: HeldSink) -> None:
    sink.go_on.clear()
    server = OtlpHttpServer(HttpConfig(endpoint=ANY_PORT), set(Signal), sink, None)
    address = str(server.start())
    with connected(address) as idle, connected(address) as connection:
        idle.sendall(NOWHERE)
        assert Answers(idle).next().status == HTTPStatus.NOT_FOUND
        connection.sendall(whole(REQUEST))
        wait_until(lambda: sink.groups)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        assert read_to_the_end(idle) == b""
        sink.go_on.set()
        answers = Answers(connection)
        answer = answers.next()
        assert (answer.status, answer.headers["connection"]) == (HTTPStatus.OK, "close")
        assert answers.at_end()
        stopping.join(20)
        assert not stopping.is_alive()
    assert sink.requests == [REQUEST]


def test_a_handler_that_fails_costs_its_own_request_only(caplog: pytest.LogCaptureFixture) -> None:
    def fail(exchange: Exchange) -> None:
        raise ZeroDivisionError(exchange.path)

    server = HttpServer(fail, ANY_PORT)
    address = str(server.start())
    try:
        for _ in range(2):
            with connected(address) as connection:
                connection.sendall(NOWHERE)
                answers = Answers(connection)
                assert answers.next().status == HTTPStatus.INTERNAL_SERVER_ERROR
                assert answers.at_end()
        assert "ZeroDivisionError" in caplog.text
    finally:
        server.stop()


def test_what_is_no_otlp_is_explained_in_json(serve_http: ServeHttp) -> None:
    with connected(serve_http()) as connection:
        connection.sendall(NOWHERE)
        assert json.loads(Answers(connection).next().body)["message"].startswith("not found; here are /v1/logs")
