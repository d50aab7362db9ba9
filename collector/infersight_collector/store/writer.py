"""Rows into the tables, exactly once."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false
# pyarrow publishes no types.

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeAlias

import pyarrow as pa

from infersight_collector.store import directory, tables, upgrade
from infersight_collector.store.attributes import conform
from infersight_collector.store.errors import StoreUnavailable
from infersight_collector.store.files import NEW, SORTED, discard, write_file
from infersight_collector.store.layout import TIME_COLUMN
from infersight_collector.store.locks import writing
from infersight_collector.store.order import in_order
from infersight_collector.store.partitions import Partition, by_partition
from infersight_collector.store.redundancy import leave_out
from infersight_collector.store.summaries import summarise
from infersight_collector.store.wal import Origin

if TYPE_CHECKING:
    from deltalake.transaction import AddAction

SORTED_ROWS: Final = 30_000
"""Rows from which on a write sorts them, at 0.4 us each: such a file needs no first pass of the compaction, which
would read, sort and write the rows for some 2 us."""

_ATTEMPTS: Final = 30


Part: TypeAlias = tuple[Partition, pa.Table]
"""The rows of one partition."""

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

    @classmethod
    def open(cls, path: Path, committed: Committed = lambda _table, _rows, _size: None) -> Self:
        """Opens the store at `path`, creating it where the directory is absent or empty, upgrading it where it is old.

        Args:
            path: directory of the store.
            committed: told the table, rows and bytes of each write.

        Raises:
            StoreTooNew: a later release wrote it.
            StoreError: the directory holds something else, or an older store that an older release still writes to.
            StoreUnavailable: it cannot be written.
        """
        directory.create(path)
        upgrade.begin(path)
        return cls(path, committed)

    def write(self, rows: dict[str, pa.Table], origin: Origin) -> None:
        """Adds the rows of one segment, durably and exactly once; a table that has the origin already is skipped.

        Spans come last, after the summaries of their traces and what else came with them: readers open their table
        first (`layout.TIME_COLUMN`).

        Args:
            rows: rows by table name, in the layout of `schema.COLUMNS` (as `decode` gives them).
            origin: the segment they come from; the numbers of one writer must arrive in order.

        Raises:
            StoreUnavailable: some tables may have the rows, others not; the same call completes it.
        """
        with self._lock, writing(self.path):
            for name in reversed(TIME_COLUMN):
                if name not in rows or not rows[name].num_rows or self._table(name).has(origin):
                    continue
                parts = list(_parts(leave_out(rows[name], name), name))
                if name == "spans":
                    # Where the spans are there, so is their summary: it was written before, or `migration` makes it.
                    summaries = [(partition, summarise(spans)) for partition, spans in parts]
                    self._append("traces", summaries, origin)
                self._append(name, parts, origin)

    def _table(self, name: str) -> tables.Table:
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = tables.Table(self.path, name)
        return table

    def _append(self, name: str, parts: Sequence[Part], origin: Origin) -> None:
        table = self._table(name)
        for attempt in range(_ATTEMPTS):
            if table.has(origin):
                return
            try:
                written, size = self._add(table, parts, origin)
            except tables.Conflict:
                # Spread the writers that met, so that they do not meet again.
                time.sleep(random.uniform(0, 0.01 * (attempt + 1)))  # noqa: S311 - no secret depends on it
                table.refresh()
            else:
                self._committed(name, written, size)
                return
        raise StoreUnavailable(f"cannot commit to {table.path}: other writers were first {_ATTEMPTS} times")

    @staticmethod
    def _add(table: tables.Table, parts: Sequence[Part], origin: Origin) -> tuple[int, int]:
        """Commits the rows to the table; the number of rows and the size of the files that were written for them."""
        written: list[AddAction] = []
        try:
            for partition, rows in _conformed(table, parts):
                kind = SORTED if rows.num_rows >= SORTED_ROWS else NEW
                written.append(write_file(table.path, partition, kind, rows.schema, [rows]))
        except StoreUnavailable:
            discard(table.path, written)
            raise
        try:
            table.commit(written, origin)
        except tables.Conflict:
            discard(table.path, written)
            raise
        return sum(rows.num_rows for _, rows in parts), sum(action.size for action in written)


def _parts(rows: pa.Table, name: str) -> Iterator[Part]:
    """What goes into each partition of a table, in the table's order where that is a lot."""
    for partition, part in by_partition(rows, TIME_COLUMN[name]):
        yield partition, in_order(part, name) if part.num_rows >= SORTED_ROWS else part


def _conformed(table: tables.Table, parts: Sequence[Part]) -> list[Part]:
    """The parts with the types that the table has, which gets the columns and keys that it does not have."""
    known = table.schema
    conformed: list[Part] = []
    for partition, part in parts:
        rows = conform(part, table.name, known)
        known = pa.unify_schemas([known, rows.schema], promote_options="permissive")
        conformed.append((partition, rows))
    table.evolve(known)
    return conformed
