"""`error_groups`: failures as `infersight errors` counts them, un-biased by their weights."""

import random
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.analysis.recording import SECOND, Recording, Source, trace_id

from infersight_analysis import connect
from infersight_analysis.failures.failures import failures, read_records
from infersight_analysis.failures.fingerprint import template_of
from infersight_analysis.options import Window
from infersight_collector.store.writer import Store

MODEL: Source = ("model", "model-1", "2.0")


def asked(recording: Recording, query: str, path: Path) -> list[tuple[Any, ...]]:
    with connect(recording.write(path / "store")) as connection:
        return connection.execute(query).fetchall()


def exception(kind: str, message: str, weight: float | None = None) -> dict[str, Any]:
    weighing = {} if weight is None else {"infersight.sample.weight": weight}
    return {"exception.type": kind, "exception.message": message, **weighing}


def test_an_exception_that_was_recorded_five_times_is_one_failure(tmp_path: Path) -> None:
    recording = Recording()
    event = (2 * SECOND, "exception", exception("builtins.ValueError", "shape 3 is not 4"))
    recording.span(1, 1, "POST", 0, 9 * SECOND, error="internal")
    recording.span(1, 2, "infer", SECOND, 2 * SECOND, parent=1, source=MODEL, error="shape", events=[event])
    recording.log(3 * SECOND, "it failed", trace=1, severity=17, attributes=exception("ValueError", "shape 3 is not 4"))
    recording.log(4 * SECOND, "request failed", trace=1, severity=17)
    query = "select type, template, count, seen, services, versions, epoch(first_seen) - 1760000000, last_trace_id"
    assert asked(recording, f"{query} from error_groups()", tmp_path) == [
        ("builtins.ValueError", "shape * is not *", 1, 1, ["model"], ["2.0"], 2, trace_id(1))
    ]


def test_groups_differ_by_type_and_text_but_not_by_values(tmp_path: Path) -> None:
    recording = Recording()
    for number, (kind, message) in enumerate(
        [("KeyError", "'a'"), ("KeyError", "'b'"), ("ValueError", "'a'"), ("TimeoutError", "after 3.5 s")]
    ):
        recording.log(number * SECOND, "", severity=17, attributes=exception(kind, message))
    query = "select type, template, seen, last_message from error_groups() order by type"
    assert asked(recording, query, tmp_path) == [
        ("KeyError", "*", 2, "'b'"),
        ("TimeoutError", "after * s", 1, "after 3.5 s"),
        ("ValueError", "*", 1, "'a'"),
    ]


def test_a_window_and_a_service_narrow_what_is_counted(tmp_path: Path) -> None:
    recording = Recording()
    for hour in range(3):
        recording.log(hour * 3600 * SECOND, "failed", severity=17, source=MODEL if hour == 2 else ("api", "1", None))
    with connect(recording.write(tmp_path / "store")) as connection:
        for arguments, expected in {"": 3, "last := '90m'": 2, "'api'": 2, "'api', '90m'": 1}.items():
            found = connection.execute(f"select seen from error_groups({arguments})").fetchall()
            assert found == [(expected,)], arguments


def test_failures_of_sampled_and_of_unsampled_requests_are_each_counted_once(tmp_path: Path) -> None:
    """Of 100 failing requests ten were sampled and weigh ten; the error log of all of them was kept and weighs one."""
    recording = Recording()
    for number in range(1, 101):
        recording.log(number * SECOND, "failed", trace=number, severity=17)
        if number <= 10:
            weight = {"infersight.sample.weight": 10.0}
            recording.span(number, 1, "POST", number * SECOND, SECOND, error="failed", attributes=weight)
    assert asked(recording, "select count, seen from error_groups()", tmp_path) == [(100, 100)]


def test_failures_that_only_sampled_spans_tell_count_as_many_as_those_stand_for(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 11):
        event = (number * SECOND, "exception", exception("ValueError", f"no {number}"))
        weight = {"infersight.sample.weight": 10.0}
        recording.span(number, 1, "POST", number * SECOND, SECOND, error="no", attributes=weight, events=[event])
    assert asked(recording, "select template, count, seen from error_groups()", tmp_path) == [("no *", 100, 10)]


def test_random_failures_are_counted_as_infersight_errors_counts_them(tmp_path: Path) -> None:
    random_ = random.Random(3)
    recording = Recording()
    for number in range(1, 1500):
        trace = random_.choice([None, random_.randint(1, 300)])
        kind = random_.choice(["ValueError", "builtins.ValueError", "torch.OutOfMemoryError", None])
        message = random_.choice(["bad value", f"bad value {number}", "out of memory: tried 'x'", ""])
        facts = {} if kind is None else exception(kind, message)
        if random_.random() < 0.5 and trace is not None:
            events = [(number * SECOND, "exception", facts)] if facts and random_.random() < 0.7 else []
            error = random_.choice([None, message, f"failed {number}"])
            recording.span(trace, number, "op", number * SECOND, SECOND, error=error, events=events)
        else:
            recording.log(number * SECOND, message, trace=trace, severity=random_.choice([9, 17]), attributes=facts)
    with connect(recording.write(tmp_path / "store")) as connection:
        query = "select regexp_extract(type, '[^.]*$'), template, seen from error_groups()"
        found = {(kind, template): seen for kind, template, seen in connection.execute(query).fetchall()}
        records = read_records(connection, Window(), None)
    expected = Counter(
        ((failure.first.type or "error").rpartition(".")[2], template_of(failure.first.message))
        for failure in failures(records)
    )
    assert found == expected
    assert len(found) > 5


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Generator[duckdb.DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("empty") / "store"
    Store.open(path)
    with connect(path, threads=1) as connection:
        yield connection


def template(database: duckdb.DuckDBPyConnection, message: str) -> str:
    row = database.execute("select stored.message_template($message)", {"message": message}).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize(
    "message",
    [
        "user 17 of 'acme' at 0x7f3a, 3.5e-7 s",
        "(0x1f) [10.0.0.1:4317] -5 a-5 a5 v2 1/2",
        "id 0af7651916cd43dd8448eb211c80319c and 123e4567-e89b-12d3-a456-426614174000",
        "  first line 1\nsecond line 2",
        'expected "float32", can\'t use 5 of them',
        "2 == 2, 1,000,000",
    ],
)
def test_templates_are_those_of_infersight_errors(message: str, database: duckdb.DuckDBPyConnection) -> None:
    assert template(database, message) == template_of(message)


WORDS = st.sampled_from(
    [
        "shape",
        "0x1f",
        "17",
        "-3.5",
        "'a b'",
        '"x 1"',
        "a1",
        "1a",
        "user=5",
        "(8,",
        "16)",
        "1e-9",
        "deadbeef1234",
        "..",
        "é5",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, max_size=8))
def test_templates_of_random_words_agree(database: duckdb.DuckDBPyConnection, words: list[str]) -> None:
    message = " ".join(words)
    assert template(database, message) == template_of(message)
