from collections.abc import Generator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.analysis.recording import API, MS, SECOND, T0, Recording, trace_id

from infersight_analysis import connect
from infersight_analysis.errors import AnalysisError
from infersight_analysis.options import Window
from infersight_analysis.verbs.slow import slow

DB = ("db", "db-1", None)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred requests a second apart that take 1, 2, ... 100 ms, mostly in a stage; each calls another service."""
    recording = Recording()
    for number in range(1, 101):
        start, took = number * SECOND, number * MS
        route = "/predict" if number % 2 else "/embed"
        recording.span(
            number, 1, f"POST {route}", start, took, kind="SERVER", attributes={"http.route": route},
            error="no" if number == 100 else None,
        )  # fmt: skip
        recording.span(number, 2, "preprocess", start, took * 7 // 10, parent=1)
        recording.span(number, 3, "query", start + took * 7 // 10, took // 10, parent=1, kind="CLIENT", source=API)
        recording.span(number, 4, "serve query", start + took * 7 // 10, took // 10, parent=3, kind="SERVER", source=DB)
    recording.span(200, 1, "nightly job", 0, 50 * MS)
    recording.span(201, 1, "unfinished", 0, None, kind="SERVER")
    recording.span(202, 1, "batch ranker", 0, 900 * MS, attributes={"infersight.operation": "batch"})
    return recording.write(tmp_path_factory.mktemp("slow") / "store")


@pytest.fixture
def database(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(store) as connection:
        yield connection


def durations(found: Any) -> list[int]:
    return [request.duration_ns // MS for request in found.requests]


def test_requests_are_listed_slowest_first_with_what_their_time_went_to(database: duckdb.DuckDBPyConnection) -> None:
    found = slow(database, limit=3)
    assert durations(found) == [100, 99, 98]
    assert found.considered == 101
    first = found.requests[0]
    assert (first.trace_id, first.service, first.name, first.route) == (trace_id(100), "api", "POST /embed", "/embed")
    assert (first.status_code, first.top, first.top_ns) == ("ERROR", "preprocess", 70 * MS)
    assert first.start_time == "2025-10-09T08:55:00.000000000Z"


def test_a_batch_serves_requests_and_is_none(database: duckdb.DuckDBPyConnection) -> None:
    assert trace_id(202) not in [request.trace_id for request in slow(database, limit=1000).requests]


def test_a_trace_is_one_request_however_many_services_served_it(database: duckdb.DuckDBPyConnection) -> None:
    ids = [request.trace_id for request in slow(database, limit=1000).requests]
    assert len(ids) == len(set(ids)) == 101


def test_a_root_that_serves_nobody_is_a_request_too(database: duckdb.DuckDBPyConnection) -> None:
    assert "nightly job" in {request.name for request in slow(database, limit=1000).requests}


def test_a_service_has_its_own_requests(database: duckdb.DuckDBPyConnection) -> None:
    found = slow(database, service="db", limit=1)
    assert (found.requests[0].name, found.requests[0].duration_ns) == ("serve query", 10 * MS)


def test_a_threshold_is_a_duration_or_a_percentile_of_the_requests_considered(
    database: duckdb.DuckDBPyConnection,
) -> None:
    assert durations(slow(database, over="99ms")) == [100, 99]
    by_share = slow(database, over="p99", service="api", route="/predict")
    assert durations(by_share) == [99]
    assert by_share.considered == 50
    nothing = slow(database, over="1h")
    assert (nothing.requests, nothing.count, nothing.considered) == ([], 0, 101)
    with pytest.raises(AnalysisError, match="p99"):
        slow(database, over="p")


def test_a_window_is_about_when_requests_began(database: duckdb.DuckDBPyConnection) -> None:
    window = Window(T0 + 10 * SECOND, T0 + 12 * SECOND)
    assert durations(slow(database, window=window)) == [11, 10]


def test_a_model_narrows_to_the_requests_that_called_it(database: duckdb.DuckDBPyConnection) -> None:
    assert slow(database, model="none such").requests == []


def test_the_evidence_can_be_queried(database: duckdb.DuckDBPyConnection) -> None:
    found = slow(database, limit=2)
    assert len(database.execute(found.evidence.sql[0]).fetchall()) == 8
    assert found.evidence.trace_ids == [trace_id(100), trace_id(99)]


def test_the_command_prints_json_and_a_table(store: Path, run: Any) -> None:
    answer = run("slow", "--store", store, "--start", "2025-10-09T08:54:58Z", "--limit", "1").json
    assert answer["requests"][0]["duration_ns"] == 100 * MS
    table = run("slow", "--store", store, "--limit", "1", "--format", "table").out
    assert "100 ms" in table
    assert "preprocess 70%" in table
    assert trace_id(100) in table


def test_an_empty_time_is_said_and_is_no_error(store: Path, run: Any) -> None:
    outcome = run("slow", "--store", store, "--last", "1h", "--format", "table")
    assert (outcome.code, outcome.out) == (0, "no requests in this time\n")
