"""The receiver `otlp`: OTLP over gRPC and HTTP."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from infersight_collector.component import Listening, RequestSink
from infersight_collector.config.listening import Authentication, require_token_beyond_loopback
from infersight_collector.config.values import Endpoint
from infersight_collector.errors import ConfigError
from infersight_collector.http_server import HttpServer
from infersight_collector.receivers.otlp_grpc import GrpcServer
from infersight_collector.receivers.otlp_http import HttpApplication
from infersight_collector.signals import Signal


@dataclass(frozen=True)
class GrpcConfig:
    """`protocols.grpc`; keys as in the OpenTelemetry Collector."""

    endpoint: Endpoint = Endpoint("127.0.0.1", 4317)  # noqa: RUF009 - frozen
    max_recv_msg_size_mib: int = 16
    auth: Authentication | None = None


@dataclass(frozen=True)
class HttpConfig:
    """`protocols.http`; keys as in the OpenTelemetry Collector."""

    endpoint: Endpoint = Endpoint("127.0.0.1", 4318)  # noqa: RUF009 - frozen
    max_request_body_size: int = 16 * 2**20
    auth: Authentication | None = None


@dataclass(frozen=True)
class Protocols:
    """Which protocols are spoken: those that are named."""

    grpc: GrpcConfig | None = None
    http: HttpConfig | None = None


@dataclass(frozen=True)
class OtlpConfig:
    """Configuration of one `otlp` receiver."""

    protocols: Protocols = field(default_factory=lambda: Protocols(GrpcConfig(), HttpConfig()))


class _Server(Protocol):
    def start(self) -> Endpoint: ...

    def stop(self) -> None: ...


class OtlpReceiver:
    """The servers of one receiver.

    Args:
        config: its configuration.
        signals: the signals whose pipelines it feeds.
        tokens: the bearer token by name of the authenticator, None where that asks for none.

    Raises:
        ConfigError: an endpoint may not listen where it should.
    """

    def __init__(self, config: OtlpConfig, signals: set[Signal], tokens: Mapping[str, str | None]) -> None:
        self._grpc, self._http = config.protocols.grpc, config.protocols.http
        self._signals = signals
        self._grpc_token = _token(self._grpc, tokens)
        self._http_token = _token(self._http, tokens)
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
        for server in self._started:
            server.stop()

    def _servers(self, sink: RequestSink) -> Iterator[tuple[str, _Server]]:
        if self._grpc is not None:
            limit = self._grpc.max_recv_msg_size_mib * 2**20
            endpoint, token = self._grpc.endpoint, self._grpc_token
            yield "OTLP/gRPC", GrpcServer(endpoint, self._signals, sink, max_message_bytes=limit, token=token)
        if self._http is not None:
            limit = self._http.max_request_body_size
            application = HttpApplication(self._signals, sink, max_body_bytes=limit, token=self._http_token)
            yield "OTLP/HTTP", HttpServer(application, self._http.endpoint)


def _token(protocol: GrpcConfig | HttpConfig | None, tokens: Mapping[str, str | None]) -> str | None:
    """The token that senders of a protocol must show."""
    if protocol is None:
        return None
    token = None
    if protocol.auth is not None:
        name = protocol.auth.authenticator
        if name not in tokens:
            raise ConfigError(
                f"{protocol.endpoint} wants '{name}', which is not among service.extensions: add it there"
            )
        token = tokens[name]
    require_token_beyond_loopback(protocol.endpoint, token)
    return token
