"""What stands behind the servers of the receivers in tests of these."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from infersight_collector.component import Receipt
from infersight_collector.signals import Signal


@dataclass
class RecordingSink:
    """Keeps requests in memory, or fails with an error."""

    error: Exception | None = None
    receipt: Receipt = field(default_factory=lambda: Receipt(1))
    requests: list[bytes] = field(default_factory=list[bytes])
    refusals: list[str] = field(default_factory=list[str])

    def submit(self, signal: Signal, request: bytes) -> Receipt:
        del signal
        if self.error is not None:
            raise self.error
        self.requests.append(request)
        return self.receipt

    def submit_all(self, requests: Sequence[tuple[Signal, bytes]]) -> list[Receipt | Exception]:
        outcomes: list[Receipt | Exception] = []
        for signal, request in requests:
            try:
                outcomes.append(self.submit(signal, request))
            except Exception as error:  # noqa: BLE001 - each has its own
                outcomes.append(error)
        return outcomes

    def refused(self, signal: Signal, reason: str) -> None:
        del signal
        self.refusals.append(reason)


ServeHttp = Callable[..., str]
"""`serve_http(config=HttpConfig(), tokens=None, max_connections=1000)`: the address of an OTLP/HTTP server."""

ServeGrpc = Callable[..., str]
"""`serve_grpc(tokens=None, **keys of GrpcConfig)`: the address of an OTLP/gRPC server."""
