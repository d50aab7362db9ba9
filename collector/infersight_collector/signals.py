"""The three OTLP signals and the tables that each one fills."""

from enum import StrEnum
from typing import TypeAlias

Request: TypeAlias = "bytes | memoryview[int]"
"""One OTLP request, `Export*ServiceRequest`, as protobuf; several concatenated are one valid request."""


class Signal(StrEnum):
    """An OTLP signal, named as in the HTTP paths `/v1/traces`, `/v1/logs`, `/v1/metrics`."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"


TABLES: dict[Signal, tuple[str, ...]] = {
    Signal.TRACES: ("spans",),
    Signal.LOGS: ("logs",),
    Signal.METRICS: ("metrics", "exemplars"),
}
"""The store's tables that the records of a signal go to."""
