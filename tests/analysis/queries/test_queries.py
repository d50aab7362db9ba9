# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# (pyarrow and the instrumentation of SQLAlchemy publish no types)
"""`infersight queries`: what requests ask of databases, and wait for."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import create_engine, text
from tests.analysis.conftest import Run
from tests.analysis.recording import MS, SECOND, Recording, trace_id
from tests.support.pages import examples

from infersight_analysis import connect
from infersight_analysis.findings import DatabaseQueries
from infersight_analysis.queries.queries import queries
from infersight_analysis.stats.weighted import weighted_quantiles
from infersight_collector.decode import decode
from infersight_collector.signals import Signal
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

ITEMS = {"db.system.name": "postgresql", "db.query.text": "SELECT * FROM items WHERE id = ?"}
ORDERS = {"db.system.name": "postgresql", "db.query.text": "SELECT * FROM orders", "db.query.summary": "SELECT orders"}


class Shop:
    """Requests of 100 ms, each with its queries."""

    def __init__(self) -> None:
        self.recording = Recording()
        self._spans: dict[int, int] = {}

    def request(self, number: int, route: str = "/orders", trace_state: str = "") -> None:
        self._spans[number] = 1
        facts = {"http.route": route}
        start = number * SECOND
        self.recording.span(
            number, 1, f"GET {route}", start, 100 * MS, kind="SERVER", attributes=facts, trace_state=trace_state
        )

    def below(self, number: int, start_ms: float, length_ms: float, attributes: Mapping[str, Any], **more: Any) -> int:
        """A span below the request, or below `parent`; a query where its attributes say so. Gives its number."""
        self._spans[number] += 1
        span, start = self._spans[number], number * SECOND + int(start_ms * MS)
        facts: dict[str, Any] = {"kind": "CLIENT", "name": "query", "parent": 1, **more}
        self.recording.span(number, span, facts.pop("name"), start, int(length_ms * MS), attributes=attributes, **facts)
        return span

    def found(self, path: Path, **arguments: Any) -> DatabaseQueries:
        with connect(self.recording.write(path / "store")) as connection:
            return queries(connection, **arguments)


def test_calls_of_a_statement_are_counted_and_their_quantiles_interpolated(tmp_path: Path) -> None:
    shop = Shop()
    lengths = [1 + 0.5 * number for number in range(20)]
    for number, length in enumerate(lengths, 1):
        shop.request(number)
        shop.below(number, 1, length, ITEMS, error="no" if number == 3 else None)
        shop.below(number, 50, 2, ORDERS)
    found = shop.found(tmp_path)
    items, orders = found.statements
    assert (found.requests, found.calls) == (20, 40)
    assert (items.statement, items.system, items.service) == ("SELECT * FROM items WHERE id = ?", "postgresql", "api")
    assert (items.calls, items.recorded, items.failed, items.requests, items.per_request) == (20, 20, 1, 20, 1)
    expected = np.quantile(np.array(lengths) * MS, [0.5, 0.95, 0.99])
    assert [items.p50_ns, items.p95_ns, items.p99_ns] == pytest.approx(expected.tolist())
    assert items.mean_ns == pytest.approx(float(np.mean(lengths)) * MS)
    assert items.max_ns == int(max(lengths) * MS)
    assert items.examples[0] == trace_id(20)
    assert (orders.summary, orders.p99_ns) == ("SELECT orders", 2 * MS)
    assert found.share == pytest.approx((sum(lengths) + 40) / 2_000)


def test_queries_beside_each_other_or_beside_other_work_are_waited_for_once(tmp_path: Path) -> None:
    shop = Shop()
    shop.request(1)
    shop.below(1, 0, 40, ITEMS)
    shop.below(1, 10, 40, ITEMS)  # of both together 50 ms
    shop.below(1, 60, 10, ORDERS)  # beside a longer piece of work
    shop.below(1, 55, 40, {}, kind="INTERNAL")
    found = shop.found(tmp_path)
    waited = {each.statement: each.waited_ns for each in found.statements}
    assert waited == {ITEMS["db.query.text"]: 50 * MS, ORDERS["db.query.text"]: 0}
    assert found.share == pytest.approx(0.5)


def test_what_a_driver_does_for_a_library_is_the_librarys_query(tmp_path: Path) -> None:
    shop = Shop()
    shop.request(1)
    outer = shop.below(1, 10, 20, ITEMS)
    inner = shop.below(1, 11, 18, ITEMS, parent=outer)
    shop.below(1, 12, 16, {}, parent=inner, kind="SERVER", source=("postgres", "db-1", None))
    (statement,) = shop.found(tmp_path).statements
    assert (statement.calls, statement.waited_ns) == (1, 20 * MS)


def test_former_names_and_the_sdks_own_queries_are_queries_and_nothing_else_is(tmp_path: Path) -> None:
    shop = Shop()
    shop.request(1)
    shop.below(1, 0, 1, {"db.system": "mysql", "db.statement": "SELECT 'x'  FROM a"})
    shop.below(1, 2, 1, {"infersight.operation": "query", "db.query.summary": "SEARCH vectors"})
    shop.below(1, 4, 1, {"db.system": "redis", "db.operation": "HGET", "db.sql.table": "users"})
    shop.below(1, 6, 1, {"db.system.name": "sqlite"}, name="connect")
    shop.below(1, 8, 1, {"http.request.method": "GET"})
    shop.below(1, 10, 1, {"infersight.operation": "stage"}, kind="INTERNAL")
    found = {(each.system, each.statement) for each in shop.found(tmp_path).statements}
    expected = {("mysql", "SELECT ? FROM a"), (None, "SEARCH vectors"), ("redis", "HGET users"), ("sqlite", "connect")}
    assert found == expected


def test_a_statement_made_again_and_again_from_one_place_is_n_plus_1(tmp_path: Path) -> None:
    shop = Shop()
    for number in range(1, 11):
        shop.request(number)
        load = shop.below(number, 0, 90, {}, kind="INTERNAL", name="load")
        for place in range(12 if number <= 4 else 9):
            text_ = f"SELECT * FROM items WHERE id = {100 * number + place} /* trace {number} */"
            shop.below(number, 5 * place, 2, {"db.system": "postgresql", "db.statement": text_}, parent=load)
    found = shop.found(tmp_path)
    assert len(found.statements) == 1
    (repeated,) = found.repeated
    assert (repeated.statement, repeated.route, repeated.parent) == (ITEMS["db.query.text"], "/orders", "load")
    assert (repeated.requests, repeated.share, repeated.median_calls, repeated.most_calls) == (4, 0.4, 12, 12)
    assert repeated.waited_ns == 24 * MS
    assert set(repeated.examples) <= {trace_id(number) for number in range(1, 5)}
    assert found.evidence.trace_ids[0] in repeated.examples


def test_calls_from_several_places_are_not_added_up(tmp_path: Path) -> None:
    shop = Shop()
    shop.request(1)
    for place in range(3):
        part = shop.below(1, 30 * place, 29, {}, kind="INTERNAL", name=f"part {place}")
        for call in range(5):
            shop.below(1, 30 * place + call, 1, ITEMS, parent=part)
    assert shop.found(tmp_path).repeated == []
    with connect(tmp_path / "store") as connection:
        assert len(queries(connection, repeated=5).repeated) == 3


def test_routes_are_listed_by_how_much_they_ask(tmp_path: Path) -> None:
    shop = Shop()
    for number in range(1, 41):
        is_chatty = number % 2 == 0
        shop.request(number, "/chatty" if is_chatty else "/quiet")
        for place in range(number % 8 + 1 if is_chatty else 1):
            shop.below(number, place, 1, ITEMS if place % 2 else ORDERS)
    for number in range(41, 51):
        shop.request(number, "/none")
    chatty, quiet = shop.found(tmp_path).routes
    assert (chatty.route, quiet.route, chatty.requests) == ("/chatty", "/quiet", 20)
    assert (chatty.mean_calls, chatty.p50_calls, chatty.most_calls, chatty.statements) == (4, 4, 7, 2)
    assert chatty.waited_ns == 4 * MS
    assert chatty.share == pytest.approx(0.04)
    assert (quiet.mean_calls, quiet.most_calls) == (1, 1)


def test_the_slowest_calls_are_named_with_their_span(tmp_path: Path) -> None:
    shop = Shop()
    spans: dict[int, int] = {}
    for number in range(1, 6):
        shop.request(number)
        spans[number] = shop.below(number, 10, 10 * number, ITEMS, error="no" if number == 5 else None)
    slow = shop.found(tmp_path, limit=2).slow
    assert [(each.trace_id, each.duration_ns, each.failed) for each in slow] == [
        (trace_id(5), 50 * MS, True),
        (trace_id(4), 40 * MS, False),
    ]
    assert [each.span_id for each in slow] == [f"{spans[5]:016x}", f"{spans[4]:016x}"]
    assert slow[0].start_time == "2025-10-09T08:53:25.010000000Z"


def test_the_evidence_runs_as_it_is(tmp_path: Path, run: Run) -> None:
    shop = Shop()
    shop.request(1)
    for _ in range(3):
        shop.below(1, 1, 2, ITEMS)
    found = shop.found(tmp_path)
    (row,) = run("sql", found.evidence.sql[0], "--store", tmp_path / "store").json
    assert (row["statement"], row["recorded"], row["max_ns"]) == (ITEMS["db.query.text"], 3, 2 * MS)


def test_a_sampled_request_counts_for_all_that_it_stands_for(tmp_path: Path) -> None:
    shop = Shop()
    for number, length in ((1, 10), (2, 30)):
        one_in_four = "ot=th:c" if number == 2 else ""
        shop.request(number, trace_state=one_in_four)
        shop.below(number, 1, length, ITEMS, trace_state=one_in_four)
    found = shop.found(tmp_path)
    (statement,) = found.statements
    assert (found.requests, statement.calls, statement.recorded, statement.requests) == (5, 5, 2, 5)
    assert (statement.mean_ns, statement.p50_ns) == (26 * MS, 30 * MS)
    assert found.share == pytest.approx((10 + 4 * 30) / 500)
    assert (found.routes[0].requests, found.routes[0].mean_calls) == (5, 1)


def test_no_requests_need_more_data_and_requests_without_queries_are_an_answer(tmp_path: Path, run: Run) -> None:
    shop = Shop()
    shop.request(1)
    store = shop.recording.write(tmp_path / "store")
    outcome = run("queries", "--store", store)
    assert (outcome.code, outcome.json["requests"], outcome.json["statements"]) == (0, 1, [])
    assert run("queries", "--store", store, "--format", "table").out == "1 requests, 0 queries\n"
    outcome = run("queries", "--store", store, "--route", "/other")
    assert (outcome.code, outcome.json["requests"]) == (3, 0)


def test_only_requests_of_a_service_and_a_route_count(tmp_path: Path) -> None:
    shop = Shop()
    for number, route in ((1, "/orders"), (2, "/items")):
        shop.request(number, route)
        shop.below(number, 1, 1, ITEMS)
    assert shop.found(tmp_path, route="/items").calls == 1
    with connect(tmp_path / "store") as connection:
        assert queries(connection, service="api").calls == 2
        assert queries(connection, service="web").calls == 0


def test_real_statements_of_sqlalchemy_are_found_with_their_n_plus_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web handler as it is written by mistake: the orders, then the items of each order by a query of its own."""
    # The first instrumentation of a process fixes the names of all that follow, other tests' too.
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http,database")
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    engine = create_engine("sqlite://")
    instrumentor = SQLAlchemyInstrumentor()
    instrumentor.instrument(engine=engine, tracer_provider=provider)
    with engine.connect() as connection, provider.get_tracer("test").start_as_current_span("GET /orders"):
        connection.execute(text("create table items (order_id integer, name text)"))
        for number in range(12):
            connection.execute(text(f"select name from items where order_id = {number}")).fetchall()
            connection.execute(text("select :value"), {"value": number}).fetchall()
    instrumentor.uninstrument()
    engine.dispose()
    request = encode_spans(exporter.get_finished_spans()).SerializeToString()
    Store.open(tmp_path / "store").write(decode(Signal.TRACES, request), Origin("test", 1))
    with connect(tmp_path / "store") as opened:
        found = queries(opened)
    calls = {each.statement: each.calls for each in found.statements}
    assert calls["select name from items where order_id = ?"] == 12
    assert {(each.statement, each.median_calls, each.parent) for each in found.repeated} == {
        ("select name from items where order_id = ?", 12, "GET /orders"),
        ("select ?", 12, "GET /orders"),
    }
    assert {each.system for each in found.statements} == {"sqlite"}
    assert 0 < found.share <= 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 5)), min_size=1, max_size=20), st.floats(0, 1))
def test_weighted_quantiles_are_those_of_the_repeated_values(values: list[tuple[int, int]], share: float) -> None:
    numbers, weights = np.array(values, np.float64).T
    (found,) = weighted_quantiles(numbers, weights, [share])
    assert found == pytest.approx(float(np.quantile(np.repeat(numbers, weights.astype(int)), share)), abs=1e-6)


PAGE = Path(__file__).parents[3] / "analysis" / "docs" / "queries.md"


@pytest.mark.parametrize("line", [line for block in examples(PAGE, "sh") for line in block.splitlines()])
def test_every_example_of_the_page_works(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    shop = Shop()
    shop.request(1)
    shop.below(1, 1, 2, ITEMS)
    shop.recording.write(tmp_path / "infersight-store")
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)
    assert words[0] == "infersight"
    assert run(*words[1:]).code in {0, 3}  # these requests are not of the last hour
