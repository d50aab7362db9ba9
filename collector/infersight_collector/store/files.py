"""Parquet files of a table: written, synced, and described for the table's log."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import json
import os
import time
import uuid
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

from infersight_collector.store.errors import unavailable
from infersight_collector.store.layout import TIME_COLUMN
from infersight_collector.store.partitions import Partition
from infersight_collector.store.wal import sync_directory, sync_file

ROW_GROUP_ROWS: Final = 61_440
"""Rows of a row group: 30 of DuckDB's vectors of 2 048; the unit that a reader reads or skips. Twice as many would save
a query over 10 million spans 12 of the 33 ms in which it opens the files, and cost a merge 110 MB."""

ROW_GROUP_MOST: Final = 81_920
"""Rows that are one row group where they come at once: a few more cost less than a small group behind the large one."""

NEW: Final = "new"
"""First word of the name of a file with one write's rows, in the order they came."""

SORTED: Final = "sorted"
"""First word of the name of a file that is sorted by the table's `SORT_KEYS`: of a large write or of compaction."""

PINNED: Final = "pinned"
"""First word of the name of a sorted file with what pins keep of an hour that was dropped, see `retention`."""

_ZSTD_LEVEL: Final = 1  # 3 takes half as long again and saves nothing on ids and short texts

# Values that hardly repeat soon leave the dictionary: 72 B a span instead of 81, and no slower.
_DICTIONARY_BYTES: Final = 16_384

# Columns that never get a dictionary. Ids without a length before each compress to little more than their entropy; the
# times of logs and metrics are in order within a trace or a series. Those of spans are left to zstd, which finds the
# high bytes of a trace's spans equal. BYTE_STREAM_SPLIT would save durations another 0.3 B, but Spark cannot read it.
_ENCODINGS: Final = {
    "trace_id": "DELTA_LENGTH_BYTE_ARRAY",
    "span_id": "DELTA_LENGTH_BYTE_ARRAY",
    "parent_span_id": "DELTA_LENGTH_BYTE_ARRAY",
    "start_time_ns": "PLAIN",
    "duration_ns": "DELTA_BINARY_PACKED",
    "time_ns": "DELTA_BINARY_PACKED",
    "observed_delay_ns": "DELTA_BINARY_PACKED",
}

# The events of logs are few, and all of one name; metrics lie together by their names.
_RANGED: Final = frozenset({"trace_id", "name", "event_name", "metric_name"})

