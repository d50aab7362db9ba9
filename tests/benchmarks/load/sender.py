"""Sends prepared OTLP requests as fast as a collector takes them, over raw sockets: it costs next to nothing.

`python sender.py grpc|http HOST:PORT PATH REQUESTS CONNECTIONS SECONDS` prints one JSON object. REQUESTS is a file of
requests, each after its length (4 bytes, big-endian) and its number of records (4 bytes); PATH is the HTTP path.
A refused request is sent again after `RETRY_S`, as senders do.
"""

import contextlib
import json
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Final, Protocol

RETRY_S: Final = 0.05
IN_FLIGHT: Final = 1 << 20
"""Bytes that a gRPC connection has under way, at most `MAX_CALLS` requests, as senders have whose batches are small."""

MAX_CALLS: Final = 16

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_MAX_WINDOW: Final = 2**31 - 1


@dataclass
class Counts:
    """What a sender has done: records acknowledged, requests refused."""

    records: int = 0
    refused: int = 0


class Connection(Protocol):
    """One connection; it may have several requests under way."""

    multiplexed: bool

    def send(self, body: bytes) -> None: ...

    def receive(self) -> bool: ...


class HttpConnection:
    """HTTP/1.1, one request after the other."""

    multiplexed = False

    def __init__(self, host: str, port: int, path: str) -> None:
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = f"POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-protobuf\r\n".encode()

    def send(self, body: bytes) -> None:
        self._socket.sendall(b"%scontent-length: %d\r\n\r\n" % (self._head, len(body)))
        self._socket.sendall(body)

    def receive(self) -> bool:
        """Whether the request was accepted."""
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += _some(self._socket)
        head, _, rest = answer.partition(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].partition(b":")[2]) if lengths else 0
        while len(rest) < length:
            rest += _some(self._socket)
        return head.startswith(b"HTTP/1.1 200")


class GrpcConnection:
    """HTTP/2 with just as much of it as a sender of unary calls needs."""

    multiplexed = True

    def __init__(self, host: str, port: int, path: str) -> None:
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = b"\x83\x86" + b"".join(  # POST, http
            b"\x00" + _text(name) + _text(value)
            for name, value in (
                (":path", path),
                (":authority", host),
                ("content-type", "application/grpc"),
                ("te", "trailers"),
            )
        )
        self._buffer = bytearray()
        self._stream = -1
        self._window, self._initial, self._frame = 65_535, 65_535, 16_384
        self._windows: dict[int, int] = {}
        self._answers: deque[bool] = deque()
        self._accepted: dict[int, bool] = {}
        self._socket.sendall(_PREFACE + _frame_of(_SETTINGS, 0, 0, b""))
        # Never anything to say about what is received.
        self._socket.sendall(_frame_of(_WINDOW_UPDATE, 0, 0, struct.pack(">I", _MAX_WINDOW - 65_535)))

    def send(self, body: bytes) -> None:
        self._stream += 2
        stream = self._stream
        self._windows[stream] = self._initial
        message = memoryview(b"\x00" + struct.pack(">I", len(body)) + body)
        frames = [_frame_of(_HEADERS, 4, stream, self._head)]
        while message:
            room = min(self._window, self._windows.get(stream, _MAX_WINDOW), self._frame)
            if room <= 0:
                self._socket.sendall(b"".join(frames))
                frames = []
                self._pump()
                continue
            part, message = message[:room], message[room:]
            self._window -= len(part)
            self._windows[stream] = self._windows.get(stream, _MAX_WINDOW) - len(part)
            frames += [_head_of(_DATA, 0 if message else 1, stream, len(part)), bytes(part)]
        self._socket.sendall(b"".join(frames))

    def receive(self) -> bool:
        """Whether the next request that is answered was accepted."""
        while not self._answers:
            self._pump()
        return self._answers.popleft()

    def _pump(self) -> None:
        self._buffer += _some(self._socket)
        while len(self._buffer) >= 9:
            length = int.from_bytes(self._buffer[:3], "big")
            if len(self._buffer) < 9 + length:
                break
            kind, flags = self._buffer[3], self._buffer[4]
            stream = int.from_bytes(self._buffer[5:9], "big") & _MAX_WINDOW
            payload = bytes(self._buffer[9 : 9 + length])
            del self._buffer[: 9 + length]
            self._take(kind, flags, stream, payload)

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == _WINDOW_UPDATE:
            more = int.from_bytes(payload, "big") & _MAX_WINDOW
            if stream == 0:
                self._window += more
            elif stream in self._windows:
                self._windows[stream] += more
        elif kind == _SETTINGS and not flags & 1:
            self._take_settings(payload)
        elif kind == _PING and not flags & 1:
            self._socket.sendall(_frame_of(_PING, 1, 0, payload))
        elif kind == _GOAWAY:
            raise ConnectionError(f"the collector ends the connection: {payload!r}")
        elif kind == _RESET or (kind in (_HEADERS, _DATA) and flags & 1):
            # Trailers of success are short: a status of 0 and nothing else.
            self._windows.pop(stream, None)
            self._answers.append(kind == _HEADERS and len(payload) < 48)

    def _take_settings(self, payload: bytes) -> None:
        for name, value in struct.iter_unpack(">HI", payload):
            if name == 4:
                for stream in self._windows:
                    self._windows[stream] += value - self._initial
                self._initial = value
            elif name == 5:
                self._frame = min(value, 1 << 20)
        self._socket.sendall(_frame_of(_SETTINGS, 1, 0, b""))


