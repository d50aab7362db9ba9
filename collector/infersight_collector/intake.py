"""Between receivers and log: every request is checked completely, kept durably and counted before the answer."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from infersight_collector.component import Gate, Receipt
from infersight_collector.decode import examine
from infersight_collector.errors import CollectorError
from infersight_collector.journal import REQUEST_MEMORY, SEGMENT_MEMORY, Journal
from infersight_collector.screening import screen
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreFull, StoreUnavailable
from infersight_collector.store.wal import Record
from infersight_collector.telemetry import Telemetry


class _Admitted(NamedTuple):
    """A request, or what is left of it, that may be kept."""

    record: Record
    memory: int
    receipt: Receipt


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

    def submit(self, signal: Signal, request: bytes) -> Receipt:
        """Keeps one protobuf request durably, but for resources whose rows would take too much memory.

        Raises:
            MalformedRequest: the bytes are no valid request.
            TooManyCopies: its rows would take too much memory, and nothing would be left without the largest.
            Overloaded: there is no room now.
            StoreUnavailable: the log cannot be written now.
        """
        (outcome,) = self.submit_all([(signal, request)])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def submit_all(self, requests: Sequence[tuple[Signal, bytes]]) -> list[Receipt | Exception]:
        """Keeps several requests by one write; for each what `submit` gives or raises."""
        admitted = [self._admit(signal, request) for signal, request in requests]
        outcomes: list[Receipt | Exception] = [one if isinstance(one, Exception) else one.receipt for one in admitted]
        for places in _portions(admitted):
            together = [one for place in places if not isinstance(one := admitted[place], Exception)]
            try:
                self._persist([one.record for one in together], sum(one.memory for one in together))
            except (CollectorError, StoreUnavailable) as error:
                for place in places:
                    outcomes[place] = error
        for (signal, request), outcome in zip(requests, outcomes, strict=True):
            if not isinstance(outcome, Exception):
                self._count(signal, request, outcome)
        return outcomes

    def keep_own(self, request: bytes) -> None:
        """Keeps a request with the collector's own metrics. It is not counted: counts are of what senders sent.

        Raises:
            Overloaded: there is no room now.
            StoreUnavailable: the log cannot be written now.
        """
        self._persist([Record(Signal.METRICS, request)], examine(Signal.METRICS, request).rows_bytes)

    def refused(self, signal: Signal, reason: str) -> None:
        """Counts a request that was not accepted."""
        self._telemetry.refused_requests.add(1, signal, reason)

    def _admit(self, signal: Signal, request: bytes) -> _Admitted | Exception:
        """The request as it may be kept; an error is its sender's answer, and nobody else's."""
        try:
            for gate in self._gates.get(signal, ()):
                gate.admit()
            examined, rejected = examine(signal, request), 0
            if examined.memory > REQUEST_MEMORY:
                request, examined, rejected = screen(signal, request, REQUEST_MEMORY)
        except Exception as error:  # noqa: BLE001 - see above
            return error
        message = f"the largest resources would take more than {REQUEST_MEMORY} bytes as rows" if rejected else ""
        return _Admitted(Record(signal, request), examined.rows_bytes, Receipt(examined.records, rejected, message))

    def _persist(self, records: Sequence[Record], memory: int) -> None:
        failure = self._failure()
        if isinstance(failure, StoreFull):
            # The last bytes of the disk are for the tables: taking more into the log would only delay the refusal.
            raise StoreFull(str(failure))
        self._journal.append_all(records, memory)

    def _count(self, signal: Signal, request: bytes, receipt: Receipt) -> None:
        if receipt.records:
            self._arrived(signal, receipt.records)
        self._telemetry.accepted_requests.add(1, signal)
        self._telemetry.accepted_records.add(receipt.records, signal)
        self._telemetry.accepted_bytes.add(len(request), signal)
        if receipt.rejected:
            self._telemetry.dropped_records.add(receipt.rejected, signal, "too_large")


def _portions(admitted: Sequence[_Admitted | Exception]) -> Iterator[list[int]]:
    """Places of requests to be written together, so that a segment is finished long before it is too large."""
    portion: list[int] = []
    memory = 0
    for place, one in enumerate(admitted):
        if isinstance(one, Exception) or not one.receipt.records:
            continue
        if portion and memory + one.memory > SEGMENT_MEMORY // 8:
            yield portion
            portion, memory = [], 0
        portion.append(place)
        memory += one.memory
    if portion:
        yield portion
