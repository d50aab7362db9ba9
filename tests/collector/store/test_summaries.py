"""Summaries of traces: whatever way spans come in, their rows merge into what the spans say."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.support.trace_reference import Summary, ordered, random_spans, summaries

from infersight_collector.store.compaction import NEW_FILES
from infersight_collector.store.maintenance import Maintenance
from infersight_collector.store.order import in_order
from infersight_collector.store.redundancy import end_times, leave_out
from infersight_collector.store.schema import COLUMNS, STORED
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.summaries import merged, summarise
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

START_NS = 1_772_359_200 * 10**9
TIMES = [None, 1, START_NS, START_NS, START_NS + 1, START_NS + 10**9, 2**63 - 1]


def table(spans: list[Any]) -> pa.Table:
    names = spans[0].keys()
    return pa.Table.from_pylist(spans, pa.schema([COLUMNS["spans"].field(name) for name in names]))


def as_shown(rows: pa.Table) -> list[Summary]:
    """Stored rows as the view `traces` shows them, where a trace has one."""
    shown = rows.set_column(rows.schema.get_field_index("end_time_ns"), "end_time_ns", end_times(rows))
    return ordered([row.get(name, not row["root_missing"]) for name in Summary._fields] for row in shown.to_pylist())


@pytest.mark.parametrize("seed", range(40))
def test_any_parts_of_spans_merge_into_what_all_spans_say(seed: int) -> None:
    chance = random.Random(seed)
    spans = random_spans(chance, chance.randrange(1, 120), TIMES)
    parts = [spans[place::7] for place in range(7) if spans[place::7]]
    rows = [summarise(table(part)) for part in parts]
    assert as_shown(summarise(table(spans))) == summaries(spans)
    of_sorted = summarise(in_order(table(spans), "spans"))
    assert as_shown(of_sorted) == summaries(spans)
    assert of_sorted.equals(in_order(of_sorted, "traces"))
    assert [as_shown(part) for part in rows] == [summaries(part) for part in parts]
    everything = in_order(pa.concat_tables(rows), "traces")
    size = chance.randrange(1, 20)
    pieces = [everything.slice(start, size) for start in range(0, everything.num_rows, size)]
    whole = pa.concat_tables(merged(pieces))
    assert as_shown(whole) == summaries(spans)
    assert whole.equals(in_order(whole, "traces"))


def test_merging_is_the_same_in_every_order() -> None:
    chance = random.Random(3)
    spans = random_spans(chance, 60, TIMES)
    rows = pa.concat_tables(summarise(table([span])) for span in spans)
    outcomes = set[str]()
    for _ in range(20):
        shuffled = in_order(rows.take(chance.sample(range(60), 60)), "traces")
        outcomes.add(str(pa.concat_tables(merged([shuffled])).to_pylist()))
    assert len(outcomes) == 1


def test_rows_need_only_the_columns_that_they_have() -> None:
    rows = pa.table({"trace_id": ["a", "a"], "start_time_ns": [START_NS, START_NS + 5]})
    (row,) = summarise(rows).to_pylist()
    assert (row["trace_id"], row["span_count"], row["duration_ns"], row["services"]) == ("a", 2, 5, [])


def test_stored_spans_are_summed_up_as_those_that_come() -> None:
    rows = table(random_spans(random.Random(9), 80, TIMES))
    assert summarise(leave_out(rows, "spans")).equals(summarise(rows))


@pytest.mark.parametrize("seed", range(10))
def test_ends_are_stored_only_where_nothing_else_tells_them(seed: int) -> None:
    rows = table(random_spans(random.Random(seed), 80, TIMES))
    stored = leave_out(rows, "spans")
    assert end_times(stored).equals(rows["end_time_ns"])
    for row in stored.to_pylist():
        assert row["end_time_ns"] is None or row["start_time_ns"] is None


def test_what_does_not_add_up_is_stored_as_it_is() -> None:
    """A processor of the user's own may make such rows; their sums fail in SQL."""
    times = {"start_time_ns": [2**63 - 5, -(2**62)], "end_time_ns": [-(2**63) + 4, -(2**62) + 1], "duration_ns": [9, 1]}
    rows = pa.table({name: pa.array(values, pa.int64()) for name, values in times.items()})
    assert leave_out(rows, "spans").equals(rows)


def test_the_observed_time_of_logs_is_a_delay() -> None:
    rows = pa.table({"time_ns": [10, 10, 10, None], "observed_time_ns": pa.array([10, 12, 4, None], pa.int64())})
    stored = leave_out(rows, "logs")
    assert stored["observed_time_ns"].null_count == 4
    assert stored["observed_delay_ns"].to_pylist() == [0, 2, -6, None]
    unknown = pa.table({"time_ns": [10], "observed_time_ns": pa.array([None], pa.int64())})
    assert leave_out(unknown, "logs")["observed_delay_ns"].to_pylist() == [None]


def stored_rows(store: Path, name: str = "traces") -> pa.Table:
    return pa.concat_tables(pq.ParquetFile(path).read() for path in Snapshot.of(store).files(name))


def test_each_hour_has_the_summaries_of_its_own_spans(tmp_path: Path) -> None:
    hours = [None, *(START_NS + hour * 3_600 * 10**9 for hour in range(3))]
    spans = random_spans(random.Random(1), 300, hours)
    store = Store.open(tmp_path)
    store.write({"spans": table(spans)}, Origin("w", 1))
    snapshot = Snapshot.of(tmp_path)
    sums = {Path(path).parent: pq.ParquetFile(path).read() for path in snapshot.files("traces")}
    assert len(sums) == 4
    for directory, rows in sums.items():
        of_hour = tmp_path / "spans" / directory.relative_to(tmp_path / "traces")
        ids = pq.ParquetFile(next(of_hour.iterdir())).read(["span_id"])["span_id"].to_pylist()
        assert as_shown(rows) == summaries(span for span in spans if span["span_id"] in ids)


def test_compaction_leaves_one_row_of_a_trace(tmp_path: Path) -> None:
    chance = random.Random(5)
    spans = random_spans(chance, NEW_FILES * 12, [START_NS + second * 10**9 for second in range(60)])
    store = Store.open(tmp_path)
    for number in range(NEW_FILES):
        store.write({"spans": table(spans[number::NEW_FILES])}, Origin("w", number + 1))
    traces = {span["trace_id"] for span in spans}
    assert stored_rows(tmp_path).num_rows > len(traces)
    assert Maintenance(tmp_path).round().problems == []
    rows = stored_rows(tmp_path)
    assert len(Snapshot.of(tmp_path).files("traces")) == 1
    assert rows.num_rows == len(traces)
    assert rows.cast(STORED["traces"]).equals(in_order(rows, "traces").cast(STORED["traces"]))
    assert as_shown(rows) == summaries(spans)


def test_a_segment_that_is_written_again_is_summed_up_once(tmp_path: Path) -> None:
    spans = random_spans(random.Random(2), 40, [START_NS])
    for _ in range(2):
        Store.open(tmp_path).write({"spans": table(spans)}, Origin("w", 1))
    assert as_shown(stored_rows(tmp_path)) == summaries(spans)
