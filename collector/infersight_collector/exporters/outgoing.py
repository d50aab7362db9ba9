"""What an exporter sends on of the batches of a segment: the requests as they came, or new ones of changed rows."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from collections.abc import Iterator, Sequence

import pyarrow as pa

from infersight_collector.component import Batch
from infersight_collector.encode import MAX_BYTES, encode
from infersight_collector.signals import TABLES, Request, Signal

Tables = dict[str, pa.Table]


class Gathered:
    """The batches of one segment; what a processor has made of them wrongly comes out when the requests are made.

    Args:
        max_bytes: most bytes of a request; a single record that is larger goes alone.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._batches: list[Batch] = []

    def add(self, batch: Batch) -> None:
        """Takes a batch."""
        self._batches.append(batch)

    def requests(self) -> Iterator[tuple[Signal, bytes]]:
        """The requests of all batches in their order, encoded metrics last.

        Raises:
            ValueError: a processor has made rows that OTLP cannot say.
        """
        metrics: list[Tables] = []
        for batch in self._batches:
            if batch.requests and max(map(len, batch.requests)) <= self._max_bytes:
                yield from ((batch.signal, request) for request in _joined(batch.requests, self._max_bytes))
                continue
            for signal in Signal:
                tables = {name: batch.tables[name] for name in TABLES[signal] if name in batch.tables}
                if signal is Signal.METRICS and tables:
                    _append(metrics, tables)
                elif tables:
                    yield from ((signal, request) for request in encode(signal, tables, self._max_bytes))
        for tables in metrics:
            yield from ((Signal.METRICS, request) for request in encode(Signal.METRICS, tables, self._max_bytes))


def _append(metrics: list[Tables], tables: Tables) -> None:
    """Puts the parts of a batch together: a part may have exemplars of another one's data points."""
    last = metrics[-1] if metrics else {}
    if last.keys() == tables.keys() and all(rows.schema == last[name].schema for name, rows in tables.items()):
        metrics[-1] = {name: pa.concat_tables([last[name], rows]) for name, rows in tables.items()}
    else:
        metrics.append(tables)


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
