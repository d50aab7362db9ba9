"""Queries: client spans with the names of the database conventions."""

import time

import pytest
from opentelemetry.trace import SpanKind, StatusCode

import infersight
from infersight import testing


def test_a_query_is_a_client_span_with_the_names_of_the_convention() -> None:
    with (
        testing.capture() as captured,
        infersight.stage("request"),
        infersight.query(
            "SELECT users",
            statement="SELECT * FROM users WHERE id = 17",
            system="postgresql",
            operation="SELECT",
            rows=1,
        ) as query,
    ):
        query.set(cached=True)
    span = captured.span("SELECT users")
    assert span.kind is SpanKind.CLIENT
    assert span.parent == captured.span("request").context
    assert dict(span.attributes or {}) == {
        "infersight.operation": "query",
        "infersight.cpu.duration": 0.001,
        "db.query.summary": "SELECT users",
        "db.query.text": "SELECT * FROM users WHERE id = ?",
        "db.system.name": "postgresql",
        "db.operation.name": "SELECT",
        "rows": 1,
        "cached": True,
    }


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("WHERE name = 'O''Brien' AND x = 1.5e3", "WHERE name = ?? AND x = ?"),
        ("WHERE name = 'never closed and 1", "WHERE name = ?"),
        ("SELECT t1.c2, $1, :2 FROM s3.t", "SELECT t1.c2, $1, :2 FROM s3.t"),
        ("LIMIT 10 OFFSET 0x1F", "LIMIT ? OFFSET ?"),
    ],
)
def test_values_in_a_statement_are_not_sent(statement: str, text: str) -> None:
    with testing.capture() as captured, infersight.query("q", statement=statement):
        pass
    assert (captured.span("q").attributes or {})["db.query.text"] == text


@pytest.mark.parametrize("hostile", ["'" * 1_000_000, "''x" * 300_000, "1." * 500_000, "1" * 1_000_000])
def test_a_hostile_statement_takes_bounded_time(hostile: str) -> None:
    began = time.perf_counter()
    with testing.capture() as captured, infersight.query("q", statement=hostile):
        pass
    assert time.perf_counter() - began < 1
    assert len(str((captured.span("q").attributes or {})["db.query.text"])) <= 4096


def test_a_failed_query_fails_its_span_and_passes() -> None:
    with testing.capture() as captured, pytest.raises(TimeoutError), infersight.query("GET user"):
        raise TimeoutError
    assert captured.span("GET user").status.status_code is StatusCode.ERROR


def test_without_configure_the_block_runs() -> None:
    with infersight.query("GET user", statement="x", system="redis"):
        pass
