"""Rows to store, and a reader of the store that is not its own code: DuckDB."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from infersight_collector.store.snapshot import Snapshot

START_NS = 1_772_359_200 * 10**9  # 2026-03-01T10:00:00Z

Spans = Callable[..., pa.Table]
Query = Callable[..., list[tuple[Any, ...]]]


def make_spans(first: int, count: int = 5, *, start_ns: int = START_NS) -> pa.Table:
    """Spans `first` to `first + count - 1`: the number is the span id, the attribute `number`, and the millisecond."""
    numbers = range(first, first + count)
    return pa.table(
        {
            "trace_id": pa.array([f"{number * 0x9E3779B97F4A7C15 % 2**128:032x}" for number in numbers]),
            "span_id": pa.array([f"{number:016x}" for number in numbers]),
            "start_time_ns": pa.array([start_ns + number * 10**6 for number in numbers]),
            "attributes": pa.array([{"number": number, f"key{first % 4}": "x"} for number in numbers]),
            "events": pa.array([[{"name": "e", "attributes": {"number": number}}] for number in numbers]),
        }
    )


@pytest.fixture
def spans() -> Spans:
    """Makes spans, see `make_spans`."""
    return make_spans


@pytest.fixture
def query() -> Query:
    """Runs SQL over one table of a store's snapshot, called `rows`."""

    def run(store: Path | Snapshot, sql: str, table: str = "spans") -> list[tuple[Any, ...]]:
        snapshot = store if isinstance(store, Snapshot) else Snapshot.of(store)
        files = snapshot.files(table)
        with duckdb.connect() as connection:
            connection.read_parquet(files, union_by_name=True, hive_partitioning=False).create_view("rows")
            return connection.execute(sql).fetchall()

    return run
