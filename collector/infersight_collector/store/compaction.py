"""Keeps the tables quick to read while rows keep arriving: merges small files, deletes what nobody reads any more.

Each write leaves one file for each partition: a large one is sorted, a small one in the order of arrival. A partition's
new files are sorted together as soon as there are a few; sorted files of about the same size are merged when there are
a few of these, up to a size. When the partition no longer grows, they become a few large ones. So a row is written
again two or three times. Readers keep what their snapshot showed: a merge adds and removes in one commit, and the
removed files stay on disk for an hour.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false
# pyarrow publishes no types.

import fcntl
import os
import time
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from deltalake.exceptions import DeltaError
from deltalake.transaction import RemoveAction

from infersight_collector.store import tables
from infersight_collector.store.errors import StoreError
from infersight_collector.store.files import NEW, SORTED, discard, write_file
from infersight_collector.store.merge import merge_sorted, merge_unsorted, merged_schema
from infersight_collector.store.order import SORT_KEYS
from infersight_collector.store.partitions import Partition
from infersight_collector.store.schema import COLUMNS
from infersight_collector.store.writer import Store

NEW_FILES: Final = 16
"""New files of a partition that are sorted together."""

FAN_IN: Final = 6
"""Sorted files of about the same size that are merged, 40 MB of memory each; also the ratio between two tiers."""

MAX_FILE_ROWS: Final = 3_000_000
"""Rows that a merged file may have; 100 to 300 MB."""

SORT_ROWS: Final = 250_000
"""Rows that are sorted in memory at once, unless a single file has more."""

GROWING_ROWS: Final = 300_000
"""Rows of a sorted file that is merged no further while its partition grows: each merge costs as much as the first
write did, and the next one can have all of the partition."""

QUIET_MS: Final = 10 * 60_000
"""A partition without a change for so long is merged further, whatever the number of its files."""

GRACE_HOURS: Final = 1
"""How long a file stays on disk after it left the table: the longest time that a query may take."""

CLEAN_EVERY_S: Final = 600.0
"""Time between two deletions of files that left the tables, in seconds."""

_ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True)
class File:
    """A live file of a table, as its log describes it."""

    path: str
    partition: Partition
    rows: int
    size: int
    modified_ms: int

    @property
    def is_new(self) -> bool:
        """Whether the rows are in the order of arrival rather than sorted."""
        return self.path.rpartition("/")[2].startswith(NEW)


@dataclass(slots=True)
class Report:
    """What one round of maintenance did.

    `problems` has one line for each thing that could not be done; it is tried again in a later round.
    """

    merged_files: int = 0
    merged_rows: int = 0
    deleted_files: int = 0
    problems: list[str] = field(default_factory=list[str])


def maintain(store: Store, *, grace_hours: int = GRACE_HOURS) -> Report:
    """One round of compaction, clean-up of the tables' logs and deletion of unused files.

    For a background thread, every few seconds: writers and readers go on meanwhile. Where another process maintains
    the same store at the moment, nothing is done.

    Args:
        store: the store.
        grace_hours: how long removed files stay on disk.
    """
    report = Report()
    with _alone(store.path) as alone:
        if not alone:
            return report
        clean = time.monotonic() - store.cleaned_at >= CLEAN_EVERY_S
        for name in COLUMNS:
            if not (store.path / name).exists():
                continue
            try:
                table = tables.Table(store.path, name)
                _compact(table, report)
                if clean:
                    _clean(table, grace_hours, report)
            except (StoreError, DeltaError, OSError, pa.ArrowException) as error:
                report.problems.append(f"{name}: {error}")
        if clean:
            store.cleaned_at = time.monotonic()
    return report


def choose(files: Sequence[File], now_ms: int) -> list[list[File]]:
    """The groups of files of one partition that are worth merging now, each into one file.

    A group holds either new files or sorted ones.
    """
    quiet = now_ms - max(file.modified_ms for file in files) >= QUIET_MS
    new = [file for file in files if file.is_new]
    groups = list(_batches(new, SORT_ROWS, len(new))) if len(new) >= NEW_FILES or quiet else []
    large = MAX_FILE_ROWS // 2 if quiet else GROWING_ROWS
    small = sorted((file for file in files if not file.is_new and file.rows < large), key=_rows)
    if quiet:
        tiers = [_comparable(small)]
    else:
        tiers = [tier for _, same in groupby(small, key=_tier) if len(tier := list(same)) >= FAN_IN]
    for tier in tiers:
        groups += [group for group in _batches(tier, MAX_FILE_ROWS, FAN_IN) if len(group) > 1]
    return groups


def _rows(file: File) -> int:
    return file.rows


def _tier(file: File) -> int:
    tier, rows = 0, file.rows
    while rows >= FAN_IN:
        tier, rows = tier + 1, rows // FAN_IN
    return tier


def _batches(files: Sequence[File], most_rows: int, most_files: int) -> Iterator[list[File]]:
    """The files in groups of at most so many rows and files, at least one file each."""
    batch: list[File] = []
    for file in files:
        if batch and (len(batch) == most_files or sum(map(_rows, batch)) + file.rows > most_rows):
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch


def _comparable(files: Sequence[File]) -> list[File]:
    """The files, smallest first, up to one that dwarfs those before it: a late row must not rewrite a large file."""
    total = 0
    for index, file in enumerate(files):
        if total and file.rows > FAN_IN * total:
            return list(files[:index])
        total += file.rows
    return list(files)


def _compact(table: tables.Table, report: Report) -> None:
    by_partition: defaultdict[Partition, list[File]] = defaultdict(list)
    for file in live_files(table).values():
        by_partition[file.partition].append(file)
    now_ms = time.time_ns() // 10**6
    for files in by_partition.values():
        for group in choose(files, now_ms):
            try:
                merged = _merge(table, group)
            except (StoreError, OSError, pa.ArrowException) as error:
                names = ", ".join(file.path for file in group)
                report.problems.append(f"{table.name}: cannot merge {names}: {error}")
                continue
            if merged:
                report.merged_files += len(group)
                report.merged_rows += sum(map(_rows, group))


def live_files(table: tables.Table) -> Mapping[str, File]:
    """The files of the table in its present version, by path."""
    described: Any = pa.table(table.delta.get_add_actions(flatten=True)).to_pylist()
    files = (
        File(
            path=row["path"],
            partition=Partition(row["partition.date"], row["partition.hour"]),
            rows=row["num_records"],
            size=row["size_bytes"],
            modified_ms=row["modification_time"],
        )
        for row in described
    )
    return {file.path: file for file in files}


def _merge(table: tables.Table, group: Sequence[File]) -> bool:
    """Replaces the files by one; False where another process changed them first."""
    paths = [table.path / file.path for file in group]
    merge = merge_unsorted if group[0].is_new else merge_sorted
    added = write_file(
        table.path, group[0].partition, SORTED, merged_schema(paths), merge(paths, SORT_KEYS[table.name])
    )
    now_ms = time.time_ns() // 10**6
    removed = [RemoveAction(file.path, False, now_ms, file.size, dict(file.partition._asdict())) for file in group]
    for _ in range(_ATTEMPTS):
        try:
            table.commit([added, *removed])
        except tables.Conflict:
            table.refresh()
            live = live_files(table)
            if any(file.path not in live for file in group):
                break
        else:
            return True
    discard(table.path, [added])
    return False


def _clean(table: tables.Table, grace_hours: int, report: Report) -> None:
    """Deletes log entries that no reader needs, and files that are in no version of the last hours."""
    table.delta.cleanup_metadata()
    deleted = table.delta.vacuum(
        retention_hours=grace_hours, dry_run=False, enforce_retention_duration=False, full=True
    )
    report.deleted_files += len(deleted)


@contextmanager
def _alone(store: Path) -> Generator[bool]:
    """Whether this is the only process that maintains the store, for as long as the context lasts."""
    descriptor = os.open(store / "maintenance.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)
