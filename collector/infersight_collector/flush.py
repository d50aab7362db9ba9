"""From the log to the exporters: about every second, one segment after the other, each exactly once."""

import errno
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from infersight_collector.component import Exporter, Forwarder, LookAhead, Route, RowsOnly, Trouble
from infersight_collector.journal import Journal
from infersight_collector.metering import Meter
from infersight_collector.passage import Passage
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreFull, StoreUnavailable, unavailable
from infersight_collector.store.wal import Record, Segment, read
from infersight_collector.telemetry import Telemetry
from infersight_collector.telemetry.instruments import EXPORTER_FAILURES, EXPORTER_RETRY_DELAY

_log = logging.getLogger(__name__)

_MAX_BACKOFF_S: Final = 30.0

_LARGE_ROWS: Final = 128 * 2**20
"""Memory of a segment's rows from which on it is alone: sparse keys and large requests make some of 256 MiB."""

_PASSING: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Why a file cannot be read at the moment, while nothing is wrong with it."""


@dataclass(slots=True)
class _Delivery:
    """How far a segment has come.

    Attributes:
        waiting: names of the exporters that have not delivered it.
        shown_at: monotonic time at which the processors that look ahead have seen it.
        complete: whether everything in it could be decoded, processed and delivered so far.
        stuck: whether it was delivered and could not be taken out of the log.
    """

    waiting: list[str]
    shown_at: float
    complete: bool = True
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class _Trouble:
    """An exporter that cannot deliver at the moment; see `component.Trouble`."""

    error: StoreUnavailable
    delay: float
    retry_at: float
    since: float


@dataclass(frozen=True, slots=True)
class LastFlush:
    """When the last flush that had something to deliver ended, in seconds since the epoch, and how long it took."""

    at: float
    seconds: float


@dataclass(slots=True)
class _Round:
    """One flush: who cannot deliver in it, from which segment on, and whether any delivery was tried."""

    blocked: set[str]
    tried: bool = False
    errors: dict[str, StoreUnavailable] = field(default_factory=dict[str, StoreUnavailable])


class Flusher:
    """Empties the log on a thread of its own.

    An exporter that cannot deliver keeps its segments in the log and gets them again, in order; the others go on.

    Args:
        journal: the log.
        routes: where segments go.
        exporters: the exporters of the routes, by name.
        telemetry: the counters.
        interval_s: time between two flushes.
        due_records: records of a signal that arrive before a flush does not wait for the interval.
    """

    def __init__(
        self,
        journal: Journal,
        routes: Sequence[Route],
        exporters: Mapping[str, Exporter],
        telemetry: Telemetry,
        interval_s: float,
        *,
        due_records: Mapping[Signal, int] | None = None,
    ) -> None:
        self._journal = journal
        self._routes = routes
        self._exporters = exporters
        self._telemetry = telemetry
        self._interval_s = interval_s
        ahead = [part for route in routes for part in route.processors if isinstance(part, LookAhead)]
        self._lookahead_s = max((part.lookahead_s for part in ahead), default=0.0)
        self._rows_only = all(isinstance(exporter, RowsOnly) for exporter in exporters.values())
        self._deliveries: dict[Segment, _Delivery] = {}
        self._troubles: dict[str, _Trouble] = {}
        self._last_flush: LastFlush | None = None
        self._bug: StoreUnavailable | None = None
        self._meter = Meter(telemetry)
        self._failures = telemetry.counter(EXPORTER_FAILURES)
        for name in exporters:
            telemetry.observe(EXPORTER_RETRY_DELAY, partial(self._retry_delay, name), name)
        self._lock = threading.Lock()
        self._due_records = due_records or {}
        self._arrived: Counter[Signal] = Counter()
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flush", daemon=True)

    @property
    def failure(self) -> StoreUnavailable | None:
        """Why something cannot be delivered at the moment, a full disk before anything else; or None."""
        errors = [trouble.error for trouble in list(self._troubles.values())]
        errors += [self._bug] if self._bug is not None else []
        return next((error for error in errors if isinstance(error, StoreFull)), errors[0] if errors else None)

    @property
    def troubles(self) -> dict[str, Trouble]:
        """The exporters that cannot deliver at the moment, by name."""
        return {name: trouble for name in self._exporters if (trouble := self._trouble(name)) is not None}

    @property
    def last_flush(self) -> LastFlush | None:
        """The last flush that had something to deliver, or None before the first."""
        return self._last_flush

    def start(self) -> None:
        """Begins to flush."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; the caller flushes what came last."""
        self._stopping.set()
        self._due.set()
        if self._thread.is_alive():
            self._thread.join()

    def arrived(self, signal: Signal, records: int) -> None:
        """Takes note of records that are in the log now; enough of them are flushed at once."""
        if signal in self._due_records:
            # A count that two threads change at once may miss some: the flush then comes a little later.
            self._arrived[signal] += records
            if self._arrived[signal] >= self._due_records[signal]:
                self._due.set()

    def flush(self, *, final: bool = False) -> None:
        """Delivers what is in the log.

        Args:
            final: also what processors would like to look ahead from.

        Raises:
            StoreUnavailable: an exporter cannot deliver now; its segments stay in the log.
        """
        errors = self._flush(set(), final=final)
        if errors:
            raise next(iter(errors.values()))

    def _run(self) -> None:
        while not self._wait():
            try:
                now = time.monotonic()
                patient = {name for name, trouble in self._troubles.items() if trouble.retry_at > now}
                for name, error in self._flush(patient, final=False).items():
                    delay = self._troubles[name].delay
                    _log.error(
                        "exporter %s is tried again in %.0f s: %s", name, delay, error, extra={"component": name}
                    )
            except BaseException as error:  # noqa: BLE001 - see the next line
                # Neither a bug nor a panic of compiled code may end the thread: the log would fill unnoticed.
                _log.exception("the flush is tried again")
                self._bug = unavailable("flush the log", error)
                self._stopping.wait(_MAX_BACKOFF_S)

    def _wait(self) -> bool:
        """Returns when the next flush is due; True at the end."""
        self._due.wait(self._interval_s)
        self._due.clear()
        self._arrived.clear()
        return self._stopping.is_set()

    def _flush(self, skipped: Collection[str], *, final: bool) -> dict[str, StoreUnavailable]:
        """One round over all segments; returns what went wrong by exporter."""
        started = time.monotonic()
        this = _Round(set(skipped))
        with self._lock:
            # All are shown before one is delivered: a processor that looks ahead decides by everything that is there.
            shown = [(segment, self._show(segment)) for segment in self._journal.take()]
            due = [
                (segment, delivery)
                for segment, delivery in shown
                if final or time.monotonic() - delivery.shown_at >= self._lookahead_s
            ]
            opened = self._opened(due, this)
            for _ in due:
                # No name here keeps what is done with: it is as much memory as a third segment.
                self._deliver(*next(opened), this)
        self._bug = None
        if this.errors:
            self._telemetry.failed_flushes.add(1)
        if this.tried:
            self._last_flush = LastFlush(time.time(), time.monotonic() - started)
            self._telemetry.flush_duration.record(self._last_flush.seconds)
        return this.errors

    def _show(self, segment: Segment) -> _Delivery:
        """The delivery of a segment, which is shown first to those processors that look ahead."""
        delivery = self._deliveries.get(segment)
        if delivery is None:
            if self._lookahead_s:
                with suppress(OSError):  # which `_records` will tell of
                    Passage(read(segment)[0], self._meter).show(self._routes)
            delivery = self._deliveries[segment] = _Delivery(list(self._exporters), time.monotonic())
        return delivery

    def _opened(
        self, due: Sequence[tuple[Segment, _Delivery]], this: _Round
    ) -> Iterator[tuple[Segment, _Delivery, "Future[Passage] | None"]]:
        """The segments, each read and decoded while the one before it is delivered, unless that has large rows."""
        coming: deque[tuple[Segment, _Delivery, Future[Passage] | None]] = deque()
        with ThreadPoolExecutor(1, thread_name_prefix="decode") as thread:
            for segment, delivery in due:
                if coming and _has_large_rows(coming[0][2]):
                    yield coming.popleft()
                wanted = any(name not in this.blocked for name in delivery.waiting)
                coming.append((segment, delivery, thread.submit(self._open, segment, delivery) if wanted else None))
                if len(coming) > 1:
                    yield coming.popleft()
            while coming:
                yield coming.popleft()

    def _open(self, segment: Segment, delivery: _Delivery) -> Passage:
        passage = Passage(self._records(segment, delivery), self._meter, rows_only=self._rows_only)
        passage.decode(self._routes)
        return passage

    def _deliver(self, segment: Segment, delivery: _Delivery, coming: "Future[Passage] | None", this: _Round) -> None:
        todo = {name: self._exporters[name] for name in delivery.waiting if name not in this.blocked}
        # An exporter gets its segments in order, so one that misses this misses those behind it.
        this.blocked.update(name for name in delivery.waiting if name not in todo)
        if todo and coming is not None:
            this.tried = True
            try:
                passage = coming.result()
                passage.run(self._routes, todo)
            except (StoreUnavailable, OSError) as error:
                for name in todo:
                    self._postpone(name, error, this)
                return
            delivery.complete &= passage.complete
            for name, exporter in todo.items():
                delivery.complete &= self._commit(name, exporter, segment, this)
            delivery.waiting = [name for name in delivery.waiting if name in this.blocked]
        if not delivery.waiting:
            self._finish(segment, delivery)

    def _records(self, segment: Segment, delivery: _Delivery) -> list[Record]:
        """What a segment holds, or as much of it as can be read.

        Raises:
            StoreUnavailable: nothing at the moment.
        """
        try:
            records, damages = read(segment)
        except OSError as error:
            if error.errno in _PASSING:
                raise unavailable(f"read {segment.path}", error) from error
            # A bad sector, or somebody deleted the file: the segments behind it must not wait for it.
            _log.error("a segment of the log cannot be read: %s", error)
            delivery.complete = False
            return []
        for damage in damages:
            _log.warning("%s", damage)
        delivery.complete &= all(damage.torn for damage in damages)
        return records

    def _commit(self, name: str, exporter: Exporter, segment: Segment, this: _Round) -> bool:
        """Lets an exporter deliver; False where it never will deliver this segment."""
        try:
            exporter.commit(segment.origin)
        except (StoreUnavailable, OSError) as error:
            self._postpone(name, error, this)
        except Exception:  # noqa: BLE001 - a bug sets one segment aside, and the others go on
            _log.exception(
                "exporter %s cannot take segment %s of writer %s",
                name,
                segment.origin.number,
                segment.origin.writer,
                extra={"component": name},
            )
            return False
        else:
            self._troubles.pop(name, None)
        return True

    def _postpone(self, name: str, failure: StoreUnavailable | OSError, this: _Round) -> None:
        """Leaves a segment and those behind it for a later round, as far as one exporter is concerned."""
        error = failure if isinstance(failure, StoreUnavailable) else unavailable("deliver", failure)
        before = self._troubles.get(name)
        delay = min(2 * (before.delay if before else self._interval_s), _MAX_BACKOFF_S)
        now = time.monotonic()
        self._troubles[name] = _Trouble(error, delay, now + delay, before.since if before else now)
        self._failures.add(1, name)
        this.errors[name] = error
        this.blocked.add(name)

    def _retry_delay(self, name: str) -> float:
        trouble = self._trouble(name)
        return trouble.delay_s if trouble else 0.0

    def _trouble(self, name: str) -> Trouble | None:
        found = self._troubles.get(name)
        if found is not None:
            return Trouble(str(found.error), found.since, found.retry_at, found.delay)
        exporter = self._exporters[name]
        return exporter.trouble if isinstance(exporter, Forwarder) else None

    def _finish(self, segment: Segment, delivery: _Delivery) -> None:
        """Takes a segment out of the log that every exporter is done with; a later round does where that fails now."""
        try:
            if delivery.complete:
                self._journal.remove(segment)
                self._telemetry.stored_segments.add(1)
            else:
                kept = self._journal.quarantine(segment)
                self._telemetry.quarantined_segments.add(1)
                _log.error("a segment was not delivered completely and is kept in %s", kept)
        except OSError as error:
            if not delivery.stuck:
                _log.error("a delivered segment cannot leave the log yet: %s", error)
            delivery.stuck = True
        else:
            del self._deliveries[segment]


def _has_large_rows(coming: "Future[Passage] | None") -> bool:
    """Whether a segment, once it is decoded, takes so much memory that no other should beside it."""
    if coming is None or coming.exception() is not None:
        return False
    return coming.result().rows_bytes > _LARGE_ROWS
