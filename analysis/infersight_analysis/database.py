"""The only place that opens a database: the public views over one snapshot of a store."""

import tempfile
import time
import weakref
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import duckdb

from infersight_analysis import macros, stored
from infersight_analysis.times import SECOND_NS, parse_duration, parse_time
from infersight_analysis.unreadable import explanation_over, left_out
from infersight_analysis.views import VIEWS
from infersight_collector.store.snapshot import Snapshot

_ATTRIBUTE_KEYS: Final = (
    "create or replace table stored.attribute_keys(table_name varchar, column_name varchar, key varchar, type varchar)"
)


def connect(
    store: Path | str,
    *,
    start: int | str | None = None,
    end: int | str | None = None,
    threads: int | None = None,
    memory_limit: str | None = None,
    timeout: float | str | None = None,
    skip_damaged: bool | None = None,
) -> duckdb.DuckDBPyConnection:
    """Open the public views over the store as it is now; later writes are not seen.

    The connection reads the files of its snapshot and no other, and can load no extension. For SQL from someone you
    do not trust use `statements.read_only` besides, which refuses whatever is not a query, and set a time-out and a
    memory limit. One call of a function on one huge value is not interrupted.

    Args:
        store: directory of the store.
        start: first time of interest, in nanoseconds since the epoch or ISO 8601; earlier rows are left out.
        end: first time that is too late.
        threads: most threads of a query; all cores by default.
        memory_limit: most memory of a query before it spills to disk, as in `2GB`; 80 % of all by default.
        timeout: how long a query may take until it is interrupted (`duckdb.InterruptException`), the reading of its
            result included, in seconds or as in `30s`; without limit by default.
        skip_damaged: whether files that are not as they were written are left out, with a `DamagedFilesWarning` that
            says how many rows are missing. All files are read for that. By default `INFERSIGHT_SKIP_DAMAGED` decides.

    Returns:
        A connection to an in-memory database; closing it, or losing it, leaves nothing behind.

    Raises:
        NotAStore: there is no store at this path.
        StoreTooNew: a later release wrote it.
        AnalysisError: a time or duration is none, or a file is damaged.
    """
    snapshot = Snapshot.of(Path(store))
    start_ns, end_ns = (parse_time(time) if isinstance(time, str) else time for time in (start, end))
    scratch = tempfile.TemporaryDirectory(prefix="infersight-")
    connection = duckdb.connect(config=_limits(threads, memory_limit))
    # Goes when the connection does, not when the caller thinks of it.
    weakref.finalize(connection, scratch.cleanup)
    damaged = left_out(snapshot, skip=skip_damaged, start_ns=start_ns, end_ns=end_ns)
    _create_stand_ins(connection, snapshot)
    create_public(connection, _time_ranges(snapshot, start_ns, end_ns))
    try:
        files = create_stored(connection, snapshot, start_ns, end_ns, damaged=damaged)
    except duckdb.Error as error:
        files = [file for table in stored.TABLES for file in snapshot.files(table, start_ns=start_ns, end_ns=end_ns)]
        if (unreadable := explanation_over(files, error)) is not None:
            raise unreadable from error
        raise
    _lock(connection, files, Path(scratch.name), _milliseconds(timeout))
    return connection


def _limits(threads: int | None, memory_limit: str | None) -> dict[str, str | bool | int | float | list[str]]:
    limits: dict[str, str | bool | int | float | list[str]] = {}
    if threads is not None:
        limits["threads"] = threads
    if memory_limit is not None:
        limits["memory_limit"] = memory_limit
    return limits


def _milliseconds(timeout: float | str | None) -> int:
    """A time-out as DuckDB takes it; 0 is none."""
    if timeout is None:
        return 0
    seconds = parse_duration(timeout) / SECOND_NS if isinstance(timeout, str) else timeout
    return max(1, round(seconds * 1_000))


