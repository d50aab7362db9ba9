"""Between receivers and log: every request is checked completely, kept durably and counted before the answer."""

from collections.abc import Callable, Mapping, Sequence

from infersight_collector.component import Gate
from infersight_collector.decode import examine
from infersight_collector.errors import TooManyCopies
from infersight_collector.journal import SEGMENT_MEMORY, Journal
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreFull, StoreUnavailable
from infersight_collector.store.wal import Record
from infersight_collector.telemetry import Telemetry


class Intake:
    """The request sink of the receivers.

    Requests that arrive together share one fsync: their threads meet in the log.

    Args:
        journal: where requests are kept.
        telemetry: the counters.
        failure: why the last flush failed, or None.
        gates: of each signal, who says whether its requests are taken at the moment.
        arrived: told how many records of a signal are in the log now.
    """

    def __init__(
        self,
        journal: Journal,
        telemetry: Telemetry,
        failure: Callable[[], StoreUnavailable | None],
        gates: Mapping[Signal, Sequence[Gate]] | None = None,
        arrived: Callable[[Signal, int], None] = lambda _signal, _records: None,
    ) -> None:
        self._journal = journal
        self._telemetry = telemetry
        self._failure = failure
        self._gates = gates or {}
        self._arrived = arrived

    def submit(self, signal: Signal, request: bytes) -> int:
        """Keeps one protobuf request durably.

        Returns:
            the number of spans, log records or data points in it.

        Raises:
            MalformedRequest: the bytes are no valid request.
            TooManyCopies: its rows would take too much memory.
            Overloaded: there is no room now.
            StoreUnavailable: the log cannot be written now.
        """
        for gate in self._gates.get(signal, ()):
            gate.admit()
        records, of_rows, of_decoding = examine(signal, request)
        if of_rows + of_decoding > SEGMENT_MEMORY:
            raise TooManyCopies(of_rows + of_decoding, SEGMENT_MEMORY)
        if records:
            self._persist(signal, request, of_rows)
            self._arrived(signal, records)
        self._telemetry.accepted_requests.add(1, signal)
        self._telemetry.accepted_records.add(records, signal)
        self._telemetry.accepted_bytes.add(len(request), signal)
        return records

    def keep_own(self, request: bytes) -> None:
        """Keeps a request with the collector's own metrics. It is not counted: counts are of what senders sent.

        Raises:
            Overloaded: there is no room now.
            StoreUnavailable: the log cannot be written now.
        """
        self._persist(Signal.METRICS, request, examine(Signal.METRICS, request).rows_bytes)

    def refused(self, signal: Signal, reason: str) -> None:
        """Counts a request that was not accepted."""
        self._telemetry.refused_requests.add(1, signal, reason)

    def _persist(self, signal: Signal, request: bytes, memory: int) -> None:
        failure = self._failure()
        if isinstance(failure, StoreFull):
            # The last bytes of the disk are for the tables: taking more into the log would only delay the refusal.
            raise StoreFull(str(failure))
        self._journal.append(Record(signal, request), memory)
