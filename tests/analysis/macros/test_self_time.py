"""`self_time`: a span's duration without the union of its children."""

import random
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import MS, Recording, Source, trace_id

from infersight_analysis import connect
from infersight_analysis.critical_path import self_time
from infersight_analysis.reading import read_spans
from infersight_analysis.trace import Trace

GATEWAY: Source = ("gateway", "gateway-1", None)
MODEL: Source = ("model", "model-1", None)
HOUR_MS = 3_600_000


def asked(recording: Recording, query: str, path: Path) -> list[tuple[Any, ...]]:
    with connect(recording.write(path / "store")) as connection:
        return connection.execute(query).fetchall()


def test_overlapping_children_count_once_and_only_within_their_parent(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "parent", 0, 100 * MS)
    recording.span(1, 2, "first", 10 * MS, 30 * MS, parent=1)
    recording.span(1, 3, "overlapping", 30 * MS, 20 * MS, parent=1)
    recording.span(1, 4, "goes on after it", 90 * MS, 500 * MS, parent=1)
    recording.span(1, 5, "afterwards", 200 * MS, 10 * MS, parent=1)
    recording.span(1, 6, "below", 12 * MS, 5 * MS, parent=2)
    query = f"select name, duration_ms, self_ms, child_count from self_time('{trace_id(1)}')"
    assert asked(recording, query, tmp_path) == [
        ("parent", 100, 50, 3),
        ("first", 30, 25, 1),
        ("below", 5, 5, 0),
        ("overlapping", 20, 20, 0),
        ("goes on after it", 500, 500, 0),
        ("afterwards", 10, 10, 0),
    ]


def test_a_child_that_was_sent_twice_covers_its_time_once(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "parent", 0, 100 * MS)
    for _ in range(2):
        recording.span(1, 2, "child", 10 * MS, 30 * MS, parent=1)
    query = "select self_ms from self_time() where name = 'parent'"
    assert asked(recording, query, tmp_path) == [(70,)]


def test_a_callee_on_another_clock_covers_its_part_of_the_call(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "call", 0, 50 * MS, kind="CLIENT", source=GATEWAY)
    recording.span(1, 2, "serve", -3000 * MS, 30 * MS, parent=1, kind="SERVER", source=MODEL)
    assert asked(recording, "select name, self_ms from self_time() order by name", tmp_path) == [
        ("call", 20),
        ("serve", 30),
    ]


def test_a_service_and_an_operation_are_looked_at_with_children_of_any_service(tmp_path: Path) -> None:
    recording = Recording()
    for trace, at in enumerate((0, HOUR_MS, 2 * HOUR_MS), 1):
        recording.span(trace, 1, "call", at * MS, 50 * MS, source=GATEWAY, attributes={"infersight.sample.weight": 4.0})
        recording.span(trace, 2, "serve", (at + 5) * MS, trace * 10 * MS, parent=1, source=MODEL)
    query = (
        "select count(*), sum(self_ms * sample_weight) "
        "from self_time(service := 'gateway', operation := 'call', last := '90 minutes')"
    )
    assert asked(recording, query, tmp_path) == [(2, 4 * (30 + 20))]


def test_a_trace_that_crosses_the_edge_of_the_window_is_whole(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "parent", 0, 100 * MS)
    recording.span(1, 2, "child", 60 * MS, 30 * MS, parent=1)
    query = "select name, self_ms from self_time(last := '1 ms', until := timestamp '2025-10-09 08:53:20.001')"
    assert asked(recording, query, tmp_path) == [("parent", 70)]


@pytest.mark.parametrize("seed", range(3))
def test_random_traces_have_the_self_time_of_investigate(seed: int, tmp_path: Path) -> None:
    random_ = random.Random(seed)
    recording = Recording()
    traces = range(1, 401)
    for trace in traces:
        for number in range(1, random_.randint(2, 12)):
            recording.span(
                trace,
                number,
                f"span {number}",
                random_.randint(0, 10_000),
                random_.randint(-500, 8_000),
                parent=random_.randrange(number) or 1 if number > 1 else None,
                kind=random_.choice(["CLIENT", "SERVER", "INTERNAL"]),
                source=random_.choice([GATEWAY, MODEL]),
                error=random_.choice([None, "no"]),
            )
    with connect(recording.write(tmp_path / "store")) as connection:
        rows = connection.execute("select trace_id, name, self_ms from self_time()").fetchall()
        spans = read_spans(connection, [trace_id(trace) for trace in traces])
    expected = {
        (trace, node.span.name): self_time(node) / 1e6
        for trace, members in spans.items()
        for node in Trace.of(members).root.below()
    }
    assert {(trace, name): value for trace, name, value in rows} == expected
    assert len(rows) == len(expected)
