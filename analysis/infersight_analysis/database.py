"""The only place that opens a database: the public views over one snapshot of a store."""

import tempfile
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path

import duckdb

from infersight_analysis import macros, stored
from infersight_analysis.connection import Connection
from infersight_analysis.definitions import Pending
from infersight_analysis.surface import Scans, create_macros, set_time_ranges, views
from infersight_analysis.times import SECOND_NS, parse_duration, parse_time
from infersight_analysis.unreadable import left_out
from infersight_collector.store.snapshot import Snapshot


def connect(
    store: Path | str,
    *,
    start: int | str | None = None,
    end: int | str | None = None,
    threads: int | None = None,
    memory_limit: str | None = None,
    timeout: float | str | None = None,
    skip_damaged: bool | None = None,
    create_when_named: bool = False,
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
        create_when_named: whether views and macros are only created when a statement given to this connection, or to a
            cursor of it, names them. It opens in half of the time. Statements that reach the database in another way,
            as by the methods of a relation or `duckdb.sql(..., connection=...)`, and relations made while a result is
            being read, find only what was named before.

    Returns:
        A connection to an in-memory database; closing it, or losing it, leaves nothing behind. A query that comes upon
        a file that is damaged, or gone since then, raises `unreadable.UnreadableFileError`, a `duckdb.Error` too.

    Raises:
        NotAStore: there is no store at this path.
        StoreTooNew: a later release wrote it.
        AnalysisError: a time or duration is none.
    """
    start_ns, end_ns = (parse_time(time) if isinstance(time, str) else time for time in (start, end))
    # These need Python's lock for little of their time, and each other only where they wait.
    with ThreadPoolExecutor(2) as beside:
        opening = beside.submit(Snapshot.of, Path(store))
        connection = Connection.of(duckdb.connect(config=_limits(threads, memory_limit)))
        connection.execute("create schema stored")
        creating = None if create_when_named else beside.submit(create_macros, connection.cursor())
        _set_up(connection, _scratch(connection))
        snapshot = opening.result()
        damaged = left_out(snapshot, skip=skip_damaged, start_ns=start_ns, end_ns=end_ns)
        scans = Scans.of(snapshot, start_ns, end_ns, damaged)
        now_ns = time.time_ns()
        ranges = cache(lambda: _time_ranges(snapshot, start_ns, end_ns, now_ns))
        if creating is not None:
            Pending(views(snapshot, scans)).create(connection)
            creating.result()
            set_time_ranges(connection, ranges())
    _lock(connection, scans.files, _milliseconds(timeout))
    if create_when_named:
        surface = [*macros.time_ranges(ranges), *macros.definitions(), *views(snapshot, scans)]
        connection.create_when_named(Pending(surface))
    return connection


def _scratch(connection: duckdb.DuckDBPyConnection) -> Path:
    """A directory that goes when the connection does, not when the caller thinks of it."""
    scratch = tempfile.TemporaryDirectory(prefix="infersight-")
    weakref.finalize(connection, scratch.cleanup)
    return Path(scratch.name)


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


def _time_ranges(
    snapshot: Snapshot, start_ns: int | None, end_ns: int | None, now_ns: int
) -> dict[str, macros.TimeRange]:
    """When the rows of each table begin and end; a sender's clock that is ahead of ours moves no window."""
    latest = now_ns if end_ns is None else min(end_ns - 1, now_ns)
    ranges: dict[str, macros.TimeRange] = {}
    for table in stored.TABLES:
        if times := snapshot.time_range(table):
            ranges[table] = (times[0] if start_ns is None else max(times[0], start_ns), min(times[1], latest))
    return ranges


def _set_up(connection: duckdb.DuckDBPyConnection, scratch: Path) -> None:
    """Give the connection a place of its own to spill to, and no way to load anything."""
    # For `query_progress`; nothing is printed. In a notebook DuckDB wants widgets for it, so there it is left out.
    with suppress(duckdb.InvalidInputException):
        connection.execute("set enable_progress_bar = true; set enable_progress_bar_print = false").fetchall()
    for setting in (
        f"temp_directory = {stored.literal(scratch / 'spill')}",
        "TimeZone = 'UTC'",
        # Files never change, so what was read of them stays right.
        "parquet_metadata_cache = true",
        "validate_external_file_cache = 'NO_VALIDATION'",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "allow_community_extensions = false",
        "python_enable_replacements = false",
    ):
        connection.execute(f"set {setting}")


def _lock(connection: duckdb.DuckDBPyConnection, files: list[str], timeout_ms: int) -> None:
    """Leave the connection the files of the snapshot, and its time for each query."""
    for setting in (
        f"allowed_paths = [{', '.join(map(stored.literal, files))}]",
        "enable_external_access = false",
        f"max_execution_time = {timeout_ms}",
        "lock_configuration = true",
    ):
        connection.execute(f"set {setting}")
