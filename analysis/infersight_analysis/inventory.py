# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportAttributeAccessIssue=false
# (pyarrow publishes no type information and makes its compute functions at import)
"""What is in a store, from the logs of its tables and the manifests of its profiles: no Parquet file is opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from infersight_analysis.stored import TABLES, attribute_keys
from infersight_analysis.times import iso_time
from infersight_collector.store import directory, profiles
from infersight_collector.store.layout import PARTITIONS, TIME_COLUMN
from infersight_collector.store.snapshot import Snapshot

_WAL: Final = "wal/*/*.wal"
_SET_ASIDE: Final = "quarantine/*/*.wal"


@dataclass(frozen=True)
class PartitionFacts:
    """One hour of a table.

    Attributes:
        date: `YYYY-MM-DD`, UTC.
        hour: `HH`.
        rows: number of rows.
        files: number of Parquet files.
        bytes: their size.
    """

    date: str
    hour: str
    rows: int
    files: int
    bytes: int


@dataclass(frozen=True)
class TableFacts:
    """One table.

    Attributes:
        name: its name.
        rows: number of rows.
        files: number of Parquet files.
        bytes: their size.
        bytes_per_row: the same for a row; None without rows.
        oldest: time of the oldest row, ISO 8601; None without rows.
        newest: time of the newest row.
        attribute_keys: number of attribute keys that have a column of their own.
        version: number of the last commit; None while nothing was ever written.
        partitions: its hours, oldest first.
    """

    name: str
    rows: int
    files: int
    bytes: int
    bytes_per_row: float | None
    oldest: str | None
    newest: str | None
    attribute_keys: int
    version: int | None
    partitions: list[PartitionFacts]


@dataclass(frozen=True)
class Waiting:
    """Files of the write-ahead log.

    Attributes:
        segments: number of files.
        bytes: their size.
    """

    segments: int
    bytes: int


@dataclass(frozen=True)
class ProfileFacts:
    """The profiles of processes.

    Attributes:
        profiles: their number.
        bytes: their size.
        oldest: when the first of them began, ISO 8601; None where there are none.
        newest: when the last of them began.
    """

    profiles: int
    bytes: int
    oldest: str | None
    newest: str | None


@dataclass(frozen=True)
class Inventory:
    """A store.

    Attributes:
        store: its directory.
        version: of its layout.
        tables: what is in each table.
        profiles: the profiles of processes.
        waiting: acknowledged records on their way into the tables.
        set_aside: segments in which something could not be decoded or stored.
        disk_bytes: size of all its files, those included that wait to be deleted.
    """

    store: str
    version: int
    tables: list[TableFacts]
    profiles: ProfileFacts
    waiting: Waiting
    set_aside: Waiting
    disk_bytes: int


def take(path: Path) -> Inventory:
    """Look at the store at `path` as it is now.

    Raises:
        StoreError: there is none that this release can read.
    """
    snapshot = Snapshot.of(path)
    keys = [table for table, *_ in attribute_keys(snapshot)]
    return Inventory(
        store=str(path),
        version=directory.check(path),
        tables=[_table(snapshot, name, keys.count(name)) for name in TABLES],
        profiles=_profiles(path),
        waiting=_waiting(path, _WAL),
        set_aside=_waiting(path, _SET_ASIDE),
        disk_bytes=sum(_sizes(path, "**/*")),
    )


def _table(snapshot: Snapshot, name: str, keys: int) -> TableFacts:
    files = _files(snapshot, name)
    rows, size = _sum(files, "num_records"), _sum(files, "size_bytes")
    return TableFacts(
        name=name,
        rows=rows,
        files=files.num_rows,
        bytes=size,
        bytes_per_row=round(size / rows, 1) if rows else None,
        oldest=_moment(files, f"min.{TIME_COLUMN[name]}", pc.min),
        newest=_moment(files, f"max.{TIME_COLUMN[name]}", pc.max),
        attribute_keys=keys,
        version=snapshot.version.get(name),
        partitions=list(_partitions(files)),
    )


def _files(snapshot: Snapshot, name: str) -> pa.Table:
    """What the table's log says of its files, one row a file."""
    delta = snapshot.delta(name)
    if delta is None:
        return pa.table({"path": pa.array([], pa.string()), "size_bytes": [], "num_records": []})
    return pa.table(delta.get_add_actions(flatten=True))


def _partitions(files: pa.Table) -> Iterator[PartitionFacts]:
    if not files.num_rows:
        return
    keys = [f"partition.{name}" for name in PARTITIONS]
    totals = [("num_records", "sum"), ("path", "count"), ("size_bytes", "sum")]
    grouped = files.group_by(keys).aggregate(totals).sort_by([(key, "ascending") for key in keys])
    columns = [*keys, *(f"{name}_{function}" for name, function in totals)]
    for values in zip(*(grouped[column].to_pylist() for column in columns), strict=True):
        yield PartitionFacts(*values)


def _sum(files: pa.Table, column: str) -> int:
    return int(pc.sum(files[column]).as_py() or 0) if files.num_rows else 0


def _moment(files: pa.Table, column: str, extreme: Any) -> str | None:
    time_ns = extreme(files[column]).as_py() if column in files.column_names else None
    return None if time_ns is None else iso_time(time_ns)


def _profiles(store: Path) -> ProfileFacts:
    found = profiles.stored(store)
    began = sorted(profile.start_ns for profile in found)
    oldest, newest = (iso_time(began[0]), iso_time(began[-1])) if began else (None, None)
    return ProfileFacts(len(found), sum(profile.size for profile in found), oldest, newest)


def _waiting(store: Path, pattern: str) -> Waiting:
    sizes = list(_sizes(store, pattern))
    return Waiting(len(sizes), sum(sizes))


def _sizes(store: Path, pattern: str) -> Iterator[int]:
    for path in store.glob(pattern):
        try:
            if path.is_file():
                yield path.stat().st_size
        except FileNotFoundError:  # a collector and its compaction go on meanwhile
            continue
