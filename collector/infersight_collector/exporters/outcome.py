"""What came of an attempt to send a request, by OTLP's rules of which failures are worth another attempt.

See https://opentelemetry.io/docs/specs/otlp/#otlpgrpc-response and #otlphttp-response.
"""

# pyright: reportMissingTypeStubs=false
# google.rpc has stub files and no marker.

from dataclasses import dataclass
from typing import Any, Final, Protocol

from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from infersight_collector.signals import Signal

_RESPONSES: Final[dict[Signal, tuple[type[Message], str]]] = {
    Signal.TRACES: (ExportTraceServiceResponse, "rejected_spans"),
    Signal.LOGS: (ExportLogsServiceResponse, "rejected_log_records"),
    Signal.METRICS: (ExportMetricsServiceResponse, "rejected_data_points"),
}

_MOST_CHARACTERS: Final = 300
"""Of a receiver's message, in the log."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has taken the request.

    Attributes:
        rejected: records in it that the receiver has not taken, and will not.
        message: what the receiver says of it.
    """

    rejected: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver will not take the request the next time either."""

    message: str


@dataclass(frozen=True, slots=True)
class Later:
    """The receiver is away, or cannot take the request now.

    Attributes:
        message: why.
        after_s: when it wants to be asked again, in seconds, if it says so.
    """

    message: str
    after_s: float | None = None


Outcome = Delivered | Refused | Later


class Client(Protocol):
    """What speaks to a receiver."""

    def send(self, signal: Signal, request: bytes) -> Outcome:
        """Sends one request, in one attempt; never raises for what the network or the receiver does."""
        ...

    def close(self) -> None:
        """Gives up the connections."""
        ...


def delivered(signal: Signal, answer: bytes) -> Delivered:
    """What the response of a receiver says that has taken a request.

    Args:
        signal: of the request.
        answer: an Export*ServiceResponse, protobuf; anything else says nothing.
    """
    kind, field = _RESPONSES[signal]
    try:
        response: Any = kind.FromString(answer)
    except DecodeError:
        return Delivered()
    partial = response.partial_success
    return Delivered(max(getattr(partial, field), 0), shortened(partial.error_message))


def status_of(encoded: bytes) -> tuple[str, float | None]:
    """Message and retry delay, in seconds, of a google.rpc.Status; "" and None where it has none."""
    try:
        status: Any = Status.FromString(encoded)
        for detail in status.details:
            info = RetryInfo()
            if detail.Unpack(info):
                return shortened(status.message), max(info.retry_delay.ToTimedelta().total_seconds(), 0.0)
    except (DecodeError, OverflowError):
        return "", None
    return shortened(status.message), None


def shortened(text: str) -> str:
    """A receiver's text as a part of one line of the log."""
    line = " ".join(text.split())
    return line if len(line) <= _MOST_CHARACTERS else f"{line[:_MOST_CHARACTERS]}..."
