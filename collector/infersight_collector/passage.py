"""One segment's way through the pipelines."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

from infersight_collector.component import Batch, Exporter, LookAhead, Route
from infersight_collector.decode import decode, decode_all
from infersight_collector.metering import Meter
from infersight_collector.signals import Request, Signal
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.store.wal import Record

_log = logging.getLogger(__name__)


class Passage:
    """Takes the records of a segment along the routes.

    Args:
        records: requests that were checked when they came.
        meter: counts what the processors do.
        rows_only: whether requests are forgotten once they are decoded.
    """

    def __init__(self, records: Iterable[Record], meter: Meter, *, rows_only: bool = False) -> None:
        self._meter = meter
        self._rows_only = rows_only
        self._requests: defaultdict[Signal, list[Request]] = defaultdict(list)
        for record in records:
            self._requests[record.signal].append(record.request)
        self._signals = frozenset(self._requests)
        self._batches: dict[Signal, Batch] = {}
        self._shown: set[tuple[int, Signal]] = set()
        self.complete = True

    def show(self, routes: Sequence[Route]) -> None:
        """Shows the records to the processors that look ahead."""
        for route in self._of(routes):
            try:
                self._show(route)
            except Exception:  # noqa: BLE001 - see the next line
                # What it has not seen, a processor decides about by less; `run` will tell of the bug again.
                _log.exception(
                    "a segment cannot be shown to the processors of %s", route.name, extra={"pipeline": route.name}
                )

    def decode(self, routes: Sequence[Route]) -> None:
        """Decodes what the routes take, which `run` would do otherwise; for another thread, before it."""
        for route in self._of(routes):
            self._decoded(route.signal)

    @property
    def rows_bytes(self) -> int:
        """Memory of the rows that are decoded."""
        return sum(rows.nbytes for batch in self._batches.values() for rows in batch.tables.values())

    def run(self, routes: Sequence[Route], exporters: Mapping[str, Exporter]) -> None:
        """Processes the records and hands them to those exporters that are given; `complete` tells whether all were.

        Raises:
            StoreUnavailable: a processor cannot keep what it has to; nothing may be delivered now.
            OSError: the system cannot do it now; the same holds.
        """
        for exporter in exporters.values():
            exporter.begin()
        for signal in self._signals - {route.signal for route in routes}:
            _log.error("%d requests wait for a pipeline of %s, and there is none", len(self._requests[signal]), signal)
            self.complete = False
        for route in self._of(routes):
            chosen = [exporters[name] for name in route.exporters if name in exporters]
            try:
                if chosen:
                    self._run(route, chosen)
            except (StoreUnavailable, OSError):
                raise
            except Exception:  # noqa: BLE001 - a bug in one pipeline must not stop the others; the segment is set aside
                _log.exception("the pipeline %s cannot process a segment", route.name, extra={"pipeline": route.name})
                self.complete = False

    def _show(self, route: Route) -> None:
        batch: Batch | None = None
        for step, observer in enumerate(route.processors):
            if isinstance(observer, LookAhead) and self._is_new(observer, route.signal):
                batch = batch or self._decoded(route.signal)
                for before in route.processors[:step]:
                    batch = before.process(batch)
                observer.observe(batch)

    def _is_new(self, observer: LookAhead, signal: Signal) -> bool:
        """Whether it is to see these records; once, by the first of several pipelines that it is in."""
        if signal not in observer.observes or (id(observer), signal) in self._shown:
            return False
        self._shown.add((id(observer), signal))
        return True

    def _run(self, route: Route, exporters: Sequence[Exporter]) -> None:
        batch = self._decoded(route.signal)
        for name, processor in route.steps():
            batch = self._meter.process(route, name, processor, batch)
        for processor in route.processors:
            if isinstance(processor, LookAhead):
                processor.settle()
        for part in _parts(batch, route.max_rows):
            for exporter in exporters:
                exporter.consume(part)

    def _of(self, routes: Sequence[Route]) -> Iterator[Route]:
        """The routes that there are records for."""
        return (route for route in routes if route.signal in self._signals)

    def _decoded(self, signal: Signal) -> Batch:
        if signal not in self._batches:
            requests = self._requests.pop(signal)
            tables, good = _decode_all(signal, requests)
            self.complete &= len(good) == len(requests)
            self._batches[signal] = Batch(signal, tables, () if self._rows_only else good)
        return self._batches[signal]


def _parts(batch: Batch, max_rows: int | None) -> Iterator[Batch]:
    """The batch in pieces of at most so many rows of each table."""
    longest = max((rows.num_rows for rows in batch.tables.values()), default=0)
    if max_rows is None or longest <= max_rows:
        yield batch
        return
    for start in range(0, longest, max_rows):
        yield Batch(batch.signal, {name: rows.slice(start, max_rows) for name, rows in batch.tables.items()})


def _decode_all(signal: Signal, requests: Sequence[Request]) -> tuple[dict[str, pa.Table], Sequence[Request]]:
    """The rows of many requests at the price of one (concatenated they are one), and those that could be decoded.

    Each request was checked before it came here, so only a bug or a changed disk makes decoding fail. Then the
    requests are tried one by one, so that one of them does not take the others with it.
    """
    try:
        return decode_all(signal, requests), requests
    except Exception:  # noqa: BLE001 - whatever it is, the other requests must be stored
        _log.exception("%d requests of %s cannot be decoded together", len(requests), signal)
    good = [request for request in requests if _is_decodable(signal, request)]
    return decode_all(signal, good), good


def _is_decodable(signal: Signal, request: Request) -> bool:
    try:
        decode(signal, request)
    except Exception:  # noqa: BLE001 - whatever it is, the other requests must be stored
        _log.exception("a request of %d bytes cannot be decoded", len(request))
        return False
    return True
