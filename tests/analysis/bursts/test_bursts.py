"""`infersight bursts`: when services failed more than they usually do, and what links their bursts."""

import random
from pathlib import Path
from typing import Any

from tests.analysis.recording import MS, SECOND, Recording, Source

from infersight_analysis import connect
from infersight_analysis.bursts.clusters import find_bursts
from infersight_analysis.findings import Bursts

CART: Source = ("cart", "cart-1", "1")
ORDERS: Source = ("orders", "orders-1", "1")
HOUR = 3600


def found(recording: Recording, path: Path, **arguments: Any) -> Bursts:
    with connect(recording.write(path / "store")) as connection:
        return find_bursts(connection, **arguments)


def failed_log(
    recording: Recording, second: float, source: Source, message: str = "no", trace: int | None = None
) -> None:
    facts = {"exception.type": "ValueError", "exception.message": message}
    recording.log(round(second * SECOND), message, severity=17, source=source, attributes=facts, trace=trace)


def quiet(recording: Recording, source: Source, count: int, seed: int) -> None:
    """Failures at random times of an hour."""
    random_ = random.Random(seed)
    for second in sorted(random_.uniform(0, HOUR) for _ in range(count)):
        failed_log(recording, second, source)
    recording.log(0, "begins", source=source)
    recording.log((HOUR - 1) * SECOND, "ends", source=source)


def test_a_burst_is_found_with_its_time_and_what_the_base_rate_would_have_been(tmp_path: Path) -> None:
    recording = Recording()
    quiet(recording, CART, 60, seed=1)
    for number in range(40):
        failed_log(recording, 1800 + number * 1.5, CART, "burst")
    (cluster,) = found(recording, tmp_path).clusters
    (burst,) = cluster.bursts
    assert (burst.service, burst.per) == ("cart", "time")
    assert 38 <= burst.count <= 44
    assert 0.3 < burst.expected < 3
    assert "2025-10-09T09:23" in burst.start
    assert "2025-10-09T09:24" in burst.end
    assert burst.p_value < 1e-6
    assert burst.faults[0].message == "burst"
    assert cluster.links == []


def test_two_bursts_far_apart_are_two_however_many_failures_lie_between(tmp_path: Path) -> None:
    """A gap of fixed length would chain all of them into one."""
    recording = Recording()
    quiet(recording, CART, 200, seed=2)
    for start in (900, 2700):
        for number in range(60):
            failed_log(recording, start + number, CART)
    answer = found(recording, tmp_path)
    starts = [cluster.start[11:16] for cluster in answer.clusters]
    assert starts == ["09:08", "09:38"]


def test_failures_at_random_times_are_no_burst(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(8):
        quiet(recording, (f"service-{number}", f"instance-{number}", "1"), 10 * 2**number, seed=number)
    answer = found(recording, tmp_path)
    assert (answer.clusters, answer.services) == ([], 8)


def test_more_failures_of_as_many_more_requests_are_no_burst(tmp_path: Path) -> None:
    recording = Recording()
    random_ = random.Random(5)
    trace = 0
    for second in range(HOUR):
        for _ in range(10 if 1500 <= second < 1800 else 1):
            trace += 1
            error = "no" if random_.random() < 0.1 else None
            recording.span(trace, 1, "GET /", second * SECOND, MS, kind="SERVER", source=CART, error=error)
    assert found(recording, tmp_path).clusters == []


def test_bursts_of_services_are_linked_by_their_traces_with_who_led_and_by_what_they_share(tmp_path: Path) -> None:
    """Cart calls redis; while that is away on one host, cart's requests there fail and with them those of orders."""
    recording = Recording()
    random_ = random.Random(7)
    for trace in range(1, HOUR + 1):
        at = trace * SECOND
        on_bad_host = trace % 2 == 0
        is_broken = 1800 <= trace < 1920 and on_bad_host
        error = "no" if is_broken or random_.random() < 0.01 else None
        host = {"host.name": "host-b" if on_bad_host else "host-a"}
        event = {"exception.type": "redis.TimeoutError", "exception.message": "Timeout reading"}
        events = [(at + 3 * MS, "exception", event)] if error else []
        recording.span(trace, 1, "POST /order", at, 9 * MS, kind="SERVER", source=ORDERS, error=error)
        recording.span(
            trace, 2, "GET /cart", at, 7 * MS, parent=1, kind="SERVER", source=CART, error=error, resource=host
        )
        redis = {"server.address": "redis", "db.system.name": "redis"}
        recording.span(
            trace, 3, "GET", at, 4 * MS,
            parent=2, kind="CLIENT", source=CART, error=error, attributes=redis, events=events, resource=host,
        )  # fmt: skip
    (cluster,) = found(recording, tmp_path).clusters
    assert {burst.service for burst in cluster.bursts} == {"cart", "orders"}
    (link,) = cluster.links
    assert (link.leader, link.follower) == ("cart", "orders")
    assert link.share == 1
    assert link.lag_ns == 6 * MS  # the event of cart, and the end of the span of orders
    assert [(each.trait, each.value) for each in cluster.shared] == [("host.name", "host-b")]
    assert "cart led orders" in cluster.statement
    assert "host.name host-b" in cluster.statement


def test_bursts_that_only_coincide_are_said_to_be_unlinked(tmp_path: Path) -> None:
    recording = Recording()
    for source, start in ((CART, 1800), (ORDERS, 1830)):
        quiet(recording, source, 30, seed=start)
        for number in range(50):
            failed_log(recording, start + number, source)
    (cluster,) = found(recording, tmp_path).clusters
    (link,) = cluster.links
    assert (link.traces, link.share) == (0, 0)
    assert "no trace links them" in cluster.statement
    assert cluster.shared == []


def test_what_was_deployed_before_a_burst_is_said(tmp_path: Path) -> None:
    recording = Recording()
    for trace in range(1, HOUR + 1):
        version = "2" if trace >= 1800 else "1"
        error = "no" if 1810 <= trace < 1870 else None
        source = ("cart", f"cart-{version}", version)
        recording.span(trace, 1, "GET /cart", trace * SECOND, MS, kind="SERVER", source=source, error=error)
    (cluster,) = found(recording, tmp_path).clusters
    assert cluster.marks == ["cart: version 2 after 1, 10.0 s before the first failure"]


def test_a_service_narrows_what_is_listed_and_the_command_prints_it(tmp_path: Path, run: Any) -> None:
    recording = Recording()
    quiet(recording, CART, 30, seed=3)
    for number in range(50):
        failed_log(recording, 1800 + number, CART, "burst", trace=number + 1)
    store = recording.write(tmp_path / "store")
    assert run("bursts", "--store", store, "--service", "other").json["clusters"] == []
    answer = run("bursts", "--store", store).json
    assert answer["clusters"][0]["evidence"]["trace_ids"]
    for sql in answer["clusters"][0]["evidence"]["sql"]:
        assert run("sql", sql, "--store", store).code == 0
    text = run("bursts", "--store", store, "--format", "table").out
    assert "1 burst, to 7.50 s" in text
    assert "cart failed" in text
    empty = run("bursts", "--store", store, "--last", "1h", "--format", "table").out
    assert empty == "no errors in this time\n"
