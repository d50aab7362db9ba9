"""Snapshots: what readers see, and how much they need not read."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from infersight_collector.store.errors import NotAStore, StoreError, StoreTooNew
from infersight_collector.store.layout import COLUMN_TYPES, SCHEMA_VERSION
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

Spans = Callable[..., pa.Table]
Query = Callable[..., list[tuple[Any, ...]]]

START_NS = 1_772_359_200 * 10**9
HOUR_NS = 3_600 * 10**9


@pytest.fixture
def store(tmp_path: Path, spans: Spans) -> Path:
    """Four writes: one trace id and one hour each."""
    path = tmp_path / "a store 100%é"
    writer = Store.open(path)
    for number in range(4):
        rows = spans(number * 5, start_ns=START_NS + number * HOUR_NS)
        ids = pa.array([f"{number:032x}"] * 5)
        writer.write({"spans": rows.set_column(0, "trace_id", ids)}, Origin("w", number + 1))
    return path


def test_all_files_are_readable_paths(store: Path, query: Query) -> None:
    assert len(Snapshot.of(store).files("spans")) == 4
    assert query(store, "select count(*) from rows") == [(20,)]


def test_files_without_the_trace_are_skipped(store: Path) -> None:
    snapshot = Snapshot.of(store)
    found = snapshot.files("spans", trace_id=f"{2:032X}")
    assert [Path(file).parent.name for file in found] == ["hour=12"]
    assert snapshot.files("spans", trace_id="f" * 32) == []
    assert snapshot.files("spans", trace_id="' or true --") == []


def test_files_outside_the_time_range_are_skipped(store: Path) -> None:
    snapshot = Snapshot.of(store)
    last_of_second = START_NS + HOUR_NS + 9 * 10**6
    found = snapshot.files("spans", start_ns=last_of_second, end_ns=START_NS + 2 * HOUR_NS + 10**9)
    assert sorted(Path(file).parent.name for file in found) == ["hour=11", "hour=12"]
    assert sorted(Path(file).parent.name for file in snapshot.files("spans", start_ns=last_of_second + 1)) == [
        "hour=12",
        "hour=13",
    ]
    assert snapshot.files("spans", end_ns=START_NS) == []
    assert len(snapshot.files("spans", end_ns=START_NS + 1)) == 1


def test_summaries_of_the_hour_are_there_though_its_traces_began_before_the_time(store: Path, spans: Spans) -> None:
    Store.open(store).write({"spans": spans(99, start_ns=1)}, Origin("unplaced", 1))
    snapshot = Snapshot.of(store)

    def hours(**times: int) -> list[str]:
        return sorted(Path(file).parent.name for file in snapshot.summary_files(**times))

    after_all_of_the_second = START_NS + HOUR_NS + 10 * 10**9
    assert hours(start_ns=after_all_of_the_second, end_ns=START_NS + 2 * HOUR_NS) == ["hour=00", "hour=11"]
    assert hours(start_ns=after_all_of_the_second) == ["hour=00", "hour=11", "hour=12", "hour=13"]
    assert hours(end_ns=START_NS) == ["hour=00"]
    assert len(hours()) == 5


def test_the_range_of_times_is_known_without_reading_a_file(store: Path, tmp_path: Path) -> None:
    snapshot = Snapshot.of(store)
    for file in snapshot.files("spans"):
        Path(file).unlink()
    assert snapshot.time_range("spans") == (START_NS, START_NS + 3 * HOUR_NS + 19 * 10**6)
    assert snapshot.time_range("logs") is None
    Store.open(tmp_path / "empty")
    assert Snapshot.of(tmp_path / "empty").time_range("spans") is None


def test_a_snapshot_does_not_change_while_the_store_does(store: Path, spans: Spans) -> None:
    snapshot = Snapshot.of(store)
    version, files = snapshot.version, snapshot.files("spans")
    Store.open(store).write({"spans": spans(100)}, Origin("w", 9))
    assert (snapshot.version, snapshot.files("spans")) == (version, files)
    assert Snapshot.of(store).version["spans"] > version["spans"]


def test_the_schema_has_every_key_that_occurs_and_no_partition_columns(store: Path) -> None:
    fields = {field["name"]: field["type"] for field in Snapshot.of(store).fields("spans")}
    attributes: Any = fields["attributes"]
    assert {field["name"]: field["type"] for field in attributes["fields"]} == {
        "number": "long", "key0": "string", "key1": "string", "key2": "string", "key3": "string",
    }  # fmt: skip
    assert [name for name in fields if name not in COLUMN_TYPES["spans"]] == ["attributes", "events"]


def test_a_table_without_rows_has_its_fixed_columns_and_no_files(tmp_path: Path) -> None:
    Store.open(tmp_path)
    snapshot = Snapshot.of(tmp_path)
    assert {field["name"]: field["type"] for field in snapshot.fields("logs")} == COLUMN_TYPES["logs"]
    assert snapshot.files("logs", start_ns=1, trace_id="0" * 32) == []
    assert snapshot.version == {}


@pytest.mark.parametrize("content", [None, "directory", "file"])
def test_what_is_not_a_store_is_refused_with_what_to_do(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "x"
    if content == "directory":
        (path / "spans").mkdir(parents=True)
    elif content == "file":
        path.write_text("infersight")
    with pytest.raises(NotAStore) as refused:
        Snapshot.of(path)
    assert (
        str(refused.value) == f"no store at {path}: start `infersight collector --store {path}` or `infersight import`"
    )


def test_a_store_of_a_later_release_is_refused(store: Path) -> None:
    (store / "VERSION").write_text(f"infersight store {SCHEMA_VERSION + 1}\n")
    for opening in (Snapshot.of, Store.open):
        with pytest.raises(StoreTooNew, match="upgrade infersight"):
            opening(store)


def test_a_directory_with_something_else_is_not_made_a_store(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(StoreError, match="not empty and not a store: choose another directory"):
        Store.open(tmp_path)
    with pytest.raises(StoreError, match="is a file"):
        Store.open(tmp_path / "holiday.jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]
