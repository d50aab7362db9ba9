"""Creates what SQL sees of a store in a database: the stored tables, the public views and the macros."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import duckdb

from infersight_analysis import macros, stored
from infersight_analysis.definitions import Definition
from infersight_analysis.views import VIEWS
from infersight_collector.store.snapshot import Snapshot

_OVER_FILES: Final = ("spans", "logs", "metrics", "exemplars")
"""The public views with a row for each row of a stored table."""

_DEFERRED: Final = "with (defer_binding) as"
"""A view is planned when it is first asked: that takes 1 to 4 ms, and few questions need more than three of them."""


@dataclass(frozen=True)
class Scans:
    """How the stored rows of a time are read.

    Attributes:
        rows: what follows FROM, by name in the schema `stored`. `summaries` has the summaries of all traces with spans
            in the time, whenever they begin.
        files: those that are read.
        begun: the condition of the summaries of traces that begin in the time.
    """

    rows: Mapping[str, str]
    files: list[str]
    begun: str

    @classmethod
    def of(cls, snapshot: Snapshot, start_ns: int | None, end_ns: int | None, damaged: Collection[str] = ()) -> "Scans":
        """The scans of a snapshot.

        Args:
            snapshot: the tables.
            start_ns: first time of interest, in nanoseconds since the epoch.
            end_ns: first time that is too late.
            damaged: files to leave out.
        """
        rows: dict[str, str] = {}
        files: list[str] = []

        def sound(found: list[str]) -> list[str]:
            return [file for file in found if file not in damaged]

        for table in stored.TABLES:
            types = stored.column_types(snapshot, table)
            if table == "traces":
                found = sound(snapshot.summary_files(start_ns=start_ns, end_ns=end_ns))
                rows["summaries"] = stored.rows(table, types, found)
            else:
                found = sound(snapshot.files(table, start_ns=start_ns, end_ns=end_ns))
                rows[table] = stored.rows(table, types, found) + stored.within(table, start_ns, end_ns)
            files += found
        if rest := sound(snapshot.unsummarised_files(start_ns=start_ns, end_ns=end_ns)):
            where = stored.within("spans", start_ns, end_ns)
            rows["summaries"] = stored.with_summaries_of(snapshot, rest, rows["summaries"], where)
        return cls(rows, files, stored.within("traces", start_ns, end_ns))


def create_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the public macros, and what they and the views share; no table or view needs to be there yet.

    Args:
        connection: to a database with the schema `stored`.
    """
    set_time_ranges(connection, {})
    for definition in macros.definitions():
        connection.execute(definition.statement())


def set_time_ranges(connection: duckdb.DuckDBPyConnection, ranges: Mapping[str, macros.TimeRange]) -> None:
    """Tell the macros when the rows of each stored table begin and end; those without rows are left out."""
    for definition in macros.time_ranges(lambda: ranges):
        connection.execute(definition.statement())


def views(snapshot: Snapshot, scans: Scans) -> Iterator[Definition]:
    """A view for each stored table in the schema `stored`, and the public views over them.

    Args:
        snapshot: the tables.
        scans: how they are read.
    """
    for name, rows in scans.rows.items():
        yield _view("stored", name, f"from {rows}")
    for name, select in _derived(snapshot, scans).items():
        yield _view("stored", name, select)
    for view in VIEWS:
        select = view.select()
        if view.name in _OVER_FILES:
            # Not over the view in `stored`: no filter on a time reaches the files through both, see `timestamp_of`.
            select = select.replace(f"from stored.{view.name}", f"from {scans.rows[view.name]}")
        yield _view("main", view.name, select)


def _view(schema: str, name: str, select: str) -> Definition:
    qualified = f"{schema}.{name}" if schema == "stored" else name
    return Definition(qualified, lambda: f"create view {schema}.{name} {_DEFERRED} {select}")


def copy_tables(
    connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, scans: Scans, conditions: Mapping[str, str]
) -> None:
    """Create a copy of each stored table in the schema `stored`, and the public views over them.

    Args:
        connection: to a database with that schema and the macros.
        snapshot: the tables.
        scans: how they are read.
        conditions: which rows are copied, by table.
    """
    for name, rows in scans.rows.items():
        wanted = conditions["traces" if name == "summaries" else name]
        connection.execute(f"create table stored.{name} as from (from {rows}) where {wanted}")
    for name, select in _derived(snapshot, scans).items():
        connection.execute(f"create view stored.{name} as {select}")
    for view in VIEWS:
        connection.execute(f"create view {view.name} as {view.select()}")


def _derived(snapshot: Snapshot, scans: Scans) -> dict[str, str]:
    return {"traces": f"from stored.summaries{scans.begun}", "attribute_keys": _attribute_keys(snapshot)}


def _attribute_keys(snapshot: Snapshot) -> str:
    rows = [f"({', '.join(map(stored.literal, row))})" for row in stored.attribute_keys(snapshot)]
    none = "(null::varchar, null::varchar, null::varchar, null::varchar)"  # there may be no other
    columns = "keys(table_name, column_name, key, type)"
    return f"from (values {', '.join([none, *rows])}) as {columns} where key is not null"