def create_stored(
    connection: duckdb.DuckDBPyConnection,
    snapshot: Snapshot,
    start_ns: int | None,
    end_ns: int | None,
    *,
    damaged: Collection[str] = (),
    copied: Mapping[str, str] | None = None,
) -> list[str]:
    """Create the schema `stored`: a view for each table, over its files.

    Args:
        connection: to a database without that schema, or with stand-ins in it.
        snapshot: the tables.
        start_ns: first time of interest, in nanoseconds since the epoch.
        end_ns: first time that is too late.
        damaged: files to leave out.
        copied: makes tables instead of views, that hold those rows for which a condition is true; conditions by table.

    Returns:
        the files that are read.
    """

    def sound(files: list[str]) -> list[str]:
        return [file for file in files if file not in damaged]

    connection.execute("create schema if not exists stored")
    every: list[str] = []
    for table in stored.TABLES:
        types = stored.column_types(snapshot, table)
        files = sound(snapshot.files(table, start_ns=start_ns, end_ns=end_ns))
        every += files
        scan = stored.scan(table, types, files, start_ns=start_ns, end_ns=end_ns)
        if table == "traces" and (rest := sound(snapshot.unsummarised_files(start_ns=start_ns, end_ns=end_ns))):
            scan = stored.with_summaries_of(snapshot, rest, scan, start_ns=start_ns, end_ns=end_ns)
        connection.execute(f"drop table if exists stored.{table}")
        if copied is None:
            connection.execute(f"create view stored.{table} as {scan}")
        else:
            selected = f"select * from ({scan}) where {copied[table]}"  # noqa: S608 - our own conditions
            connection.execute(f"create table stored.{table} as {selected}")
    connection.execute(_ATTRIBUTE_KEYS)
    rows = [f"({', '.join(map(stored.literal, row))})" for row in stored.attribute_keys(snapshot)]
    if rows:
        connection.execute(f"insert into stored.attribute_keys values {', '.join(rows)}")  # noqa: S608 - quoted
    return every


def _create_stand_ins(connection: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    """Create the schema `stored` with empty tables, until `create_stored` puts the real ones in their place.

    DuckDB plans a view when it is created. Over a table that is quick; over files it is told their columns each time,
    2 ms a view, 30 ms in all.
    """
    connection.execute("create schema stored")
    for table in stored.TABLES:
        types = stored.column_types(snapshot, table).items()
        columns = ", ".join(f"{stored.identifier(name)} {kind}" for name, kind in types)
        connection.execute(f"create table stored.{table}({columns})")
    connection.execute(_ATTRIBUTE_KEYS)


def create_public(connection: duckdb.DuckDBPyConnection, ranges: Mapping[str, macros.TimeRange]) -> None:
    """Create the public views and macros over the schema `stored`.

    Args:
        connection: to a database with that schema.
        ranges: of each stored table that has rows.
    """
    for view in VIEWS:
        connection.execute(f"create view {stored.identifier(view.name)} as {view.select()}")
    for statement in macros.statements(ranges):
        connection.execute(statement)


def _time_ranges(snapshot: Snapshot, start_ns: int | None, end_ns: int | None) -> dict[str, macros.TimeRange]:
    """When the rows of each table begin and end; a sender's clock that is ahead of ours moves no window."""
    latest = time.time_ns() if end_ns is None else min(end_ns - 1, time.time_ns())
    ranges: dict[str, macros.TimeRange] = {}
    for table in stored.TABLES:
        if times := snapshot.time_range(table):
            ranges[table] = (times[0] if start_ns is None else max(times[0], start_ns), min(times[1], latest))
    return ranges


def _lock(connection: duckdb.DuckDBPyConnection, files: list[str], scratch: Path, timeout_ms: int) -> None:
    """Leave the connection the files of the snapshot, a place of its own to spill to, and its time for each query."""
    # For `query_progress`; nothing is printed. In a notebook DuckDB wants widgets for it, so there it is left out.
    with suppress(duckdb.InvalidInputException):
        connection.execute("set enable_progress_bar = true; set enable_progress_bar_print = false").fetchall()
    for setting in (
        f"allowed_paths = [{', '.join(map(stored.literal, files))}]",
        f"temp_directory = {stored.literal(scratch / 'spill')}",
        "TimeZone = 'UTC'",
        # Files never change, so what was read of them stays right.
        "parquet_metadata_cache = true",
        "validate_external_file_cache = 'NO_VALIDATION'",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "allow_community_extensions = false",
        "python_enable_replacements = false",
        "enable_external_access = false",
        f"max_execution_time = {timeout_ms}",
        "lock_configuration = true",
    ):
        connection.execute(f"set {setting}")
