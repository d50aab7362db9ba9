# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false
# (pyarrow publishes no type information)
"""The view `traces`: summaries of many writes show what the spans say, after compaction and retention, too."""

import random
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from tests.analysis.recording import T0, Recording
from tests.support.trace_reference import QUERY, Summary, ordered, random_spans, summaries

from infersight_analysis import connect
from infersight_collector.store.compaction import NEW_FILES
from infersight_collector.store.maintenance import Maintenance
from infersight_collector.store.retention import Retention
from infersight_collector.store.schema import COLUMNS
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

START_NS = 1_772_359_200 * 10**9
HOUR_NS = 3_600 * 10**9
TIMES = [None, 1, START_NS, START_NS, START_NS + 5, START_NS + HOUR_NS, START_NS + HOUR_NS, 2**63 - 1]

Spans = list[dict[str, Any]]


def write(path: Path, spans: Spans, segments: int) -> None:
    """Puts spans into a store, in so many writes."""
    store = Store.open(path)
    schema = pa.schema([COLUMNS["spans"].field(name) for name in spans[0]])
    for number in range(segments):
        part = spans[number::segments]
        if part:
            store.write({"spans": pa.Table.from_pylist(part, schema)}, Origin("w", number + 1))


def traces(path: Path, **window: int) -> list[Summary]:
    with connect(path, **window) as connection:  # type: ignore[arg-type] # mypy takes the numbers for all arguments
        return ordered(connection.execute(QUERY).fetchall())


@pytest.mark.parametrize("seed", range(12))
def test_the_view_says_what_the_spans_say(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    spans = random_spans(chance, chance.randrange(1, 200), TIMES)
    write(tmp_path, spans, chance.randrange(1, 25))
    assert traces(tmp_path) == summaries(spans)
    assert Maintenance(tmp_path).round().problems == []
    assert traces(tmp_path) == summaries(spans)


def test_spans_show_the_ends_that_the_store_leaves_out(tmp_path: Path) -> None:
    spans = random_spans(random.Random(7), 100, TIMES)
    write(tmp_path, spans, 2)
    with connect(tmp_path) as connection:
        found = connection.execute("select span_id, end_time_ns, epoch_ns(end_time) from spans").fetchall()
    expected = {(span["span_id"], span["end_time_ns"]) for span in spans}
    assert {(span_id, end_ns) for span_id, end_ns, _ in found} == expected
    # The last number of 64 bits, where later times end up, is no time to DuckDB.
    assert all(time_ns == (None if end_ns == 2**63 - 1 else end_ns) for _, end_ns, time_ns in found)


def test_times_that_no_timestamp_can_say_do_not_stop_a_query(tmp_path: Path) -> None:
    late = 2**63 - 1
    recording = Recording()
    recording.span(1, 1, "late", late - T0, 0, events=[(late - T0, "e", {})])
    recording.log(late - T0, "late", trace=1)
    recording.write(tmp_path)
    with connect(tmp_path) as connection:
        for view in ("spans", "traces", "span_events", "logs", "deployments"):
            (row,) = connection.execute(f"from {view}").fetchall()
            assert None in row
        assert connection.execute("select start_time_ns, end_time_ns, start_time from traces").fetchall() == [
            (late, late, None)
        ]


def test_a_window_has_the_traces_that_begin_in_it_whole(tmp_path: Path) -> None:
    times = [START_NS + second * 10**9 for second in range(0, 600, 60)]
    spans = random_spans(random.Random(8), 200, times)
    write(tmp_path, spans, NEW_FILES)
    Maintenance(tmp_path).round()
    start, end = times[1], times[3]
    begun = [row for row in summaries(spans) if row.start_time_ns is not None and start <= row.start_time_ns < end]
    assert begun
    assert traces(tmp_path, start=start, end=end) == begun


def test_when_an_hour_is_dropped_traces_say_what_is_left(tmp_path: Path) -> None:
    this_hour = time.time_ns() // HOUR_NS
    hours = [hour * HOUR_NS + 5 for hour in (this_hour - 3, this_hour - 2, this_hour)]
    spans = random_spans(random.Random(4), 300, hours)
    write(tmp_path, spans, 3)
    Maintenance(tmp_path).round(Retention(max_bytes=1))
    left = [span for span in spans if span["start_time_ns"] == hours[-1]]
    assert traces(tmp_path) == summaries(left)
    with connect(tmp_path) as connection:
        assert connection.execute("select count(*) from spans").fetchall() == [(len(left),)]
