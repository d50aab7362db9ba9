"""How much was handed over and how much was lost, by the conventions for the OpenTelemetry SDK's own metrics."""

import itertools
from typing import Final

from opentelemetry.metrics import Counter, MeterProvider

from infersight import _attributes as names
from infersight._version import __version__
from infersight.export.destination import Signal

_RECORDS: Final[dict[Signal, tuple[str, str, str]]] = {
    "traces": (names.SPANS_EXPORTED, "{span}", "span"),
    "metrics": (names.DATA_POINTS_EXPORTED, "{data_point}", "metric"),
    "logs": (names.LOGS_EXPORTED, "{log_record}", "log"),
}
"""Of each signal: the metric, its unit, and what a component's type calls it."""

_numbers: Final = itertools.count()


class ExportCounts:
    """Counts the records of one exporter, from `begin` on.

    Args:
        signal: what it exports.
        transport: `grpc` or `http/protobuf`.
    """

    def __init__(self, signal: Signal, transport: str) -> None:
        self._name, self._unit, kind = _RECORDS[signal]
        component = f"otlp_{transport.partition('/')[0]}_{kind}_exporter"
        self._attributes = {
            names.COMPONENT_TYPE: component,
            names.COMPONENT_NAME: f"{component}/{next(_numbers)}",
        }
        self._counter: Counter | None = None
        self.taken = 0
        self.lost = 0

    def begin(self, provider: MeterProvider) -> None:
        """Count in this provider, which is made after the exporter that sends its metrics."""
        meter = provider.get_meter(names.SCOPE, __version__, names.SCHEMA_URL)
        self._counter = meter.create_counter(
            self._name, self._unit, "Records that an exporter handed over, or lost (`error.type`)."
        )

    def add(self, records: int, failure: str | None) -> None:
        """Count records that were handed over, or lost for this reason."""
        if failure is None:
            self.taken += records
        else:
            self.lost += records
        if self._counter is not None:
            attributes = self._attributes if failure is None else {**self._attributes, names.ERROR_TYPE: failure}
            self._counter.add(records, attributes)
