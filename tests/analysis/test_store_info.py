"""`infersight store info`."""

from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import MS, Recording

from infersight_collector.signals import Signal
from infersight_collector.store.wal import Record, Wal

HOUR = 3_600_000 * MS


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    recording.span(1, 1, "GET /", 0, 5 * MS, attributes={"a": 1, "b": "x"})
    recording.span(1, 2, "GET /", 1 * MS, 5 * MS)
    recording.span(2, 1, "GET /", HOUR, 7 * MS)
    recording.log(3 * MS, "hello")
    return recording.write(tmp_path_factory.mktemp("info") / "store")


def table(found: Any, name: str) -> Any:
    return next(table for table in found["tables"] if table["name"] == name)


def test_it_says_rows_times_files_and_keys_of_each_table(store: Path, run: Any) -> None:
    found = run("store", "info", "--store", store).json
    spans = table(found, "spans")
    assert (spans["rows"], spans["files"], spans["oldest"], spans["newest"]) == (
        3,
        2,
        "2025-10-09T08:53:20.000000000Z",
        "2025-10-09T09:53:20.000000000Z",
    )
    files = list(store.glob("spans/date=*/hour=*/*.parquet"))
    assert spans["bytes"] == sum(file.stat().st_size for file in files)
    assert spans["bytes_per_row"] == round(spans["bytes"] / 3, 1)
    hours = [(hour["date"], hour["hour"], hour["rows"]) for hour in spans["partitions"]]
    assert hours == [("2025-10-09", "08", 2), ("2025-10-09", "09", 1)]
    assert table(found, "logs")["rows"] == 1
    assert table(found, "metrics") == {
        "name": "metrics", "rows": 0, "files": 0, "bytes": 0, "bytes_per_row": None, "oldest": None, "newest": None,
        "attribute_keys": 0, "version": None, "partitions": [],
    }  # fmt: skip
    keys = run("sql", "from attribute_keys where table_name = 'spans'", "--store", store).json
    assert spans["attribute_keys"] == len(keys) > 2


def test_no_parquet_file_is_opened(run: Any, tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "GET /", 0, 5 * MS)
    emptied = recording.write(tmp_path / "store")
    for file in emptied.glob("*/date=*/hour=*/*.parquet"):
        file.write_bytes(b"")
    assert table(run("store", "info", "--store", emptied).json, "spans")["rows"] == 1


def test_what_waits_in_the_log_is_counted(run: Any, tmp_path: Path) -> None:
    store = Recording().write(tmp_path / "store")
    assert run("store", "info", "--store", store).json["waiting"] == {"segments": 0, "bytes": 0}
    wal = Wal.open(store)
    wal.append([Record(Signal.TRACES, b"\n\x00")])
    waiting = run("store", "info", "--store", store).json["waiting"]
    wal.close()
    assert waiting["segments"] == 1
    assert waiting["bytes"] > 2


def test_a_table_for_people_has_hours_when_asked(store: Path, run: Any) -> None:
    outcome = run("store", "info", "--store", store, "--format", "table")
    assert "waiting in the log: nothing" in outcome.out
    assert "2025-10-09 09:53:20" in outcome.out
    assert "2025-10-09 09h" not in outcome.out
    assert "2025-10-09 09h" in run("store", "info", "--store", store, "--format", "table", "--hours").out


def test_without_a_store_it_says_how_to_make_one(run: Any, tmp_path: Path) -> None:
    outcome = run("store", "info", "--store", tmp_path / "absent")
    assert outcome.code == 2
    assert outcome.err.startswith(f"no store at {tmp_path / 'absent'}: start `infersight collector")
