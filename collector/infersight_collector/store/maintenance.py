"""Keeps a store in good order while others write and read: drops old hours, merges small files, deletes unused ones."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyarrow publishes no types.

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import pyarrow as pa
from deltalake.exceptions import DeltaError

from infersight_collector.store import unsummarised, upgrade
from infersight_collector.store.compaction import compact
from infersight_collector.store.damage import damage
from infersight_collector.store.errors import StoreError, StoreFull, unavailable
from infersight_collector.store.layout import TIME_COLUMN
from infersight_collector.store.live import File, live_files
from infersight_collector.store.pins import locked, pins
from infersight_collector.store.retention import HOUR_MS, Dropped, Retention, drop, hour_of, plan
from infersight_collector.store.tables import Table
from infersight_collector.store.vacuum import vacuum

GRACE_S: Final = 3_600.0
"""How long a file stays on disk after it left its table, in seconds: the time that a query may take."""

SCARCE_GRACE_S: Final = 600.0
"""The same while the disk is nearly full: a query that has to be asked again is better than telemetry refused."""

SCARCE: Final = 0.05
"""Free part of the disk below which it is nearly full."""

CLEAN_EVERY_S: Final = 600.0
"""Time between two deletions of unused files, in seconds."""

RETAIN_EVERY_S: Final = 60.0
"""Time between two looks at the age and size of the tables, in seconds."""

UPGRADE_S: Final = 5.0
"""How long a round goes on with an upgrade before it merges what has come meanwhile, in seconds."""


@dataclass(slots=True)
class Report:
    """What one round of maintenance did.

    `problems` has one line for each thing that could not be done; it is tried again in a later round.
    """

    merged_files: int = 0
    merged_rows: int = 0
    dropped: dict[str, Dropped] = field(default_factory=dict[str, Dropped])
    deleted_files: int = 0
    deleted_bytes: int = 0
    problems: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Contents:
    """What the tables of a store held at the last look.

    Attributes:
        size: of the live files of each table, in bytes.
        files: number of these files.
        oldest_ms: when the oldest hour began, in milliseconds since the epoch; None where there is none.
    """

    size: dict[str, int] = field(default_factory=dict[str, int])
    files: dict[str, int] = field(default_factory=dict[str, int])
    oldest_ms: int | None = None

    @classmethod
    def of(cls, live: Mapping[str, Collection[File]]) -> Self:
        """What the live files of each table come to."""
        hours = [hour_of(file) for files in live.values() for file in files]
        return cls(
            {name: sum(file.size for file in files) for name, files in live.items()},
            {name: len(files) for name, files in live.items()},
            min(hours) * HOUR_MS if hours else None,
        )


class Maintenance:
    """The rounds of maintenance of one store; for a background thread, every few seconds.

    Writers and readers go on meanwhile. Where another process maintains the same store at the moment, a round does
    nothing.

    Args:
        store: directory of the store.
        grace_s: how long unused files stay on disk, in seconds.

    Attributes:
        contents: what the tables held at the last look.
    """

    def __init__(self, store: Path, grace_s: float = GRACE_S) -> None:
        self.contents = Contents()
        self._store = store
        self._grace_s = grace_s
        self._stopping = threading.Event()
        self._cleaned_at = self._retained_at = float("-inf")
        self._unreadable: set[str] = set()

    def stop(self) -> None:
        """Ends the round that is in progress after its next step; from any thread."""
        self._stopping.set()

    def round(self, rules: Retention = Retention()) -> Report:  # noqa: B008 - immutable
        """One round: deletes unused files, drops what has to go, merges what is worth it.

        Args:
            rules: what is kept.
        """
        report = Report()
        with alone(self._store) as is_alone:
            if is_alone:
                scarce = self._is_scarce()
                now = time.monotonic()
                if now - self._cleaned_at >= (RETAIN_EVERY_S if scarce else CLEAN_EVERY_S):
                    self._cleaned_at = now
                    self._clean(min(self._grace_s, SCARCE_GRACE_S) if scarce else self._grace_s, report)
                if now - self._retained_at >= RETAIN_EVERY_S:
                    self._retained_at = now
                    self._retain(rules, report)
                self._summarise(report)
                self._compact(report)
        return report

    def _is_scarce(self) -> bool:
        usage = shutil.disk_usage(self._store)
        return usage.free < SCARCE * usage.total

    def _clean(self, grace_s: float, report: Report) -> None:
        for table in self._tables(report):
            with reported(report, table.name):
                table.delta.cleanup_metadata()
                deleted = vacuum(table, grace_s)
                report.deleted_files += len(deleted)
                report.deleted_bytes += sum(file.size for file in deleted)

    def _retain(self, rules: Retention, report: Report) -> None:
        tables = {table.name: table for table in self._tables(report)}
        with reported(report, "retention"), locked(self._store):
            live = {name: live_files(table.delta).values() for name, table in tables.items()}
            todo = plan(live, rules, pins(self._store), time.time_ns())
            pending = unsummarised.pending(self._store)
            self.contents = Contents.of(live)
            for name, table in tables.items():
                with reported(report, name):
                    # A file with what is left of pending ones would be taken for one with summaries.
                    ready = [
                        part
                        for part in todo.expired
                        if part.table == name and not (part.pinned and any(f.path in pending for f in part.files))
                    ]
                    for part in drop(table, ready):
                        before = report.dropped.get(name, Dropped())
                        report.dropped[name] = Dropped(before.rows + part.rows, before.size + part.size)
            if rules.max_bytes is not None and todo.kept_bytes > rules.max_bytes:
                report.problems.append(
                    f"retention: {todo.kept_bytes} bytes are more than the {rules.max_bytes} of max_size, but all of "
                    "them are pinned or of the last two hours: raise it, or send less"
                )

    def _summarise(self, report: Report) -> None:
        """Goes on for a while with what an upgrade has left to do."""
        started = time.monotonic()
        with reported(report, "upgrade"):
            for progress in upgrade.advance(self._store):
                report.problems += progress.problems
                if self._stopping.is_set() or time.monotonic() - started > UPGRADE_S:
                    return

    def _compact(self, report: Report) -> None:
        leave = self._unreadable | unsummarised.pending(self._store)
        for table in self._tables(report):
            with reported(report, table.name):
                for merge in compact(table, leave=leave):
                    if merge.error is None:
                        report.merged_files += len(merge.files)
                        report.merged_rows += merge.rows
                    else:
                        report.problems += self._why_not(table, merge.files, merge.error)
                    if self._stopping.is_set():
                        return

    def _why_not(self, table: Table, files: Sequence[File], error: Exception) -> list[str]:
        """What to say of a merge that failed; damaged files are left alone from now on, so that others are merged."""
        if not isinstance(error, StoreFull):
            damaged = {file.path: said for file in files if (said := damage(table.path / file.path, file.size))}
            self._unreadable |= damaged.keys()
            if damaged:
                return [f"{table.path / path} is damaged and left as it is: {said}" for path, said in damaged.items()]
        return [f"{table.name}: cannot merge {len(files)} files of {files[0].partition.directory}: {error}"]

    def _tables(self, report: Report) -> Iterator[Table]:
        for name in TIME_COLUMN:
            if (self._store / name).exists():
                with reported(report, name):
                    yield Table(self._store, name)


@contextmanager
def reported(report: Report, what: str) -> Generator[None]:
    """Makes a failure a line of the report."""
    try:
        yield
    except (StoreError, DeltaError, OSError, pa.ArrowException) as error:
        report.problems.append(f"{what}: {error}")


@contextmanager
def alone(store: Path) -> Generator[bool]:
    """Whether this is the only process that maintains the store, for as long as the context lasts.

    Raises:
        StoreUnavailable: the directory cannot be written.
    """
    try:
        descriptor = os.open(store / "maintenance.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unavailable(f"write to {store}", error) from error
    try:
        yield _is_taken(descriptor)
    finally:
        os.close(descriptor)


def _is_taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
