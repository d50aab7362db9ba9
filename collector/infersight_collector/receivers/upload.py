"""The body of an OTLP/HTTP request on its way into the log, and the answer to it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Final, NamedTuple

from infersight_collector.component import Receipt, RequestSink
from infersight_collector.decode import request_from_json
from infersight_collector.errors import Incomplete, Overloaded, TooLarge
from infersight_collector.http_exchange import Answer, Exchange, Headers
from infersight_collector.receivers.body import unpack
from infersight_collector.receivers.group_commit import GroupCommit
from infersight_collector.receivers.refusal import RETRY_AFTER_S, Refusal
from infersight_collector.receivers.success import response, response_json
from infersight_collector.signals import Signal

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
MEDIA_TYPES: Final = {PROTOBUF: response, JSON: response_json}
"""What a body may be, and how the answer to it is written."""

_THREADS: Final = 4
"""Bodies that are unpacked, or read as JSON, at a time."""

_SMALL_BYTES: Final = 16 * 2**10
_SMALL_CONTENT_BYTES: Final = 256 * 2**10
"""A body of the one size that unpacks to the other is unpacked at once: handing it to a thread would take longer."""

_MAX_HELD_BYTES: Final = 256 * 2**20
"""Most bytes of bodies in memory; further senders are told to come again."""

_MAX_DISCARDED: Final = 4
"""How many times the limit of a too large body is read and thrown away, so that its sender reads the answer."""


class Form(NamedTuple):
    """What the headers of a request say about its body: media type and content encoding, in lower case."""

    media_type: str
    encoding: str


class Uploads:
    """What the bodies of one endpoint share.

    Args:
        sink: counts the requests that are refused.
        log: keeps the others.
        limit: most bytes of a body, as sent and unpacked.
        timeout_s: longest time that a body may take to arrive, in seconds.
    """

    def __init__(self, sink: RequestSink, log: GroupCommit, limit: int, timeout_s: float) -> None:
        self.sink = sink
        self.log = log
        self.limit = limit
        self.timeout_s = timeout_s
        self.threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="unpack")
        self.held_bytes = 0


class Upload:
    """One body: see `http_exchange.Body` for what a connection does with it.

    Args:
        uploads: what it shares with others.
        exchange: the request, which it answers.
        signal: what the request carries.
        form: how it is written.
        cors: headers of every answer.
    """

    __slots__ = ("_chunks", "_cors", "_exchange", "_form", "_received", "_signal", "_uploads")

    def __init__(self, uploads: Uploads, exchange: Exchange, signal: Signal, form: Form, cors: Headers) -> None:
        self._uploads = uploads
        self._exchange = exchange
        self._signal = signal
        self._form = form
        self._cors = cors
        self._chunks: list[bytes] = []
        self._received = 0

    def part(self, data: bytes) -> None:
        """Keeps a part, unless it is too much."""
        uploads = self._uploads
        self._received += len(data)
        if self._received > uploads.limit:
            self._release()
            if self._received > _MAX_DISCARDED * uploads.limit:
                self.settle(TooLarge(uploads.limit))
        elif uploads.held_bytes + len(data) > _MAX_HELD_BYTES:
            self.settle(Overloaded("too many requests at once: try again later"))
        else:
            self._chunks.append(data)
            uploads.held_bytes += len(data)

    def end(self) -> None:
        """Submits what is in the body."""
        if self._received > self._uploads.limit:
            self.settle(TooLarge(self._uploads.limit))
            return
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        protobuf, encoding = self._form.media_type == PROTOBUF, self._form.encoding
        if protobuf and encoding in ("", "identity"):
            self._submit(body)
        elif protobuf and len(body) <= _SMALL_BYTES:
            self._unpack(body)
        else:
            self._unpack_in_thread(body)

    def late(self) -> None:
        """Refuses a body that does not come."""
        timeout_s = self._uploads.timeout_s
        self.settle(Incomplete(f"the body did not arrive within {timeout_s:g} s: try again later"))

    def lost(self) -> None:
        """Counts a body whose sender left."""
        self.settle(Incomplete(f"the sender went away after {self._received} bytes"))

    def settle(self, outcome: Receipt | Exception) -> None:
        """Answers: with what became of the request, or why it is refused."""
        self._release()
        if isinstance(outcome, Receipt):
            media_type = self._form.media_type
            answer = Answer(200, media_type, MEDIA_TYPES[media_type](self._signal, outcome), self._cors)
        else:
            refusal = Refusal.of(outcome)
            self._uploads.sink.refused(self._signal, refusal.reason)
            answer = _refused(refusal, self._form.media_type, self._cors)
        self._exchange.answer(answer)

    def _submit(self, request: bytes) -> None:
        self._uploads.log.submit(self._signal, request, self.settle)

    def _unpack(self, body: bytes) -> None:
        """Submits what is in a small body."""
        try:
            self._submit(unpack(self._form.encoding, body, min(self._uploads.limit, _SMALL_CONTENT_BYTES)))
        except TooLarge:
            self._unpack_in_thread(body)
        except Exception as error:  # noqa: BLE001 - every error has its answer; none may end the server
            self.settle(error)

    def _unpack_in_thread(self, body: bytes) -> None:
        """Submits what is in a body that takes time."""
        signal, (media_type, encoding), limit = self._signal, self._form, self._uploads.limit

        def read() -> bytes:
            content = unpack(encoding, body, limit)
            return request_from_json(signal, content) if media_type == JSON else content

        reading = asyncio.get_running_loop().run_in_executor(self._uploads.threads, read)
        reading.add_done_callback(self._unpacked)

    def _unpacked(self, reading: "asyncio.Future[bytes]") -> None:
        error = reading.exception()
        if error is None:
            self._submit(reading.result())
        else:
            self.settle(error if isinstance(error, Exception) else RuntimeError(str(error)))

    def _release(self) -> None:
        self._uploads.held_bytes -= sum(map(len, self._chunks))
        self._chunks = []


def _refused(refusal: Refusal, media_type: str, cors: Headers) -> Answer:
    headers: Headers = cors
    if refusal.retryable:
        headers = ((b"retry-after", b"%d" % RETRY_AFTER_S), *headers)
    if refusal.http_status == HTTPStatus.UNAUTHORIZED:
        headers = ((b"www-authenticate", b"Bearer"), *headers)
    body = refusal.status_json() if media_type == JSON else refusal.status()
    return Answer(refusal.http_status, media_type, body, headers)