# Every hour's sorted file has each trace id in its range, so that a look-up would read a row group of all hours. With
# Bloom filters, 8 KB for each row group and 0.13 B a span, one over 24 hours takes 0.8 of the time.
_FILTERED: Final = "trace_id"
_FILTER: Final = {"ndv": ROW_GROUP_ROWS // 10, "fpp": 0.01}

_TAIL_BYTES: Final = 8  # length of the footer, and Parquet's mark

# A merge holds one page of each column of each file.
_PAGE_BYTES: Final = 65_536


def statistics_columns(table: str, names: Sequence[str]) -> list[str]:
    """The columns whose range is kept for each file, so that readers skip files: the trace id and the time."""
    return [name for name in ("trace_id", TIME_COLUMN[table]) if name in names]


def write_file(table: Path, partition: Partition, kind: str, schema: pa.Schema, parts: Iterable[pa.Table]) -> AddAction:
    """Writes rows to one new file, durably; it is not part of the table before the action is committed.

    Args:
        table: directory of the table.
        partition: where the rows belong.
        kind: `NEW` or `SORTED`.
        schema: columns of the file.
        parts: the rows, in pieces that fit into memory.

    Raises:
        StoreUnavailable: the file could not be written.

    Whatever ends it early, nothing is left of the file.
    """
    name = f"{kind}-{uuid.uuid4().hex}"
    path = table / partition.directory / f"{name}.parquet"
    ranges = _Ranges(statistics_columns(table.name, schema.names))
    try:
        _make_directories(path.parent)
        # A file of Arrow's: one of Python's would wait for the interpreter at each of some hundred writes.
        with pa.OSFile(str(path), "wb") as sink, _open(sink, schema, kind) as file:
            for part in parts:
                rows = part.num_rows
                file.write_table(part, row_group_size=ROW_GROUP_ROWS if rows > ROW_GROUP_MOST else rows)
                ranges.add(part)
        sync_file(path)
        checksums = [footer_checksum(path)] if kind == NEW else [filters_checksum(path), footer_checksum(path)]
        path = path.rename(path.with_name(f"{'-'.join([name, *checksums])}.parquet"))
        sync_directory(path.parent)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise unavailable(f"write {path}", error) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return AddAction(
        path=f"{partition.directory}/{path.name}",
        size=path.stat().st_size,
        partition_values=partition._asdict(),
        modification_time=time.time_ns() // 10**6,
        data_change=kind == NEW,
        stats=ranges.to_json(),
    )


def footer_checksum(path: Path) -> str:
    """CRC-32 of a file's footer, 8 hex digits: the end of its name, for Parquet has checksums of pages only.

    A reader that believes a damaged footer skips rows or dies.
    """
    with path.open("rb") as file:
        file.seek(-_TAIL_BYTES, os.SEEK_END)
        length = int.from_bytes(file.read(_TAIL_BYTES)[:4], "little")
        file.seek(-_TAIL_BYTES - length, os.SEEK_END)
        return f"{zlib.crc32(file.read()):08x}"


def filters_checksum(path: Path) -> str:
    """CRC-32 of the Bloom filters of a sorted file, 8 hex digits: in its name before that of the footer.

    The footer is to be checked first, for it says where they are.
    """
    metadata: Any = pq.read_metadata(path)
    columns = range(metadata.num_columns)
    filtered = next((index for index in columns if metadata.schema.column(index).path == _FILTERED), None)
    checksum = 0
    if filtered is not None:
        with path.open("rb") as file:
            for column in (metadata.row_group(group).column(filtered) for group in range(metadata.num_row_groups)):
                file.seek(column.bloom_filter_offset)
                checksum = zlib.crc32(file.read(column.bloom_filter_length), checksum)
    return f"{checksum:08x}"


def discard(table: Path, actions: Iterable[AddAction]) -> None:
    """Deletes files that were written but surely not committed."""
    for action in actions:
        (table / action.path).unlink(missing_ok=True)


def _open(sink: pa.NativeFile, schema: pa.Schema, kind: str) -> pq.ParquetWriter:
    # By the ranges of other columns few row groups could be skipped. Those of attributes cost an eighth of the writing,
    # and every query reads all of them.
    ranged: Any = [name for name in schema.names if name in _RANGED or name.endswith("_ns")]
    dictionaries: Any = [
        leaf for field in schema if field.name not in _ENCODINGS for leaf in _leaves(field.name, field.type)
    ]
    return pq.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        compression_level=_ZSTD_LEVEL,
        use_dictionary=dictionaries,
        column_encoding={name: encoding for name, encoding in _ENCODINGS.items() if name in schema.names},
        dictionary_pagesize_limit=_DICTIONARY_BYTES,
        data_page_size=_PAGE_BYTES,
        write_statistics=ranged,
        bloom_filter_options={_FILTERED: _FILTER} if kind != NEW and _FILTERED in schema.names else None,
        write_page_checksum=True,  # DuckDB does not notice a changed byte; `damage` does
        store_schema=False,  # the table's schema in the log says what Parquet cannot
    )


def _leaves(path: str, kind: pa.DataType) -> Iterator[str]:
    """Parquet's paths of the columns that hold the values of one."""
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _leaves(f"{path}.{field.name}", field.type)
    elif pa.types.is_list(kind):
        yield from _leaves(f"{path}.list.element", kind.value_type)
    else:
        yield path


class _Ranges:
    """Number of rows, and least and greatest value of some columns, in the form of Delta's file statistics."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._rows = 0
        self._nulls = dict.fromkeys(columns, 0)
        self._least: dict[str, Any] = {}
        self._greatest: dict[str, Any] = {}

    def add(self, part: pa.Table) -> None:
        self._rows += part.num_rows
        for name in self._nulls:
            self._nulls[name] += part[name].null_count
            found = pc.min_max(part[name]).as_py()
            if found["min"] is not None:
                self._least[name] = min(found["min"], self._least.get(name, found["min"]))
                self._greatest[name] = max(found["max"], self._greatest.get(name, found["max"]))

    def to_json(self) -> str:
        return json.dumps(
            {
                "numRecords": self._rows,
                "minValues": self._least,
                "maxValues": self._greatest,
                "nullCount": self._nulls,
            }
        )


def _make_directories(directory: Path) -> None:
    """Creates the directories of a partition, each entry durable."""
    missing = [path for path in (directory.parent, directory) if not path.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    for path in missing:
        sync_directory(path.parent)
