"""Incidents with a known origin, through real stores."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.analysis.recording import MS, SECOND, T0
from tests.analysis.rootcause.incidents import (
    CALLS,
    INCIDENT,
    MINUTE,
    Fault,
    Shop,
    Visit,
    fails,
    is_down,
    is_far,
    is_slow,
    leaves_out,
)

from infersight_analysis import connect
from infersight_analysis.findings import RootCause
from infersight_analysis.options import Window
from infersight_analysis.rootcause.question import Question
from infersight_analysis.verbs.rootcause import rootcause

DURING = Question(T0 + INCIDENT[0], T0 + INCIDENT[1])


def asked(store: Path, question: Question = DURING) -> RootCause:
    with connect(store) as connection:
        return rootcause(connection, question)


def names(found: RootCause) -> list[str]:
    return [suspect.service for suspect in found.services]


@pytest.mark.parametrize(
    ("fault", "origin", "signal"),
    [
        (fails("payments"), "payments", "behaviour"),
        (fails("ledger", share=1.0), "ledger", "behaviour"),
        (leaves_out("payments"), "payments", "behaviour"),
        (is_down("payments"), "payments", "behaviour"),
        (is_down("stock", share=0.3), "stock", "behaviour"),
        (is_slow("payments", 40), "payments", "delay"),
        (is_slow("gateway", 40), "gateway", "delay"),
        (is_far("payments", 40), "payments", "delay"),
    ],
)
def test_the_service_that_changed_comes_first_and_not_those_that_wait_for_it_or_fail_with_it(
    fault: Fault, origin: str, signal: str, tmp_path: Path
) -> None:
    found = asked(Shop(fault).requests(240, 60).write(tmp_path))
    assert (found.verdict, found.services[0].service) == ("origin", origin)
    first = found.services[0]
    assert max(first.signals, key=lambda each: first.signals[each]) == signal
    assert all(first.score > 2 * other.score for other in found.services[1:])


def test_an_ordinary_time_has_no_origin(tmp_path: Path) -> None:
    found = [asked(Shop(seed=seed).requests(240, 60).write(tmp_path / str(seed))) for seed in range(6)]
    assert [each.verdict for each in found] == ["unknown"] * 6
    assert all(each.summary.startswith("unknown: ") for each in found)


def test_the_names_of_services_and_the_order_of_traces_make_no_difference(tmp_path: Path) -> None:
    other = {"gateway": "z", "orders": "a", "payments": "m", "stock": "b", "ledger": "c"}
    plain = asked(Shop(fails("payments")).requests(240, 60).write(tmp_path / "plain"))
    renamed = asked(Shop(fails("payments"), rename=other).requests(240, 60).write(tmp_path / "renamed"))
    assert [other[name] for name in names(plain)] == names(renamed)
    assert plain.services[0].score == renamed.services[0].score


def test_a_handful_of_requests_is_enough_for_what_is_plain(tmp_path: Path) -> None:
    assert names(asked(Shop(fails("ledger", share=1.0)).requests(12, 5).write(tmp_path / "fails")))[0] == "ledger"
    assert names(asked(Shop(is_slow("stock", 300)).requests(12, 5).write(tmp_path / "slow")))[0] == "stock"


def test_a_fault_that_began_before_it_was_noticed_does_not_spoil_the_baseline(tmp_path: Path) -> None:
    store = Shop(fails("payments")).requests(240, 60).write(tmp_path)
    noticed = INCIDENT[0] + 3 * MINUTE
    found = asked(store, Question(T0 + noticed, T0 + INCIDENT[1], Window(T0, T0 + noticed)))
    assert found.services[0].service == "payments"
    sign = next(sign for sign in found.services[0].evidence if "error log" in sign.of)
    assert sign.baseline == 0


def test_an_error_that_was_there_before_is_no_news_wherever_it_turns_up(tmp_path: Path) -> None:
    shop = Shop(is_slow("payments", 60)).requests(240, 60)
    for number in range(30):  # of the hour before, in one service; of the incident, in another one
        for trace, service in ((number * 8 + 1, "stock"), (number * 2 + 241, "ledger")):
            at = INCIDENT[0] + number * SECOND if trace > 240 else number * MINUTE
            source = shop.source(service)
            shop.recording.span(trace, 10**6 + trace, "retry", at, MS, kind="SERVER", source=source)
            text = f"no instance of {'ledger' if service == 'stock' else 'stock'} is known"
            shop.recording.log(at, text, trace=trace, span=10**6 + trace, source=source, severity=17)
    found = asked(shop.write(tmp_path))
    assert found.services[0].service == "payments"
    assert "behaviour" not in {signal for suspect in found.services for signal in suspect.signals}


def test_the_instance_the_version_and_the_statement_are_named_with_their_numbers(tmp_path: Path) -> None:
    shop = Shop(instances=2).requests(240, 60)
    broken = ("ledger", "ledger-1", "2.0")
    for number in range(240, 270):
        shop.recording.span(
            number, 10**6 + number, "GET /ledger", INCIDENT[0] + number * SECOND, MS, kind="SERVER", source=broken
        )
        shop.recording.log(
            INCIDENT[0] + number * SECOND,
            f"cannot read page {number}",
            trace=number,
            span=10**6 + number,
            source=broken,
            severity=17,
        )
    for number in range(1, 30):
        shop.recording.span(
            number,
            10**6 + number,
            "GET /ledger",
            number * SECOND,
            MS,
            kind="SERVER",
            source=("ledger", "ledger-0", "1.0"),
        )
    first = asked(shop.write(tmp_path)).services[0]
    assert first.service == "ledger"
    sign = next(sign for sign in first.evidence if "error log" in sign.of)
    assert sign.of["error log"] == "cannot read page <*>"
    assert sign.of["instance"] == "ledger-1"
    assert sign.baseline == 0
    assert any(each.of.get("version") == "2.0" for each in first.evidence)


@pytest.mark.parametrize(
    "fault", [fails("payments"), is_down("stock"), is_slow("payments", 40), is_far("payments", 40)]
)
def test_every_sign_shows_what_it_says_in_sql(fault: Fault, tmp_path: Path) -> None:
    store = Shop(fault).requests(240, 60).gauge("payments", "cpu", 1.0, 60.0).write(tmp_path)
    with connect(store) as connection:
        found = rootcause(connection, DURING)
        signs = [sign for suspect in found.services for sign in suspect.evidence]
        assert {"metric"} < {sign.signal for sign in signs}
        for sign in signs:
            rows = connection.execute(sign.evidence.sql[0]).fetchall()
            assert rows
            known = {row[0] for row in connection.execute("select distinct trace_id from spans").fetchall()}
            assert set(sign.evidence.trace_ids) <= known


def test_where_the_code_says_its_place_a_statement_is_told_by_it_and_not_by_what_it_says(tmp_path: Path) -> None:
    """What is asked for changes; that a line is no longer logged is the fault."""

    def shop(place: Callable[[int], dict[str, object]]) -> Shop:
        made = Shop().requests(240, 60)
        for number in range(1, 301):
            at = INCIDENT[0] + number * SECOND if number > 240 else number * SECOND
            source = made.source("stock" if number % 2 else "ledger")
            made.recording.span(number, 10**6 + number, "GET /find", at, MS, kind="SERVER", source=source)
            words = "winter coats" if number > 240 else "summer hats"
            for line in (3, 4) if number % 2 or number <= 240 else (3,):
                made.recording.log(
                    at, f"found {words}", trace=number, span=10**6 + number, source=source, attributes=place(line)
                )
        return made

    known = shop(lambda line: {"code.file.path": "find.py", "code.line.number": line}).write(tmp_path / "known")
    assert names(asked(known)) == ["ledger"]


def test_cpu_alone_tells_the_origin_and_what_the_whole_node_shares_does_not(tmp_path: Path) -> None:
    shop = Shop()
    for service in ("gateway", "orders", "payments", "stock", "ledger", "audit"):
        shop.gauge(service, "process.cpu", 2.0, 60.0 if service == "stock" else 2.0)
        shop.gauge(service, "process.memory", 300.0, 300.0, noise=0.01)
    for service in ("gateway", "orders"):
        shop.gauge(service, "node.cpu", 10.0, 95.0, noise=0.0)
    found = asked(shop.write(tmp_path))
    assert (found.verdict, found.services[0].service) == ("origin", "stock")
    assert found.services[0].evidence[0].of["metric"] == "process.cpu"
    assert "no traces in the incident" in found.notes


def test_other_requests_than_before_are_no_fault_nor_is_more_traffic_of_those_that_are_called(tmp_path: Path) -> None:
    chance = random.Random(9)

    def mix(visit: Visit) -> None:
        if visit.service == "stock" and chance.random() < (0.7 if visit.in_incident else 0.3):
            visit.steps, visit.messages = ["search", "sort"], ["searched 12 shelves"]

    shop = Shop(mix=mix).requests(240, 60)
    for service in CALLS:
        shop.gauge(service, "network.io", 1000.0, 9000.0 if service == "ledger" else 1000.0)
    found = asked(shop.write(tmp_path))
    assert found.verdict == "unknown"
    assert not any("behaviour" in suspect.signals for suspect in found.services)
    assert all(suspect.score < 2 for suspect in found.services)


def test_logs_alone_tell_the_origin(tmp_path: Path) -> None:
    shop = Shop()
    for second in range(0, 4200, 5):
        for service in ("gateway", "orders", "payments"):
            shop.recording.log(second * SECOND, f"served {second}", source=shop.source(service))
        if second >= 3600:
            shop.recording.log(second * SECOND, f"disk {second} is full", source=shop.source("payments"), severity=17)
    found = asked(shop.write(tmp_path))
    assert found.services[0].service == "payments"
    assert found.services[0].evidence[0].of == {"template": "disk <*> is full"}


def test_without_anything_in_the_incident_nothing_is_said(tmp_path: Path) -> None:
    store = Shop().requests(10, 5).write(tmp_path)
    found = asked(store, Question(T0 + 200 * MINUTE, T0 + 210 * MINUTE))
    assert (found.services, found.verdict) == ([], "unknown")
