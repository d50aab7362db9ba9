# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (grpc publishes no types; what passes between it and the rest is bytes and str)
"""OTLP over gRPC: raw request bytes to the consumer, errors to status codes."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import suppress
from typing import Any, Final, TypeVar

import grpc
import grpc.aio
import uvloop

from infersight_collector.component import RequestSink
from infersight_collector.config.tls import ServerTls, server_context
from infersight_collector.config.values import Endpoint
from infersight_collector.errors import ConfigError, Incomplete, ListenError, Unauthorized
from infersight_collector.listener import open_listener
from infersight_collector.receivers.group_commit import GroupCommit
from infersight_collector.receivers.otlp_config import GrpcConfig
from infersight_collector.receivers.refusal import Refusal
from infersight_collector.receivers.success import response
from infersight_collector.receivers.token import BearerTokens
from infersight_collector.signals import Signal
from infersight_collector.watched_file import WatchedFiles

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

_SERVICES: Final = {
    Signal.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    Signal.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
    Signal.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
}

_READ_TIMEOUT_S = 30.0
"""Longest time that the message of a call may take to arrive."""

_CALLS: Final = 64
"""Calls whose messages are read or kept at a time, each at most as large as a message may be; others wait."""

_HANDSHAKE_TIMEOUT_S = 10
"""Longest time that a sender may take to begin with TLS and HTTP/2."""

_GRACE_S: Final = 10.0

_WINDOW_BYTES: Final = 2**20
"""What a sender may send of a request before it is read on."""


class GrpcServer:
    """The OTLP/gRPC services of some signals on one endpoint.

    Args:
        config: where to listen and what connections and requests may take.
        signals: what is taken; the services of others answer UNIMPLEMENTED.
        sink: keeps requests durably.
        tokens: what senders must show, if anything.

    Raises:
        ConfigError: certificate or key cannot be used.
    """

    def __init__(
        self, config: GrpcConfig, signals: set[Signal], sink: RequestSink, tokens: BearerTokens | None
    ) -> None:
        self._endpoint = config.endpoint
        self._credentials: Any = None
        if config.tls is not None and not config.tls.insecure:
            self._credentials = _credentials(config.tls)
        self._options = _options(config)
        self._services = _Services(signals, sink, tokens)
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="grpc", daemon=True)
        self._server: Any = None

    def start(self) -> Endpoint:
        """Listens, and returns where: with the real port.

        Raises:
            ListenError: the endpoint cannot be opened.
        """
        if self._endpoint.port:
            # gRPC does not say why it cannot listen; a socket of our own does.
            open_listener(self._endpoint).close()
        self._thread.start()
        return Endpoint(self._endpoint.host, self._run(self._start()))

    def stop(self) -> None:
        """Stops listening and returns when the requests in progress have been answered."""
        if self._thread.is_alive():
            if self._server is not None:
                self._run(self._server.stop(_GRACE_S))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    async def _start(self) -> int:
        server: Any = grpc.aio.server(handlers=[self._services], options=self._options)
        address = str(self._endpoint)
        try:
            if self._credentials is None:
                port: int = server.add_insecure_port(address)
            else:
                port = server.add_secure_port(address, self._credentials)
        except RuntimeError as error:
            raise ListenError(f"cannot listen on {self._endpoint}: choose another endpoint") from error
        await server.start()
        self._server = server
        return port

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class _Services(grpc.GenericRpcHandler):  # type: ignore[misc] # grpc has no types
    """What gRPC asks for the handler of a call, when only the call's head is there."""

    def __init__(self, signals: Iterable[Signal], sink: RequestSink, tokens: BearerTokens | None) -> None:
        self._signals = {f"/{_SERVICES[signal]}/Export": signal for signal in signals}
        reading, log = asyncio.Semaphore(_CALLS), GroupCommit(sink)
        self._handlers = {path: _taking(signal, sink, log, reading) for path, signal in self._signals.items()}
        self._sink = sink
        self._tokens = tokens

    def service(self, handler_call_details: Any) -> Any:
        """The handler of a call, None for a method that there is not."""
        method = handler_call_details.method
        handler = self._handlers.get(method)
        if handler is None or self._tokens is None:
            return handler
        try:
            self._tokens.check(_authorization(handler_call_details.invocation_metadata))
        except Unauthorized as error:
            return _refusing(self._signals[method], self._sink, error)
        return handler


# Both handlers are declared with a stream of requests, which on the wire is the same: so they begin when the call
# does. Nothing is read for whoever has no token, and the reading of a message can have an end. Without (de)serializers
# they work on the bytes themselves.


