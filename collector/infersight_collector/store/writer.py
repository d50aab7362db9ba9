"""Rows into the tables, exactly once."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false
# pyarrow publishes no types.

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import pyarrow as pa

from infersight_collector.store import directory, tables
from infersight_collector.store.attributes import conform
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.store.files import NEW, SORTED, discard, write_file
from infersight_collector.store.layout import TIME_COLUMN
from infersight_collector.store.order import in_order
from infersight_collector.store.partitions import by_partition
from infersight_collector.store.wal import Origin

if TYPE_CHECKING:
    from deltalake.transaction import AddAction

SORTED_ROWS: Final = 30_000
"""Rows from which on a write sorts them, at 0.6 us each: such a file needs no first pass of the compaction, which
would read, sort and write the rows for 2.5 us."""

_ATTEMPTS: Final = 30


Committed: TypeAlias = Callable[[str, int, int], None]


class Store:
    """A store that this process writes to; several threads and processes may write to one store.

    Args:
        path: directory of the store, see `open`.
        committed: told the table, rows and bytes of each write.
    """

    def __init__(self, path: Path, committed: Committed = lambda _table, _rows, _size: None) -> None:
        self.path: Final = path
        self._committed = committed
        self._tables: dict[str, tables.Table] = {}
        self._lock = threading.Lock()
        self.cleaned_at = float("-inf")  # kept by `compaction`: monotonic time of the last deletion of unused files

    @classmethod
    def open(cls, path: Path, committed: Committed = lambda _table, _rows, _size: None) -> Self:
        """Opens the store at `path`, creating it where the directory is absent or empty.

        Args:
            path: directory of the store.
            committed: told the table, rows and bytes of each write.

        Raises:
            StoreTooNew: a later release wrote it.
            StoreError: the directory holds something else.
            StoreUnavailable: it cannot be written.
        """
        directory.create(path)
        return cls(path, committed)

    def write(self, rows: dict[str, pa.Table], origin: Origin) -> None:
        """Adds the rows of one segment, durably and exactly once; a table that has the origin already is skipped.

        Args:
            rows: rows by table name, in the layout of `schema` (as `decode` gives them).
            origin: the segment they come from; the numbers of one writer must arrive in order.

        Raises:
            StoreUnavailable: some tables may have the rows, others not; the same call completes it.
        """
        with self._lock:
            for name, new in rows.items():
                if new.num_rows:
                    self._append(name, new, origin)

    def _append(self, name: str, rows: pa.Table, origin: Origin) -> None:
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = tables.Table(self.path, name)
        for attempt in range(_ATTEMPTS):
            if table.has(origin):
                return
            try:
                size = self._add(table, rows, origin)
            except tables.Conflict:
                # Spread the writers that met, so that they do not meet again.
                time.sleep(random.uniform(0, 0.01 * (attempt + 1)))  # noqa: S311 - no secret depends on it
                table.refresh()
            else:
                self._committed(name, rows.num_rows, size)
                return
        raise StoreUnavailable(f"cannot commit to {table.path}: other writers were first {_ATTEMPTS} times")

    @staticmethod
    def _add(table: tables.Table, rows: pa.Table, origin: Origin) -> int:
        """Commits the rows to the table; the size of the files written for them, in bytes."""
        conformed = conform(rows, table.name, table.schema)
        table.evolve(conformed.schema)
        written: list[AddAction] = []
        try:
            for partition, part in by_partition(conformed, TIME_COLUMN[table.name]):
                large = part.num_rows >= SORTED_ROWS
                rows, kind = (in_order(part, table.name), SORTED) if large else (part, NEW)
                written.append(write_file(table.path, partition, kind, rows.schema, [rows]))
        except StoreUnavailable:
            discard(table.path, written)
            raise
        try:
            table.commit(written, origin)
        except tables.Conflict:
            discard(table.path, written)
            raise
        return sum(action.size for action in written)
