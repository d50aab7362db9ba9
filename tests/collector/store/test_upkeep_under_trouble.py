"""Merging and dropping under trouble: killed, out of room, and while others write and read."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from tests.support.collectors import wait_until
from tests.support.disks import small_file_system

from infersight_collector.store import maintenance
from infersight_collector.store.compaction import NEW_FILES
from infersight_collector.store.maintenance import Maintenance, Report
from infersight_collector.store.pins import pin
from infersight_collector.store.retention import Retention
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.verify import Verification
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

Spans = Callable[..., pa.Table]
Query = Callable[..., list[tuple[Any, ...]]]

START_NS = 1_772_359_200 * 10**9
HOUR_NS = 3_600 * 10**9

KILLS = pytest.mark.parametrize("rounds", [4, pytest.param(40, marks=pytest.mark.slow)])


def write_hours(store: Store, spans: Spans, hours: int, per_hour: int = NEW_FILES, rows: int = 50) -> None:
    for hour in range(hours):
        for number in range(per_hour):
            first = (hour * per_hour + number) * rows
            start_ns = START_NS + hour * HOUR_NS - first * 10**6
            store.write({"spans": spans(first, rows, start_ns=start_ns)}, Origin("w", 1 + hour * per_hour + number))


NUMBERS = "select count(*), count(distinct attributes['number']) from rows"

UPKEEP = """
import sys
from pathlib import Path
from infersight_collector.store.maintenance import Maintenance, Report
from infersight_collector.store.retention import Retention
maintenance, report = Maintenance(Path(sys.argv[1])), Report()
print("ready", flush=True)
if sys.argv[2] == "merge":
    list(maintenance.merge(report, all_now=True))
if sys.argv[2] == "retain":
    maintenance.retain(Retention(max_age_s=0.001), report)
