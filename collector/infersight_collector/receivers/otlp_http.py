"""OTLP over HTTP: POST /v1/traces, /v1/logs and /v1/metrics with protobuf or JSON bodies."""

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from infersight_collector.component import Receipt, RequestSink
from infersight_collector.decode import request_from_json
from infersight_collector.errors import Incomplete, Overloaded, TooLarge
from infersight_collector.receivers.body import ENCODINGS, unpack
from infersight_collector.receivers.cors import CorsPolicy
from infersight_collector.receivers.group_commit import GroupCommit
from infersight_collector.receivers.otlp_config import HttpConfig
from infersight_collector.receivers.refusal import RETRY_AFTER_S, Refusal
from infersight_collector.receivers.success import response, response_json
from infersight_collector.receivers.token import BearerTokens
from infersight_collector.signals import Signal

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

_PROTOBUF: Final = "application/x-protobuf"
_JSON: Final = "application/json"
_RESPONSES: Final = {_PROTOBUF: response, _JSON: response_json}

_THREADS: Final = 4
"""Bodies that are unpacked, or read as JSON, at a time."""

_MAX_HELD_BYTES: Final = 256 * 2**20
"""Most bytes of bodies in memory; further senders are told to come again."""

_MAX_DISCARDED: Final = 4
"""How many times the limit of a too large body is read and thrown away, so that its sender reads the answer."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    content_type: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


class HttpApplication:
    """The ASGI application of an OTLP/HTTP endpoint.

    Args:
        config: what requests may take.
        signals: what is taken; the paths of others are not found.
        sink: keeps requests durably.
        tokens: what senders must show, if anything.
    """

    def __init__(
        self, config: HttpConfig, signals: set[Signal], sink: RequestSink, tokens: BearerTokens | None
    ) -> None:
        self._paths = {f"/v1/{signal}": signal for signal in signals}
        self._sink = sink
        self._limit = config.max_request_body_size
        self._timeout_s = config.read_timeout
        self._cors = CorsPolicy(config.cors) if config.cors else None
        self._tokens = tokens
        self._held = 0
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="http")
        self._log = GroupCommit(sink)

    async def __call__(self, scope: "Scope", receive: "ASGIReceiveCallable", send: "ASGISendCallable") -> None:
        """Answers one request."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        answer = await self._answer(scope["method"], scope["path"], headers, receive)
        length = (b"content-length", str(len(answer.body)).encode())
        content_type = (b"content-type", answer.content_type.encode())
        head = [length, content_type, *answer.headers]
        if self._cors is not None and answer.status != HTTPStatus.NO_CONTENT:
            head += self._cors.answer(headers.get("origin", ""))
        await send({"type": "http.response.start", "status": answer.status, "headers": head, "trailers": False})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})

    async def _answer(
        self, method: str, path: str, headers: Mapping[str, str], receive: "ASGIReceiveCallable"
    ) -> _Answer:
        signal = self._paths.get(path)
        if signal is None:
            return _misdirected(404, f"not found; here are {', '.join(sorted(self._paths))}")
        if method == "OPTIONS" and self._cors is not None:
            return _Answer(204, b"", _JSON, self._cors.preflight(headers.get("origin", "")))
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding = headers.get("content-encoding", "").strip().lower()
        if (misdirected := _misdirection(method, content_type, encoding)) is not None:
            return misdirected
        try:
            if self._tokens is not None:
                self._tokens.check(headers.get("authorization", ""))
            receipt = await self._take(signal, content_type, encoding, receive)
        except Exception as error:  # noqa: BLE001 - every error has its answer; none may end the server
            refusal = Refusal.of(error)
            self._sink.refused(signal, refusal.reason)
            return _refused(refusal, content_type)
        return _Answer(200, _RESPONSES[content_type](signal, receipt), content_type)

    async def _take(self, signal: Signal, content_type: str, encoding: str, receive: "ASGIReceiveCallable") -> Receipt:
        """Reads a body and submits what is in it."""
        chunks: list[bytes] = []
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._read(receive, chunks)
            body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            return await self._log.submit(signal, await self._request(signal, content_type, encoding, body))
        except TimeoutError:
            raise Incomplete(f"the body did not arrive within {self._timeout_s:g} s: try again later") from None
        finally:
            self._held -= sum(map(len, chunks))

    async def _read(self, receive: "ASGIReceiveCallable", chunks: list[bytes]) -> None:
        """Appends the body to `chunks`, whose bytes are counted as held."""
        received = 0
        more = True
        while more and received <= _MAX_DISCARDED * self._limit:
            message = await receive()
            if message["type"] != "http.request":
                raise Incomplete(f"the sender went away after {received} bytes")
            chunk = message["body"]
            more = message["more_body"]
            received += len(chunk)
            if received > self._limit:
                continue
            if self._held + len(chunk) > _MAX_HELD_BYTES:
                raise Overloaded("too many requests at once: try again later")
            chunks.append(chunk)
            self._held += len(chunk)
        if received > self._limit:
            raise TooLarge(self._limit)

    async def _request(self, signal: Signal, content_type: str, encoding: str, body: bytes) -> bytes:
        """The protobuf request in a body; what takes time is done in a thread."""
        if content_type == _PROTOBUF and encoding in ("", "identity"):
            return body

        def read() -> bytes:
            content = unpack(encoding, body, self._limit)
            return request_from_json(signal, content) if content_type == _JSON else content

        return await asyncio.get_running_loop().run_in_executor(self._threads, read)


def _misdirection(method: str, content_type: str, encoding: str) -> _Answer | None:
    """The answer to a request that is none of OTLP, None for one that may be."""
    if method != "POST":
        return _misdirected(405, "telemetry is sent with POST", (b"allow", b"POST"))
    if content_type not in _RESPONSES:
        return _misdirected(415, f"the content type must be {_PROTOBUF} or {_JSON}")
    if encoding not in ENCODINGS:
        known = ", ".join(name for name in ENCODINGS if name)
        return _misdirected(415, f"the content encoding must be one of {known}", (b"accept-encoding", known.encode()))
    return None


def _misdirected(status: int, message: str, *headers: tuple[bytes, bytes]) -> _Answer:
    """The reason as JSON, which is also readable for a person."""
    return _Answer(status, json.dumps({"message": message}).encode(), _JSON, headers)


def _refused(refusal: Refusal, content_type: str) -> _Answer:
    body = refusal.status_json() if content_type == _JSON else refusal.status()
    headers: list[tuple[bytes, bytes]] = []
    if refusal.retryable:
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    if refusal.http_status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    return _Answer(refusal.http_status, body, content_type, tuple(headers))
