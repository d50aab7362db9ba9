"""`waterfall`: the tree of `infersight investigate`, made in SQL, whatever a trace has lived through."""

import random
from collections.abc import Generator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.analysis.recording import MS, Recording, Source, trace_id

from infersight_analysis import connect
from infersight_analysis.reading import read_spans
from infersight_analysis.report.output import bar
from infersight_analysis.trace import (
    Node,
    Trace,
    _repair_clocks,  # pyright: ignore[reportPrivateUsage] - of further roots, which `Trace` leaves as they were
)

GATEWAY: Source = ("gateway", "gateway-1", None)
MODEL: Source = ("model", "model-1", None)


def rows(connection: duckdb.DuckDBPyConnection, columns: str, trace: int = 1) -> list[tuple[Any, ...]]:
    return connection.execute(f"select {columns} from waterfall($trace)", {"trace": trace_id(trace)}).fetchall()


def drawn(recording: Recording, columns: str, path: Path) -> list[tuple[Any, ...]]:
    with connect(recording.write(path / "store")) as connection:
        return rows(connection, columns)


def test_children_follow_their_parent_in_the_order_of_time(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "GET /", 0, 40 * MS, kind="SERVER")
    recording.span(1, 3, "infer", 20 * MS, 20 * MS, parent=1)
    recording.span(1, 2, "prepare", 5 * MS, 10 * MS, parent=1)
    recording.span(1, 4, "forward", 21 * MS, 3 * MS, parent=3)
    assert drawn(recording, "operation, offset_ms, duration_ms, rtrim(bar), note", tmp_path) == [
        ("GET /", 0, 40, "█" * 40, None),
        ("  prepare", 5, 10, "     " + "█" * 10, None),
        ("  infer", 20, 20, " " * 20 + "█" * 20, None),
        ("    forward", 21, 3, " " * 21 + "███", None),
    ]


def test_what_had_to_be_repaired_is_said(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "root", 0, 100 * MS)
    recording.span(1, 2, "running", 10 * MS, None, parent=1)
    recording.span(1, 3, "below", 20 * MS, 30 * MS, parent=2)
    recording.span(1, 4, "backwards", 60 * MS, -5 * MS, parent=1)
    recording.span(1, 5, "lost", 70 * MS, 5 * MS, parent=99)
    recording.span(1, 6, "one", 80 * MS, 5 * MS, parent=7)
    recording.span(1, 7, "other", 81 * MS, 2 * MS, parent=6)
    assert drawn(recording, "operation, offset_ms, duration_ms, note", tmp_path) == [
        ("root", 0, 100, None),
        ("  running", 10, 40, "unfinished"),
        ("    below", 20, 30, None),
        ("  backwards", 60, 0, "ends before it starts"),
        ("  lost", 70, 5, "its parent is missing"),
        ("  one", 80, 5, "its own ancestor"),
        ("    other", 81, 2, None),
    ]


def test_a_callee_on_another_clock_is_moved_into_its_call(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "call", 0, 50 * MS, kind="CLIENT", source=GATEWAY)
    recording.span(1, 2, "serve", -3000 * MS, 30 * MS, parent=1, kind="SERVER", source=MODEL)
    recording.span(1, 3, "infer", -2990 * MS, 5 * MS, parent=2, source=MODEL)
    assert drawn(recording, "operation, offset_ms, note", tmp_path) == [
        ("call", 0, None),
        ("  serve", 10, "clock moved by 3010.0 ms"),
        ("    infer", 20, None),
    ]


def test_a_trace_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    assert drawn(Recording(), "*", tmp_path) == []


def test_a_long_chain_and_a_long_cycle_are_drawn(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(300):
        recording.span(1, number + 1, "chain", number * MS, (1000 - number) * MS, parent=number or None)
        recording.span(2, number + 1, "cycle", number * MS, (1000 - number) * MS, parent=number or 300)
    with connect(recording.write(tmp_path / "store")) as connection:
        for trace in (1, 2):
            assert [depth for (depth,) in rows(connection, "depth", trace)] == list(range(300))


TRACES = 150


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Generator[duckdb.DuckDBPyConnection]:
    random_ = random.Random(7)
    recording = Recording()
    for trace in range(1, TRACES + 1):
        _messy_trace(recording, random_, trace)
    with connect(recording.write(tmp_path_factory.mktemp("messy") / "store"), threads=1) as connection:
        yield connection


def _messy_trace(recording: Recording, random_: random.Random, trace: int) -> None:
    """Parents before, after and missing, cycles, ids used twice, spans sent twice, unfinished, backwards and skewed."""
    count = random_.randint(1, 12)
    is_calm = random_.random() < 0.3
    for number in range(1, count + 1):
        parent = random_.randrange(number) if is_calm or random_.random() < 0.6 else random_.randint(0, count + 2)
        start, duration = random_.randint(0, 10_000), random_.randint(0, 8_000)
        span = random_.randint(1, count) if not is_calm and random_.random() < 0.1 else number
        facts: dict[str, Any] = {
            "parent": parent or None,
            "kind": random_.choice(["CLIENT", "SERVER", "INTERNAL"]),
            "source": random_.choice([GATEWAY, MODEL]),
            "error": "no" if random_.random() < 0.2 else None,
        }
        kind = random_.random()
        if not is_calm and kind < 0.1:
            duration = -duration
        finished: int | None = None if not is_calm and 0.1 < kind < 0.25 else duration
        recording.span(trace, span, f"span {number}", start, finished, **facts)
        if not is_calm and random_.random() < 0.1:  # sent again, perhaps finished by then
            recording.span(trace, span, f"span {number}", start, duration if finished is None else finished, **facts)


def test_messy_traces_are_repaired_as_investigate_repairs_them(messy: duckdb.DuckDBPyConnection) -> None:
    for trace in range(1, TRACES + 1):
        (spans,) = read_spans(messy, [trace_id(trace)]).values()
        tree = Trace.of(spans)
        nodes = list(tree.root.below())
        first = min(start for start, _ in _extents(tree))
        whole = max(1, max(end for _, end in _extents(tree)) - first)
        expected = [
            (
                node.depth(),
                node.span.name,
                (node.start_ns - first) / 1e6,
                node.duration_ns / 1e6,
                bar((node.start_ns - first) / whole, (node.end_ns - first) / whole, 40),
            )
            for node in nodes
        ]
        found = rows(messy, "depth, trim(operation), offset_ms, duration_ms, bar", trace)
        assert found[: len(nodes)] == expected, trace
        assert len(found) == len(nodes) + sum(len(list(other.below())) for other in tree.others)
        assert [row[0] for row in found].count(0) == 1 + len(tree.others)


def _extents(tree: Trace) -> list[tuple[int, int]]:
    """First and last moments of everything in a trace, the further roots included, whose clocks are repaired too."""
    nodes: list[Node] = list(tree.root.below())
    for other in tree.others:
        _repair_clocks(other, [])
        nodes += other.below()
    return [(node.start_ns, node.end_ns) for node in nodes]
