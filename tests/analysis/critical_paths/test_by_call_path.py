"""`infersight critical-path`: where the time of many requests went, in every form."""

import random
import re
from collections import defaultdict
from pathlib import Path
from statistics import mean
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from tests.analysis.recording import API, MS, SECOND, Recording, trace_id

from infersight_analysis import connect
from infersight_analysis.call_tree import call_tree
from infersight_analysis.critical_paths.by_call_path import critical_paths
from infersight_analysis.critical_paths.what_if import Change
from infersight_analysis.errors import AnalysisError
from infersight_analysis.reading import read_spans
from infersight_analysis.trace import Trace

DB = ("db", "db-1", None)
REQUESTS = 60
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Requests with calls in a row and side by side, some of a name that is hostile to every format."""
    rng = random.Random(4)
    recording = Recording()
    for number in range(1, REQUESTS + 1):
        start, took = number * SECOND, rng.randrange(60, 300) * MS
        recording.span(number, 1, "POST /predict", start, took, kind="SERVER", attributes={"http.route": "/predict"})
        recording.span(number, 2, 'load; "<script>"\n\x00', start, took // 3, parent=1)
        for call in range(rng.randint(0, 4)):
            recording.span(
                number, 10 + call, "query", start + call * 2 * MS, rng.randrange(1, 30) * MS, parent=2, kind="CLIENT"
            )
            recording.span(
                number, 20 + call, "select", start + call * 2 * MS, MS, parent=10 + call, kind="SERVER", source=DB
            )
        recording.span(number, 3, "forward", start + took // 3, took // 2, parent=1)
        recording.span(number, 4, "audit", start + took // 3, took // rng.choice([3, 4]), parent=1)
    recording.span(900, 1, "GET /health", 0, MS, kind="SERVER", source=API, attributes={"http.route": "/health"})
    return recording.write(tmp_path_factory.mktemp("paths") / "store")


def reference(store: Path) -> dict[tuple[str, ...], dict[str, int]]:
    """Own time on the critical path of each request that has a call path, one trace after the other."""
    found: defaultdict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    ids = [trace_id(number) for number in range(1, REQUESTS + 1)]
    with connect(store) as connection:
        for trace, spans in read_spans(connection, ids).items():
            for path, calls in call_tree(Trace.of(spans).root).items():
                found[tuple(operation.name for operation in path)][trace] = calls.critical_ns
    return found


def test_every_path_has_the_time_of_its_traces_one_by_one(store: Path) -> None:
    with connect(store) as connection:
        found = critical_paths(connection, route="/predict")
    expected = reference(store)
    assert {tuple(path.path): path.self_ns for path in found.paths} == {
        path: sum(times.values()) for path, times in expected.items()
    }
    for path in found.paths:
        times = list(expected[tuple(path.path)].values())
        assert path.requests == len(times)
        assert path.mean_ns == pytest.approx(sum(times) / REQUESTS)
        assert (path.p50_ns, path.p99_ns) == pytest.approx(np.quantile(times, [0.5, 0.99]).tolist())


def test_the_times_sum_to_the_durations(store: Path) -> None:
    with connect(store) as connection:
        found = critical_paths(connection)
    assert found.requests == REQUESTS + 1
    assert sum(path.self_ns for path in found.paths) == found.total_ns
    assert sum(path.share for path in found.paths) == pytest.approx(1)
    tops = [path for path in found.paths if path.depth == 0]
    assert sum(path.total_ns for path in tops) == found.total_ns


def test_callers_come_before_what_they_call(store: Path) -> None:
    with connect(store) as connection:
        found = critical_paths(connection)
    seen: list[list[str]] = [[]]
    for path in found.paths:
        assert path.path[:-1] in seen
        seen.append(path.path)


def test_what_if_says_mean_and_p99_of_the_schedules_run_again(store: Path) -> None:
    with connect(store) as connection:
        found = critical_paths(connection, route="/predict", changes=[Change.of("forward=-100%")])
    (effect,) = found.what_if
    assert (effect.cohort, effect.requests, effect.mean_ns) == ("target", REQUESTS, found.mean_ns)
    gain = next(path.mean_ns for path in found.paths if path.name == "forward")
    assert -gain < effect.mean_difference_ns < 0  # less than its time: the audit beside it is still waited for


def test_two_changes_are_one_answer(store: Path) -> None:
    with connect(store) as connection:
        both = [Change.of("forward=-50%"), Change.of("audit=-50%")]
        found = critical_paths(connection, route="/predict", changes=both)
        expected = mean(
            -next(calls.duration_ns for path, calls in tree.items() if path[-1].name == "forward") / 2
            for tree in (
                call_tree(Trace.of(spans).root)
                for spans in read_spans(connection, [trace_id(n) for n in range(1, REQUESTS + 1)]).values()
            )
        )
    assert found.what_if[0].mean_difference_ns == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("text", ["forward", "forward=30%", "=-30%", "forward=-130%", "forward=-x%"])
def test_a_change_is_an_operation_and_a_signed_percentage(text: str) -> None:
    with pytest.raises(AnalysisError, match="forward=-30%"):
        Change.of(text)


def test_a_change_of_something_unknown_names_what_there_is(store: Path, run: Any) -> None:
    outcome = run("critical-path", "--store", store, "--what-if", "forwrad=-30%")
    assert (outcome.code, outcome.out) == (2, "")
    assert "there are forward" in outcome.err


def test_folded_stacks_are_names_and_a_whole_number(store: Path, run: Any) -> None:
    lines = run("critical-path", "--store", store, "--format", "folded").out.splitlines()
    assert all(re.fullmatch(r"[^;]+(;[^;]+)* [1-9]\d*", line) for line in lines)
    total_us = sum(int(line.rpartition(" ")[2]) for line in lines)
    found = run("critical-path", "--store", store).json
    assert total_us == pytest.approx(found["total_ns"] / 1000, abs=len(lines))
    assert any(line.startswith('POST /predict;load: "<script>" \N{REPLACEMENT CHARACTER};query') for line in lines)


def test_the_svg_is_well_formed_and_its_frames_lie_in_those_above(store: Path, tmp_path: Path, run: Any) -> None:
    file = tmp_path / "flames.svg"
    assert run("critical-path", "--store", store, "--output", file).code == 0
    frames = ET.parse(file).findall(f"{SVG}svg")
    assert [frame.findtext(f"{SVG}text") for frame in frames][:2] == ["all requests", "POST /predict"]
    boxes = [tuple(float(frame.attrib[key].rstrip("%")) for key in ("x", "width", "y", "height")) for frame in frames]
    for x, width, y, height in boxes[1:]:
        above = [box for box in boxes if box[2] == y - height - 1]
        assert any(box[0] - 1e-3 <= x and x + width <= box[0] + box[1] + 1e-3 for box in above)
    assert all(frame.findtext(f"{SVG}title") for frame in frames)


def test_a_table_shows_the_tree_and_the_change(store: Path, run: Any) -> None:
    out = run("critical-path", "--store", store, "--format", "table", "--what-if", "forward=-30%").out
    assert re.search(r"^POST /predict .*\n(.*\n)*  forward ", out, re.MULTILINE)
    assert "with forward=-30%: mean" in out


def test_no_requests_are_no_answer(store: Path, run: Any) -> None:
    outcome = run("critical-path", "--store", store, "--service", "nobody", "--what-if", "forward=-30%")
    assert outcome.code == 3
    assert outcome.json["paths"] == []
    assert run("critical-path", "--store", store, "--service", "nobody", "--format", "html").code == 3


def test_a_comparison_says_what_a_change_would_bring_to_each_of_its_cohorts(store: Path, run: Any) -> None:
    slow = ("compare", "--slow", "--over", "p50", "--store", store, "--what-if", "forward=-50%")
    found = run(*slow).json
    assert [(effect["cohort"], effect["requests"]) for effect in found["what_if"]] == [
        ("target", found["target"]["count"]),
        ("baseline", found["baseline"]["count"]),
    ]
    for effect in found["what_if"]:
        assert effect["mean_ns"] == pytest.approx(found[effect["cohort"]]["mean_ns"])
    assert "target with forward=-50%: mean" in run(*slow, "--format", "table").out
