"""Files that a query cannot read: what became of them, and how to leave them out."""

import os
import re
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Final

import duckdb

from infersight_analysis.errors import AnalysisError
from infersight_collector.store.snapshot import Snapshot

SKIP_VARIABLE: Final = "INFERSIGHT_SKIP_DAMAGED"
"""The variable of the environment that asks for damaged files to be left out, where nothing else says so."""

# DuckDB also takes the name of a missing file for a pattern, which the connection does not allow.
_PATH: Final = re.compile(r"[\"']([^\"']+?\.parquet)(?:/\*\*/\*\.parquet)?[\"']")

_OUTDATED: Final = (
    "this snapshot of the store is too old: files of it were replaced since and are no longer kept (for that long a "
    "collector keeps them: vacuum_grace, 1h by default): connect again"
)


class DamagedFilesWarning(UserWarning):
    """Rows are missing in what a connection shows, because their files are damaged."""


class UnreadableFileError(AnalysisError, duckdb.IOException):
    """A file of the store that is damaged, or that is gone since the connection was made."""


def explanation(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> UnreadableFileError | None:
    """What a failed query means for a person where the reason is a file; None where it is something else.

    Args:
        connection: from `connect`; it must have no result open.
        error: what DuckDB raised.
    """
    if isinstance(error, UnreadableFileError):
        return error
    if not _is_about_reading(error):
        return None
    found = connection.execute("select unnest(current_setting('allowed_paths'))").fetchall()
    files = sorted(path for (path,) in found)
    named = _PATH.search(str(error))
    if named and named[1] not in files:
        return None
    for path in map(Path, [named[1]] if named else files):
        if (said := _wrong_with(path)) is not None:
            return UnreadableFileError(said)
    if named is None and files:
        said = " ".join(str(error).split())
        return UnreadableFileError(f"a file is damaged ({said}); {_advice(Path(files[0]))}")
    return None


def _wrong_with(path: Path) -> str | None:
    from infersight_collector.store.damage import footer_damage  # noqa: PLC0415 - loads Arrow

    if not path.exists() and not _is_live(path):
        return _OUTDATED
    said = footer_damage(path)
    return None if said is None else f"{path} is damaged: {said}; {_advice(path)}"


def left_out(snapshot: Snapshot, *, skip: bool | None, start_ns: int | None, end_ns: int | None) -> Collection[str]:
    """The damaged files of a snapshot if they are to be left out, with a warning that says how many rows are missing.

    Args:
        snapshot: what is opened.
        skip: whether damaged files are to be left out; None asks the environment.
        start_ns: first time of interest, in nanoseconds since the epoch.
        end_ns: first time that is too late.
    """
    if skip is None:
        skip = os.environ.get(SKIP_VARIABLE, "").lower() in ("1", "true", "yes")
    if not skip:
        return ()
    from infersight_collector.store.damage import damaged_files  # noqa: PLC0415 - loads Arrow

    found = damaged_files(snapshot, start_ns=start_ns, end_ns=end_ns)
    if found:
        tables = dict.fromkeys(file.table for file in found)
        rows = [f"{sum(file.rows for file in found if file.table == table):,} of {table}" for table in tables]
        files = "1 damaged file is" if len(found) == 1 else f"{len(found)} damaged files are"
        said = f"{files} left out, so rows are missing: {', '.join(rows)}; `infersight store verify` names the files"
        warnings.warn(said, DamagedFilesWarning, stacklevel=3)
    return {str(file.path) for file in found}


def _is_about_reading(error: duckdb.Error) -> bool:
    # What DuckDB raises over bytes that it cannot make sense of has no type of its own.
    kinds = (duckdb.IOException, duckdb.InvalidInputException, duckdb.PermissionException, duckdb.InternalException)
    return type(error) is duckdb.Error or (isinstance(error, kinds) and _PATH.search(str(error)) is not None)


def _is_live(path: Path) -> bool:
    """Whether a table has the file at the moment."""
    table = path.parents[2]
    return str(path) in Snapshot.of(table.parent).files(table.name)


def _advice(path: Path) -> str:
    return (
        f"`infersight store verify --store {path.parents[3]}` names all damage, and with {SKIP_VARIABLE}=1 in the "
        "environment queries leave damaged files out"
    )
