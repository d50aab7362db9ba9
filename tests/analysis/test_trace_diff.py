"""Two requests side by side."""

from collections.abc import Generator
from pathlib import Path

import duckdb
import pytest
from tests.analysis.conftest import Run
from tests.analysis.recording import MS, Recording, trace_id

from infersight_analysis import connect
from infersight_analysis.findings import PathDifference
from infersight_analysis.verbs.trace_diff import trace_diff

A, B = trace_id(1), trace_id(2)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A looks one row up and answers from a cache; B looks three rows up and calls the model."""
    recording = Recording()
    recording.span(1, 1, "POST /predict", 0, 20 * MS, kind="SERVER")
    recording.span(1, 2, "load user", 1 * MS, 5 * MS, parent=1)
    recording.span(1, 3, "select", 2 * MS, 3 * MS, parent=2, kind="CLIENT")
    recording.span(1, 4, "cache", 7 * MS, 2 * MS, parent=1)
    recording.span(2, 1, "POST /predict", 0, 70 * MS, kind="SERVER")
    recording.span(2, 2, "load user", 1 * MS, 15 * MS, parent=1)
    for number in range(3):
        recording.span(2, 10 + number, "select", (2 + 4 * number) * MS, 4 * MS, parent=2, kind="CLIENT")
    recording.span(2, 5, "forward", 20 * MS, 45 * MS, parent=1)
    return recording.write(tmp_path_factory.mktemp("diff") / "store")


@pytest.fixture
def database(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(store) as connection:
        yield connection


@pytest.fixture
def paths(database: duckdb.DuckDBPyConnection) -> dict[str, PathDifference]:
    return {" > ".join(path.path): path for path in trace_diff(database, A, B).paths}


def test_calls_are_matched_by_where_they_were_called_from(paths: dict[str, PathDifference]) -> None:
    counts = {name: (path.count_a, path.count_b) for name, path in paths.items()}
    assert counts == {
        "POST /predict": (1, 1),
        "POST /predict > load user": (1, 1),
        "POST /predict > load user > select": (1, 3),
        "POST /predict > cache": (1, 0),
        "POST /predict > forward": (0, 1),
    }


def test_the_differences_on_the_critical_path_sum_to_that_of_the_requests(
    database: duckdb.DuckDBPyConnection, paths: dict[str, PathDifference]
) -> None:
    found = trace_diff(database, A, B)
    assert found.difference_ns == 50 * MS
    assert sum(path.difference_ns for path in found.paths) == 50 * MS
    assert paths["POST /predict > forward"].difference_ns == 45 * MS
    select = paths["POST /predict > load user > select"]
    assert (select.self_a_ns, select.self_b_ns, select.duration_b_ns) == (3 * MS, 12 * MS, 12 * MS)
    assert paths["POST /predict > cache"].difference_ns == -2 * MS


def test_a_trace_is_no_different_from_itself(database: duckdb.DuckDBPyConnection) -> None:
    found = trace_diff(database, A, A)
    assert {path.difference_ns for path in found.paths} == {0}
    assert found.difference_ns == 0


def test_the_command_says_what_made_the_difference(store: Path, run: Run) -> None:
    shown = run("trace-diff", A, B, "--store", store, "--format", "table")
    assert shown.code == 0
    first = " ".join(shown.out.split())
    assert first.startswith("B took 50.0 ms longer than A (70.0 ms and 20.0 ms): +45.0 ms in forward (only in B), ")
    assert "+9.00 ms in select (3 calls, 1 in A)" in first
    found = run("trace-diff", A, B, "--store", store).json
    assert found["evidence"]["trace_ids"] == [A, B]
    assert found["paths"][0]["name"] == "POST /predict"


def test_a_trace_that_is_not_there_is_said(store: Path, run: Run) -> None:
    outcome = run("trace-diff", A, "ffff", "--store", store)
    assert (outcome.code, outcome.err) == (2, "no trace in this store begins with ffff; `infersight slow` lists some\n")
