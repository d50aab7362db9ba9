"""Deletes files that no reader needs any more.

A file's time of modification is set anew when it leaves its table (`tables.Table.replace`). So it says of every file
that is in no table since when: it was replaced or dropped then, or its writer died then before it came in.
"""

import time
from collections.abc import Container, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from infersight_collector.store.live import live_files
from infersight_collector.store.locks import nobody_writing
from infersight_collector.store.tables import Table

_WAIT_S: Final = 5.0

_SETTLED_S: Final = 24 * 3_600.0
"""A directory that nothing has changed for so long can go when it is empty; a writer would make it again."""


class Unused(NamedTuple):
    """A file that belongs to no table: its path, its size in bytes, and since when, in seconds since the epoch."""

    path: Path
    size: int
    since: float


def vacuum(table: Table, grace_s: float) -> list[Unused]:
    """Deletes the files of a table that have been in no version of it for some time.

    Nobody may write to the store while it is told which ones these are: what a writer has written and not committed
    yet looks the same, however long that takes. Where a writer is halted, nothing is deleted this time.

    Args:
        table: the table.
        grace_s: how long, in seconds: the time that whoever has opened the store has for his queries.

    Returns:
        what was deleted.

    Raises:
        OSError: something cannot be deleted.
        StoreUnavailable: the table cannot be read.
    """
    last = time.time() - grace_s
    with nobody_writing(table.path.parent, _WAIT_S) as is_alone:
        if not is_alone:
            return []
        table.refresh()
        deleted = [file for file in unused(table.path, live_files(table.delta)) if file.since < last]
        _delete_empty_directories(table.path)
    for file in deleted:
        file.path.unlink(missing_ok=True)
    return deleted


def unused(table: Path, live: Container[str]) -> Iterator[Unused]:
    """The files below the directory of a table that are not live.

    Args:
        table: the directory.
        live: paths of the live files, below the directory.
    """
    # The second pattern is what a writer leaves of a log entry when it dies while it writes it.
    for pattern in ("*/*/*.parquet", "_delta_log/*#*"):
        for path in table.glob(pattern):
            with suppress(FileNotFoundError):  # others delete, too
                status = path.stat()
                if str(path.relative_to(table)) not in live:
                    yield Unused(path, status.st_size, status.st_mtime)


def _delete_empty_directories(table: Path) -> None:
    """Deletes the directories of hours that are no more, and of days without hours."""
    for pattern in ("date=*/hour=*", "date=*"):
        for directory in table.glob(pattern):
            with suppress(OSError):  # not empty, or gone
                if time.time() - directory.stat().st_mtime > _SETTLED_S:
                    directory.rmdir()
