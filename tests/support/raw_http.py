"""HTTP by hand: connections on which tests send what no client would."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

HEAD = b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n"


class RawAnswer(NamedTuple):
    """What a server answered: status, headers by lower-case name, body."""

    status: int
    headers: dict[str, str]
    body: bytes


@contextmanager
def connected(address: str) -> Generator[socket.socket]:
    """A connection that gives up after 20 s of nothing."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        yield connection


def whole(body: bytes, *headers: bytes, head: bytes = HEAD) -> bytes:
    """A request with its length."""
    lines = (*headers, b"content-length: %d" % len(body))
    return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


class Answers:
    """Reads the answers on a connection one by one.

    Args:
        connection: a connected socket.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = b""

    def next(self, *, bodyless: bool = False) -> RawAnswer:
        """The next answer; without a body where it is that to HEAD."""
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = 0 if bodyless else int(headers.get("content-length", 0))
        while len(self._received) < length:
            self._receive()
        body, self._received = self._received[:length], self._received[length:]
        return RawAnswer(int(status.split()[1]), headers, body)

    def at_end(self) -> bool:
        """Whether the server has closed the connection; waits until it does or sends something."""
        return not self._received and not self._connection.recv(1)

    def _receive(self) -> None:
        piece = self._connection.recv(65536)
        assert piece, f"the server closed the connection behind {self._received!r}"
        self._received += piece


def read_to_the_end(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionResetError:
        pass
    return received
