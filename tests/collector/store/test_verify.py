"""A verification names every damaged file, and nothing else."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import json
import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infersight_collector.signals import Signal
from infersight_collector.store.compaction import NEW_FILES
from infersight_collector.store.damage import damaged_files
from infersight_collector.store.errors import NotAStore
from infersight_collector.store.files import SORTED, write_file
from infersight_collector.store.maintenance import Maintenance
from infersight_collector.store.partitions import Partition
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.tables import Table
from infersight_collector.store.verify import Finding, Verification
from infersight_collector.store.wal import Origin, Record, Wal
from infersight_collector.store.writer import Store

Spans = Callable[..., pa.Table]

HOUR = Partition("2026-03-01", "10")


@pytest.fixture
def store(tmp_path: Path, spans: Spans) -> Path:
    """A store with a merged file and two new ones of each table."""
    path = tmp_path / "store"
    opened = Store.open(path)
    for number in range(NEW_FILES):
        opened.write({"spans": spans(number * 50, 50)}, Origin("w", number + 1))
    Maintenance(path).round()
    for number in range(2):
        opened.write({"spans": spans(1000 + number * 50, 50)}, Origin("w", 100 + number))
    return path


def findings(store: Path) -> list[Finding]:
    return [finding for checked in Verification(store).run() for finding in checked.findings]


def span_files(store: Path) -> list[Path]:
    return sorted(map(Path, Snapshot.of(store).files("spans")))


def test_a_sound_store_has_nothing_to_find_and_everything_is_read(store: Path) -> None:
    verification = Verification(store)
    checked = list(verification.run())
    assert [finding for part in checked for finding in part.findings] == []
    assert len(checked) == 6
    assert sum(part.size for part in checked) == verification.total == sum(part.path.stat().st_size for part in checked)


def flip_in_a_page(content: bytearray, rng: random.Random) -> None:
    footer = int.from_bytes(content[-8:-4], "little")
    for at in rng.sample(range(4, len(content) - footer - 8), 40):
        content[at] ^= 1 << rng.randrange(8)


def flip_in_the_footer(content: bytearray, rng: random.Random) -> None:
    footer = int.from_bytes(content[-8:-4], "little")
    content[len(content) - 8 - rng.randrange(1, footer)] ^= 1 << rng.randrange(8)


def cut_off(content: bytearray, rng: random.Random) -> None:
    del content[rng.randrange(1, len(content)) :]


def fill_the_end_with_zeros(content: bytearray, rng: random.Random) -> None:
    start = rng.randrange(len(content) // 2, len(content) - 8)
    content[start:] = bytes(len(content) - start)


@pytest.mark.parametrize("damage", [flip_in_a_page, flip_in_the_footer, cut_off, fill_the_end_with_zeros])
@pytest.mark.parametrize("seed", range(3))
def test_a_changed_file_is_named_with_the_rows_that_are_in_doubt(
    store: Path, damage: Callable[[bytearray, random.Random], None], seed: int
) -> None:
    path = span_files(store)[seed]
    content = bytearray(path.read_bytes())
    damage(content, random.Random(seed))
    path.write_bytes(content)
    (finding,) = findings(store)
    rows = 50 * NEW_FILES if path.name.startswith(SORTED) else 50
    assert (finding.path, finding.is_damage, finding.rows) == (path, True, rows)
    (damaged,) = damaged_files(Snapshot.of(store))
    assert (damaged.table, damaged.path, damaged.rows, damaged.problem) == ("spans", path, rows, finding.problem)


def test_a_missing_file_is_named(store: Path) -> None:
    path = span_files(store)[0]
    path.unlink()
    assert [(finding.path, finding.problem) for finding in findings(store)] == [(path, "it is missing")]


def test_a_file_that_is_merged_while_it_is_checked_is_not_missing(store: Path) -> None:
    verification = Verification(store)
    maintenance = Maintenance(store)
    list(maintenance.merge(report := maintenance.round(), all_now=True))
    maintenance.clean(report, -1.0)
    assert [finding for part in verification.run() for finding in part.findings] == []


def test_only_files_of_the_time_of_interest_are_looked_at_for_a_reader(store: Path) -> None:
    path = span_files(store)[0]
    path.unlink()
    assert damaged_files(Snapshot.of(store), start_ns=2 * 10**18) == []


def put_in_place(store: Path, rows: pa.Table, partition: Partition, kind: str, **facts: Any) -> Path:
    """A file with rows in the table of spans, and what its log says of it."""
    table = Table(store, "spans")
    added = write_file(table.path, partition, kind, rows.schema, [rows])
    added.stats = json.dumps(json.loads(added.stats) | facts)
    table.commit([added])
    return table.path / added.path


def test_rows_in_the_wrong_order_hour_number_type_or_range_are_told(store: Path, spans: Spans) -> None:
    rows = spans(0, 50).drop_columns("events")
    unsorted = put_in_place(store, rows.take(list(reversed(range(50)))), HOUR, SORTED)
    elsewhere = put_in_place(store, rows.slice(0, 1), Partition("2026-03-01", "11"), "new")
    fewer = put_in_place(store, rows, HOUR, "new", numRecords=49)
    other_range = put_in_place(store, rows, HOUR, "new", minValues={"trace_id": "1", "start_time_ns": 0})
    other_types = rows.append_column("scope_name", pa.array(range(50))).append_column("more", pa.nulls(50, pa.int8()))
    other_type = put_in_place(store, other_types, HOUR, "new")
    by_path: dict[Path, list[str]] = {}
    for finding in findings(store):
        by_path.setdefault(finding.path, []).append(finding.problem)
    assert by_path == {
        unsorted: ["its rows are not in their order"],
        elsewhere: ["it has rows of other hours than its partition's"],
        fewer: ["it has 50 rows instead of 49"],
        other_range: [
            "its range of trace_id is not that of the table's log",
            "its range of start_time_ns is not that of the table's log",
        ],
        other_type: [
            "its column scope_name is of another type than the table's",
            "its column more is of another type than the table's",
        ],
    }


def test_a_log_that_cannot_be_read_is_damage_and_the_other_tables_are_checked(store: Path) -> None:
    entry = max((store / "spans" / "_delta_log").glob("*.json"))
    entry.write_text("{")
    summary = next((store / "traces").glob("*/*/sorted-*.parquet"))
    summary.write_bytes(b"")
    found = {finding.path: finding.problem for finding in findings(store)}
    assert found.pop(summary).startswith("it has 0 bytes instead of ")
    assert found.pop(store / "spans" / "_delta_log").startswith("the table cannot be opened: ")
    assert found == {}


def test_an_old_entry_of_a_log_that_nobody_needs_at_the_moment_is_told(store: Path) -> None:
    log = store / "spans" / "_delta_log"
    checkpoint = next(log.glob("*.checkpoint.parquet"))
    (log / f"{1:020d}.json").write_text("{")
    (finding,) = findings(store)
    assert finding.path == log / f"{1:020d}.json"
    assert checkpoint.exists()


def test_leftovers_are_worth_knowing_once_they_are_old(store: Path) -> None:
    path = span_files(store)[0].with_name("new-left.parquet")
    shutil.copy(span_files(store)[0], path)
    assert findings(store) == []
    os.utime(path, (0, 0))
    (finding,) = findings(store)
    assert (finding.path, finding.is_damage) == (path, False)


def test_the_write_ahead_log_is_checked(store: Path) -> None:
    wal = Wal.open(store)
    wal.append([Record(Signal.TRACES, b"x" * 100), Record(Signal.TRACES, b"y" * 100)])
    (path,) = (store / "wal").glob("*/*.wal")
    assert findings(store) == []
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:-10])
    (torn,) = findings(store)
    assert (torn.path, torn.is_damage) == (path, False)
    assert "not complete" in torn.problem
    content[20] ^= 1
    path.write_bytes(content)
    (damaged,) = findings(store)
    assert (damaged.path, damaged.is_damage, damaged.problem) == (path, True, "113 bytes at byte 0 are no record")
    kept = store / "quarantine" / "writer" / "000000000001.wal"
    kept.parent.mkdir(parents=True)
    path.rename(kept)
    assert [(finding.path, finding.problem) for finding in findings(store)] == [
        (kept, "set aside with 1 requests: not all of them could be stored"),
        (kept, "113 bytes at byte 0 are no record"),
    ]
    wal.close()


def test_an_unreadable_pin_is_damage(store: Path) -> None:
    (store / "pins").mkdir(exist_ok=True)
    (store / "pins" / "a.json").write_text("")
    (finding,) = findings(store)
    assert "cannot read the pin" in finding.problem


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotAStore):
        Verification(tmp_path)


def test_a_store_that_is_written_and_merged_meanwhile_is_sound(store: Path, spans: Spans) -> None:
    done = threading.Event()

    def write() -> None:
        opened = Store.open(store)
        number = 1000
        while not done.is_set():
            number += 1
            opened.write({"spans": spans(number * 50, 50)}, Origin("w", number))

    def maintain() -> None:
        while not done.is_set():
            maintenance = Maintenance(store, grace_s=0.0)
            maintenance.round()

    threads = [threading.Thread(target=work) for work in (write, maintain)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            assert findings(store) == []
    finally:
        done.set()
        for thread in threads:
            thread.join()


def test_files_have_checksums_of_their_pages_and_their_footer(store: Path) -> None:
    path = span_files(store)[0]
    assert len(path.stem.split("-")) == 3
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        assert file.read().num_rows == 50
