"""What each processor takes and leaves, and how long that takes."""

# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyarrow publishes no types.

import time

from infersight_collector.component import Batch, Processor, Route
from infersight_collector.signals import TABLES
from infersight_collector.telemetry import Telemetry
from infersight_collector.telemetry.instruments import PROCESSOR_DURATION, PROCESSOR_ROWS_IN, PROCESSOR_ROWS_OUT


class Meter:
    """Counts what passes the processors. An exporter that gets a segment again makes it pass, and count, again.

    Args:
        telemetry: where it is counted.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self._duration = telemetry.histogram(PROCESSOR_DURATION)
        self._rows_in = telemetry.counter(PROCESSOR_ROWS_IN)
        self._rows_out = telemetry.counter(PROCESSOR_ROWS_OUT)
        self._dropped = telemetry.dropped_records

    def process(self, route: Route, name: str, processor: Processor, batch: Batch) -> Batch:
        """What the processor makes of a batch of the route."""
        started = time.perf_counter()
        after = processor.process(batch)
        self._duration.record(time.perf_counter() - started, name, route.name)
        self._rows_in.add(_rows(batch), name, route.name)
        self._rows_out.add(_rows(after), name, route.name)
        dropped = _records(batch) - _records(after)
        if dropped > 0:
            self._dropped.add(dropped, route.signal, name)
        return after


def _rows(batch: Batch) -> int:
    return sum(rows.num_rows for rows in batch.tables.values())


def _records(batch: Batch) -> int:
    """Rows of the signal's own table: spans, log records or data points."""
    table = TABLES[batch.signal][0]
    return batch.tables[table].num_rows if table in batch.tables else 0
