"""From the log to the exporters: about every second, one segment after the other, each exactly once."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from infersight_collector.component import Batch, Consumer, Exporter
from infersight_collector.decode import decode
from infersight_collector.journal import Journal
from infersight_collector.signals import Signal
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.store.wal import Record, Segment, read
from infersight_collector.telemetry import Telemetry

_log = logging.getLogger(__name__)

_MAX_BACKOFF_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where segments go: the first consumer of each signal's pipeline, and every exporter."""

    pipelines: Mapping[Signal, Consumer]
    exporters: Sequence[Exporter]


class Flusher:
    """Empties the log on a thread of its own.

    Args:
        journal: the log.
        outlets: where segments go.
        telemetry: the counters.
        interval_s: time between two flushes.
    """

    def __init__(self, journal: Journal, outlets: Outlets, telemetry: Telemetry, interval_s: float) -> None:
        self._journal = journal
        self._outlets = outlets
        self._telemetry = telemetry
        self._interval_s = interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flush", daemon=True)
        self.failure: StoreUnavailable | None = None

    def start(self) -> None:
        """Begins to flush."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; the caller flushes what came last."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def flush(self) -> None:
        """Delivers everything that is in the log.

        Raises:
            StoreUnavailable: an exporter cannot deliver now; the rest stays in the log.
        """
        started = time.monotonic()
        try:
            for segment in self._journal.take():
                self._deliver(segment)
        except StoreUnavailable as error:
            self.failure = error
            self._telemetry.failed_flushes.add(1)
            raise
        else:
            self.failure = None
        finally:
            self._telemetry.flush_seconds.add(time.monotonic() - started)

    def _run(self) -> None:
        delay = self._interval_s
        while not self._stopping.wait(delay):
            try:
                self.flush()
                delay = self._interval_s
            except StoreUnavailable as error:
                delay = min(2 * delay, _MAX_BACKOFF_S)
                _log.error("the flush is tried again in %.0f s: %s", delay, error)
            except Exception:  # noqa: BLE001 - see the next line
                # A bug must not end the thread: the log would fill without anybody knowing.
                delay = min(2 * delay, _MAX_BACKOFF_S)
                _log.exception("the flush is tried again in %.0f s", delay)

    def _deliver(self, segment: Segment) -> None:
        records, damages = read(segment)
        for damage in damages:
            _log.warning("%s", damage)
        complete = all(damage.torn for damage in damages)
        try:
            for exporter in self._outlets.exporters:
                exporter.begin()
            complete &= self._consume(records)
            for exporter in self._outlets.exporters:
                exporter.commit(segment.origin)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - a bug sets one segment aside, and the others go on
            _log.exception("segment %s of writer %s cannot be stored", segment.origin.number, segment.origin.writer)
            complete = False
        if complete:
            self._journal.remove(segment)
            self._telemetry.stored_segments.add(1)
        else:
            kept = self._journal.quarantine(segment)
            self._telemetry.quarantined_segments.add(1)
            _log.error("a segment was not stored completely and is kept in %s", kept)

    def _consume(self, records: Sequence[Record]) -> bool:
        """Sends the records through their pipelines; whether all of them could be."""
        requests: defaultdict[Signal, list[bytes]] = defaultdict(list)
        for record in records:
            requests[record.signal].append(record.request)
        complete = True
        for signal, several in requests.items():
            pipeline = self._outlets.pipelines.get(signal)
            if pipeline is None:
                _log.error("%d requests wait for a pipeline of %s, and there is none", len(several), signal)
                complete = False
                continue
            tables, decoded = _decode_all(signal, several)
            complete &= decoded == len(several)
            pipeline.consume(Batch(signal, tables))
        return complete


def _decode_all(signal: Signal, requests: Sequence[bytes]) -> tuple[dict[str, pa.Table], int]:
    """The rows of many requests at the price of one (concatenated they are one), and how many could be decoded.

    Each request was checked before it came here, so only a bug or a changed disk makes decoding fail. Then the
    requests are tried one by one, so that one of them does not take the others with it.
    """
    try:
        return decode(signal, b"".join(requests)), len(requests)
    except Exception:  # noqa: BLE001 - whatever it is, the other requests must be stored
        _log.exception("%d requests of %s cannot be decoded together", len(requests), signal)
    good = [request for request in requests if _is_decodable(signal, request)]
    return decode(signal, b"".join(good)), len(good)


def _is_decodable(signal: Signal, request: bytes) -> bool:
    try:
        decode(signal, request)
    except Exception:  # noqa: BLE001 - whatever it is, the other requests must be stored
        _log.exception("a request of %d bytes cannot be decoded", len(request))
        return False
    return True
