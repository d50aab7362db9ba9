"""uvicorn's HTTP/1.1 (httptools), with limits on senders that take their time or never come to the point."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_log = logging.getLogger(__name__)

_MAX_OVERHEAD: Final = 64 * 1024
"""Most bytes of a request that are not its body: a head of this size, or the framing of very small chunks."""


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


def limited_protocol(limits: HttpLimits) -> type[asyncio.Protocol]:
    """The protocol class for uvicorn's `http` option: it gives the class nothing of ours, so the limits are in it."""
    return type("LimitedProtocol", (_LimitedProtocol,), {"limits": limits})


class _LimitedProtocol(HttpToolsProtocol):
    """Closes connections that send no complete head in time, or more around their bodies than these are worth.

    uvicorn itself waits for a head without an end, and its parser has no limit for one.
    """

    limits: HttpLimits
    _head_timer: asyncio.TimerHandle | None = None
    _received = 0
    _content = 0
    _begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Begins to wait for the first request."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            _log.warning("there are %d HTTP connections already: a further one was closed", len(self.connections) - 1)
            transport.abort()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends what waits for the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what arrived: a part of a head or of a body."""
        self._received += len(data)
        super().data_received(data)
        if self._received > 2 * self._content + _MAX_OVERHEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large, or its chunks are too small.")
        elif self._head_timer is None and (not self._begun or self.cycle.response_complete):
            self._await_head()

    def on_message_begin(self) -> None:
        """Another request begins."""
        super().on_message_begin()
        self._received = self._content = 0

    def on_headers_complete(self) -> None:
        """The head is there; the application sees to it that the body arrives in time."""
        self._stop_waiting()
        self._begun = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Takes a part of the body."""
        self._content += len(body)
        super().on_body(body)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.read_header_timeout_s, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
