"""Retention: the oldest hours go, all tables at once, by age and by size; pinned rows stay."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infersight_collector.store.files import SORTED
from infersight_collector.store.live import File
from infersight_collector.store.maintenance import Maintenance, Report
from infersight_collector.store.partitions import UNPLACED, Partition
from infersight_collector.store.pins import Pin, pin, unpin
from infersight_collector.store.retention import Plan, Retention, plan
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.verify import Verification
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import SORTED_ROWS, Store

Spans = Callable[..., pa.Table]
Query = Callable[..., list[tuple[Any, ...]]]

START_NS = 1_772_359_200 * 10**9  # 2026-03-01T10:00:00Z
START_HOUR = START_NS // (3_600 * 10**9)
HOUR_NS = 3_600 * 10**9
HOUR_MS = 3_600_000
DAY_S = 24 * 3_600.0


def file(hour: int | None, *, size: int = 100, came_h: float | None = None, name: str = "sorted-1-2") -> File:
    """A file of the hour so many hours after 10:00, whose last row came at its end, or so many hours after 10:00."""
    partition = UNPLACED if hour is None else Partition(f"2026-03-{1 + (10 + hour) // 24:02}", f"{(10 + hour) % 24:02}")
    came = came_h if came_h is not None else (hour or 0) + 1
    modified_ms = START_NS // 10**6 + int(came * HOUR_MS)
    return File(f"{partition.directory}/{name}-{hour}-{came}.parquet", partition, 10, size, modified_ms)


def hours_of(found: Plan, table: str = "spans") -> list[int]:
    return [part.hour - START_HOUR for part in found.expired if part.table == table]


def at(hours: float) -> int:
    return START_NS + int(hours * HOUR_NS)


def test_hours_that_are_older_than_the_age_go() -> None:
    live = {"spans": [file(2), file(0), file(1)]}
    rules = Retention(max_age_s=3_600.0)
    assert hours_of(plan(live, rules, [], at(2))) == []
    assert hours_of(plan(live, rules, [], at(2.01))) == [0]
    assert hours_of(plan(live, rules, [], at(3.01))) == [0, 1]


def test_rows_that_came_late_are_kept_as_long_as_others_and_keep_their_hour_in_every_table() -> None:
    live = {"spans": [file(0), file(1)], "logs": [file(0, came_h=5)]}
    found = plan(live, Retention(max_age_s=3_600.0), [], at(5.5))
    assert (hours_of(found), hours_of(found, "logs")) == ([1], [])
    found = plan(live, Retention(max_age_s=3_600.0), [], at(6.5))
    assert (hours_of(found), hours_of(found, "logs")) == ([0, 1], [0])


def test_the_oldest_hours_of_all_tables_together_go_until_the_rest_is_small_enough() -> None:
    live = {"spans": [file(0), file(1), file(2)], "metrics": [file(1), file(0), file(0, came_h=1.5)]}
    found = plan(live, Retention(max_bytes=600), [], at(48))
    assert found == Plan([], 600)
    found = plan(live, Retention(max_bytes=599), [], at(48))
    assert (hours_of(found), hours_of(found, "metrics"), found.kept_bytes) == ([0], [0], 300)
    found = plan(live, Retention(max_bytes=1), [], at(48))
    assert (hours_of(found), hours_of(found, "metrics"), found.kept_bytes) == ([0, 1, 2], [0, 1], 0)


def test_the_present_hour_and_the_one_before_do_not_go_by_size() -> None:
    found = plan({"spans": [file(hour) for hour in range(5)]}, Retention(max_bytes=1), [], at(4.1))
    assert (hours_of(found), found.kept_bytes) == ([0, 1, 2], 200)


def test_rows_without_a_credible_time_are_as_old_as_their_arrival() -> None:
    live = {"spans": [file(None, came_h=0.5), file(None, came_h=3.5), file(2)]}
    found = plan(live, Retention(max_bytes=250), [], at(48))
    assert (hours_of(found), [part.partition for part in found.expired[0].files]) == ([0], [UNPLACED])
    assert hours_of(plan(live, Retention(max_age_s=3_600.0), [], at(4.5))) == [0, 2]


def test_everything_stays_without_a_rule() -> None:
    assert plan({"spans": [file(0)]}, Retention(), [], at(10**6)) == Plan([], 100)


def a_pin(**what: Any) -> Pin:
    return Pin("p", "why", 0, **what)


def test_an_hour_that_a_pinned_time_touches_stays_in_the_tables_of_the_pin() -> None:
    live = {"spans": [file(hour) for hour in range(4)], "logs": [file(1)], "traces": [file(1)]}
    rules = Retention(max_age_s=3_600.0)
    some = a_pin(start_ns=at(1.9), end_ns=at(2.1))
    assert hours_of(plan(live, rules, [some], at(48))) == [0, 3]
    assert hours_of(plan(live, rules, [a_pin(start_ns=at(1), end_ns=at(2))], at(48))) == [0, 2, 3]
    assert hours_of(plan(live, rules, [a_pin(end_ns=at(2))], at(48))) == [2, 3]
    found = plan(live, rules, [a_pin(start_ns=at(1), end_ns=at(2), tables=("spans",))], at(48))
    assert (hours_of(found), hours_of(found, "logs"), hours_of(found, "traces")) == ([0, 2, 3], [1], [])


def test_what_pinned_traces_have_left_of_an_hour_is_not_looked_at_again_until_the_pins_change() -> None:
    trace = "0" * 32
    rules = Retention(max_age_s=3_600.0)
    (part,) = plan({"spans": [file(0)]}, rules, [a_pin(trace_ids=(trace,))], at(48)).expired
    assert part.pinned == [trace]
    left = file(0, name="pinned-ca3e4d7a8b0b-1")
    other = plan({"spans": [left]}, rules, [a_pin(trace_ids=(trace,))], at(48)).expired
    assert [part.files for part in other] == [[left]]
    assert plan({"spans": [left]}, rules, [], at(48)).expired[0].pinned == []
    metrics = plan({"metrics": [file(0)]}, rules, [a_pin(trace_ids=(trace,))], at(48))
    assert metrics.expired[0].pinned == []


@pytest.fixture
def store(tmp_path: Path, spans: Spans) -> Store:
    """Three hours of spans and logs, long ago; a hundred thousand spans each, and ten in a file of their own."""
    opened = Store.open(tmp_path)
    for hour in range(3):
        for number, count in enumerate((SORTED_ROWS, 10)):
            rows = spans(hour * 100_000 + number * 50_000, count, start_ns=START_NS + hour * HOUR_NS - hour * 10**11)
            logs = rows.drop_columns("events").rename_columns({"start_time_ns": "time_ns"})
            opened.write({"spans": rows, "logs": logs}, Origin("w", 1 + 2 * hour + number))
    return opened


def retain(store: Store, rules: Retention) -> Report:
    report = Report()
    Maintenance(store.path).retain(rules, report)
    return report


def size_of(store: Store) -> int:
    maintenance = Maintenance(store.path)
    maintenance.plan(Retention(), Report())
    return sum(maintenance.contents.size.values())


PER_HOUR = (
    "select (start_time_ns - 1772359200000000000) // 3600000000000 as hour, count(*) from rows group by 1 order by 1"
)


def test_dropped_hours_are_gone_from_every_table_and_others_are_whole(store: Store, query: Query) -> None:
    before = Snapshot.of(store.path)
    report = retain(store, Retention(max_bytes=size_of(store) // 2))
    assert report.problems == []
    assert {table: dropped.rows for table, dropped in report.dropped.items()} == {
        "spans": 2 * (SORTED_ROWS + 10), "logs": 2 * (SORTED_ROWS + 10), "traces": 2 * (SORTED_ROWS + 10),
    }  # fmt: skip
    assert query(store.path, PER_HOUR) == [(2, SORTED_ROWS + 10)]
    assert query(store.path, "select count(*) from rows", "logs") == [(SORTED_ROWS + 10,)]
    assert query(store.path, "select count(*) from rows", "traces") == [(SORTED_ROWS + 10,)]
    assert query(before, PER_HOUR) == [(hour, SORTED_ROWS + 10) for hour in range(3)]  # for those who read it still


def test_imported_rows_of_long_ago_are_not_dropped_before_they_were_here_for_the_age(store: Store) -> None:
    assert retain(store, Retention(max_age_s=3_600.0)).dropped == {}
    assert sorted(retain(store, Retention(max_age_s=0.001)).dropped) == ["logs", "spans", "traces"]


def trace_ids(store: Store, query: Query, condition: str) -> list[str]:
    return [trace_id for (trace_id,) in query(store.path, f"select trace_id from rows where {condition} order by 1")]


def test_rows_of_pinned_traces_stay_in_every_table_and_nothing_else(store: Store, query: Query) -> None:
    kept = trace_ids(store, query, "attributes['number'] in (7, 20_000, 50_003, 100_001)")
    pin(store.path, "incident", reason="evidence", trace_ids=kept)
    report = retain(store, Retention(max_age_s=0.001))
    assert report.problems == []
    total = 3 * (SORTED_ROWS + 10)
    assert {table: dropped.rows for table, dropped in report.dropped.items()} == {
        "spans": total - 4, "logs": total - 4, "traces": total - 4,
    }  # fmt: skip
    for table in ("spans", "logs", "traces"):
        found = query(store.path, "select trace_id from rows order by 1", table)
        assert [trace_id for (trace_id,) in found] == kept
    files = Snapshot.of(store.path).files("spans")
    assert sorted(pq.ParquetFile(path).metadata.num_rows for path in files) == [1, 1, 2]
    assert retain(store, Retention(max_age_s=0.001)).dropped == {}
    assert Snapshot.of(store.path).files("spans") == files
    assert [part for checked in Verification(store.path).run() for part in checked.findings] == []


def test_what_no_pin_keeps_any_more_goes(store: Store, query: Query) -> None:
    first, second = trace_ids(store, query, "attributes['number'] in (7, 20_000)")
    pin(store.path, "one", reason="", trace_ids=[first])
    pin(store.path, "two", reason="", trace_ids=[second])
    retain(store, Retention(max_age_s=0.001))
    unpin(store.path, "one")
    assert retain(store, Retention(max_age_s=0.001)).dropped["spans"].rows == 1
    assert query(store.path, "select trace_id from rows") == [(second,)]
    unpin(store.path, "two")
    retain(store, Retention(max_age_s=0.001))
    assert Snapshot.of(store.path).files("spans") == []


def test_what_is_left_of_small_unsorted_files_is_sorted(tmp_path: Path, spans: Spans, query: Query) -> None:
    store = Store.open(tmp_path)
    store.write({"spans": spans(0, 100)}, Origin("w", 1))
    kept = trace_ids(store, query, "attributes['number'] % 2 = 0")
    pin(store.path, "p", reason="", trace_ids=kept)
    retain(store, Retention(max_age_s=0.001))
    (path,) = Snapshot.of(store.path).files("spans")
    assert pq.ParquetFile(path).read(["trace_id"])["trace_id"].to_pylist() == kept


def test_an_unreadable_pin_keeps_everything_and_is_named(store: Store) -> None:
    pin(store.path, "good", reason="", start_ns=1, end_ns=2)
    (store.path / "pins" / "bad.json").write_text("{")
    report = retain(store, Retention(max_age_s=0.001))
    assert report.dropped == {}
    (problem,) = report.problems
    assert f"cannot read the pin {store.path}/pins/bad.json, so nothing is dropped" in problem


def test_a_store_that_stays_too_large_says_why(store: Store) -> None:
    pin(store.path, "all", reason="", start_ns=0)
    (problem,) = retain(store, Retention(max_bytes=1000)).problems
    assert problem.startswith("retention: ")
    assert "more than the 1000 of max_size, but all of them are pinned" in problem


def test_a_damaged_file_with_pinned_rows_stays_and_keeps_no_other_from_going(store: Store, query: Query) -> None:
    (kept,) = trace_ids(store, query, "attributes['number'] = 7")
    pin(store.path, "p", reason="", trace_ids=[kept], tables=["spans"])
    damaged = next(Path(path) for path in Snapshot.of(store.path).files("spans") if f"/{SORTED}" in path)
    damaged.write_bytes(damaged.read_bytes()[:-10])
    report = retain(store, Retention(max_age_s=0.001))
    (problem,) = report.problems
    assert f"{damaged} may have pinned rows and stays as it is" in problem
    assert Snapshot.of(store.path).files("logs") == []
    assert str(damaged) in Snapshot.of(store.path).files("spans")


def test_a_round_of_maintenance_drops_and_tells_what_is_left(store: Store) -> None:
    maintenance = Maintenance(store.path)
    maintenance.round(Retention(max_bytes=size_of(store)))
    contents = maintenance.contents
    assert contents.oldest_ms == START_NS // 10**6
    assert (contents.files["spans"], sum(contents.size.values())) == (6, size_of(store))
    assert contents.oldest_ms < time.time() * 1000
