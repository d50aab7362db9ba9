"""The exporter `store`: rows into the local store's tables, and the tables kept in good order."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import logging
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from infersight_collector.component import Batch
from infersight_collector.config.values import Count, Duration
from infersight_collector.gathering import gather
from infersight_collector.journal import LogSettings
from infersight_collector.store.compaction import maintain
from infersight_collector.store.wal import FsyncPolicy, Origin
from infersight_collector.store.writer import Store
from infersight_collector.telemetry import Telemetry
from infersight_collector.telemetry.instruments import (
    COMPACTION_DURATION,
    COMPACTION_FAILURES,
    COMPACTION_FILES,
    STORE_BYTES,
    STORE_COMMITS,
    STORE_ROWS,
)

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)

_MAINTENANCE_INTERVAL_S: Final = 5.0
_MAINTENANCE_NICENESS: Final = 10


@dataclass(frozen=True)
class StoreConfig:
    """Configuration of the `store` exporter, and of the log, which is in the store's directory.

    Attributes:
        path: directory of the store.
        flush_interval: see `LogSettings`.
        fsync: see `LogSettings`.
        max_log_size_mib: see `LogSettings`.
    """

    path: str = "./infersight-store"
    flush_interval: Duration = Duration(1.0)  # noqa: RUF009 - a float
    fsync: FsyncPolicy = "always"
    max_log_size_mib: Count = Count(1024)  # noqa: RUF009 - an int

    @property
    def log(self) -> LogSettings:
        """Where and how the log is kept."""
        return LogSettings(Path(self.path), self.flush_interval, self.fsync, self.max_log_size_mib)


class StoreExporter:
    """Writes the rows of each segment to one store.

    Args:
        path: directory of the store, created where it is absent.
        telemetry: where writes and merges are counted.
    """

    rows_only: Literal[True] = True

    def __init__(self, path: Path, telemetry: Telemetry) -> None:
        self._commits = telemetry.counter(STORE_COMMITS)
        self._written_rows = telemetry.counter(STORE_ROWS)
        self._written_bytes = telemetry.counter(STORE_BYTES)
        self._merging = telemetry.histogram(COMPACTION_DURATION)
        self._merged_files = telemetry.counter(COMPACTION_FILES)
        self._merge_failures = telemetry.counter(COMPACTION_FAILURES)
        self._path = path
        self._store: Store | None = None
        self._rows: dict[str, pa.Table] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Opens the store and begins to merge its small files in the background.

        Raises:
            StoreError: the directory is no store of this version, or cannot be written.
        """
        store = self._store = Store.open(self._path, self._count)
        self._thread = threading.Thread(target=self._maintain, args=(store,), name="maintenance", daemon=True)
        self._thread.start()

    def begin(self) -> None:
        """Forgets rows that were not committed."""
        self._rows = {}

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

    def stop(self) -> None:
        """Ends the background work, after the merge that is in progress."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _maintain(self, store: Store) -> None:
        if sys.platform == "linux":
            # Of this thread alone: whatever arrives goes first.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _MAINTENANCE_NICENESS)
        while not self._stopping.wait(_MAINTENANCE_INTERVAL_S):
            try:
                self._maintain_once(store)
            except BaseException:  # noqa: BLE001 - the thread must live on, a panic of compiled code included
                # Tables that are not merged are slower to read, nothing else: the next round tries again.
                _log.exception("maintenance failed")

    def _maintain_once(self, store: Store) -> None:
        started = time.monotonic()
        report = maintain(store)
        if report.merged_files:
            self._merging.record(time.monotonic() - started)
        self._merged_files.add(report.merged_files)
        self._merge_failures.add(len(report.problems))
        for problem in report.problems:
            _log.warning("maintenance: %s", problem)

    def _count(self, table: str, rows: int, size: int) -> None:
        self._commits.add(1, table)
        self._written_rows.add(rows, table)
        self._written_bytes.add(size, table)
