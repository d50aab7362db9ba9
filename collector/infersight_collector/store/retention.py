"""Drops the oldest hours of a store, by age and by size, but for what is pinned.

An hour goes in all tables at once, with the profiles that ended in it: a trace without its logs would mislead. What is
dropped leaves the tables by one commit each, without reading it. Where pins keep some traces of an hour, their rows are
written anew: they are few, and an hour's files may be large.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from infersight_collector.store.damage import footer_damage
from infersight_collector.store.errors import StoreError
from infersight_collector.store.files import PINNED, write_file
from infersight_collector.store.live import File
from infersight_collector.store.merge import row_groups
from infersight_collector.store.order import in_order
from infersight_collector.store.tables import Table

if TYPE_CHECKING:
    from deltalake.transaction import AddAction

    from infersight_collector.store.pins import Pin
    from infersight_collector.store.profiles import Stored

HOUR_MS: Final = 3_600_000
"""Milliseconds of an hour."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How much a store keeps.

    Attributes:
        max_age_s: seconds that rows are kept after the end of their hour, and after the last of them came; None is
            for ever.
        max_bytes: size of all live files and profiles beyond which the oldest hours go; None is without limit.
    """

    max_age_s: float | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """What has to go of one table and hour.

    Attributes:
        table: name of the table.
        hour: in hours since the epoch.
        files: the files.
        pinned: the traces whose rows in these files stay.
    """

    table: str
    hour: int
    files: Sequence[File]
    pinned: Collection[str]

    @property
    def rows(self) -> int:
        """Rows of its files, pinned ones included."""
        return sum(file.rows for file in self.files)

    @property
    def size(self) -> int:
        """Size of its files in bytes."""
        return sum(file.size for file in self.files)


class Dropped(NamedTuple):
    """Rows that were dropped, and their size in bytes."""

    rows: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to go, oldest first, the bytes of what stays, and the profiles that go."""

    expired: Sequence[Expired]
    kept_bytes: int
    profiles: "Sequence[Stored]" = field(default_factory=list["Stored"])


def plan(
    live: Mapping[str, Collection[File]],
    retention: Retention,
    pins: "Collection[Pin]",
    now_ns: int,
    profiles: "Iterable[Stored]" = (),
) -> Plan:
    """What has to go by the rules.

    The hour of now and the one before never go by size: whoever looks at the store looks at these first.

    Args:
        live: the live files of each table.
        retention: the rules.
        pins: what stays in any case.
        now_ns: the present time, in nanoseconds since the epoch.
        profiles: of the store.
    """
    hours: defaultdict[int, defaultdict[str, list[File]]] = defaultdict(lambda: defaultdict(list))
    for name, files in live.items():
        for file in files:
            hours[hour_of(file)][name].append(file)
    taken: defaultdict[int, list[Stored]] = defaultdict(list)
    for profile in profiles:
        taken[profile.hour].append(profile)
    kept = sum(file.size for files in live.values() for file in files)
    kept += sum(profile.size for part in taken.values() for profile in part)
    now_ms = now_ns // 10**6
    expired: list[Expired] = []
    leaving: list[Stored] = []
    for hour in sorted(hours.keys() | taken.keys()):
        tables = hours[hour]
        newest_ms = max([(hour + 1) * HOUR_MS, *(file.modified_ms for files in tables.values() for file in files)])
        old = retention.max_age_s is not None and newest_ms < now_ms - retention.max_age_s * 1000
        large = retention.max_bytes is not None and kept > retention.max_bytes and hour < now_ms // HOUR_MS - 1
        if old or large:
            going = [part for name, files in tables.items() if (part := _expired(name, hour, files, pins)).files]
            unheld = [profile for profile in taken[hour] if not any(pin.holds(profile) for pin in pins)]
            kept -= sum(part.size for part in going) + sum(profile.size for profile in unheld)
            expired += going
            leaving += unheld
    return Plan(expired, kept, leaving)


def drop(table: Table, expired: Sequence[Expired]) -> Iterator[Dropped]:
    """Drops what has to go of a table, and yields what is gone.

    Raises:
        StoreUnavailable: not now; what was not yielded is as it was.
        StoreError: a file that may have pinned rows is damaged.
        pyarrow.ArrowException: it cannot be read.
    """
    whole = [part for part in expired if not part.pinned]
    if whole and table.replace([file for part in whole for file in part.files], loses_rows=True):
        yield Dropped(sum(part.rows for part in whole), sum(part.size for part in whole))
    for part in expired:
        for file in part.files if part.pinned else ():
            rest = _pinned_rest(table, file, part.pinned)
            if table.replace([file], rest, loses_rows=True):
                kept_rows = sum(json.loads(added.stats)["numRecords"] for added in rest)
                yield Dropped(file.rows - kept_rows, file.size - sum(added.size for added in rest))


def hour_of(file: File) -> int:
    """The hour that a file's rows belong to; where they have no credible time, the one in which they came."""
    hours = file.partition.hours
    return file.modified_ms // HOUR_MS if hours is None else hours


def _expired(table: str, hour: int, files: Sequence[File], pins: "Collection[Pin]") -> Expired:
    concerned = [pin for pin in pins if pin.concerns(table, hour)]
    if not all(pin.trace_ids for pin in concerned):
        return Expired(table, hour, (), ())  # one keeps the whole hour
    pinned = sorted({trace_id for pin in concerned for trace_id in pin.trace_ids})
    return Expired(table, hour, [file for file in files if not pinned or file.pinned_by != _digest(pinned)], pinned)


def _digest(pinned: Collection[str]) -> str:
    """Names the traces whose rows are left in a file, so that it is not looked at again."""
    return hashlib.sha256(" ".join(pinned).encode()).hexdigest()[:12]


def _pinned_rest(table: Table, file: File, pinned: Collection[str]) -> "list[AddAction]":
    """A new file with the pinned rows of a file; none where there are none."""
    path = table.path / file.path
    if (said := footer_damage(path, file.size)) is not None:
        raise StoreError(f"{path} may have pinned rows and stays as it is: {said}")
    wanted = pa.array(pinned, pa.string())
    with pq.ParquetFile(path) as source:
        rows = row_groups(_pinned_rows(source, wanted))
        first = next(rows, None)
        if first is None:
            return []
        if file.is_new:
            first, rows = in_order(pa.concat_tables([first, *rows]), table.name), iter(())
        kind = f"{PINNED}-{_digest(pinned)}"
        added = write_file(table.path, file.partition, kind, source.schema_arrow, chain([first], rows))
    return [replace(added, modification_time=file.modified_ms)]


def _pinned_rows(source: pq.ParquetFile, wanted: pa.Array) -> Iterator[pa.Table]:
    """The rows of some traces, in their order; of row groups without any, only the trace ids are read."""
    for group in range(source.num_row_groups):
        chosen = pc.is_in(source.read_row_group(group, columns=["trace_id"])["trace_id"], wanted)
        if pc.any(chosen).as_py():
            yield source.read_row_group(group).filter(chosen)
