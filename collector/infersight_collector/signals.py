"""The three OTLP signals and the tables that each one fills."""

from enum import StrEnum


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
