"""Checks whether a store is as it was written: files and logs of the tables, the write-ahead log, and the profiles.

Nothing is changed. Others may write, merge and drop meanwhile.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from infersight_collector.store import directory, profiles, wal
from infersight_collector.store.damage import damage
from infersight_collector.store.errors import StoreError
from infersight_collector.store.files import statistics_columns
from infersight_collector.store.layout import TIME_COLUMN
from infersight_collector.store.live import File, live_files
from infersight_collector.store.maintenance import GRACE_S
from infersight_collector.store.order import SORT_KEYS, sort
from infersight_collector.store.pins import pins
from infersight_collector.store.vacuum import unused

_HOUR_NS: Final = 3_600 * 10**9


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        path: the file.
        problem: what is wrong with it.
        is_damage: whether telemetry is lost or wrong; else it is only worth knowing.
        rows: rows that are in doubt, where that is known.
    """

    path: Path
    problem: str
    is_damage: bool = True
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was checked, its size in bytes, and what was found."""

    path: Path
    size: int
    findings: list[Finding]


class Verification:
    """The checks of one store.

    Args:
        store: directory of the store.

    Attributes:
        total: bytes that are to be read.

    Raises:
        NotAStore: there is no store.
        StoreTooNew: a later release wrote it.
    """

    def __init__(self, store: Path) -> None:
        directory.check(store)
        self._store = store
        self._tables: dict[str, DeltaTable] = {}
        self._broken: list[Checked] = []
        for name in TIME_COLUMN:
            if (store / name).exists():
                self._open(name)
        self._live = {name: live_files(table) for name, table in self._tables.items()}
        self._logs = sorted([*store.glob("wal/*/*.wal"), *store.glob("quarantine/*/*.wal")])
        self._profiles = profiles.stored(store)
        sizes = [file.size for files in self._live.values() for file in files.values()]
        sizes += [profile.size for profile in self._profiles]
        self.total = sum(sizes) + sum(_size(path) for path in self._logs)

    def run(self) -> Iterator[Checked]:
        """Checks one file after the other."""
        yield from self._broken
        for name, table in self._tables.items():
            yield from _check_log(self._store / name / "_delta_log")
            ranges = _logged(table)
            schema = pa.schema(table.schema())
            for path, file in self._live[name].items():
                findings = [
                    Finding(self._store / name / path, problem, rows=file.rows)
                    for problem in _problems(self._store / name, file, schema, ranges[path])
                ]
                # Others may have merged or dropped it meanwhile.
                if findings and path not in live_files(DeltaTable(str(self._store / name))):
                    findings = []
                yield Checked(self._store / name / path, file.size, findings)
            yield from self._check_unused(name)
        try:
            pins(self._store)
        except StoreError as error:
            yield Checked(self._store / "pins", 0, [Finding(self._store / "pins", str(error))])
        for segment in self._logs:
            yield Checked(segment, _size(segment), list(_check_segment(segment)))
        for profile in self._profiles:
            findings = [Finding(path, problem) for path, problem in profiles.flaws(profile)]
            # It may have been dropped meanwhile.
            yield Checked(profile.path, profile.size, findings if profile.path.exists() else [])

    def _open(self, name: str) -> None:
        path = self._store / name
        try:
            self._tables[name] = DeltaTable(str(path))
        except DeltaError as error:
            self._broken.append(
                Checked(
                    path,
                    0,
                    [Finding(path / "_delta_log", f"the table cannot be opened: {' '.join(str(error).split())}")],
                )
            )

    def _check_unused(self, name: str) -> Iterator[Checked]:
        last = time.time() - GRACE_S
        for file in unused(self._store / name, live_files(DeltaTable(str(self._store / name)))):
            if file.since < last:
                said = Finding(file.path, "no table has it; the next maintenance deletes it", is_damage=False)
                yield Checked(file.path, 0, [said])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _logged(table: DeltaTable) -> dict[str, dict[str, Any]]:
    """What a table's log says of each live file, by its path."""
    rows: Any = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return {row["path"]: row for row in rows}


