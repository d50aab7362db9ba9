"""Receivers of OTLP that are not ours to test: they answer as they are told, and keep what they have taken."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# grpc and pyarrow publish no types.

import gzip
import ssl
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import grpc
import pyarrow as pa
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from infersight_collector.signals import Signal

_PREFIX = "/opentelemetry.proto.collector."
_SERVICES = {"trace": Signal.TRACES, "logs": Signal.LOGS, "metrics": Signal.METRICS}


@dataclass(frozen=True)
class HttpAnswer:
    """What to answer instead of 200."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    delay_s: float = 0


@dataclass(frozen=True)
class Attempt:
    """A request that came: when, its headers, and what it carried, unpacked."""

    time: float
    headers: Mapping[str, str]
    signal: Signal
    request: bytes


class HttpReceiver:
    """An OTLP/HTTP endpoint on a free port, running while it is entered.

    Args:
        tls: what it speaks TLS by, if it does.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answers: deque[HttpAnswer] = deque()
        """The answers to the next requests; those behind them are taken."""
        self.attempts: list[Attempt] = []
        self.taken: list[tuple[Signal, bytes]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                answer = receiver.take(self.path, dict(self.headers.items()), body)
                time.sleep(answer.delay_s)
                with suppress(OSError):  # the sender did not wait for it
                    self.send_response(answer.status)
                    for name, value in {"content-length": str(len(answer.body)), **answer.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(answer.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has
                """Nothing on stderr."""

        return Handler

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Notes an attempt, and gives the answer to it."""
        lower = {name.lower(): value for name, value in headers.items()}
        signal = Signal(path.removeprefix("/v1/"))
        request = unpacked(lower.get("content-encoding", ""), body)
        self.attempts.append(Attempt(time.monotonic(), lower, signal, request))
        answer = self.answers.popleft() if self.answers else HttpAnswer(200)
        if answer.status == 200:
            self.taken.append((signal, request))
        return answer


def unpacked(encoding: str, body: bytes) -> bytes:
    match encoding:
        case "gzip":
            return gzip.decompress(body)
        case "zstd":
            with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
                return bytes(stream.read())
        case _:
            assert not encoding
            return body


@dataclass(frozen=True)
class GrpcAnswer:
    """What to answer: a status code by its name with its details, or a response."""

    code: str = "OK"
    message: str = ""
    details: bytes = b""
    response: bytes = b""


def retry_info(seconds: int) -> bytes:
    """The details of a status that wants the request again after a time."""
    detail = AnyMessage()
    detail.Pack(RetryInfo(retry_delay=Duration(seconds=seconds)))
    return bytes(Status(code=14, message="later", details=[detail]).SerializeToString())


class GrpcReceiver:
    """The OTLP/gRPC services on a free port, running while it is entered.

    Args:
        tls: certificate, key and the authority of the clients, PEM, if it speaks TLS.
    """

    def __init__(self, tls: tuple[bytes, bytes, bytes | None] | None = None) -> None:
        self.answers: deque[GrpcAnswer] = deque()
        self.attempts: list[Attempt] = []
        self.taken: list[tuple[Signal, bytes]] = []
        self._server: Any = grpc.server(ThreadPoolExecutor(4), handlers=[_Services(self)])
        if tls is None:
            port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            certificate, key, authority = tls
            credentials = grpc.ssl_server_credentials([(key, certificate)], authority, authority is not None)
            port = self._server.add_secure_port("127.0.0.1:0", credentials)
        self.address = f"127.0.0.1:{port}"
        self.url = f"{'http' if tls is None else 'https'}://{self.address}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop(0).wait()

    def take(self, signal: Signal, request: bytes, context: Any) -> bytes:
        """Notes an attempt, and gives the answer to it."""
        headers = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        self.attempts.append(Attempt(time.monotonic(), headers, signal, request))
        answer = self.answers.popleft() if self.answers else GrpcAnswer()
        if answer.code == "OK":
            self.taken.append((signal, request))
            return answer.response
        if answer.details:
            context.set_trailing_metadata((("grpc-status-details-bin", answer.details),))
        context.abort(grpc.StatusCode[answer.code], answer.message)
        raise AssertionError("abort raises")


class _Services(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc publishes no types
    def __init__(self, receiver: GrpcReceiver) -> None:
        self._receiver = receiver

    def service(self, handler_call_details: Any) -> Any:
        name = handler_call_details.method.removeprefix(_PREFIX).split(".", 1)[0]
        signal = _SERVICES[name]

        def export(request: bytes, context: Any) -> bytes:
            return self._receiver.take(signal, request, context)

        return grpc.unary_unary_rpc_method_handler(export)
