"""One HTTP request and its answer, between the connection that they pass and the handler that answers."""

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Final, NamedTuple, Protocol, TypeAlias

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


class Answer(NamedTuple):
    """What a handler answers.

    Attributes:
        status: the status code.
        content_type: media type of the body.
        body: the content.
        headers: further headers, their names in lower case.
    """

    status: int
    content_type: str
    body: bytes = b""
    headers: Headers = ()

    def head(self) -> bytes:
        """Status line and headers, without the empty line behind them."""
        return _head(self.status, self.content_type, len(self.body), self.headers)


class Body(Protocol):
    """What takes the body of a request. It answers the exchange, in one of these methods or later."""

    def part(self, data: bytes) -> None:
        """Takes the next part."""
        ...

    def end(self) -> None:
        """The last part was there."""
        ...

    def late(self) -> None:
        """The rest did not come in time."""
        ...

    def lost(self) -> None:
        """The sender went away before the end; there is nobody to answer."""
        ...


class Carrier(Protocol):
    """The connection of an exchange."""

    def invite(self) -> None:
        """Tells the sender to send the body (100 Continue)."""
        ...

    def await_body(self, seconds: float, late: Callable[[], None]) -> None:
        """Has `late` called unless the body is there in time."""
        ...

    def settle(self, exchange: "Exchange", answer: Answer) -> None:
        """Sends the answer."""
        ...


class Exchange:
    """A request whose head is there, and the way to answer it. Everything happens in the connection's event loop.

    Args:
        connection: where it came from.
        method: as b"POST".
        path: of the URL, decoded, without the query.
        headers: by names in lower case; of several with one name the last.
        keep_alive: whether the connection stays open behind the answer.

    Attributes:
        whole: whether the end of the body has arrived.
        answered: whether it was answered; what still comes of its body is of no interest then.
    """

    __slots__ = ("_body", "_connection", "_early", "answered", "headers", "keep_alive", "method", "path", "whole")

    def __init__(
        self, connection: Carrier, method: bytes, path: str, headers: dict[bytes, bytes], *, keep_alive: bool
    ) -> None:
        self._connection = connection
        self._body: Body | None = None
        self._early: list[bytes] = []
        self.method = method
        self.path = path
        self.headers = headers
        self.keep_alive = keep_alive
        self.whole = False
        self.answered = False

    def read(self, body: Body, timeout_s: float) -> None:
        """Has the body taken; a handler that does not call this answers without it.

        Args:
            body: what takes it.
            timeout_s: longest time that it may take to arrive, in seconds.
        """
        self._body = body
        if self.headers.get(b"expect", b"").lower() == b"100-continue":
            self._connection.invite()
        for data in self._early:
            self.feed(data)
        if self.whole:
            self.end()
        elif not self.answered:
            self._connection.await_body(timeout_s, body.late)

    def answer(self, answer: Answer) -> None:
        """Answers; further answers are forgotten."""
        if not self.answered:
            self.answered = True
            self._connection.settle(self, answer)

    def feed(self, data: bytes) -> None:
        """Takes a part of the body from the connection."""
        if self.answered:
            return
        if self._body is None:  # the requests before it have not been answered
            self._early.append(data)
        else:
            self._body.part(data)

    def end(self) -> None:
        """Takes the end of the body from the connection."""
        self.whole = True
        if self._body is not None and not self.answered:
            self._body.end()

    def cut(self) -> None:
        """The connection is gone."""
        if self._body is not None and not self.whole and not self.answered:
            self.answered = True
            self._body.lost()


Handler: TypeAlias = Callable[[Exchange], None]
"""Answers exchanges, at once or later."""

_STATUS_LINES: Final = {status: f"HTTP/1.1 {status} {status.phrase}".encode() for status in HTTPStatus}


@lru_cache(maxsize=64)
def _head(status: int, content_type: str, length: int, headers: Headers) -> bytes:
    lines = [_STATUS_LINES[HTTPStatus(status)]]
    if status != HTTPStatus.NO_CONTENT:
        lines += [b"content-length: %d" % length, b"content-type: " + content_type.encode()]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n"
