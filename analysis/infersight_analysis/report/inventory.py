"""What is in a store, on the terminal."""

from collections.abc import Iterable, Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table

from infersight_analysis.inventory import Inventory, TableFacts, Waiting
from infersight_analysis.report.output import console, short_size
from infersight_analysis.times import readable_time


def print_inventory(found: Inventory, *, hours: bool) -> None:
    """Print a store's tables, what waits in its log, and its size.

    Args:
        found: the store.
        hours: whether to print each hour of each table too.
    """
    out = console()
    out.print(f"[bold]{found.store}[/], layout {found.version}", highlight=False, soft_wrap=True)
    out.print(_tables(found.tables))
    if hours:
        out.print(_hours(found.tables))
    for line in _rest(found):
        out.print(line)


def _tables(tables: Iterable[TableFacts]) -> Table:
    grid = _grid("table", "rows", "size", "B/row", "files", "hours", "keys", "oldest", "newest")
    for table in tables:
        per_row = "" if table.bytes_per_row is None else f"{table.bytes_per_row:.1f}"
        counts = (f"{table.files:,}", f"{len(table.partitions):,}", f"{table.attribute_keys:,}")
        times = (_second(table.oldest), _second(table.newest))
        grid.add_row(table.name, f"{table.rows:,}", short_size(table.bytes), per_row, *counts, *times)
    return grid


def _hours(tables: Iterable[TableFacts]) -> Table:
    grid = _grid("table", "rows", "size", "B/row", "files", "hour")
    for table in tables:
        for hour in table.partitions:
            facts = (short_size(hour.bytes), f"{hour.bytes / hour.rows:.1f}", f"{hour.files:,}")
            grid.add_row(table.name, f"{hour.rows:,}", *facts, f"{hour.date} {hour.hour}h")
    return grid


def _grid(first: str, *others: str) -> Table:
    grid = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    grid.add_column(first)
    for name in others:
        grid.add_column(name, justify="right", no_wrap=True)
    return grid


def _rest(found: Inventory) -> Iterator[str]:
    if found.profiles.profiles:
        size, since = short_size(found.profiles.bytes), _second(found.profiles.oldest)
        yield f"profiles: {found.profiles.profiles:,}, {size}, the oldest of {since}"
    yield f"waiting in the log: {_segments(found.waiting)}"
    if found.set_aside.segments:
        yield f"set aside in quarantine/: {_segments(found.set_aside)}"
    yield f"on disk: {short_size(found.disk_bytes)}, with files that are deleted later"


def _segments(waiting: Waiting) -> str:
    if not waiting.segments:
        return "nothing"
    return f"{short_size(waiting.bytes)} in {waiting.segments} segment{'s' if waiting.segments > 1 else ''}"


def _second(moment: str | None) -> str:
    return "" if moment is None else readable_time(moment)
