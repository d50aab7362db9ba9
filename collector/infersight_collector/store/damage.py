"""Damaged Parquet files: missing, cut off, or with other bytes than were written."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

import errno
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.parquet as pq

from infersight_collector.store.files import filters_checksum, footer_checksum
from infersight_collector.store.layout import TIME_COLUMN
from infersight_collector.store.live import live_files

if TYPE_CHECKING:
    from infersight_collector.store.snapshot import Snapshot

_CHECKED: Final = re.compile(r".*-[0-9a-f]{32}(?:-([0-9a-f]{8}))?-([0-9a-f]{8})\.parquet")


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A file of a snapshot that cannot be believed.

    Attributes:
        table: name of the table.
        path: where it is.
        rows: number of its rows.
        problem: what is wrong with it.
    """

    table: str
    path: Path
    rows: int
    problem: str


def damaged_files(snapshot: "Snapshot", *, start_ns: int | None = None, end_ns: int | None = None) -> list[DamagedFile]:
    """The damaged files of a snapshot. Reads all of its files, so it takes as long as a query over everything.

    Args:
        snapshot: what a reader sees.
        start_ns: earliest time of interest, in nanoseconds since the epoch; files without such rows are not looked at.
        end_ns: first time that is too late.
    """
    found: list[DamagedFile] = []
    for table in TIME_COLUMN:
        delta = snapshot.delta(table)
        if delta is None:
            continue
        files = snapshot.summary_files if table == "traces" else partial(snapshot.files, table)
        wanted = set(files(start_ns=start_ns, end_ns=end_ns))
        for file in live_files(delta).values():
            path = snapshot.path / table / file.path
            if str(path) in wanted and (said := damage(path, file.size)) is not None:
                found.append(DamagedFile(table, path, file.rows, said))
    return found


def damage(path: Path, size: int | None = None) -> str | None:
    """What is wrong with a file, in one line; None where all of it is as it was written.

    Reads every page. DuckDB checks no checksums: a changed byte may be another value to it.

    Args:
        path: the file.
        size: its size in bytes as the table's log has it, where that is known.
    """
    try:
        if (said := footer_damage(path, size)) is not None:
            return said
        checked = _CHECKED.fullmatch(path.name)
        if checked is not None and checked[1] is not None and checked[1] != filters_checksum(path):
            return "its Bloom filters are not as they were written"
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for group in range(file.num_row_groups):
                file.read_row_group(group)
    except (OSError, ValueError, pa.ArrowException) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return None


def footer_damage(path: Path, size: int | None = None) -> str | None:
    """What is wrong with a file as far as its size and its footer tell: at once, however large it is.

    Arrow may end the process over a damaged footer, so this comes before whatever reads one that is in doubt. Files of
    the first releases have no checksum of it.
    """
    try:
        found = path.stat().st_size
        if size is not None and found != size:
            return f"it has {found} bytes instead of {size}"
        checked = _CHECKED.fullmatch(path.name)
        if checked is not None and checked[2] != footer_checksum(path):
            return "its footer is not as it was written"
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return "its end is not as it was written" if error.errno == errno.EINVAL else str(error)
    return None
