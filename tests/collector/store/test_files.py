"""Files of a table are read by others, and only where they have what is looked for."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import random
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infersight_collector.store.damage import damage
from infersight_collector.store.files import NEW, SORTED, write_file
from infersight_collector.store.order import in_order
from infersight_collector.store.partitions import Partition

Spans = Callable[..., pa.Table]

HOUR = Partition("2026-03-01", "10")
SPARK_READS = {"PLAIN", "RLE", "RLE_DICTIONARY", "DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY"}
"""Encodings that Spark's reader knows, from 3.4 on."""


def written(store: Path, kind: str, rows: pa.Table) -> Path:
    table = store / "spans"
    return table / write_file(table, HOUR, kind, rows.schema, [rows]).path


@pytest.mark.parametrize("kind", [NEW, SORTED])
def test_every_column_is_encoded_as_other_engines_read_it_and_read_as_it_was_written(
    tmp_path: Path, spans: Spans, kind: str
) -> None:
    rows = spans(0, 500).append_column("duration_ns", pa.array(range(500)))
    rows = in_order(rows.append_column("parent_span_id", rows["span_id"]), "spans")
    path = written(tmp_path, kind, rows)
    group = pq.read_metadata(path).row_group(0)
    assert {name for index in range(group.num_columns) for name in group.column(index).encodings} <= SPARK_READS
    assert pq.ParquetFile(path).read().equals(rows)
    columns = ["trace_id", "span_id", "parent_span_id", "start_time_ns", "duration_ns"]
    with duckdb.connect() as connection:
        found = connection.execute(f"select {', '.join(columns)} from '{path}'").fetchall()
    assert found == [tuple(row.values()) for row in rows.select(columns).to_pylist()]


def test_a_look_up_reads_no_row_group_of_a_sorted_file_that_has_not_the_trace(tmp_path: Path, spans: Spans) -> None:
    rows = in_order(spans(0, 500), "spans")
    path = written(tmp_path, SORTED, rows)
    present = rows["trace_id"][250].as_py()
    absent = present[:-1] + ("0" if present[-1] != "0" else "1")
    assert rows["trace_id"][0].as_py() < absent < rows["trace_id"][-1].as_py()
    assert absent not in set(rows["trace_id"].to_pylist())
    assert [row_groups_read(path, trace) for trace in (present, absent)] == [1, 0]


def row_groups_read(path: Path, trace: str) -> int:
    with duckdb.connect() as connection:
        query = f"explain analyze select * from '{path}' where trace_id = '{trace}'"
        ((_, plan),) = connection.execute(query).fetchall()
    read = re.search(r"Row Groups Scanned: (\d+)", plan)
    return int(read[1]) if read else 0


def test_a_changed_bloom_filter_is_damage(tmp_path: Path, spans: Spans) -> None:
    path = written(tmp_path, SORTED, in_order(spans(0, 500), "spans"))
    assert damage(path) is None
    chunk = pq.read_metadata(path).row_group(0).column(0)
    assert chunk.path_in_schema == "trace_id"
    content = bytearray(path.read_bytes())
    place = chunk.bloom_filter_offset + random.Random(1).randrange(chunk.bloom_filter_length)
    content[place] ^= 1
    path.write_bytes(content)
    assert damage(path) == "its Bloom filters are not as they were written"
