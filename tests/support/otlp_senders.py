"""Senders of OTLP that are not ours to test: the services' stock gRPC stubs, and plain HTTP."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# grpc publishes no types.

import http.client
from collections.abc import Mapping
from typing import Any, NamedTuple

import grpc

from infersight_collector.signals import Signal

_SERVICES = {
    Signal.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    Signal.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
    Signal.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
}


class Answer(NamedTuple):
    """What an HTTP server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(address: str, path: str, body: bytes, content_type: str = "application/x-protobuf", **headers: str) -> Answer:
    """Sends one HTTP request; `_` in the names of headers stands for `-`."""
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        sent = {"content-type": content_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection.request("POST", path, body, sent)
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


class GrpcSender:
    """A gRPC channel that sends requests as bytes.

    Args:
        address: of the server.
    """

    def __init__(self, address: str) -> None:
        self._channel: Any = grpc.insecure_channel(address)

    def send(self, signal: Signal, request: bytes, token: str | None = None, compress: bool = False) -> bytes:
        """Sends one request and returns the answer's bytes; raises `grpc.RpcError` when it is refused."""
        method: Any = self._channel.unary_unary(f"/{_SERVICES[signal]}/Export")
        metadata = [("authorization", f"Bearer {token}")] if token else []
        compression = grpc.Compression.Gzip if compress else grpc.Compression.NoCompression
        answer: bytes = method(request, metadata=metadata, compression=compression, timeout=30)
        return answer

    def close(self) -> None:
        self._channel.close()
