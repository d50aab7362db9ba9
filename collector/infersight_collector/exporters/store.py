"""The exporter `store`: rows into the local store's tables, and the tables kept in good order."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import logging
import os
import shutil
import sys
import threading
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from infersight_collector.component import Batch, Surroundings
from infersight_collector.config.values import Count, Duration
from infersight_collector.exporters.workload import Workload
from infersight_collector.gathering import gather
from infersight_collector.journal import LogSettings
from infersight_collector.store.errors import StoreError
from infersight_collector.store.layout import TIME_COLUMN
from infersight_collector.store.maintenance import GRACE_S, Maintenance
from infersight_collector.store.retention import Retention
from infersight_collector.store.size import Size
from infersight_collector.store.wal import FsyncPolicy, Origin
from infersight_collector.store.writer import Store
from infersight_collector.telemetry.instruments import (
    COMPACTION_DURATION,
    COMPACTION_FAILURES,
    COMPACTION_FILES,
    STORE_BYTES,
    STORE_COMMITS,
    STORE_DELETED_FILES,
    STORE_DROPPED_BYTES,
    STORE_DROPPED_ROWS,
    STORE_FILES,
    STORE_LIMIT,
    STORE_OLDEST_AGE,
    STORE_ROWS,
    STORE_SIZE,
)

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)

_MAINTENANCE_INTERVAL_S: Final = 5.0
_MAINTENANCE_NICENESS: Final = 10

_BUSY: Final = 0.5
"""Part of the time that goes into writing from which on merges wait, see `compaction.WAITING_FILES`."""


@dataclass(frozen=True)
class RetentionConfig:
    """How much the store keeps, see `store.retention`.

    Attributes:
        max_age: time for which an hour is kept; for ever by default.
        max_size: size of its live files beyond which the oldest hours go.
    """

    max_age: Duration | None = None
    max_size: Size = Size(50, is_percent=True)  # noqa: RUF009 - immutable

    def rules(self, store: Path) -> Retention:
        """The rules for a store, on a file system that may have grown."""
        return Retention(self.max_age, self.max_size.of(shutil.disk_usage(store).total))


@dataclass(frozen=True)
class StoreConfig:
    """Configuration of the `store` exporter, and of the log, which is in the store's directory.

    Attributes:
        path: directory of the store.
        flush_interval: see `LogSettings`.
        fsync: see `LogSettings`.
        max_log_size_mib: see `LogSettings`.
        retention: how much is kept.
        vacuum_grace: how long files that were merged or dropped stay on disk, for queries that read them.
    """

    path: str = "./infersight-store"
    flush_interval: Duration = Duration(1.0)  # noqa: RUF009 - a float
    fsync: FsyncPolicy = "always"
    max_log_size_mib: Count = Count(1024)  # noqa: RUF009 - an int
    retention: RetentionConfig = RetentionConfig()
    vacuum_grace: Duration = Duration(GRACE_S)  # noqa: RUF009 - a float

    @property
    def log(self) -> LogSettings:
        """Where and how the log is kept."""
        return LogSettings(Path(self.path), self.flush_interval, self.fsync, self.max_log_size_mib)


class StoreExporter:
    """Writes the rows of each segment to one store.

    Args:
        config: where it is, created where it is absent, and what it keeps.
        surroundings: where its writes and merges are counted.
    """

    rows_only: Literal[True] = True

    def __init__(self, config: StoreConfig, surroundings: Surroundings) -> None:
        telemetry = surroundings.telemetry
        self._commits = telemetry.counter(STORE_COMMITS)
        self._written_rows = telemetry.counter(STORE_ROWS)
        self._written_bytes = telemetry.counter(STORE_BYTES)
        self._merging = telemetry.histogram(COMPACTION_DURATION)
        self._merged_files = telemetry.counter(COMPACTION_FILES)
        self._merge_failures = telemetry.counter(COMPACTION_FAILURES)
        self._dropped_rows = telemetry.counter(STORE_DROPPED_ROWS)
        self._dropped_bytes = telemetry.counter(STORE_DROPPED_BYTES)
        self._deleted_files = telemetry.counter(STORE_DELETED_FILES)
        self._path = Path(config.path)
        self._retention = config.retention
        self._maintenance = Maintenance(self._path, config.vacuum_grace)
        self._store: Store | None = None
        self._rows: dict[str, pa.Table] = {}
        self._writing = Workload()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._observe(surroundings)

    def start(self) -> None:
        """Opens the store and begins to merge its small files in the background.

        Raises:
            StoreError: the directory is no store of this version, or cannot be written.
        """
        self._store = Store.open(self._path, self._count)
        self._thread = threading.Thread(target=self._maintain, name="maintenance", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Forgets rows that were not committed."""
        self._rows = {}
        self._writing.begin()

    def consume(self, batch: Batch) -> None:
        """Gathers the rows of a batch."""
        for name, rows in batch.tables.items():
            self._rows[name] = gather([self._rows[name], rows], name) if name in self._rows else rows

    def commit(self, origin: Origin) -> None:
        """Writes the gathered rows.

        Raises:
            StoreUnavailable: not now; the same segment may be consumed again.
        """
        if self._store is None:
            raise RuntimeError("the exporter has not been started")
        self._store.write(self._rows, origin)
        self._rows = {}
        self._writing.end()

    def stop(self) -> None:
        """Ends the background work, after the merge that is in progress."""
        self._stopping.set()
        self._maintenance.stop()
        if self._thread is not None:
            self._thread.join()

    def _maintain(self) -> None:
        if sys.platform == "linux":
            # Of this thread alone: whatever arrives goes first.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _MAINTENANCE_NICENESS)
        while not self._stopping.wait(_MAINTENANCE_INTERVAL_S):
            try:
                self._maintain_once()
            except (StoreError, OSError) as error:
                _log.warning("maintenance: %s", error)
            except BaseException:  # noqa: BLE001 - the thread must live on, a panic of compiled code included
                # Tables that are not merged are slower to read, nothing else: the next round tries again.
                _log.exception("maintenance failed")

    def _maintain_once(self) -> None:
        started = time.monotonic()
        report = self._maintenance.round(self._retention.rules(self._path), busy=self._writing.share() > _BUSY)
        if report.merged_files:
            self._merging.record(time.monotonic() - started)
        self._merged_files.add(report.merged_files)
        self._merge_failures.add(len(report.problems))
        self._deleted_files.add(report.deleted_files)
        for table, dropped in report.dropped.items():
            self._dropped_rows.add(dropped.rows, table)
            self._dropped_bytes.add(dropped.size, table)
            _log.info("retention: dropped %d rows of %s, %d bytes", dropped.rows, table, dropped.size)
        for problem in report.problems:
            _log.warning("maintenance: %s", problem)

    def _observe(self, surroundings: Surroundings) -> None:
        """Shows what the store holds, as of the last round that looked."""
        name, observe = surroundings.directory.name, surroundings.telemetry.observe
        for table in TIME_COLUMN:
            observe(STORE_SIZE, partial(self._size, table), name, table)
            observe(STORE_FILES, partial(self._files, table), name, table)
        observe(STORE_LIMIT, lambda: self._retention.rules(self._path).max_bytes or 0, name)
        observe(STORE_OLDEST_AGE, self._oldest_age_s, name)

    def _size(self, table: str) -> float:
        return self._maintenance.contents.size.get(table, 0)

    def _files(self, table: str) -> float:
        return self._maintenance.contents.files.get(table, 0)

    def _oldest_age_s(self) -> float:
        oldest_ms = self._maintenance.contents.oldest_ms
        return 0.0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000)

    def _count(self, table: str, rows: int, size: int) -> None:
        self._commits.add(1, table)
        self._written_rows.add(rows, table)
        self._written_bytes.add(size, table)