def _problems(table: Path, file: File, schema: pa.Schema, logged: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a live file."""
    path = table / file.path
    if (said := damage(path, file.size)) is not None:
        yield said
        return
    with pq.ParquetFile(path) as source:
        if source.metadata.num_rows != file.rows:
            yield f"it has {source.metadata.num_rows} rows instead of {file.rows}"
        for found in source.schema_arrow:
            if found.name not in schema.names or not _fits(found.type, schema.field(found.name).type):
                yield f"its column {found.name} is of another type than the table's"
        columns = dict.fromkeys([*statistics_columns(table.name, schema.names), *SORT_KEYS[table.name]])
        yield from _row_problems(table.name, file, source, list(columns), logged)


def _row_problems(
    table: str, file: File, source: pq.ParquetFile, columns: list[str], logged: Mapping[str, Any]
) -> Iterator[str]:
    """What is wrong with the rows of a file as a whole: their range, their hour, their order."""
    ranges: dict[str, tuple[Any, Any]] = {}
    in_order = True
    last: pa.Table | None = None
    for group in range(source.num_row_groups):
        rows = source.read_row_group(group, columns=columns)
        for name in statistics_columns(table, columns):
            found = pc.min_max(rows[name]).as_py()
            if found["min"] is not None:
                least, greatest = ranges.get(name, (found["min"], found["max"]))
                ranges[name] = min(found["min"], least), max(found["max"], greatest)
        keys = rows.select(SORT_KEYS[table])
        together = pa.concat_tables([last, keys]) if last is not None else keys
        in_order = in_order and (file.is_new or sort(together, SORT_KEYS[table]).equals(together.combine_chunks()))
        last = keys.slice(keys.num_rows - 1)
    if not in_order:
        yield "its rows are not in their order"
    for name, (least, greatest) in ranges.items():
        if (least, greatest) != (logged.get(f"min.{name}"), logged.get(f"max.{name}")):
            yield f"its range of {name} is not that of the table's log"
    hours = {time // _HOUR_NS for time in ranges.get(TIME_COLUMN[table], ())}
    if file.partition.hours is not None and hours != {file.partition.hours}:
        yield "it has rows of other hours than its partition's"


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of one type are values of another, which may have more fields."""
    if pa.types.is_struct(found) and pa.types.is_struct(wanted):
        return all(
            wanted.get_field_index(field.name) >= 0 and _fits(field.type, wanted.field(field.name).type)
            for field in found
        )
    if pa.types.is_list(found) and pa.types.is_list(wanted):
        return _fits(found.value_type, wanted.value_type)
    return bool(found.equals(wanted))


def _check_log(log: Path) -> Iterator[Checked]:
    """Reads every entry and checkpoint of a table's log, those included that nobody needs at the moment."""
    for path in sorted([*log.glob("*.json"), *log.glob("*.checkpoint.parquet")]):
        try:
            if path.suffix == ".json":
                for line in path.read_text().splitlines():
                    json.loads(line)
            else:
                pq.read_table(path)
        except FileNotFoundError:  # cleaned up meanwhile
            continue
        except (OSError, ValueError, pa.ArrowException) as error:
            problem = f"the entry of the table's log cannot be read: {' '.join(str(error).split())}"
            yield Checked(path, 0, [Finding(path, problem)])


def _check_segment(path: Path) -> Iterator[Finding]:
    """What is wrong with a file of the write-ahead log."""
    segment = wal.Segment(wal.Origin(path.parent.name, 0), path)
    try:
        records, damages = wal.read(segment)
    except FileNotFoundError:  # stored meanwhile
        return
    except OSError as error:
        yield Finding(path, str(error))
        return
    if path.parents[1].name == "quarantine":
        yield Finding(path, f"set aside with {len(records)} requests: not all of them could be stored")
    for part in damages:
        if part.torn:
            said = f"ends in a record that is not complete, of {part.length} bytes: it was never acknowledged"
            yield Finding(path, said, is_damage=False)
        else:
            yield Finding(path, f"{part.length} bytes at byte {part.offset} are no record")