def _some(connection: socket.socket) -> bytes:
    received = connection.recv(262_144)
    if not received:
        raise ConnectionError("the collector closed the connection")
    return received


def _text(value: str) -> bytes:
    return bytes([len(value)]) + value.encode() if len(value) < 127 else bytes([127, len(value) - 127]) + value.encode()


def _head_of(kind: int, flags: int, stream: int, length: int) -> bytes:
    return struct.pack(">IBI", length << 8 | kind, flags, stream)


def _frame_of(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return _head_of(kind, flags, stream, len(payload)) + payload


def read_requests(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number of records and bytes of each request."""
    content = path.read_bytes()
    at = 0
    while at < len(content):
        length, records = struct.unpack_from(">II", content, at)
        yield records, content[at + 8 : at + 8 + length]
        at += 8 + length


def send_until(connection: Connection, requests: Iterator[tuple[int, bytes]], end: float, counts: Counts) -> None:
    """Keeps requests under way until the end; a refused one is replaced by a later one."""
    waiting: deque[int] = deque()
    while time.monotonic() < end:
        records, body = next(requests)
        connection.send(body)
        waiting.append(records)
        most = max(1, min(MAX_CALLS, IN_FLIGHT // len(body))) if connection.multiplexed else 1
        while len(waiting) >= most:
            _settle(connection, waiting, counts)
    while waiting:
        _settle(connection, waiting, counts)


def _settle(connection: Connection, waiting: "deque[int]", counts: Counts) -> None:
    records = waiting.popleft()
    if connection.receive():
        counts.records += records
    else:
        counts.refused += 1
        time.sleep(RETRY_S)


def main(protocol: str, address: str, path: str, *, file: str, connections: int, seconds: float) -> None:
    """Send, then print what was sent and what it cost."""
    host, port = address.rsplit(":", 1)
    requests = list(read_requests(Path(file)))
    kind = GrpcConnection if protocol == "grpc" else HttpConnection
    counts = [Counts() for _ in range(connections)]
    begin, cpu = time.monotonic(), time.process_time()

    def run(number: int) -> None:
        with contextlib.suppress(ConnectionError):
            own = islice(cycle(requests), number * len(requests) // connections, None)
            send_until(kind(host, int(port), path), own, begin + seconds, counts[number])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(
        json.dumps(
            {
                "records": sum(one.records for one in counts),
                "refused": sum(one.refused for one in counts),
                "seconds": time.monotonic() - begin,
                "cpu": time.process_time() - cpu,
            }
        )
    )


if __name__ == "__main__":
    main(
        sys.argv[1],
        sys.argv[2],
        sys.argv[3],
        file=sys.argv[4],
        connections=int(sys.argv[5]),
        seconds=float(sys.argv[6]),
    )
