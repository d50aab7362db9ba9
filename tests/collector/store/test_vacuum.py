"""Files that no table has are deleted after their time, and no others."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from infersight_collector.store import maintenance, vacuum
from infersight_collector.store.locks import writing
from infersight_collector.store.maintenance import Maintenance, Report
from infersight_collector.store.retention import Retention
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.tables import Table
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

Spans = Callable[..., pa.Table]
Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def store(tmp_path: Path, spans: Spans) -> Path:
    Store.open(tmp_path).write({"spans": spans(0)}, Origin("w", 1))
    return tmp_path


def leftover(store: Path, name: str = "new-1.parquet", age_s: float = 100.0) -> Path:
    """What a writer left that died before its file belonged to the table."""
    path = next(store.glob("spans/*/*/")) / name
    path.write_bytes(b"12345")
    last = time.time() - age_s
    os.utime(path, (last, last))
    return path


def test_files_of_dead_writers_go_after_the_grace(store: Path) -> None:
    path = leftover(store)
    assert vacuum.vacuum(Table(store, "spans"), 200.0) == []
    assert [file.path for file in vacuum.vacuum(Table(store, "spans"), 50.0)] == [path]
    assert not path.exists()
    assert len(Snapshot.of(store).files("spans")) == len(list(store.glob("spans/*/*/*.parquet"))) == 1


def test_a_half_written_entry_of_the_log_goes_too(store: Path) -> None:
    draft = store / "spans" / "_delta_log" / "00000000000000000009.json#1"
    draft.write_text("{")
    assert [file.path for file in vacuum.vacuum(Table(store, "spans"), -1.0)] == [draft]


def test_nothing_goes_while_somebody_writes_however_long_that_takes(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of a writer that was halted between writing and committing is as old as any leftover."""
    monkeypatch.setattr(vacuum, "_WAIT_S", 0.1)
    path = leftover(store)
    with writing(store):
        assert vacuum.vacuum(Table(store, "spans"), 0.0) == []
    assert path.exists()
    vacuum.vacuum(Table(store, "spans"), 0.0)
    assert not path.exists()


def test_the_grace_begins_when_a_file_leaves_its_table(store: Path, query: Query) -> None:
    (path,) = map(Path, Snapshot.of(store).files("spans"))
    os.utime(path, (0, 0))
    older = Snapshot.of(store)
    Maintenance(store).retain(Retention(max_age_s=0.001), Report())
    assert Snapshot.of(store).files("spans") == []
    assert vacuum.vacuum(Table(store, "spans"), 60.0) == []
    assert query(older, "select count(*) from rows") == [(5,)]


def test_directories_of_hours_that_are_no_more_go_a_day_later(store: Path, spans: Spans) -> None:
    Maintenance(store).retain(Retention(max_age_s=0.001), Report())
    hour = next(store.glob("spans/*/*/"))
    vacuum.vacuum(Table(store, "spans"), -1.0)
    assert list(hour.iterdir()) == []
    os.utime(hour, (0, 0))
    vacuum.vacuum(Table(store, "spans"), -1.0)
    assert not hour.exists()
    os.utime(hour.parent, (0, 0))
    vacuum.vacuum(Table(store, "spans"), -1.0)
    assert not hour.parent.exists()
    Store.open(store).write({"spans": spans(0)}, Origin("w", 2))
    assert len(Snapshot.of(store).files("spans")) == 1


def test_on_a_disk_that_is_nearly_full_unused_files_go_sooner(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = leftover(store)
    assert Maintenance(store).round().deleted_files == 0
    monkeypatch.setattr(maintenance, "SCARCE", 1.0)  # stands for a full disk: no less of it is free
    assert Maintenance(store).round().deleted_files == 1
    assert not path.exists()
