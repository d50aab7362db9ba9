"""The page on the layout of the store says what is there."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false
# pyarrow publishes no types.

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from tests.support.pages import examples

from infersight_collector.store import unsummarised
from infersight_collector.store.layout import COLUMN_TYPES, SCHEMA_VERSION, TIME_COLUMN
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

PAGE = Path(__file__).parents[3] / "collector" / "docs" / "store-layout.md"


def test_it_lists_the_columns_of_the_summaries() -> None:
    table = PAGE.read_text().partition("## Summaries of traces")[2].partition("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(COLUMN_TYPES["traces"])


def test_it_names_the_tables_the_version_and_the_list() -> None:
    text = PAGE.read_text()
    assert " ".join(f"`{name}/`" for name in TIME_COLUMN) in text
    assert f"`infersight store {SCHEMA_VERSION}`" in text
    assert f"`{unsummarised.LIST}`" in text


def test_its_example_reads_a_table_without_us(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spans: Callable[..., pa.Table]
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = spans(0).append_column("name", pa.array(["a"] * 5)).append_column("duration_ns", pa.array([7] * 5))
    ended = rows.append_column("end_time_ns", pa.array([time + 7 for time in rows["start_time_ns"].to_pylist()]))
    Store.open(Path("infersight-store")).write({"spans": ended}, Origin("w", 1))
    (example,) = examples(PAGE, "python")
    names: dict[str, Any] = {"duckdb": duckdb}
    exec(example, names)
    found = names["rows"].order("end_time_ns").fetchall()
    assert [row[2] for row in found] == ended["end_time_ns"].to_pylist()
