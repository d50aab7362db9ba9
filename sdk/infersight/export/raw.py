"""Sending requests that are encoded already, by OpenTelemetry's OTLP exporters: one attempt, and what came of it.

The exporters know endpoint, headers, TLS and compression, but encode and retry by themselves, which a spool does
otherwise; so what they send with is used. It has no public names.
"""

from enum import Enum
from typing import Any, Final

from infersight.export.destination import Signal

_HTTP_LATER: Final = frozenset({408, 429})
_GRPC_REFUSED: Final = frozenset({"INVALID_ARGUMENT", "PERMISSION_DENIED", "UNAUTHENTICATED", "UNIMPLEMENTED"})

_SERVICES: Final[dict[Signal, str]] = {
    "traces": "trace.v1.TraceService",
    "metrics": "metrics.v1.MetricsService",
    "logs": "logs.v1.LogsService",
}


class Outcome(Enum):
    """What came of an attempt."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # the collector will not take it the next time either
    AWAY = "away"  # no collector, or one that cannot take it now


def send(exporter: Any, signal: Signal, request: bytes) -> Outcome:
    """Send one request, without a retry.

    Args:
        exporter: OpenTelemetry's OTLP exporter of the signal, for either transport.
        signal: what the request carries.
        request: an encoded `Export*ServiceRequest`.
    """
    channel = getattr(exporter, "_channel", None)
    return _send_http(exporter, request) if channel is None else _send_grpc(exporter, channel, signal, request)


def _send_http(exporter: Any, request: bytes) -> Outcome:
    client = exporter._client  # noqa: SLF001 - see above
    answer = client._submit(client._compress(request), client._timeout)  # noqa: SLF001 - see above
    status = answer.status_code
    if status is None or status >= 500 or status in _HTTP_LATER:
        return Outcome.AWAY
    return Outcome.DELIVERED if 200 <= status < 300 else Outcome.REFUSED


def _send_grpc(exporter: Any, channel: Any, signal: Signal, request: bytes) -> Outcome:
    import grpc  # noqa: PLC0415 - the exporter has loaded it

    # Without serializers: the bytes as they are.
    export = channel.unary_unary(f"/opentelemetry.proto.collector.{_SERVICES[signal]}/Export")
    try:
        export(request, metadata=exporter._headers, timeout=exporter._timeout)  # noqa: SLF001 - see above
    except grpc.RpcError as error:
        failed: Any = error  # of a call, and so with a code
        return Outcome.REFUSED if failed.code().name in _GRPC_REFUSED else Outcome.AWAY
    return Outcome.DELIVERED
