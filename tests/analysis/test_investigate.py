"""Requests with known causes among many that are normal, and what `investigate` says of each."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Exemplar,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)
from tests.analysis.recording import API, MS, SECOND, T0, Recording, Source, trace_id

from infersight_analysis import connect
from infersight_analysis.findings import Investigation
from infersight_analysis.verbs.investigate import investigate

LARGE, BLOCKER, BLOCKED, DEPENDENCY, UNEXPLAINED, COLD, ALONE = range(1001, 1008)
DB: Source = ("db", "db-1", None)
NEW: Source = ("api", "api-2", "1.0")


def request(
    recording: Recording,
    number: int,
    *,
    preprocess: int = 10,
    database: int = 5,
    rest: int = 5,
    size: int = 100,
    lag: float = 0.001,
    source: Source = API,
    name: str = "POST /predict",
) -> None:
    """A request, a second after the one before; the durations of its pieces in milliseconds, jittered by its number."""
    jitter = number % 7 * MS // 10
    start, before, called, after = number * SECOND, preprocess * MS + jitter, database * MS, rest * MS
    facts = {"http.route": "/predict", "infersight.event_loop.lag": lag}
    sizes = {"document.size": size + number % 10}
    recording.span(number, 1, name, start, before + called + after, kind="SERVER", source=source, attributes=facts)
    recording.span(number, 2, "preprocess", start, before, parent=1, source=source, attributes=sizes)
    recording.span(number, 3, "query", start + before, called, parent=1, kind="CLIENT", source=source)
    recording.span(number, 4, "serve query", start + before, called, parent=3, kind="SERVER", source=DB)
    recording.log(number * SECOND + 2 * MS, "classified", trace=number, span=2, source=source)


def blocked(recording: Recording) -> None:
    at = BLOCKER * SECOND + 400 * MS
    facts = {
        "infersight.event_loop.lag": 0.4,
        "code.function.name": "load_profile",
        "code.file.path": "/srv/app.py",
        "code.line.number": 54,
    }
    event = "infersight.event_loop.blocked"
    recording.log(at, "blocked", trace=BLOCKER, severity=13, event_name=event, attributes=facts)


def measured(recording: Recording) -> None:
    """The memory of the process, 10 until a jump to 50 after the blocker; a histogram with an exemplar of it."""
    times = range(990, 1010)
    points = [
        NumberDataPoint(time_unix_nano=T0 + time * SECOND, as_double=50.0 if time > BLOCKER else 10.0 + time % 2)
        for time in times
    ]
    recording.metric(Metric(name="memory", unit="By", gauge=Gauge(data_points=points)))
    exemplar = Exemplar(time_unix_nano=T0 + BLOCKER * SECOND, as_double=0.4, trace_id=BLOCKER.to_bytes(16, "big"))
    histograms = [
        HistogramDataPoint(
            time_unix_nano=T0 + time * SECOND, start_time_unix_nano=T0, count=time, sum=2.0 * time, exemplars=[exemplar]
        )
        for time in times
    ]
    temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    recording.metric(
        Metric(
            name="duration", unit="s", histogram=Histogram(data_points=histograms, aggregation_temporality=temporality)
        )
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    for number in range(1, 1000):
        is_large = number % 100 == 0
        request(recording, number, size=5_000 if is_large else 100, preprocess=200 if is_large else 10)
    request(recording, LARGE, preprocess=400, size=10_000)
    request(recording, BLOCKER, rest=410, lag=0.4)
    recording.span(BLOCKED, 1, "POST /predict", BLOCKER * SECOND + 50 * MS, 380 * MS, kind="SERVER",
                   attributes={"http.route": "/predict", "infersight.event_loop.lag": 0.35})  # fmt: skip
    request(recording, DEPENDENCY, database=300)
    request(recording, UNEXPLAINED, preprocess=300)
    request(recording, COLD, rest=90, source=NEW)
    for number in range(1100, 1120):
        request(recording, number, source=NEW)
    request(recording, ALONE, name="POST /rare")
    blocked(recording)
    measured(recording)
    return recording.write(tmp_path_factory.mktemp("investigate") / "store")


@pytest.fixture
def database(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(store) as connection:
        yield connection


def why(found: Investigation) -> str:
    return found.hypotheses[0].cause


@pytest.mark.parametrize("number", [1, 500, LARGE, BLOCKER, BLOCKED, DEPENDENCY, UNEXPLAINED, COLD, ALONE])
def test_the_pieces_and_the_path_sum_to_the_request_exactly(number: int, database: duckdb.DuckDBPyConnection) -> None:
    found = investigate(database, trace_id(number))
    assert sum(piece.self_ns for piece in found.breakdown) == found.total_ns
    assert sum(step.self_ns for step in found.critical_path) == found.total_ns
    assert found.unattributed_ns == next(p.self_ns for p in found.breakdown if p.name == "unattributed")


def test_each_piece_is_compared_with_the_same_piece_of_other_requests(database: duckdb.DuckDBPyConnection) -> None:
    found = investigate(database, trace_id(UNEXPLAINED))
    piece = found.breakdown[0]
    assert (piece.name, piece.kind, piece.service) == ("preprocess", "INTERNAL", "api")
    assert piece.baseline_ns is not None
    assert piece.baseline_ns == pytest.approx(10 * MS, abs=MS)
    assert piece.excess_ns == piece.self_ns - piece.baseline_ns
    assert piece.percentile is not None
    assert piece.percentile > 99
    assert (found.baseline.requests, found.baseline.about) == (1003, "in the hour before")


def test_time_below_a_call_belongs_to_the_service_that_was_called(database: duckdb.DuckDBPyConnection) -> None:
    found = investigate(database, trace_id(DEPENDENCY))
    assert (found.breakdown[0].name, found.breakdown[0].service) == ("serve query", "db")
    assert why(found) == "slow_dependency"


def test_a_large_input_is_called_so_when_its_size_says_so(database: duckdb.DuckDBPyConnection) -> None:
    found = investigate(database, trace_id(LARGE))
    assert why(found) == "large_input"
    assert "document.size = 10,001" in found.hypotheses[0].statement
    assert "+390 ms of the 390 ms excess is preprocess (400 ms, normally 10" in found.summary


def test_a_slow_stage_without_a_reason_is_unknown_and_still_named(database: duckdb.DuckDBPyConnection) -> None:
    found = investigate(database, trace_id(UNEXPLAINED))
    assert why(found) == "unknown"
    assert "ms excess is preprocess (30" in found.hypotheses[0].statement
    assert found.hypotheses[0].confidence <= 0.4


@pytest.mark.parametrize("number", [BLOCKER, BLOCKED])
def test_a_blocked_event_loop_is_named_with_its_function_and_the_request_it_ran_for(
    number: int, database: duckdb.DuckDBPyConnection
) -> None:
    found = investigate(database, trace_id(number))
    first = found.hypotheses[0]
    assert first.cause == "blocked_event_loop"
    assert "load_profile (/srv/app.py:54)" in first.statement
    assert trace_id(BLOCKER) in first.evidence.trace_ids


def test_the_first_request_of_a_process_is_cold(database: duckdb.DuckDBPyConnection) -> None:
    found = investigate(database, trace_id(COLD))
    assert why(found) == "cold_start"
    assert "request 1 of its process (api-2)" in found.hypotheses[0].statement


def test_a_normal_request_is_given_no_cause(database: duckdb.DuckDBPyConnection) -> None:
    for number in range(801, 830):
        found = investigate(database, trace_id(number))
        assert (why(found), found.hypotheses[0].confidence) == ("unknown", 0.0)
        assert "nothing stands out" in found.summary


def test_without_others_like_it_nothing_is_compared_and_that_is_said(database: duckdb.DuckDBPyConnection) -> None:
    found = investigate(database, trace_id(ALONE))
    assert found.baseline.total_ns is None
    assert [(piece.baseline_ns, piece.excess_ns, piece.percentile) for piece in found.breakdown[:1]] == [(None,) * 3]
    assert "need more data" in " ".join(found.notes)
    assert all(hypothesis.confidence <= 0.5 for hypothesis in found.hypotheses)


def test_logs_exemplars_and_metrics_of_the_process_are_beside_it(database: duckdb.DuckDBPyConnection) -> None:
    found = investigate(database, trace_id(BLOCKER))
    assert [(line.event_name or line.body, line.offset_ns) for line in found.logs] == [
        ("classified", 2 * MS),
        ("infersight.event_loop.blocked", 400 * MS),
    ]
    assert (found.exemplars[0].metric, found.exemplars[0].value) == ("duration", 0.4)
    memory = next(point for point in found.metrics if point.name == "memory")
    assert (memory.reading, memory.before, memory.value, memory.median) == ("value", 11.0, 50.0, 10.5)
    assert memory.deviation is not None
    assert memory.deviation > 3.5
    duration = next(point for point in found.metrics if point.name == "duration")
    assert (duration.reading, duration.value, duration.deviation) == ("mean", 2.0, 0.0)


def test_every_query_given_as_evidence_runs_and_shows_something(database: duckdb.DuckDBPyConnection) -> None:
    for number in (LARGE, BLOCKED, DEPENDENCY, COLD):
        found = investigate(database, trace_id(number))
        queries = [sql for cause in found.hypotheses for sql in cause.evidence.sql] + found.evidence.sql[:1]
        for sql in queries:
            assert database.execute(sql).fetchall(), sql


def test_a_unique_prefix_is_enough_and_an_ambiguous_one_is_refused(store: Path, run: Any) -> None:
    ambiguous = run("investigate", "0" * 20, "--store", store)
    assert ambiguous.code == 2
    assert "more than one trace begins with" in ambiguous.err
    assert run("investigate", trace_id(1)[:-1] + "1", "--store", store).json["trace_id"] == trace_id(1)


def test_the_command_prints_the_contract_as_json(store: Path, run: Any) -> None:
    answer = run("investigate", trace_id(LARGE).upper(), "--store", store).json
    keys = {"trace_id", "total_ns", "unattributed_ns", "breakdown", "critical_path", "hypotheses", "evidence"}
    assert keys <= set(answer)
    assert {"name", "kind", "self_ns", "baseline_ns", "excess_ns", "percentile"} <= set(answer["breakdown"][0])
    assert {"span_id", "name", "service", "self_ns"} <= set(answer["critical_path"][0])
    assert {"cause", "confidence", "statement", "evidence"} <= set(answer["hypotheses"][0])


def test_the_report_fits_its_width_and_shows_every_section(store: Path, run: Any) -> None:
    text = run("investigate", trace_id(BLOCKER), "--store", store, "--format", "table").out
    for section in ("Spans", "Where the time went", "Why", "Logs (2)", "Metrics", "Evidence"):
        assert f"\n{section}" in text
    assert "blocked_event_loop" in text
    assert max(map(len, text.splitlines())) <= 120
