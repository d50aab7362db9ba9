"""What readers see: the tables of a store at one moment."""

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import unquote

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from infersight_collector.store import directory, unsummarised
from infersight_collector.store.layout import COLUMN_TYPES, PARTITIONS, TIME_COLUMN, UNPLACED_DATE, Field, Struct

_HOUR_NS: Final = 3_600 * 10**9
_DEPTH: Final = 3
"""Parts of a file's path below the table's directory: date, hour, name."""


class Snapshot:
    """The files and columns of each table, fixed when the snapshot was taken.

    Files that are compacted away later stay on disk for an hour, so that a query over a snapshot may run as long.

    Args:
        path: directory of the store, see `of`.
        opened: the tables that exist, by name.
        unsummarised: those files of spans that the table `traces` does not sum up, below the table's directory; None
            where it sums up none.
    """

    def __init__(self, path: Path, opened: Mapping[str, DeltaTable], unsummarised: Collection[str] | None = ()) -> None:
        self.path: Final = path
        self._opened = opened
        self._unsummarised = unsummarised

    @classmethod
    def of(cls, path: Path) -> Self:
        """Takes a snapshot of the store at `path`; nothing is created or locked.

        Raises:
            NotAStore: there is no store.
            StoreTooNew: a later release wrote it.
        """
        version = directory.check(path)
        listed = unsummarised.listed(path)
        opened: dict[str, DeltaTable] = {}
        # In this order, see there.
        for name in TIME_COLUMN:
            with suppress(TableNotFoundError):  # nothing was written to it yet
                opened[name] = DeltaTable(str(path / name))
        if version < unsummarised.SINCE:
            opened.pop("traces", None)
            return cls(path, opened, None)
        return cls(path, opened, frozenset(unsummarised.remaining(listed, opened.get("traces"))))

    @property
    def version(self) -> dict[str, int]:
        """Version of each table, by name; absent while nothing was ever written to it. Equal means: same rows."""
        return {name: delta.version() for name, delta in self._opened.items()}

    def files(
        self, table: str, *, start_ns: int | None = None, end_ns: int | None = None, trace_id: str | None = None
    ) -> list[str]:
        """The Parquet files that may hold matching rows, skipping the others by the ranges kept for each file.

        Args:
            table: name of the table.
            start_ns: earliest time of interest, in nanoseconds since the epoch.
            end_ns: first time that is too late.
            trace_id: the trace of interest, 32 hex digits; metrics have none and are not narrowed by it.

        Returns:
            absolute paths. Their columns differ: a file has the attribute keys that its rows have, so they are read
            by name, as with `union_by_name` in DuckDB.
        """
        delta = self._opened.get(table)
        if delta is None:
            return []
        time = TIME_COLUMN[table]
        conditions: list[tuple[str, str, str | int]] = []
        if start_ns is not None:
            conditions.append((time, ">=", start_ns))
        if end_ns is not None:
            conditions.append((time, "<", end_ns))
        if trace_id is not None and "trace_id" in COLUMN_TYPES[table]:
            conditions.append(("trace_id", "=", trace_id.lower()))
        # delta-rs answers with URIs, DuckDB and pyarrow take paths
        return [unquote(uri) for uri in delta.file_uris(file_pruning_predicate=conditions or None)]

    def summary_files(self, *, start_ns: int | None = None, end_ns: int | None = None) -> list[str]:
        """The files of the table `traces` that sum up all spans between two times, see `files`.

        A summary is of an hour, or of all that was not placed in one, and may begin before the time of interest.
        """
        begun_ns = None if start_ns is None else start_ns - start_ns % _HOUR_NS
        placed = set(self.files("traces", start_ns=begun_ns, end_ns=end_ns))
        unplaced = f"/date={UNPLACED_DATE}/"
        return [file for file in self.files("traces", end_ns=end_ns) if file in placed or unplaced in file]

    def time_range(self, table: str) -> tuple[int, int] | None:
        """The first and the last time in a table, in nanoseconds since the epoch; None where it has no rows.

        It is that of the ranges kept for each file, so no file is read.
        """
        delta = self._opened.get(table)
        if delta is None:
            return None
        actions: Any = delta.get_add_actions(flatten=True)  # arro3 publishes wrong types
        names = [f"{extreme}.{TIME_COLUMN[table]}" for extreme in ("min", "max")]
        if not set(names) <= set(actions.column_names):  # no file
            return None
        first, last = ([time for time in actions[name].to_pylist() if time is not None] for name in names)
        return (min(first), max(last)) if first and last else None

    def unsummarised_files(self, *, start_ns: int | None = None, end_ns: int | None = None) -> list[str]:
        """The files of spans whose traces have no summaries in the table `traces` yet, see `files`."""
        files = self.files("spans", start_ns=start_ns, end_ns=end_ns) if self._unsummarised != frozenset() else []
        if self._unsummarised is None:
            return files
        return [file for file in files if below_table(file) in self._unsummarised]

    def delta(self, table: str) -> DeltaTable | None:
        """The table as its log describes it; None while nothing was ever written to it."""
        return self._opened.get(table)

    def fields(self, table: str) -> list[Field]:
        """The columns of a table with every attribute key that occurs, as in the schema of its log (Delta's protocol).

        Fields of attribute STRUCTs that hold JSON text carry the metadata `layout.JSON_MARK`. The partition columns
        are left out, for they are not in the files.
        """
        delta = self._opened.get(table)
        if delta is None:
            return [Field(name=name, type=kind, metadata={}) for name, kind in COLUMN_TYPES[table].items()]
        schema: Struct = json.loads(delta.schema().to_json())
        return [field for field in schema["fields"] if field["name"] not in PARTITIONS]


def below_table(file: str) -> str:
    """A file's path below the directory of its table, as the table's log has it, wherever the store is seen from.

    Args:
        file: as `Snapshot.files` lists it.
    """
    return "/".join(Path(file).parts[-_DEPTH:])
