"""Copies of a store for evidence: self-contained, checked, and with the SHA-256 of every file.

The Parquet files are the same ones, as hard links where that is possible, since nobody ever changes them. The tables'
logs are new: one version, with these files. What waits in the write-ahead log is not in it.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from deltalake.transaction import AddAction

from infersight_collector.store import directory, profiles, unsummarised
from infersight_collector.store.errors import StoreError, unavailable
from infersight_collector.store.layout import PARTITIONS, TIME_COLUMN
from infersight_collector.store.profiles import Stored
from infersight_collector.store.snapshot import Snapshot, below_table
from infersight_collector.store.tables import Table
from infersight_collector.store.wal import sync_directory, sync_file

CHECKSUMS: Final = "SHA256SUMS"
"""Digests of all other files, in the form of `sha256sum`, which checks them by `sha256sum -c`."""

INCIDENTS: Final = "incidents"
"""Directory of what people recorded about incidents; the analysis writes it."""

COPIES: Final = "snapshots"
"""Directory of an incident that has copies of the store; a copy has none of them."""

MANIFEST: Final = "manifest.json"
"""What the copy is of."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a copy is of, and when it was made.

    Attributes:
        source: directory of the store.
        created: ISO 8601, UTC.
        start: first time that was asked for, ISO 8601; None is without bound.
        end: first time that was not.
        release: version of infersight that made it.
        versions: version of each table at that moment.
        rows: rows of each table.
        profiles: number of profiles.
    """

    source: str
    created: str
    start: str | None
    end: str | None
    release: str
    versions: dict[str, int]
    rows: dict[str, int]
    profiles: int


class Duplicate:
    """A copy that is being made.

    Args:
        snapshot: what to copy.
        destination: an absent or empty directory.
        start_ns: earliest time of interest, in nanoseconds since the epoch; files without such rows are left out, the
            others are whole, and so are profiles.
        end_ns: first time that is too late.

    Attributes:
        total: bytes of its Parquet files and profiles.
    """

    def __init__(
        self, snapshot: Snapshot, destination: Path, *, start_ns: int | None = None, end_ns: int | None = None
    ) -> None:
        self._snapshot = snapshot
        self._to = destination
        self._start_ns, self._end_ns = start_ns, end_ns
        self._files = {table: self._logged(table) for table in TIME_COLUMN}
        self._profiles = [profile for profile in profiles.stored(snapshot.path) if self._is_wanted(profile)]
        sizes = [file["size_bytes"] for files in self._files.values() for file in files]
        self.total: Final = sum(sizes) + sum(profile.size for profile in self._profiles)

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table."""
        return {table: sum(file["num_records"] for file in files) for table, files in self._files.items()}

    @property
    def profiles(self) -> int:
        """Number of profiles."""
        return len(self._profiles)

    def run(self) -> Iterator[int]:
        """Makes the copy.

        Yields:
            the size of each Parquet file and of each profile, when it is there.

        Raises:
            StoreUnavailable: it cannot be written.
        """
        try:
            directory.create(self._to)
            for name, files in self._files.items():
                for file in files:
                    _place(self._snapshot.path / name / file["path"], self._to / name / file["path"])
                    yield file["size_bytes"]
                self._log(name, files)
            for profile in self._profiles:
                for path in profiles.files(profile):
                    _place(path, self._to / path.relative_to(self._snapshot.path))
                yield profile.size
            self._list_unsummarised()
            self._copy_incidents()
        except OSError as error:
            raise unavailable(f"copy the store to {self._to}", error) from error

    def seal(self, manifest: Manifest) -> None:
        """Adds the manifest, and the digest of every file.

        Raises:
            StoreUnavailable: they cannot be written.
        """
        try:
            text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False)
            (self._to / MANIFEST).write_text(f"{text}\n")
            files = sorted(path for path in self._to.rglob("*") if path.is_file())
            lines = [f"{_digest(path)}  {path.relative_to(self._to)}\n" for path in files]
            (self._to / CHECKSUMS).write_text("".join(lines))
            for name in (MANIFEST, CHECKSUMS):
                sync_file(self._to / name)
            sync_directory(self._to)
        except OSError as error:
            raise unavailable(f"write to {self._to}", error) from error

    def _is_wanted(self, profile: Stored) -> bool:
        is_begun = self._end_ns is None or profile.start_ns < self._end_ns
        return is_begun and (self._start_ns is None or profile.end_ns > self._start_ns)

    def _logged(self, table: str) -> list[dict[str, Any]]:
        """What the table's log says of the files to copy."""
        delta = self._snapshot.delta(table)
        if delta is None:
            return []
        files = self._snapshot.files(table, start_ns=self._start_ns, end_ns=self._end_ns)
        wanted = {below_table(file) for file in files}
        logged: list[dict[str, Any]] = pa.table(delta.get_add_actions(flatten=True)).to_pylist()
        return [file for file in logged if file["path"] in wanted]

    def _log(self, name: str, files: list[dict[str, Any]]) -> None:
        delta = self._snapshot.delta(name)
        if delta is None:
            return
        table = Table(self._to, name)
        table.evolve(pa.schema(delta.schema()))
        if files:
            table.commit([_action(file) for file in files])

    def _list_unsummarised(self) -> None:
        """Says which spans the copied summaries of traces do not cover, where an upgrade is under way."""
        files = self._snapshot.unsummarised_files(start_ns=self._start_ns, end_ns=self._end_ns)
        if files:
            (self._to / unsummarised.LIST).write_text(json.dumps([below_table(file) for file in files]))

    def _copy_incidents(self) -> None:
        """Adds what people recorded about incidents: all of it, for it is small, and what such a copy is evidence of.

        There are no hard links to it, because a log is added to. A line that was being written is none to a reader.
        """
        source = self._snapshot.path / INCIDENTS
        for path in sorted(source.rglob("[!.]*")):
            incident, *below = path.relative_to(source).parts
            is_left_out = incident.startswith(".") or below[:1] == [COPIES] or path.name == "lock"
            if path.is_file() and not is_left_out:
                target = self._to / INCIDENTS / path.relative_to(source)
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copyfile(path, target)
                sync_file(target)


def check_digests(copy: Path) -> list[str]:
    """What is wrong with a sealed copy: a line for each file that is missing or has changed."""
    problems: list[str] = []
    for line in (copy / CHECKSUMS).read_text().splitlines():
        digest, _, name = line.partition("  ")
        path = copy / name
        if not path.is_file():
            problems.append(f"{name}: missing")
        elif _digest(path) != digest:
            problems.append(f"{name}: changed")
    return problems


def _place(source: Path, target: Path) -> None:
    """Makes a file there what it is here."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise StoreError(f"{source} is missing: ask `infersight store verify` what else is") from None
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
        sync_file(target)
        if _digest(source) != _digest(target):
            raise StoreError(f"{target} is not what {source} is: try again") from None


def _action(file: dict[str, Any]) -> AddAction:
    def of(prefix: str) -> dict[str, Any]:
        values = {key.removeprefix(prefix): value for key, value in file.items() if key.startswith(prefix)}
        return {key: value for key, value in values.items() if value is not None}

    stats = {
        "numRecords": file["num_records"],
        "minValues": of("min."),
        "maxValues": of("max."),
        "nullCount": of("null_count."),
    }
    return AddAction(
        path=file["path"],
        size=file["size_bytes"],
        partition_values={name: file[f"partition.{name}"] for name in PARTITIONS},
        modification_time=file["modification_time"],
        data_change=True,
        stats=json.dumps(stats),
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
