"""Real servers of the receivers in front of a sink that remembers what it was given."""

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from tests.support.servers import RecordingSink, ServeGrpc, ServeHttp

from infersight_collector.config.values import Endpoint
from infersight_collector.receivers.otlp_config import GrpcConfig, HttpConfig
from infersight_collector.receivers.otlp_grpc import GrpcServer
from infersight_collector.receivers.otlp_http import OtlpHttpServer
from infersight_collector.receivers.token import BearerTokens
from infersight_collector.signals import Signal

ANY_PORT = Endpoint("127.0.0.1", 0)


@pytest.fixture
def sink() -> RecordingSink:
    """What the servers of a test hand their requests to."""
    return RecordingSink()


@pytest.fixture
def running() -> Generator[ExitStack]:
    """The servers of a test, stopped behind it."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def serve_http(sink: RecordingSink, running: ExitStack) -> ServeHttp:
    """`serve_http(config, tokens=None, max_connections=1000)`: the address of an OTLP/HTTP server."""

    def serve(config: HttpConfig | None = None, tokens: BearerTokens | None = None, max_connections: int = 1000) -> str:
        config = replace(config or HttpConfig(), endpoint=ANY_PORT)
        server = OtlpHttpServer(config, set(Signal), sink, tokens, max_connections)
        running.callback(server.stop)
        return str(server.start())

    return serve


@pytest.fixture
def serve_grpc(sink: RecordingSink, running: ExitStack) -> ServeGrpc:
    """`serve_grpc(tokens=None, **keys of GrpcConfig)`: the address of an OTLP/gRPC server."""

    def serve(tokens: BearerTokens | None = None, **keys: object) -> str:
        server = GrpcServer(GrpcConfig(endpoint=ANY_PORT, **keys), set(Signal), sink, tokens)  # type: ignore[arg-type]
        running.callback(server.stop)
        return str(server.start())

    return serve
