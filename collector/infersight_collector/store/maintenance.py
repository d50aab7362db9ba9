"""Keeps a store in good order while others write and read: drops old hours, merges small files, deletes unused ones."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyarrow publishes no types.

import shutil
import threading
import time
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

import pyarrow as pa
from deltalake.exceptions import DeltaError

from infersight_collector.store import locks, profiles, unsummarised, upgrade
from infersight_collector.store.compaction import LATER_MS, Merge, compact
from infersight_collector.store.damage import damage
from infersight_collector.store.errors import StoreError, StoreFull
from infersight_collector.store.layout import TIME_COLUMN
from infersight_collector.store.live import File, live_files
from infersight_collector.store.locks import locked
from infersight_collector.store.pins import deciding, pins
from infersight_collector.store.retention import HOUR_MS, Dropped, Plan, Retention, drop, hour_of, plan
from infersight_collector.store.tables import Table
from infersight_collector.store.vacuum import vacuum

GRACE_S: Final = 3_600.0
"""How long a file stays on disk after it left its table, in seconds: the time that a query may take."""

SCARCE_GRACE_S: Final = 60.0
"""The same while the disk is nearly full: a query that has to be asked again is better than telemetry refused."""

SCARCE: Final = 0.05
"""Free part of the disk below which it is nearly full."""

CLEAN_EVERY_S: Final = 600.0
"""Time between two deletions of unused files, in seconds."""

RETAIN_EVERY_S: Final = 60.0
"""Time between two looks at the age and size of the tables, in seconds."""

REST_S: Final = 60.0
"""Time without a commit after which the log of a table is summed up, in seconds: for whoever opens it then.
Each checkpoint stays for an hour."""

UPGRADE_S: Final = 5.0
"""How long a round goes on with an upgrade before it merges what has come meanwhile, in seconds."""


@dataclass(slots=True)
class Report:
    """What one round of maintenance did. Of `profiles`, what it dropped has a row each.

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
        self._versions: dict[str, tuple[int, float]] = {}

    def stop(self) -> None:
        """Ends the round that is in progress after its next step; from any thread."""
        self._stopping.set()

    def round(self, rules: Retention = Retention(), *, busy: bool = False) -> Report:  # noqa: B008 - immutable
        """Does what is due: deletes unused files, drops what has to go, merges what is worth it.

        Args:
            rules: what is kept.
            busy: see `compaction.compact`.
        """
        report = Report()
        with alone(self._store) as is_alone:
            if is_alone:
                scarce = self._is_scarce()
                now = time.monotonic()
                if now - self._cleaned_at >= (RETAIN_EVERY_S if scarce else CLEAN_EVERY_S):
                    self._cleaned_at = now
                    self.clean(report, min(self._grace_s, SCARCE_GRACE_S) if scarce else self._grace_s)
                if now - self._retained_at >= RETAIN_EVERY_S:
                    self._retained_at = now
                    self.retain(rules, report)
                self._summarise(report)
                for _ in self.merge(report, busy=busy):
                    if self._stopping.is_set():
                        break
        return report

    def clean(self, report: Report, grace_s: float) -> None:
        """Deletes the files that have been in no table for so long, and log entries that nobody needs.

        Args:
            report: where it is told.
            grace_s: how long, in seconds.
        """
        for table in self._tables(report):
            with reported(report, table.name):
                table.delta.cleanup_metadata()
                deleted = vacuum(table, grace_s)
                report.deleted_files += len(deleted)
                report.deleted_bytes += sum(file.size for file in deleted)

    def plan(self, rules: Retention, report: Report) -> Plan:
        """What would be dropped.

        Args:
            rules: what is kept.
            report: where it is told what cannot be read.

        Raises:
            StoreError: a pin cannot be read.
        """
        return self._plan(self._tables(report), rules)

    def _plan(self, tables: Iterable[Table], rules: Retention) -> Plan:
        return plan(self._look(tables), rules, pins(self._store), time.time_ns(), profiles.stored(self._store))

    def retain(self, rules: Retention, report: Report) -> None:
        """Drops what has to go.

        Args:
            rules: what is kept.
            report: where it is told.
        """
        tables = list(self._tables(report))
        with reported(report, "retention"), deciding(self._store):
            todo = self._plan(tables, rules)
            pending = unsummarised.pending(self._store)
            for table in tables:
                with reported(report, table.name):
                    # A file with what is left of pending ones would be taken for one with summaries.
                    ready = [
                        part
                        for part in todo.expired
                        if part.table == table.name and not (part.pinned and any(f.path in pending for f in part.files))
                    ]
                    for gone in drop(table, ready):
                        before = report.dropped.get(table.name, Dropped())
                        report.dropped[table.name] = Dropped(before.rows + gone.rows, before.size + gone.size)
            with reported(report, profiles.DIRECTORY):
                profiles.drop(self._store, todo.profiles)
                if todo.profiles:
                    size = sum(profile.size for profile in todo.profiles)
                    report.dropped[profiles.DIRECTORY] = Dropped(len(todo.profiles), size)
            if rules.max_bytes is not None and todo.kept_bytes > rules.max_bytes:
                report.problems.append(
                    f"retention: {todo.kept_bytes} bytes are more than the {rules.max_bytes} of max_size, but all of "
                    "them are pinned or of the last two hours: raise it, or send less"
                )

    def merge(self, report: Report, *, all_now: bool = False, busy: bool = False) -> Iterator[Merge]:
        """Merges what is worth it, and yields after each merge, successful or not; then shortens the logs that rest.

        Whoever stops asking for the next one loses nothing.

        Args:
            report: where it is told.
            all_now: whether to go on until there is nothing left to merge, as if no partition grew any more.
            busy: see `compaction.compact`.
        """
        now_ms = LATER_MS if all_now else None
        for table in self._tables(report):
            with reported(report, table.name):
                again = True
                while again:
                    again = False
                    leave = self._unreadable | unsummarised.pending(self._store)
                    for merge in compact(table, now_ms=now_ms, leave=leave, busy=busy):
                        again |= self._note(table, merge, report) and all_now
                        yield merge
                if all_now or self._rests(table):
                    table.checkpoint()

    def _rests(self, table: Table) -> bool:
        """Whether nothing was committed for a while: then a checkpoint is worth its time and place."""
        now, version = time.monotonic(), table.delta.version()
        seen, since = self._versions.get(table.name, (-1, now))
        self._versions[table.name] = (version, since if version == seen else now)
        return version == seen and now - since >= REST_S

    def _is_scarce(self) -> bool:
        usage = shutil.disk_usage(self._store)
        return usage.free < SCARCE * usage.total

    def _summarise(self, report: Report) -> None:
        """Goes on for a while with what an upgrade has left to do."""
        started = time.monotonic()
        with reported(report, "upgrade"):
            for progress in upgrade.advance(self._store):
                report.problems += progress.problems
                if self._stopping.is_set() or time.monotonic() - started > UPGRADE_S:
                    return

    def _look(self, tables: Iterable[Table]) -> Mapping[str, Collection[File]]:
        live = {table.name: live_files(table.delta).values() for table in tables}
        self.contents = Contents.of(live)
        return live

    def _note(self, table: Table, merge: Merge, report: Report) -> bool:
        """Adds a merge to the report; whether it succeeded."""
        if merge.error is None:
            report.merged_files += len(merge.files)
            report.merged_rows += merge.rows
            return True
        report.problems += self._why_not(table, merge.files, merge.error)
        return False

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


def alone(store: Path, wait_s: float = 0.0) -> AbstractContextManager[bool]:
    """Makes this process the only one that maintains the store, for as long as the context lasts, if it can.

    Args:
        store: directory of the store.
        wait_s: how long to wait for others, in seconds.

    Raises:
        StoreUnavailable: the directory cannot be written.
    """
    return locked(store / locks.MAINTENANCE, wait_s=wait_s)
