"""From when to when there are records."""

from typing import Final

import duckdb

from infersight_analysis.options import Window

_BOUNDS: Final = (
    "select min(stored.first_ns(name)), max(stored.last_ns(name)) + 1 "
    "from (select unnest(['spans', 'logs', 'metrics']) as name)"
)


def extent(connection: duckdb.DuckDBPyConnection, window: Window) -> tuple[int, int] | None:
    """The part of a window that has records, from the first on and before the second, nanoseconds since the epoch.

    Args:
        connection: from `connect`.
        window: what is looked at; its end may lie ahead of the records.

    Returns:
        None where the store has no records, or the window names no time among them.
    """
    first, last = connection.execute(_BOUNDS).fetchall()[0]
    if first is None:
        return None
    start = first if window.start_ns is None else max(window.start_ns, first)
    end = last if window.end_ns is None else min(window.end_ns, last)
    return (start, end) if start < end else None
