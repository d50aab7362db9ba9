"""The telemetry that benchmarks measure with is what they say it is."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import json
from collections.abc import Callable
from statistics import mean
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from tests.benchmarks.telemetry import day

Ask = Callable[[str], list[tuple[Any, ...]]]

SPANS = 24_000


@pytest.fixture(scope="module")
def ask() -> Ask:
    """Runs SQL over a small day."""
    parts: dict[str, list[pa.Table]] = {}
    for tables in day(SPANS):
        for name, rows in tables.items():
            parts.setdefault(name, []).append(rows)
    connection = duckdb.connect()
    for name, rows in parts.items():
        connection.register(name, pa.concat_tables(rows, promote_options="permissive"))
    return lambda sql: connection.execute(sql).fetchall()


def test_the_same_seed_makes_the_same_day_and_another_one_another() -> None:
    first, again, other = (next(day(SPANS, seed)) for seed in (1, 1, 2))
    assert all(first[name].equals(again[name]) for name in first)
    assert first["spans"]["trace_id"][0] != other["spans"]["trace_id"][0]


def test_traces_of_3_to_40_spans_cross_twelve_services(ask: Ask) -> None:
    ((spans, services),) = ask("select count(*), count(distinct service_name) from spans")
    assert spans == pytest.approx(SPANS, rel=0.1)
    assert services == 12
    ((least, most),) = ask("select min(n), max(n) from (select count(*) as n from spans group by trace_id)")
    assert least >= 3
    assert most <= 40


def test_a_span_lies_within_its_parent_and_calls_are_served_by_another_service(ask: Ask) -> None:
    pairs = "spans as child join spans as parent on child.parent_span_id = parent.span_id"
    outside = "child.start_time_ns < parent.start_time_ns or child.end_time_ns > parent.end_time_ns"
    assert ask(f"select count(*) from {pairs} where child.trace_id <> parent.trace_id or {outside}") == [(0,)]
    served = "child.kind = 'SERVER' and parent.kind = 'CLIENT' and child.service_name <> parent.service_name"
    ((calls,),) = ask(f"select count(*) from {pairs} where {served}")
    assert ask("select count(*) from spans where kind = 'SERVER' and parent_span_id is not null") == [(calls,)]


def test_spans_have_some_15_attributes_a_random_id_and_three_versions_of_models(ask: Ask) -> None:
    shown = ask("select to_json(attributes) from spans using sample 500 rows (reservoir, 1)")
    given = [sum(value is not None for value in json.loads(row[0]).values()) for row in shown]
    assert 13 <= mean(given) <= 17
    ((ids, spans),) = ask("select count(distinct span_id), count(*) from spans")
    assert ids == spans
    ((versions,),) = ask("select count(distinct service_version) from spans where service_name = 'ranker'")
    assert versions == 3


def test_half_as_many_logs_half_of_them_about_a_span(ask: Ask) -> None:
    ((logs, traced),) = ask("select count(*), count(trace_id) from logs")
    assert logs == pytest.approx(SPANS / 2, rel=0.1)
    assert traced == pytest.approx(logs / 2, rel=0.1)
    assert ask("select count(*) from logs anti join spans using (trace_id, span_id) where trace_id is not null") == [
        (0,)
    ]


def test_a_failed_request_has_an_exception_where_it_began(ask: Ask) -> None:
    ((failed,),) = ask("select count(distinct trace_id) from spans where status_code = 'ERROR'")
    ((raised,),) = ask("select count(*) from spans where len(events) > 0")
    assert failed == raised > 0


def test_every_process_reports_each_kind_of_metric_each_15_seconds(ask: Ask) -> None:
    kinds = {row[0] for row in ask("select distinct type from metrics")}
    assert kinds == {"gauge", "sum", "histogram", "exponential_histogram"}
    series = "select count(*) as n from metrics where name = 'process.memory.usage' group by host"
    hosts = "(select *, service_name || time_ns % 15000000000 as host from metrics)"
    assert {row[0] for row in ask(series.replace("from metrics", f"from {hosts}"))} == {24 * 240}


def test_cumulative_points_never_fall(ask: Ask) -> None:
    points = """
        select count - lag(count) over (
            partition by service_name, time_ns % 15000000000, attributes order by time_ns) as more
        from metrics
        where type = 'histogram'
    """
    ((least,),) = ask(f"select min(more) from ({points})")
    assert least >= 0
