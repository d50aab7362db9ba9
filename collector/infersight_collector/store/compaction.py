"""Keeps the tables quick to read while rows keep arriving: merges small files into large ones.

Each write leaves one file for each partition: a large one is sorted, a small one in the order of arrival. A partition's
new files are sorted together as soon as there are a few; sorted files of about the same size are merged when there are
a few of these, up to a size; under full load they wait until there are more. When the partition no longer grows, they
become a few large ones. So a row is written again two or three times. Readers keep what their snapshot showed: a merge
adds and removes in one commit, and the removed files stay on disk for a while, see `vacuum`.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false
# pyarrow publishes no types.

import time
from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from infersight_collector.store.damage import footer_damage
from infersight_collector.store.errors import StoreError
from infersight_collector.store.files import SORTED, write_file
from infersight_collector.store.live import File, live_files
from infersight_collector.store.merge import coded_texts, merge_sorted, merge_unsorted, merged_schema, row_groups
from infersight_collector.store.order import SORT_KEYS
from infersight_collector.store.summaries import merged
from infersight_collector.store.tables import Table

if TYPE_CHECKING:
    from infersight_collector.store.partitions import Partition

NEW_FILES: Final = 16
"""New files of a partition that are sorted together."""

FAN_IN: Final = 6
"""Sorted files of about the same size that are merged, 40 MB of memory each; also the ratio between two tiers."""

WAITING_FILES: Final = 48
"""Sorted files of about the same size that wait for a merge while rows arrive as fast as they are stored: what a merge
takes then, rows wait for, and a query takes a fraction of a millisecond longer for each file."""

MAX_FILE_ROWS: Final = 3_000_000
"""Rows that a merged file may have; 100 to 300 MB."""

SORT_ROWS: Final = 250_000
"""Rows that are sorted in memory at once, unless a single file has more."""

SORT_SIZE: Final = 16 * 2**20
"""Size of the files whose rows are sorted in memory at once; as rows, wide ones take some ten times as much."""

GROWING_ROWS: Final = 300_000
"""Rows of a sorted file that is merged no further while its partition grows: each merge costs as much as the first
write did, and the next one can have all of the partition."""

QUIET_MS: Final = 10 * 60_000
"""A partition without a change for so long is merged further, whatever the number of its files."""

LATER_MS: Final = 2**62
"""A time at which every partition is quiet."""


@dataclass(frozen=True, slots=True)
class Merge:
    """An attempt to merge files into one; `error` is why it failed, None where it did not."""

    files: Sequence[File]
    error: Exception | None = None

    @property
    def rows(self) -> int:
        """Rows of the files."""
        return sum(map(_rows, self.files))


def compact(
    table: Table, *, now_ms: int | None = None, leave: Container[str] = (), busy: bool = False
) -> Iterator[Merge]:
    """Merges what is worth merging now, and yields each merge when it is done or has failed.

    Whoever stops asking for the next one loses nothing: each merge is one commit.

    Args:
        table: the table.
        now_ms: the present time, in milliseconds since the epoch; `LATER_MS` merges as if every partition were quiet.
        leave: paths of files that are not to be touched.
        busy: whether to leave more files for later, because rows arrive as fast as they are stored.
    """
    by_partition: defaultdict[Partition, list[File]] = defaultdict(list)
    for file in live_files(table.delta).values():
        if file.path not in leave:
            by_partition[file.partition].append(file)
    now_ms = time.time_ns() // 10**6 if now_ms is None else now_ms
    for files in by_partition.values():
        for group in choose(files, now_ms, busy=busy):
            try:
                merged = _merge(table, group)
            except (StoreError, OSError, pa.ArrowException) as error:
                yield Merge(group, error)
            else:
                if merged:
                    yield Merge(group)


def choose(files: Sequence[File], now_ms: int, *, busy: bool = False) -> list[list[File]]:
    """The groups of files of one partition that are worth merging now, each into one file.

    A group holds either new files or sorted ones.
    """
    few = WAITING_FILES if busy else FAN_IN
    quiet = now_ms - max(file.modified_ms for file in files) >= QUIET_MS
    new = [file for file in files if file.is_new]
    groups = list(_batches(new, SORT_ROWS, len(new), SORT_SIZE)) if len(new) >= NEW_FILES or quiet else []
    large = MAX_FILE_ROWS // 2 if quiet else GROWING_ROWS
    small = sorted((file for file in files if not file.is_new and file.rows < large), key=_rows)
    if quiet:
        tiers = [_comparable(small)]
    else:
        tiers = [tier for _, same in groupby(small, key=_tier) if len(tier := list(same)) >= few]
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


def _batches(files: Sequence[File], most_rows: int, most_files: int, most_bytes: int = 2**63) -> Iterator[list[File]]:
    """The files in groups of at most so many rows, files and bytes, at least one file each."""
    batch: list[File] = []
    for file in files:
        too_many = len(batch) == most_files or sum(map(_rows, batch)) + file.rows > most_rows
        if batch and (too_many or sum(one.size for one in batch) + file.size > most_bytes):
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


def _merge(table: Table, group: Sequence[File]) -> bool:
    """Replaces the files by one; False where another process changed them first."""
    for file in group:
        if (said := footer_damage(table.path / file.path, file.size)) is not None:
            raise StoreError(said)
    paths = [table.path / file.path for file in group]
    keys = SORT_KEYS[table.name]
    merge = merge_unsorted if group[0].is_new else merge_sorted
    if table.name == "traces":
        coded, rows = [], row_groups(merged(merge(paths, keys)))
    else:
        coded = coded_texts(paths, keys)
        rows = merge(paths, keys, coded)
    added = write_file(table.path, group[0].partition, SORTED, merged_schema(paths, coded), rows)
    # The rows are no younger for it: by their age it is told whether a partition is quiet, and what has to go.
    return table.replace(group, [replace(added, modification_time=max(file.modified_ms for file in group))])
