from collections.abc import Generator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.analysis.recording import MS, SECOND, T0, Recording, trace_id

from infersight_analysis import connect
from infersight_analysis.failures.fingerprint import fingerprint, frames_of, location_of, template_of
from infersight_analysis.options import Window
from infersight_analysis.verbs.errors import errors

STACK = """Traceback (most recent call last):
  File "/srv/app/server.py", line {line}, in predict
    return model(tokens)
           ^^^^^^^^^^^^^
  File "/usr/lib/python3.11/site-packages/torch/nn/functional.py", line 2551, in embedding
    return torch.embedding(weight, input)
IndexError: index out of range in self
"""
OUTER = 'Traceback (most recent call last):\n  File "/srv/app/main.py", line 3, in handle\n    predict()\n'


def exception(kind: str, message: str, stack: str | None) -> dict[str, str]:
    facts = {"exception.type": kind, "exception.message": message}
    return facts if stack is None else {**facts, "exception.stacktrace": stack}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    for number in range(1, 4):  # the same exception passes two spans and is logged further out, from moving lines
        at = number * SECOND
        inner = exception("IndexError", "index out of range in self", STACK.format(line=number))
        outer = exception("builtins.IndexError", "index out of range in self", OUTER + STACK.partition("\n")[2])
        route = {"http.route": "/predict", "error.type": "500"}
        recording.span(number, 1, "POST /predict", at, 9 * MS, kind="SERVER", error="", attributes=route)
        recording.span(
            number, 2, "inference", at, 5 * MS, parent=1, error="index", events=[(at + MS, "exception", inner)]
        )
        recording.log(at + 2 * MS, "Exception in ASGI application", trace=number, severity=17, attributes=outer)
    for number in range(10, 12):  # a failed span without an exception, with values in its message
        recording.span(number, 1, "GET /user", number * SECOND, MS, kind="SERVER", error=f"user {number} not found")
    recording.log(50 * SECOND, "cannot open '/data/7.bin' at 0x7f00: retry 3", severity=17)
    recording.log(51 * SECOND, "cannot open '/data/8.bin' at 0x7fff: retry 11", severity=17)
    recording.log(52 * SECOND, "all is well", severity=9)
    return recording.write(tmp_path_factory.mktemp("errors") / "store")


@pytest.fixture
def database(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(store) as connection:
        yield connection


def test_an_exception_is_counted_once_a_trace_however_often_it_was_recorded(
    database: duckdb.DuckDBPyConnection,
) -> None:
    group = errors(database).errors[0]
    assert (group.type, group.count) == ("IndexError", 3)
    assert group.sources == {"span event": 3, "log": 3, "span status": 6}
    assert group.location == "predict (app/server.py)"
    assert (group.services, group.versions, group.routes) == (["api"], ["1.0"], ["/predict"])
    assert group.first_seen == "2025-10-09T08:53:21.001000000Z"
    assert group.examples == [trace_id(3), trace_id(2), trace_id(1)]


def test_values_in_messages_do_not_split_a_group(database: duckdb.DuckDBPyConnection) -> None:
    groups = {group.template: group.count for group in errors(database).errors}
    assert groups == {"index out of range in self": 3, "user * not found": 2, "cannot open * at *: retry *": 2}


def test_a_window_and_a_service_narrow_what_is_counted(database: duckdb.DuckDBPyConnection) -> None:
    late = errors(database, window=Window(T0 + 40 * SECOND, None)).errors
    assert [group.count for group in late] == [2]
    assert errors(database, service="other").errors == []


def test_the_evidence_can_be_queried(database: duckdb.DuckDBPyConnection) -> None:
    evidence = errors(database).evidence
    assert trace_id(3) in evidence.trace_ids
    assert database.execute(evidence.sql[0]).fetchall()


def test_the_command_prints_json_and_text(store: Path, run: Any) -> None:
    answer = run("errors", "--store", store, "--limit", "1").json
    assert answer["errors"][0]["count"] == 3
    text = run("errors", "--store", store, "--format", "table").out
    assert "3 x IndexError" in text
    assert f"infersight investigate {trace_id(3)}" in text
    assert run("errors", "--store", store, "--last", "1h", "--format", "table").out == "no errors in this time\n"


def test_the_place_of_a_python_exception_is_the_innermost_frame_of_the_application() -> None:
    frames = frames_of(STACK.format(line=1))
    assert [frame.function for frame in frames] == ["embedding", "predict"]
    assert str(location_of(frames)) == "predict (app/server.py)"


def test_of_chained_exceptions_the_last_one_raised_counts() -> None:
    chained = STACK.format(line=1) + "\nDuring handling of the above exception, another exception occurred:\n\n" + OUTER
    assert [frame.function for frame in frames_of(chained)] == ["handle"]


@pytest.mark.parametrize(
    ("stack", "functions"),
    [
        ("java.lang.IllegalStateException: x\n\tat com.a.B.run(B.java:7)\n\tat com.a.Main.main(Main.java:3)\n",
         ["com.a.B.run", "com.a.Main.main"]),
        ("TypeError: x is null\n    at load (/srv/app.js:10:5)\n    at Object.<anonymous> (/srv/index.js:1:1)\n",
         ["load", "Object.<anonymous>"]),
        ("goroutine 1 [running]:\nmain.load(0x1, 0x2)\n\t/srv/main.go:12 +0x1d\nmain.main()\n\t/srv/main.go:5 +0x20\n",
         ["main.load", "main.main"]),
        (None, []),
        ("not a stack at all", []),
    ],
)  # fmt: skip
def test_frames_of_other_languages_are_read_innermost_first(stack: str | None, functions: list[str]) -> None:
    assert [frame.function for frame in frames_of(stack)] == functions


def test_a_fault_keeps_its_fingerprint_when_lines_move_and_loses_it_when_the_code_differs() -> None:
    one, moved = (fingerprint("IndexError", "m", frames_of(STACK.format(line=line))) for line in (1, 99))
    elsewhere = fingerprint("IndexError", "m", frames_of(STACK.format(line=1).replace("in predict", "in embed")))
    assert one == moved
    assert one != elsewhere


@pytest.mark.parametrize(
    ("message", "template"),
    [
        ("timeout after 30.5 s for 'alice'", "timeout after * s for *"),
        ("no row 9b2dd0f0-0000-4000-8000-000000000000", "no row *"),
        ("trace 4bf92f3577b34da6a3ce929d0e0e4736 at 10.0.0.1:8080", "trace * at *"),
        ("a deadbeef face", "a deadbeef face"),
        ("first line\nsecond 7", "first line"),
    ],
)
def test_a_template_has_no_values(message: str, template: str) -> None:
    assert template_of(message) == template