def _taking(signal: Signal, sink: RequestSink, log: GroupCommit, reading: asyncio.Semaphore) -> Any:
    """The handler of a call with a request."""

    async def export(_messages: AsyncIterator[bytes], context: Any) -> bytes:
        try:
            async with reading:
                receipt = await log.keep(signal, await _message(context))
            return response(signal, receipt)
        except Exception as error:  # noqa: BLE001 - every error has its answer; none may end the server
            return _refuse(signal, sink, error, context)

    return grpc.stream_unary_rpc_method_handler(export)


async def _message(context: Any) -> bytes:
    """The one message of a call.

    Raises:
        Incomplete: it did not come in time, or the sender went away.
    """
    # Reading from the call's context does without the two generators that reading from the stream goes through.
    message: object = None
    with suppress(TimeoutError, grpc.RpcError):
        async with asyncio.timeout(_READ_TIMEOUT_S):
            message = await context.read()
    if not isinstance(message, bytes):  # but the end of the stream, or nothing
        raise Incomplete("the message did not arrive: try again later")
    return message


def _refusing(signal: Signal, sink: RequestSink, error: Unauthorized) -> Any:
    """The handler of a call without a valid token."""

    async def export(_messages: AsyncIterator[bytes], context: Any) -> bytes:
        return _refuse(signal, sink, error, context)

    return grpc.stream_unary_rpc_method_handler(export)


def _refuse(signal: Signal, sink: RequestSink, error: Exception, context: Any) -> bytes:
    refusal = Refusal.of(error)
    sink.refused(signal, refusal.reason)
    context.set_trailing_metadata((("grpc-status-details-bin", refusal.status()),))
    context.set_code(_STATUS_CODES[refusal.code])
    context.set_details(refusal.message)
    return b""


_STATUS_CODES: Final[dict[int, Any]] = {code.value[0]: code for code in grpc.StatusCode}


def _authorization(metadata: Iterable[tuple[str, Any]]) -> str:
    return next((str(value) for key, value in metadata if key == "authorization"), "")


def _options(config: GrpcConfig) -> list[tuple[str, int]]:
    """The configuration in the words of gRPC's channel arguments."""
    server, policy = config.keepalive.server_parameters, config.keepalive.enforcement_policy
    times = {
        "grpc.max_connection_idle_ms": server.max_connection_idle,
        "grpc.max_connection_age_ms": server.max_connection_age,
        "grpc.max_connection_age_grace_ms": server.max_connection_age_grace,
        "grpc.keepalive_time_ms": server.time,
        "grpc.keepalive_timeout_ms": server.timeout,
        # The one that cuts a silent sender off: a minute by default, whatever the other says.
        "grpc.http2.ping_timeout_ms": server.timeout,
        "grpc.http2.min_ping_interval_without_data_ms": policy.min_time,
    }
    return [
        ("grpc.max_receive_message_length", config.max_recv_msg_size_mib * 2**20),
        ("grpc.max_concurrent_streams", int(config.max_concurrent_streams)),
        ("grpc.server_handshake_timeout_ms", _HANDSHAKE_TIMEOUT_S * 1000),
        # A megabyte from the beginning, where gRPC would feel its way: half the CPU for who sends large requests.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", _WINDOW_BYTES),
        # Otherwise a second collector would share the port in silence.
        ("grpc.so_reuseport", 0),
        ("grpc.keepalive_permit_without_calls", int(policy.permit_without_stream)),
        *((name, round(seconds * 1000)) for name, seconds in times.items() if seconds is not None),
    ]


def _credentials(tls: ServerTls) -> Any:
    """What gRPC speaks TLS by; it asks at each connection whether the certificate was renewed."""
    watched = WatchedFiles(tls.files)

    def renewed() -> Any:
        if not watched.changed():
            return None
        try:
            certificate = _certificate(tls)
        except ConfigError as error:
            _log.warning("%s; the certificate that was read before stays in use", error)
            return None
        _log.info("the certificate in %s was read again", tls.cert_file)
        return certificate

    required = bool(tls.client_ca_file)
    return grpc.dynamic_ssl_server_credentials(_certificate(tls), renewed, require_client_authentication=required)


def _certificate(tls: ServerTls) -> Any:
    """Certificate, key and the roots of the senders' certificates as gRPC wants them.

    Raises:
        ConfigError: they cannot be used; gRPC itself would only say so to each sender.
    """
    server_context(tls)
    chain, key, *roots = (path.read_bytes() for path in tls.files)
    return grpc.ssl_server_certificate_configuration([(key, chain)], roots[0] if roots else None)
