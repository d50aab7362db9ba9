"""What stands behind the servers of the receivers in tests of these."""

from collections.abc import Callable
from dataclasses import dataclass, field

from infersight_collector.signals import Signal


@dataclass
class RecordingSink:
    """Keeps requests in memory, or fails with an error."""

    error: Exception | None = None
    requests: list[bytes] = field(default_factory=list[bytes])
    refusals: list[str] = field(default_factory=list[str])

    def submit(self, signal: Signal, request: bytes) -> int:
        del signal
        if self.error is not None:
            raise self.error
        self.requests.append(request)
        return 1

    def refused(self, signal: Signal, reason: str) -> None:
        del signal
        self.refusals.append(reason)


ServeHttp = Callable[..., str]
"""`serve_http(config=HttpConfig(), tokens=None, max_connections=1000)`: the address of an OTLP/HTTP server."""

ServeGrpc = Callable[..., str]
"""`serve_grpc(tokens=None, **keys of GrpcConfig)`: the address of an OTLP/gRPC server."""