maintenance.clean(report, 0.0)
print(report, flush=True)
"""


def start_upkeep(store: Path, what: str) -> "subprocess.Popen[str]":
    child = subprocess.Popen([sys.executable, "-c", UPKEEP, str(store), what], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def damage_of(store: Path) -> list[str]:
    return [str(finding) for part in Verification(store).run() for finding in part.findings if finding.is_damage]


def assert_only_live_files_are_left(store: Path) -> None:
    report = Report()
    Maintenance(store).clean(report, -1.0)
    assert report.problems == []
    for table in ("spans", "traces"):
        assert sorted(map(str, (store / table).glob("*/*/*"))) == sorted(Snapshot.of(store).files(table))


@KILLS
def test_a_compaction_killed_at_random_points_loses_and_doubles_no_row(
    tmp_path: Path, spans: Spans, query: Query, rounds: int
) -> None:
    store = Store.open(tmp_path)
    chance = random.Random(3)
    hours = 6
    write_hours(store, spans, hours)
    rows = hours * NEW_FILES * 50
    for number in range(rounds):
        with start_upkeep(tmp_path, "merge") as child:
            time.sleep(chance.uniform(0.0, 0.3))  # the moment is arbitrary; nothing is waited for
            child.send_signal(signal.SIGKILL)
        assert query(tmp_path, NUMBERS) == [(rows, rows)]
        store.write({"spans": spans(10**6 + number * 50, 50)}, Origin("x", number + 1))
        rows += 50
    report = Report()
    list(Maintenance(tmp_path).merge(report, all_now=True))
    assert report.problems == []
    assert query(tmp_path, NUMBERS) == [(rows, rows)]
    # What came last may be too little for the file of its hour to be written again.
    assert len(Snapshot.of(tmp_path).files("spans")) in {hours, hours + 1}
    assert damage_of(tmp_path) == []
    assert_only_live_files_are_left(tmp_path)


@KILLS
def test_a_retention_killed_at_random_points_drops_whole_hours_and_no_pinned_row(
    tmp_path: Path, spans: Spans, query: Query, rounds: int
) -> None:
    store = Store.open(tmp_path)
    chance = random.Random(4)
    write_hours(store, spans, 12, per_hour=2)
    pinned = query(tmp_path, "select trace_id from rows where attributes['number'] % 50 = 7 order by 1")
    pin(tmp_path, "evidence", reason="", trace_ids=[trace_id for (trace_id,) in pinned])
    for _ in range(rounds):
        with start_upkeep(tmp_path, "retain") as child:
            time.sleep(chance.uniform(0.0, 0.15))  # the moment is arbitrary; nothing is waited for
            child.send_signal(signal.SIGKILL)
        found = query(tmp_path, "select count(*), count(distinct trace_id) from rows")
        assert found[0][0] == found[0][1]
        left = query(tmp_path, "select trace_id from rows where attributes['number'] % 50 = 7 order by 1")
        assert left == pinned
        counts = query(tmp_path, "select attributes['number'] // 50, count(*) from rows group by 1")
        assert {count for _, count in counts} <= {1, 50}  # a file's rows, or what is pinned of them
    report = Report()
    Maintenance(tmp_path).retain(Retention(max_age_s=0.001), report)
    assert report.problems == []
    assert query(tmp_path, "select trace_id from rows order by 1") == pinned
    assert query(tmp_path, "select trace_id from rows order by 1", "traces") == pinned
    assert damage_of(tmp_path) == []
    assert_only_live_files_are_left(tmp_path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    with small_file_system(tmp_path / "disk", 4) as disk:
        yield disk


def fill(disk: Path, leave: int) -> Path:
    """Takes all room but some bytes."""
    filler = disk / "filler"
    room = os.statvfs(disk)
    filler.write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - leave)))
    return filler


@pytest.mark.parametrize("leave", [0, 4_096, 20_000, 40_000])
def test_a_compaction_without_room_changes_nothing_and_goes_on_when_there_is_some(
    small_disk: Path, spans: Spans, query: Query, leave: int
) -> None:
    store = Store.open(small_disk / "store")
    write_hours(store, spans, 2)
    rows = 2 * NEW_FILES * 50
    filler = fill(small_disk, leave)
    before = Snapshot.of(store.path).version
    report = Report()
    for _ in range(3):
        list(Maintenance(store.path).merge(report))
        assert query(store.path, NUMBERS) == [(rows, rows)]
    if leave == 0:
        assert Snapshot.of(store.path).version == before
        assert "no space left" in report.problems[0]
    live = {Path(path) for table in ("spans", "traces") for path in Snapshot.of(store.path).files(table)}
    merged_and_gone = {path for table in ("spans", "traces") for path in (store.path / table).glob("*/*/sorted-*")}
    assert merged_and_gone <= live  # what could not be committed takes no room
    filler.unlink()
    report = Report()
    list(Maintenance(store.path).merge(report, all_now=True))
    assert report.problems == []
    assert query(store.path, NUMBERS) == [(rows, rows)]
    assert len(Snapshot.of(store.path).files("spans")) == 2
    assert damage_of(store.path) == []


def test_a_retention_without_room_drops_nothing_half_and_makes_room_as_soon_as_its_entry_fits(
    small_disk: Path, spans: Spans, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "SCARCE_GRACE_S", 0.0)  # the test does not wait for a minute
    store = Store.open(small_disk / "store")
    write_hours(store, spans, 4, per_hour=4)
    (kept,) = query(store.path, "select trace_id from rows where attributes['number'] = 7")[0]
    pin(store.path, "p", reason="", trace_ids=[kept])
    filler = fill(small_disk, 0)
    rules = Retention(max_age_s=0.001)
    report = Maintenance(store.path).round(rules)
    assert "no space left" in " ".join(report.problems)
    assert query(store.path, NUMBERS) == [(800, 800)]
    os.truncate(filler, filler.stat().st_size - 64 * 1024)
    for _ in range(10):
        report = Maintenance(store.path).round(rules)
    assert report.problems == []
    assert query(store.path, "select attributes['number'] from rows") == [(7,)]
    assert len(list(store.path.glob("spans/*/*/*"))) == 1  # deleted at once, as the disk is nearly full


class Meanwhile:
    """Threads that do something again and again until the block ends."""

    def __init__(self, *works: Callable[[], None]) -> None:
        self._ended = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._repeat, args=(work,)) for work in works]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        assert self._failures == []

    def _repeat(self, work: Callable[[], None]) -> None:
        try:
            while not self._ended.is_set():
                work()
        except BaseException as error:  # noqa: BLE001 - shown at the end
            self._failures.append(error)


COUNTS = "select start_time_ns // 3600000000000, count(*), count(distinct span_id) from rows group by 1"


def test_while_all_goes_on_at_once_no_reader_fails_and_only_whole_old_hours_go(
    tmp_path: Path, spans: Spans, query: Query
) -> None:
    """One writes to the present hour, one merges and drops old ones, two read: no row twice, and none missing."""
    store = Store.open(tmp_path)
    now_hour = time.time_ns() // HOUR_NS
    old_hours = range(now_hour - 6, now_hour - 1)
    for number, hour in enumerate(old_hours):
        store.write({"spans": spans(number * 300, 300, start_ns=hour * HOUR_NS)}, Origin("w", number + 1))
    looks: list[tuple[int, dict[int, int]]] = []
    dropped: list[int] = []

    def maintain() -> None:
        upkeep, report = Maintenance(tmp_path), Report()
        list(upkeep.merge(report, all_now=True))
        upkeep.plan(Retention(), report)
        upkeep.retain(Retention(max_bytes=sum(upkeep.contents.size.values()) * 7 // 8), report)
        upkeep.clean(report, 3_600.0)
        assert [problem for problem in report.problems if "last two hours" not in problem] == []
        dropped.append(report.dropped["spans"].rows if "spans" in report.dropped else 0)

    def read() -> None:
        snapshot = Snapshot.of(tmp_path)
        found = query(snapshot, COUNTS)
        assert all(count == distinct for _, count, distinct in found)
        looks.append((snapshot.version["spans"], {hour: count for hour, count, _ in found}))

    written = 60
    with Meanwhile(maintain, read, read):
        for number in range(written):
            first = 10**6 + number * 50
            rows = spans(first, 50, start_ns=now_hour * HOUR_NS - first * 10**6)
            store.write({"spans": rows}, Origin("w", 100 + number))
        wait_until(lambda: sum(dropped) >= 600 and len(looks) > 20)
    looks.sort(key=lambda look: look[0])
    for (_, before), (_, after) in itertools.pairwise(looks):
        assert all(after.get(hour) in {300, None} for hour in old_hours)
        assert {hour for hour in after if hour in old_hours} <= before.keys()
        assert after.get(now_hour, 0) >= before.get(now_hour, 0)
    (left,) = query(tmp_path, "select count(*) from rows")[0]
    assert left + sum(dropped) == 5 * 300 + written * 50


def test_queries_over_one_snapshot_give_the_same_while_all_of_its_files_are_replaced(
    tmp_path: Path, spans: Spans
) -> None:
    store = Store.open(tmp_path)
    write_hours(store, spans, 3)
    files = Snapshot.of(tmp_path).files("spans")
    with duckdb.connect() as connection:
        connection.read_parquet(files, union_by_name=True, hive_partitioning=False).create_view("rows")
        before = connection.execute(NUMBERS).fetchall()
        upkeep, report = Maintenance(tmp_path), Report()
        list(upkeep.merge(report, all_now=True))
        upkeep.retain(Retention(max_age_s=0.001), report)
        upkeep.clean(report, 3_600.0)
        assert Snapshot.of(tmp_path).files("spans") == []
        assert connection.execute(NUMBERS).fetchall() == before
