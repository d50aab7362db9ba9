"""HTTP/1.1 connections: httptools reads, a handler answers, senders that never come to the point are cut off.

uvicorn accepts the connections and ends them. ASGI, its way to applications, is not used: with a task, a queue of
events and several coroutines a request it took two thirds of the time that a small request costs.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import httptools

from infersight_collector.http_exchange import Answer, Exchange, Handler

if TYPE_CHECKING:
    from uvicorn.server import ServerState

_log = logging.getLogger(__name__)

_MAX_OVERHEAD: Final = 64 * 1024
"""Most bytes of a request that are not its body: a head of this size, or the framing of very small chunks."""

_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a connection may take.

    Attributes:
        read_header_timeout_s: longest time that the head of a request may take, in seconds.
        idle_timeout_s: time after which a connection between two requests is closed, in seconds.
        max_connections: connections beyond which further ones are closed at once.
    """

    read_header_timeout_s: float = 10.0
    idle_timeout_s: float = 90.0
    max_connections: int = 1000


class HttpConnection(asyncio.Protocol):
    """One connection. Its requests are answered one after the other, those of a pipeline too.

    Args:
        handler: answers the requests.
        limits: what a connection may take.
        server_state: uvicorn's: all connections, and the headers of every answer.
        _loop: the event loop; this and the further arguments are uvicorn's.
    """

    def __init__(
        self,
        handler: Handler,
        limits: HttpLimits,
        *,
        server_state: "ServerState",
        _loop: asyncio.AbstractEventLoop | None = None,
        **_further: Any,
    ) -> None:
        self._handler = handler
        self._limits = limits
        self._state = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._parser: Any = httptools.HttpRequestParser(self)
        # A sender that closes behind its request may already have sent more: that is ignored, its request is not.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._transport: asyncio.Transport = None  # type: ignore[assignment] # until there is a connection
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._received = self._content = 0
        self._in_head = False
        self._writable = True
        self._current: Exchange | None = None  # is being answered, or was last
        self._latest: Exchange | None = None  # is being read, or was last
        self._waiting: deque[Exchange] = deque()

    # asyncio's protocol

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # what it is given
        """Begins to wait for the first request."""
        self._transport = transport
        connections: set[Any] = self._state.connections
        connections.add(self)
        if len(connections) > self._limits.max_connections:
            _log.warning("there are %d HTTP connections already: a further one was closed", len(connections) - 1)
            transport.abort()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature is asyncio's
        """Ends what waits for the connection."""
        connections: set[Any] = self._state.connections
        connections.discard(self)
        self._stop_waiting()
        self._parser = None  # which knows this object
        self._waiting.clear()
        if self._current is not None:
            self._current.cut()

    def data_received(self, data: bytes) -> None:
        """Takes what arrived: a part of a head or of a body."""
        self._received += len(data)
        latest = self._latest
        between = latest is None or latest.answered
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            _report(error)
            self._refuse("Invalid HTTP request received.")
            return
        if self._received > 2 * self._content + _MAX_OVERHEAD:
            self._refuse("The head of the request is too large, or its chunks are too small.")
        elif between and self._latest is latest and not self._in_head:
            self._await_head()

    def pause_writing(self) -> None:
        """The sender does not read its answers: nothing more is taken from it meanwhile."""
        self._writable = False
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._writable = True
        self._proceed()

    # uvicorn's

    def shutdown(self) -> None:
        """Closes the connection, as soon as what has begun to arrive was answered."""
        if self._latest is None or self._latest.answered:
            self._transport.close()
        else:
            self._latest.keep_alive = False

    # the parser's

    def on_message_begin(self) -> None:
        """Another request begins."""
        self._url = b""
        self._headers = {}
        self._received = self._content = 0

    def on_url(self, url: bytes) -> None:
        """Takes a part of its URL."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header, or a trailer."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The head is there."""
        if self._parser.should_upgrade():
            return  # see `_parse`
        self._in_head = False
        self._stop_waiting()
        keep_alive = self._parser.get_http_version() != "1.0" and self._parser.should_keep_alive()
        method, path, headers = self._parser.get_method(), _path(self._url), self._headers
        self._headers = {}  # of the trailers, which nobody asks for
        exchange = Exchange(self, method, path, headers, keep_alive=keep_alive)
        at_once = self._writable and (self._latest is None or self._latest.answered)
        self._latest = exchange
        if at_once:
            self._begin(exchange)
        else:
            self._waiting.append(exchange)
            self._transport.pause_reading()

    def on_body(self, body: bytes) -> None:
        """Takes a part of the body."""
        self._content += len(body)
        assert self._latest is not None
        self._latest.feed(body)

    def on_message_complete(self) -> None:
        """The request is there."""
        if self._parser.should_upgrade():
            return  # see `_parse`
        assert self._latest is not None
        if not self._latest.answered:
            self._stop_waiting()
            self._latest.end()

    # the exchange's

    def invite(self) -> None:
        """Tells the sender to send the body."""
        self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def await_body(self, seconds: float, late: Callable[[], None]) -> None:
        """Has `late` called unless the body is there in time."""
        self._wait(seconds, late)

    def settle(self, exchange: Exchange, answer: Answer) -> None:
        """Sends an answer."""
        transport = self._transport
        if transport.is_closing():
            return
        parts = [answer.head()]
        for name, value in self._state.default_headers:
            parts += (name, b": ", value, b"\r\n")
        parts.append(b"\r\n" if exchange.keep_alive else b"connection: close\r\n\r\n")
        if exchange.method != b"HEAD":
            parts.append(answer.body)
        transport.write(b"".join(parts))
        if not exchange.keep_alive:
            transport.close()
            return
        self._wait(self._limits.idle_timeout_s, self._expire)
        if self._waiting:
            self._loop.call_soon(self._proceed)

    # our own

    def _parse(self, data: bytes) -> None:
        """Has the parser call what it finds.

        Some senders offer to go on in another protocol (RFC 9110, 7.8). The parser takes the offer for accepted and
        what follows, the body of a request too, for that protocol's: so it reads the head again without the offer.
        """
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                data = self._head_without_offer() + data[offer.args[0] :]
            else:
                return

    def _head_without_offer(self) -> bytes:
        method = self._parser.get_method()
        if method == b"CONNECT":  # which has nothing else
            raise httptools.HttpParserInvalidMethodError
        self._headers.pop(b"upgrade", None)
        lines = [b"%s %s HTTP/%s" % (method, self._url, self._parser.get_http_version().encode())]
        lines += [name + b": " + value for name, value in self._headers.items()]
        return b"\r\n".join([*lines, b"", b""])

    def _begin(self, exchange: Exchange) -> None:
        if self._transport.is_closing():
            return
        self._current = exchange
        try:
            self._handler(exchange)
        except Exception:  # noqa: BLE001 - logged; no request may end the server
            _log.exception("a request failed")
            exchange.keep_alive = False
            exchange.answer(Answer(500, _TEXT, b"Internal Server Error"))

    def _proceed(self) -> None:
        """Goes on with the next request of a pipeline, or with reading."""
        if self._transport.is_closing() or not self._writable:
            return
        if self._waiting and (self._current is None or self._current.answered):
            self._begin(self._waiting.popleft())
        if not self._waiting:
            self._transport.resume_reading()

    def _refuse(self, message: str) -> None:
        """Answers what is no request of HTTP, and closes."""
        if self._transport.is_closing():
            return
        _log.warning("%s", message)
        head = Answer(400, _TEXT, message.encode()).head()
        self._transport.write(head + b"connection: close\r\n\r\n" + message.encode())
        self._transport.close()

    def _await_head(self) -> None:
        self._in_head = True
        self._wait(self._limits.read_header_timeout_s, self._expire)

    def _wait(self, seconds: float, action: Callable[[], None]) -> None:
        """Has something done unless something else happens first."""
        self._stop_waiting()
        self._timer = self._loop.call_later(seconds, action)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        if self._writable:
            self._transport.close()
        else:  # what is to be sent would never be
            self._transport.abort()


@lru_cache(maxsize=16)
def _path(url: bytes) -> str:
    """The path of a request's target, decoded."""
    path: bytes = httptools.parse_url(url).path or b""
    return unquote(path.decode("latin-1"))


def _report(error: httptools.HttpParserError) -> None:
    """Logs what is not the sender's fault but ours, in one of the parser's callbacks."""
    cause = error.__context__
    if isinstance(error, httptools.HttpParserCallbackError) and not isinstance(cause, httptools.HttpParserError):
        _log.error("a request failed", exc_info=cause)
