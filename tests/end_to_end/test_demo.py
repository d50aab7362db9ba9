"""The demo, run once as a newcomer runs it: real server, real faults, real collector; then its store is questioned."""

import json
import shlex
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from infersight_analysis import connect

REQUESTS = 200
PREDICTIONS = "kind = 'SERVER' and attributes['http.route'] = '/predict'"
INFERSIGHT = str(Path(sys.executable).with_name("infersight"))


@dataclass(frozen=True)
class Recording:
    """What one run of the demo left behind."""

    folder: Path
    output: str

    @property
    def store(self) -> Path:
        return self.folder / "infersight-demo" / "store-1"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    folder = tmp_path_factory.mktemp("demo")
    command = [INFERSIGHT, "demo", "--requests", str(REQUESTS)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    return Recording(folder, result.stdout)


@pytest.fixture
def database(recording: Recording) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(recording.store) as connection:
        yield connection


def verb(recording: Recording, *arguments: str) -> dict[str, Any]:
    command = [INFERSIGHT, *arguments, "--store", str(recording.store), "--format", "json"]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def slowest(recording: Recording, kind: str) -> str:
    """The slowest request whose preprocessing was given a document of this kind."""
    query = (
        "select trace_id from spans join traces using (trace_id) "
        f"where name = 'preprocess' and attributes['document.kind'] = '{kind}' order by traces.duration_ns desc limit 1"
    )
    with connect(recording.store) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return str(row[0])


def test_every_request_left_its_server_span(database: duckdb.DuckDBPyConnection) -> None:
    query = f"select count(*), count(distinct trace_id) from spans where {PREDICTIONS}"
    assert database.execute(query).fetchone() == (REQUESTS, REQUESTS)


def test_in_both_workers_one_trace_id_is_on_spans_logs_and_exemplars(database: duckdb.DuckDBPyConnection) -> None:
    query = """
        select service_instance_id, count(distinct trace_id) as requests
        from spans
        where trace_id in (select trace_id from logs where body like 'classified%')
          and trace_id in (select trace_id from exemplars where metric_name = 'infersight.batch.queue.duration')
        group by all
    """
    found = database.execute(query).fetchall()
    assert len(found) == 2
    assert all(requests > 0 for _, requests in found)


def test_every_log_record_of_a_request_has_its_trace_id(database: duckdb.DuckDBPyConnection) -> None:
    query = "select count(*), count(distinct trace_id) from logs where body like 'classified%'"
    succeeded = f"select count(*) from spans where {PREDICTIONS} and attributes['http.response.status_code'] = 200"
    total = database.execute(succeeded).fetchone()
    assert total is not None
    assert database.execute(query).fetchone() == (total[0], total[0])


def test_the_large_document_is_explained_by_its_preprocessing(recording: Recording) -> None:
    answer = verb(recording, "investigate", slowest(recording, "html"))
    assert sum(piece["self_ns"] for piece in answer["breakdown"]) == answer["total_ns"]
    largest = max(answer["breakdown"], key=lambda piece: piece["excess_ns"] or 0)
    assert largest["name"] == "preprocess"
    assert largest["self_ns"] > answer["total_ns"] / 2
    assert "preprocess" in answer["summary"]
    assert answer["hypotheses"][0]["evidence"]
    assert answer["logs"]
    assert answer["metrics"]


def test_a_short_text_that_was_padded_to_a_long_one_waited_for_its_batch(recording: Recording) -> None:
    query = """
        select batched.trace_id
        from spans as batched join spans as queue using (trace_id)
        where batched.name = 'batched sentiment' and queue.name = 'queue'
          and batched.attributes['infersight.batch.largest.size'] = 512
          and batched.attributes['infersight.batch.item.size'] < 256
        order by batched.duration_ns - queue.duration_ns desc limit 1
    """
    with connect(recording.store) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    answer = verb(recording, "investigate", str(row[0]))
    assert {"queue", "batched sentiment"} <= {piece["name"] for piece in answer["breakdown"]}
    assert sum(piece["self_ns"] for piece in answer["breakdown"]) == answer["total_ns"]
    largest = max(answer["breakdown"], key=lambda piece: piece["excess_ns"] or 0)
    assert largest["name"] == "batched sentiment"
    assert largest["percentile"] > 80


def test_a_batch_is_linked_with_all_of_its_requests(database: duckdb.DuckDBPyConnection) -> None:
    query = "select count(*), count(distinct linked_trace_id) from span_links where span_name = 'batch sentiment'"
    classified = database.execute("select count(*) from spans where name = 'batched sentiment'").fetchone()
    assert classified is not None
    assert database.execute(query).fetchone() == (classified[0], classified[0])


def test_the_blocked_event_loop_is_named_with_the_function_that_blocked_it(recording: Recording) -> None:
    blocking = "select trace_id from spans where name = 'profile' order by duration_ns desc limit 1"
    with connect(recording.store) as connection:
        row = connection.execute(blocking).fetchone()
    assert row is not None
    answer = verb(recording, "investigate", str(row[0]))
    first = answer["hypotheses"][0]
    assert first["cause"] == "blocked_event_loop"
    assert "load_profile" in first["statement"]


def test_the_errors_are_one_group_with_its_exception_and_examples(recording: Recording) -> None:
    groups = verb(recording, "errors")["errors"]
    assert len(groups) == 1
    assert groups[0]["type"] == "IndexError"
    assert groups[0]["count"] > 0
    assert groups[0]["examples"]


def test_the_commands_that_the_demo_prints_work_as_printed(recording: Recording) -> None:
    printed = recording.output.split("Try next")[1].splitlines()[1:]
    commands = [line for line in printed if line.strip()]
    assert len(commands) >= 3
    for line in commands:
        result = subprocess.run(
            shlex.split(line, comments=True), check=False, capture_output=True, text=True, cwd=recording.folder
        )
        assert result.returncode == 0, line + result.stderr
        assert result.stdout.strip()
