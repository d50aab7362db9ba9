"""What an exporter sends on of the batches of a segment: the requests as they came, or new ones of changed rows."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from collections.abc import Iterator, Mapping, Sequence

import pyarrow as pa

from infersight_collector.component import Batch
from infersight_collector.encode import MAX_BYTES, encode
from infersight_collector.signals import TABLES, Request, Signal


class Gathered:
    """The requests for the batches of one segment.

    Args:
        max_bytes: most bytes of a request; a single record that is larger goes alone.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._requests: list[tuple[Signal, bytes]] = []
        self._metrics: list[dict[str, pa.Table]] = []

    def add(self, batch: Batch) -> None:
        """Takes a batch.

        Raises:
            ValueError: a processor has made rows that OTLP cannot say.
        """
        if batch.requests and max(map(len, batch.requests)) <= self._max_bytes:
            self._requests += ((batch.signal, joined) for joined in _joined(batch.requests, self._max_bytes))
            return
        for signal in Signal:
            tables = {name: batch.tables[name] for name in TABLES[signal] if name in batch.tables}
            if signal is Signal.METRICS and tables:
                self._add_metrics(tables)
            elif tables:
                self._requests += ((signal, request) for request in encode(signal, tables, self._max_bytes))

    def requests(self) -> list[tuple[Signal, bytes]]:
        """All requests, in the order of the batches, metrics last.

        Raises:
            ValueError: see `add`.
        """
        metrics = [
            (Signal.METRICS, request)
            for tables in self._metrics
            for request in encode(Signal.METRICS, tables, self._max_bytes)
        ]
        return self._requests + metrics

    def _add_metrics(self, tables: Mapping[str, pa.Table]) -> None:
        """Keeps rows until all parts of a batch are there: a part may have exemplars of another one's data points."""
        last = self._metrics[-1] if self._metrics else {}
        if last.keys() == tables.keys() and all(rows.schema == last[name].schema for name, rows in tables.items()):
            self._metrics[-1] = {name: pa.concat_tables([last[name], rows]) for name, rows in tables.items()}
        else:
            self._metrics.append(dict(tables))


def _joined(requests: Sequence[Request], max_bytes: int) -> Iterator[bytes]:
    """Requests that fit together as one, which concatenated requests are."""
    waiting: list[Request] = []
    size = 0
    for request in requests:
        if size + len(request) > max_bytes:
            yield b"".join(waiting)
            waiting, size = [], 0
        waiting.append(request)
        size += len(request)
    yield b"".join(waiting)
