"""How much was handed over and how much was lost, by the conventions for the OpenTelemetry SDK's own metrics."""

import itertools
from typing import Final

from opentelemetry.metrics import Counter, get_meter_provider

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
    """Counts the records of one exporter.

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

    def add(self, records: int, failure: str | None) -> None:
        """Count records that were handed over, or lost for this reason."""
        if self._counter is None:  # an exporter is made before the meter provider is
            meter = get_meter_provider().get_meter(names.SCOPE, __version__, names.SCHEMA_URL)
            self._counter = meter.create_counter(self._name, self._unit, "Records that an exporter handed over or lost.")
        attributes = self._attributes if failure is None else {**self._attributes, names.ERROR_TYPE: failure}
        self._counter.add(records, attributes)
