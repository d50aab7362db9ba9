"""The receiver `otlp`: OTLP over gRPC and HTTP."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from infersight_collector.component import Listening, RequestSink
from infersight_collector.config.listening import check_exposure
from infersight_collector.config.tls import server_context
from infersight_collector.config.values import Endpoint
from infersight_collector.errors import ConfigError
from infersight_collector.receivers.otlp_config import GrpcConfig, HttpConfig, OtlpConfig
from infersight_collector.receivers.otlp_grpc import GrpcServer
from infersight_collector.receivers.otlp_http import OtlpHttpServer
from infersight_collector.receivers.token import BearerTokens
from infersight_collector.signals import Signal

Authenticators = Mapping[str, BearerTokens | None]
"""What each extension that checks senders asks them for, by its name; None for nothing."""


class _Server(Protocol):
    def start(self) -> Endpoint: ...

    def stop(self) -> None: ...


class OtlpReceiver:
    """The servers of one receiver.

    Args:
        config: its configuration.
        signals: the signals whose pipelines it feeds.
        authenticators: those that are switched on.

    Raises:
        ConfigError: an endpoint may not listen where it should, or its certificate cannot be used.
    """

    def __init__(self, config: OtlpConfig, signals: set[Signal], authenticators: Authenticators) -> None:
        self._grpc, self._http = config.protocols.grpc, config.protocols.http
        self._signals = signals
        self._grpc_tokens = _checked(self._grpc, authenticators)
        self._http_tokens = _checked(self._http, authenticators)
        self._started: list[_Server] = []

    def start(self, sink: RequestSink) -> list[Listening]:
        """Begins to listen on every endpoint.

        Raises:
            ListenError: an endpoint cannot be opened.
        """
        listening: list[Listening] = []
        for what, server in self._servers(sink):
            listening.append(Listening(what, str(server.start())))
            self._started.append(server)
        return listening

    def stop(self) -> None:
        """Stops listening and returns when the requests in progress have been answered."""
        # At once: while one waits for its requests the other must not take new ones.
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(_stop, self._started))

    def _servers(self, sink: RequestSink) -> Iterator[tuple[str, _Server]]:
        if self._grpc is not None:
            yield "OTLP/gRPC", GrpcServer(self._grpc, self._signals, sink, self._grpc_tokens)
        if self._http is not None:
            yield "OTLP/HTTP", OtlpHttpServer(self._http, self._signals, sink, self._http_tokens)


def _stop(server: _Server) -> None:
    server.stop()


def _checked(protocol: GrpcConfig | HttpConfig | None, authenticators: Authenticators) -> BearerTokens | None:
    """What senders of a protocol must show, once it is clear that it may listen where it should."""
    if protocol is None:
        return None
    tokens = None
    if protocol.auth is not None:
        name = protocol.auth.authenticator
        if name not in authenticators:
            raise ConfigError(
                f"{protocol.endpoint} wants '{name}', which is not among service.extensions: add it there"
            )
        tokens = authenticators[name]
    check_exposure(protocol.endpoint, protocol.tls, authenticated=tokens is not None)
    if protocol.tls is not None and not protocol.tls.insecure:
        server_context(protocol.tls)
    return tokens
