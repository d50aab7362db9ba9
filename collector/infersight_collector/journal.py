"""The write-ahead log as the pipeline uses it: bounded, cut into segments of a bounded size."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from infersight_collector.config.values import Count, Duration
from infersight_collector.errors import Overloaded
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.store.wal import FsyncPolicy, Record, Segment, Wal

SEGMENT_BYTES: Final = 40 * 2**20
"""Size at which a segment is finished. It bounds the memory of a flush, which holds two: one decoded, one written."""

SEGMENT_MEMORY: Final = 96 * 2**20
"""Size of its rows at which a segment is finished before it is as large: 40 MiB of spans or histograms take 75."""

REQUEST_MEMORY: Final = 256 * 2**20
"""Most that the rows of a request may take; one of more than a segment's has a segment for itself."""

QUARANTINE: Final = "quarantine"
"""Directory in the store for segments that hold something that could not be stored."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Where and how the log is kept.

    Attributes:
        path: directory that the log is in.
        flush_interval: time between two deliveries to the exporters.
        fsync: when acknowledged requests are on the disk itself.
        max_log_size_mib: size of the log beyond which senders are told to come again.
    """

    path: Path
    flush_interval: Duration
    fsync: FsyncPolicy
    max_log_size_mib: int


@dataclass(frozen=True)
class FileStorageConfig:
    """Configuration of the extension `file_storage`: the log of a collector that has no store exporter.

    Attributes:
        directory: directory that the log is in.
        flush_interval: see `LogSettings`.
        fsync: see `LogSettings`.
        max_log_size_mib: see `LogSettings`.
    """

    directory: str = "./infersight-log"
    flush_interval: Duration = Duration(1.0)  # noqa: RUF009 - a float
    fsync: FsyncPolicy = "always"
    max_log_size_mib: Count = Count(1024)  # noqa: RUF009 - an int

    @property
    def log(self) -> LogSettings:
        """Where and how the log is kept."""
        return LogSettings(Path(self.directory), self.flush_interval, self.fsync, self.max_log_size_mib)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A finished segment: its size in bytes, and the time of its first record in seconds since the epoch."""

    size: int
    since: float


class Journal:
    """What was acknowledged and is not in the tables yet.

    Args:
        wal: the log of this process.
        store: directory of the store.
        max_bytes: size of the log beyond which nothing more is taken.

    Attributes:
        failure: why the log could not be written the last time, or None.
    """

    def __init__(self, wal: Wal, store: Path, max_bytes: int) -> None:
        self._wal = wal
        self._quarantine = store / QUARANTINE
        self.max_bytes: Final = max_bytes
        self._lock = threading.Lock()
        self._written = threading.Condition(self._lock)
        self._memory = 0  # what the rows of the present segment take
        self._in_flight = 0  # the part of it that is being written, and may end up in the next segment
        self._active_since: float | None = None
        self.failure: StoreUnavailable | None = None
        self._finished: dict[Segment, _Waiting] = {segment: _waiting(segment) for segment in wal.segments()}

    @classmethod
    def open(cls, settings: LogSettings, *, adopt: bool = True) -> Self:
        """Starts the log of this process.

        Args:
            settings: where and how.
            adopt: whether to take over what dead processes left in the directory.

        Raises:
            StoreUnavailable: the directory cannot be written.
        """
        wal = Wal.open(settings.path, fsync=settings.fsync, adopt=adopt)
        return cls(wal, settings.path, settings.max_log_size_mib * 2**20)

    @property
    def waiting_bytes(self) -> int:
        """Size of the log."""
        with self._lock:
            return sum(waiting.size for waiting in self._finished.values()) + self._wal.active_bytes

    @property
    def waiting_segments(self) -> int:
        """Finished segments that are not in the tables yet."""
        with self._lock:
            return len(self._finished)

    @property
    def oldest_age_s(self) -> float:
        """How long the oldest record has waited, in seconds; 0 where nothing waits."""
        with self._lock:
            times = [waiting.since for waiting in self._finished.values()]
            if self._active_since is not None:
                times.append(self._active_since)
        return max(0.0, time.time() - min(times)) if times else 0.0

    def append(self, record: Record, memory: int = 0) -> None:
        """Keeps a record, see `append_all`."""
        self.append_all([record], memory)

    def append_all(self, records: Sequence[Record], memory: int) -> None:
        """Keeps records; when it returns, they survive whatever happens to the process.

        Args:
            records: requests that were checked.
            memory: what their rows take together, in bytes.

        Raises:
            Overloaded: the log is as large as it may be.
            StoreUnavailable: it cannot be written.
        """
        if self.waiting_bytes >= self.max_bytes:
            raise Overloaded("the write-ahead log is full: the store takes it up too slowly, try again later")
        self._reserve(memory)
        if self._active_since is None:
            self._active_since = time.time()
        try:
            self._write(records)
        finally:
            with self._written:
                self._in_flight -= memory
                self._written.notify_all()
        if self._wal.active_bytes >= SEGMENT_BYTES:
            self._rotate()

    def take(self) -> list[Segment]:
        """Everything that waits, as finished segments; those of one writer in order."""
        if self.failure is not None:
            # Senders may have been told to go elsewhere: whether it is over must not need one of them.
            with suppress(StoreUnavailable):
                self._write([])
        self._rotate()
        with self._lock:
            return list(self._finished)

    def remove(self, segment: Segment) -> None:
        """Forgets a segment whose rows are in the tables."""
        self._wal.remove(segment)
        with self._lock:
            self._finished.pop(segment, None)

    def quarantine(self, segment: Segment) -> Path:
        """Sets a segment aside for a person to look at, and forgets it."""
        kept = self._quarantine / segment.origin.writer / segment.path.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # somebody deleted it
            segment.path.replace(kept)
        self.remove(segment)
        return kept

    def close(self) -> None:
        """Gives the log up; what is in it waits for the next process."""
        self._wal.close()

    def _write(self, records: Sequence[Record]) -> None:
        try:
            self._wal.append(records)
        except StoreUnavailable as error:
            self.failure = error
            raise
        self.failure = None

    def _reserve(self, memory: int) -> None:
        """Returns when the segment that is written to has room for the rows of a record, or is empty."""
        with self._written:
            while self._memory + memory > SEGMENT_MEMORY and self._memory:
                if self._memory > self._in_flight:
                    self._finish()
                else:
                    self._written.wait()
            self._memory += memory
            self._in_flight += memory

    def _rotate(self) -> None:
        # Under our lock, so that segments that two threads finish are listed in their order.
        with self._lock:
            self._finish()

    def _finish(self) -> None:
        since, self._active_since = self._active_since, None
        self._memory = self._in_flight
        self._wal.rotate()
        for segment in self._wal.segments():
            if segment not in self._finished:
                self._finished[segment] = _waiting(segment, since)


def _waiting(segment: Segment, since: float | None = None) -> _Waiting:
    """What a finished segment adds; of a dead process's, the last record tells the age, a second late at most."""
    status = segment.path.stat()
    return _Waiting(status.st_size, status.st_mtime if since is None else since)
