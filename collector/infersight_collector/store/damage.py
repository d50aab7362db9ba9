"""Damaged Parquet files: missing, cut off, or with other bytes than were written."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyarrow publishes no types.

import re
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from infersight_collector.store.files import footer_checksum

_CHECKED: Final = re.compile(r".*-([0-9a-f]{8})\.parquet")


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
        if checked is not None and checked[1] != footer_checksum(path):
            return "its footer is not as it was written"
    except FileNotFoundError:
        return "it is missing"
    except OSError as error:
        return str(error)
    return None
