"""Traces that other SDKs and other people recorded go through every verb."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.recording import MS, SECOND, Recording, Source, trace_id
from tests.support.captures import DATA
from tests.support.every_verb import ask, ask_everything

GATEWAY: Source = ("gateway", "gateway-1", None)
ORDERS: Source = ("orders", "orders-1", "2.1.0")
WORKERS: tuple[Source, Source] = (("worker", "worker-1", "7"), ("worker", "worker-2", "8"))

INFERSIGHT = str(Path(sys.executable).with_name("infersight"))
TRAINTICKET = DATA / "trainticket"


def java_request(recording: Recording, trace: int, start_ns: int, database_ms: int) -> None:
    """As OpenTelemetry's Java agent sends it: internal spans of the framework, JDBC, a server of another service."""
    jvm = {"thread.id": 42, "thread.name": "http-nio-8080-exec-3", "http.request.method": "GET"}
    total = (20 + database_ms) * MS
    route = {**jvm, "http.route": "/orders/{id}", "http.response.status_code": 200}
    recording.span(trace, 1, "GET /orders/{id}", start_ns, total, kind="SERVER", source=GATEWAY, attributes=route)
    recording.span(trace, 2, "OrderController.get", start_ns + MS, total - 2 * MS, parent=1, source=GATEWAY)
    recording.span(
        trace, 3, "GET", start_ns + 2 * MS, total - 4 * MS, parent=2, kind="CLIENT", source=GATEWAY, attributes=jvm
    )
    # The clock of the other machine is 3 s ahead.
    recording.span(
        trace, 4, "GET /orders", start_ns + 3 * SECOND, total - 8 * MS, parent=3, kind="SERVER", source=ORDERS
    )
    query = {"db.system.name": "postgresql", "db.query.text": "select * from orders where id = ?"}
    at = start_ns + 3 * SECOND + 4 * MS
    recording.span(
        trace, 5, "SELECT orders", at, database_ms * MS, parent=4, kind="CLIENT", source=ORDERS, attributes=query
    )


def go_message(recording: Recording, trace: int, start_ns: int, work_ms: int) -> None:
    """As Go's messaging instrumentations send it: a consumer's root that links to the producers of its messages."""
    worker = WORKERS[trace % 2]
    about = {"messaging.system": "kafka", "messaging.destination.name": "orders", "messaging.batch.message_count": 2}
    recording.span(
        trace,
        1,
        "process orders",
        start_ns,
        work_ms * MS,
        kind="CONSUMER",
        source=worker,
        attributes=about,
        links=[(trace + 5000, 1), (trace + 5001, 1)],
    )
    failed = {"exception.type": "*errors.errorString", "exception.message": "no such order", "exception.escaped": False}
    recording.span(
        trace,
        2,
        "HTTP POST",
        start_ns + MS,
        (work_ms - 2) * MS,
        parent=1,
        kind="CLIENT",
        source=worker,
        error="no such order",
        events=[(start_ns + 2 * MS, "exception", failed)],
    )
    for number in (5000, 5001):
        recording.span(
            trace + number, 1, "send orders", start_ns - 5 * MS, MS, kind="PRODUCER", source=ORDERS, attributes=about
        )


def browser_load(recording: Recording, trace: int, start_ns: int) -> None:
    """As JavaScript sends it in a browser: a client without a server, children that outlive it, an unfinished one."""
    page: dict[str, Any] = {"url.full": "https://shop.example/", "user_agent.original": "Mozilla/5.0", "sizes": [1, 2]}
    web: Source = ("web", "web-1", "1")
    recording.span(trace, 1, "documentLoad", start_ns, 90 * MS, source=web, attributes=page)
    recording.span(trace, 2, "HTTP GET", start_ns + 10 * MS, 120 * MS, parent=1, kind="CLIENT", source=web)
    recording.span(trace, 3, "resourceFetch", start_ns + 20 * MS, None, parent=1, source=web)
    recording.span(trace, 4, "click", start_ns + 30 * MS, 0, parent=77, source=web)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    for number in range(1, 41):
        slow = number in (20, 30)
        java_request(recording, number, number * SECOND, 400 if slow else 10 + number % 5)
        go_message(recording, 100 + number, number * SECOND + 100 * MS, 300 if slow else 20 + number % 3)
        browser_load(recording, 200 + number, number * SECOND + 200 * MS)
    return recording.write(tmp_path_factory.mktemp("foreign") / "store")


def test_every_verb_takes_the_shapes_of_java_go_and_browsers(foreign: Path) -> None:
    answers = ask_everything(foreign, [trace_id(number) for number in (20, 120, 220, 5120, 1)])
    assert [each["side_by_side"] for each in answers["rollback check"]] == [True]
    assert all(len(answer["hypotheses"]) > 0 for answer in answers["investigate"])
    for answer in answers["investigate"]:
        assert sum(piece["self_ns"] for piece in answer["breakdown"]) == answer["total_ns"]


def test_a_slow_database_call_behind_another_service_is_named_although_nothing_of_it_is_ours(foreign: Path) -> None:
    answer = ask(foreign, "investigate", trace_id(20))
    assert answer["hypotheses"][0]["cause"] == "slow_dependency"
    assert "SELECT orders" in answer["hypotheses"][0]["statement"]
    assert answer["baseline"]["requests"] >= 8


def test_a_consumer_without_a_parent_is_a_request_with_others_like_it(foreign: Path) -> None:
    answer = ask(foreign, "investigate", trace_id(120))
    assert answer["hypotheses"][0]["cause"] == "slow_dependency"
    assert "HTTP POST" in answer["hypotheses"][0]["statement"]


@pytest.mark.skipif(not TRAINTICKET.exists(), reason=f"no captures under {DATA}; set INFERSIGHT_TEST_DATA")
def test_every_verb_takes_a_real_system_of_fifty_services_without_status_and_attributes(tmp_path: Path) -> None:
    day = min(TRAINTICKET.glob("*/baseline")).parent
    files = [day / "baseline", min(day.glob("tt*"))]
    store = tmp_path / "store"
    subprocess.run([INFERSIGHT, "import", *map(str, files), "--store", str(store)], check=True, timeout=300)
    requests = ask(store, "slow", "--over", "p90", "--limit", "5")["requests"]
    answers = ask_everything(store, [request["trace_id"] for request in requests])
    for answer in answers["investigate"]:
        assert sum(piece["self_ns"] for piece in answer["breakdown"]) == answer["total_ns"]
        assert answer["baseline"]["requests"] > 0
