# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# (grpc publishes no types; what passes between it and the rest is bytes and str)
"""The client of OTLP over gRPC."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import grpc

from infersight_collector.config.tls import ClientTls
from infersight_collector.errors import ConfigError
from infersight_collector.exporters.outcome import Later, Outcome, Refused, delivered, shortened, status_of
from infersight_collector.signals import Signal

_METHODS: Final = {
    Signal.TRACES: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    Signal.LOGS: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    Signal.METRICS: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}

_RETRYABLE: Final = frozenset({"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"})

_OPTIONS: Final = [
    # How long to wait between attempts is ours to say, so gRPC itself should not wait for much longer.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
]


class GrpcClient:
    """Sends requests to the services of one server.

    Args:
        endpoint: `HOST:PORT`, or a URL, whose `http://` says that there is no TLS.
        tls: how to trust the server.
        headers: sent with each request.
        gzip: whether requests are compressed.
        timeout_s: longest time for one request, in seconds.

    Raises:
        ConfigError: a file of the TLS configuration cannot be read.
    """

    def __init__(self, endpoint: str, tls: ClientTls, headers: Mapping[str, str], *, gzip: bool, timeout_s: float):
        url = urlsplit(endpoint) if "://" in endpoint else None
        target = endpoint if url is None else url.netloc
        is_plain = tls.insecure or (url is not None and url.scheme == "http")
        self._channel: Any = (
            grpc.insecure_channel(target, options=_OPTIONS)
            if is_plain
            else grpc.secure_channel(target, _credentials(tls), options=_OPTIONS)
        )
        self._metadata = [(name.lower(), value) for name, value in headers.items()]
        self._compression = grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression
        self._timeout_s = timeout_s
        # Without (de)serializers a call takes and gives the bytes themselves.
        self._calls = {signal: self._channel.unary_unary(method) for signal, method in _METHODS.items()}

    def send(self, signal: Signal, request: bytes) -> Outcome:
        """Sends one request, in one attempt."""
        try:
            answer: bytes = self._calls[signal](
                request, timeout=self._timeout_s, metadata=self._metadata, compression=self._compression
            )
        except grpc.RpcError as error:
            return _failure(error)
        return delivered(signal, answer)

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()


def _failure(error: Any) -> Outcome:
    """By the status code; running out of a resource passes only where the server says when."""
    code: str = error.code().name
    trailing: Any = error.trailing_metadata() or ()
    encoded = next((value for key, value in trailing if key == "grpc-status-details-bin"), b"")
    after_s = status_of(encoded)[1]
    message = f"{code} {shortened(error.details() or '')}".strip()
    if code in _RETRYABLE or (code == "RESOURCE_EXHAUSTED" and after_s is not None):
        return Later(message, after_s)
    return Refused(message)


def _credentials(tls: ClientTls) -> Any:
    root, key, certificate = (_read(name) for name in (tls.ca_file, tls.key_file, tls.cert_file))
    return grpc.ssl_channel_credentials(root, key, certificate)


def _read(name: str) -> bytes | None:
    try:
        return Path(name).read_bytes() if name else None
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read for TLS: {error.strerror}") from error
