"""One DuckDB file with the tables, the views and the macros, which needs nothing of ours to be opened."""

from pathlib import Path
from typing import Final

import duckdb

from infersight_analysis.export.selection import Selection
from infersight_analysis.options import Window
from infersight_analysis.stored import TABLES
from infersight_analysis.surface import Scans, copy_tables, create_macros, set_time_ranges
from infersight_collector.store.layout import TIME_COLUMN
from infersight_collector.store.snapshot import Snapshot

_STORAGE: Final = "v1.4.0"
"""The oldest release of DuckDB that the file is for; that of 2.0 itself can be read by no other."""


def open_database(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a new file, for `fill`.

    Args:
        path: where there is nothing yet.
    """
    connection = duckdb.connect(path, config={"storage_compatibility_version": _STORAGE})
    for setting in ("TimeZone = 'UTC'", "enable_progress_bar = true", "enable_progress_bar_print = false"):
        connection.execute(f"set {setting}")
    return connection


def fill(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot, window: Window, selection: Selection) -> int:
    """Copy the selected rows, and create the public views and macros over them.

    Args:
        connection: from `open_database`.
        snapshot: the tables.
        window: only rows of this time.
        selection: which of those.

    Returns:
        the number of rows of all tables.
    """
    connection.execute("create schema stored")
    create_macros(connection)
    copy_tables(connection, snapshot, Scans.of(snapshot, window.start_ns, window.end_ns), selection.conditions)
    ranges: dict[str, tuple[int, int]] = {}
    rows = 0
    for table in TABLES:
        time = TIME_COLUMN[table]
        sql = f"select min({time}), max({time}), count(*) from stored.{table}"  # noqa: S608 - our own names
        ((first, last, count),) = connection.execute(sql).fetchall()
        rows += count
        if first is not None:
            ranges[table] = (first, last)
    set_time_ranges(connection, ranges)
    connection.execute("checkpoint")
    return rows
