"""`infersight compare`, from the command to what it says."""

import random
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.analysis.recording import MS, SECOND, T0, Recording, trace_id

from infersight_analysis import connect
from infersight_analysis.cohorts.comparison import compare
from infersight_analysis.cohorts.question import Question
from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings import Comparison, Distinction, SameRequests
from infersight_analysis.options import Window
from infersight_analysis.times import iso_time
from infersight_analysis.verbs.compare import failed, slow, versions, windows

REQUESTS = 400
SLOW = range(300, 360)
"""Requests that take 200 ms and more."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 requests a second apart to a gateway and an api below it.

    The slow ones are of tenant acme and log a warning; most of them query the database 8 times instead of twice; they
    run on cuda:1 and have larger bodies. Half of the failed ones fail below, in the ranker. From request 201 on the api
    has version 2.
    """
    chance = random.Random(1)
    recording = Recording()
    for number in range(1, REQUESTS + 1):
        is_slow, fails = number in SLOW, number % 20 == 7
        start, took = number * SECOND, (200 if is_slow else 40) * MS + number * MS // 100
        instance = f"api-{chance.randrange(3)}"
        source = ("api", instance, "1" if number <= 200 else "2")
        error = "it failed" if fails else None
        recording.span(
            number, 1, "GET /items", start, took, kind="SERVER", source=("gateway", "gateway-1", "1"), error=error,
            attributes={"app.tenant": "acme" if is_slow else chance.choice(["one", "two", "three"]),
                        "request.id": f"{chance.getrandbits(64):x}",
                        "http.request.body.size": chance.randrange(6_000 if is_slow else 0, 10_000),
                        "app.luck": chance.random(),
                        "zone.fresh": not is_slow,
                        "zone.status_code": 0 if is_slow else 4,
                        "zone.copy": "acme" if is_slow else "none"},
        )  # fmt: skip
        recording.span(number, 2, "GET /items", start + MS, took - 2 * MS, parent=1, kind="CLIENT",
                       source=("gateway", "gateway-1", "1"))  # fmt: skip
        recording.span(number, 3, "GET /items", start + 2 * MS, took - 4 * MS, parent=2, kind="SERVER", source=source)
        recording.span(
            number, 4, "rank", start + 3 * MS, took // 2, parent=3, source=source,
            error=error if number % 40 == 7 else None,
            attributes={"device": "cuda:1" if is_slow else f"cuda:{chance.randrange(2)}"},
        )  # fmt: skip
        for call in range(8 if is_slow and number % 6 else 2):
            at = start + 3 * MS + took // 2 + call * MS
            recording.span(number, 10 + call, "SELECT items", at, MS, parent=3, kind="CLIENT", source=source)
        recording.log(start, f"ranked {number} items", trace=number, span=1)
        if is_slow:
            recording.log(start, f"queue has {number} entries", trace=number, span=1, severity=13)
        recording.log(
            start, "", trace=number, span=4, event_name="infersight.prediction", source=source,
            attributes={"infersight.prediction.label": "cat", "infersight.prediction.confidence": chance.random(),
                        "infersight.model.version": "b" if is_slow else "a"},
        )  # fmt: skip
    return recording.write(tmp_path_factory.mktemp("compare") / "store")


@pytest.fixture
def database(store: Path) -> Generator[duckdb.DuckDBPyConnection]:
    with connect(store) as connection:
        yield connection


@pytest.fixture(scope="module")
def slow_ones(store: Path) -> Comparison:
    with connect(store) as connection:
        return compare(connection, slow("150ms"), limit=100)


def the(found: Comparison, attribute: str, of: str = "request") -> Distinction:
    """The one finding about an attribute of a subject, or that has it among the same ones."""
    (one,) = [
        finding
        for finding in found.findings
        if finding.kind != "pair"
        if (attribute, of) in zip(finding.attributes, finding.of, strict=True)
        or any((each.attribute, each.of) == (attribute, of) for each in finding.same_as)
    ]
    return one


def test_a_value_is_found_with_its_risk_ratio_and_counts(slow_ones: Comparison) -> None:
    finding = the(slow_ones, "app.tenant")
    assert (finding.attributes, finding.values, finding.of, finding.kind) == (
        ["app.tenant"],
        ["acme"],
        ["request"],
        "value",
    )
    assert (finding.support.target, finding.support.target_of) == (60, 60)
    assert (finding.support.baseline, finding.support.baseline_of) == (0, 340)


def test_what_only_the_target_has_is_said_so_and_has_no_finite_ratio(slow_ones: Comparison) -> None:
    finding = the(slow_ones, "app.tenant")
    assert finding.only_in_target
    assert (finding.effect, finding.interval[1]) == (None, None)
    assert (finding.interval[0] or 0) > 50
    assert "all of the slow requests have app.tenant = acme, none of the others: only in the slow requests" in (
        finding.statement
    )


def test_attributes_of_the_same_requests_are_one_finding(slow_ones: Comparison) -> None:
    same = {(each.attribute, each.value, each.of) for each in the(slow_ones, "app.tenant").same_as}
    assert ("zone.copy", "acme", "request") in same
    assert ("infersight.model.version", "b", "prediction") in same
    assert ("zone.fresh", False, "request") in same
    assert ("zone.status_code", 0, "request") in same
    assert ("infersight.log.template", "queue has <*> entries", "log") in same


def test_a_number_is_found_with_the_shift_and_where_the_cohorts_part(slow_ones: Comparison) -> None:
    finding = the(slow_ones, "http.request.body.size")
    assert (finding.kind, finding.attributes) == ("number", ["http.request.body.size"])
    assert finding.effect is not None
    assert finding.effect > 0.3
    assert finding.medians is not None
    assert finding.medians[0] > finding.medians[1]
    (side,) = finding.values
    bound = float(side.removeprefix(">= "))
    assert finding.medians[1] < bound < 10_000


def test_more_calls_of_an_operation_are_found(slow_ones: Comparison) -> None:
    finding = the(slow_ones, "calls", "SELECT items of api")
    assert (finding.kind, finding.values, finding.medians) == ("number", [">= 8"], [8.0, 2.0])
    assert "call SELECT items of api more often: median 8 against 2" in finding.statement


def test_a_value_below_is_compared_among_the_requests_that_get_there(slow_ones: Comparison) -> None:
    finding = the(slow_ones, "device", "rank of api")
    assert finding.values == ["cuda:1"]
    assert finding.effect == pytest.approx(340 / finding.support.baseline)
    low, high = finding.interval
    assert low is not None
    assert high is not None
    assert low < 340 / finding.support.baseline < high


def test_identifiers_what_makes_no_difference_and_the_definition_are_not_found(slow_ones: Comparison) -> None:
    named = {each for finding in slow_ones.findings for each in finding.attributes}
    assert named.isdisjoint(
        {"request.id", "app.luck", "duration_ns", "service_instance_id", "infersight.prediction.label"}
    )


def test_findings_are_sure_and_come_strongest_first(slow_ones: Comparison) -> None:
    assert all(finding.q_value <= 0.01 for finding in slow_ones.findings)
    strengths = [finding.strength for finding in slow_ones.findings]
    assert strengths == sorted(strengths, reverse=True)
    assert slow_ones.found == len(slow_ones.findings)


def test_examples_are_requests_of_the_target_that_took_longest(slow_ones: Comparison) -> None:
    expected = [trace_id(number) for number in reversed(SLOW)][:5]
    assert the(slow_ones, "app.tenant").examples == expected


@pytest.mark.parametrize("question", [slow("150ms"), failed(), Question("attributes['zone.copy'] = 'acme'")])
def test_the_evidence_counts_what_the_finding_says(database: duckdb.DuckDBPyConnection, question: Question) -> None:
    found = compare(database, question, limit=100)
    assert found.findings
    for finding in found.findings:
        rows = {row[0]: row[1] for row in database.execute(finding.evidence.sql[0]).fetchall()}
        assert rows == {True: finding.support.target, False: finding.support.baseline}, finding.statement


def test_the_differences_of_paths_sum_to_that_of_the_mean_durations(slow_ones: Comparison) -> None:
    paths = slow_ones.critical_path_difference
    assert slow_ones.target.mean_ns is not None
    assert slow_ones.baseline.mean_ns is not None
    difference = slow_ones.target.mean_ns - slow_ones.baseline.mean_ns
    assert slow_ones.difference_ns == pytest.approx(difference)
    assert sum(path.difference_ns for path in paths) == pytest.approx(difference, abs=0.01)
    assert sum(path.target_ns for path in paths) == pytest.approx(slow_ones.target.mean_ns, abs=0.01)
    assert sum(path.tail_difference_ns for path in paths) == pytest.approx(slow_ones.tail_difference_ns, abs=0.01)


def test_the_path_that_makes_the_difference_comes_first(slow_ones: Comparison) -> None:
    first = slow_ones.critical_path_difference[0]
    assert first.path == ["GET /items", "GET /items", "GET /items", "rank"]
    assert (first.service, first.name) == ("api", "rank")
    assert first.difference_ns == pytest.approx(80 * MS, rel=0.02)


def test_failed_requests_are_told_by_what_failed_below(database: duckdb.DuckDBPyConnection) -> None:
    found = compare(database, failed())
    assert (found.target.count, found.baseline.count) == (20, 380)
    finding = the(found, "status_code", "rank of api")
    assert (finding.values, finding.support.target) == (["ERROR"], 10)
    of_request = [each for finding in found.findings for each in zip(finding.attributes, finding.of, strict=True)]
    assert ("status_code", "request") not in of_request


def test_versions_are_compared_without_saying_the_version_again(database: duckdb.DuckDBPyConnection) -> None:
    question = versions("2", "1")
    found = compare(database, Question(question.target, question.baseline, question.about, service="api"))
    assert (found.target.count, found.baseline.count) == (200, 200)
    assert "service_version" not in {each for finding in found.findings for each in finding.attributes}
    assert the(found, "calls", "SELECT items of api").effect is not None


def test_windows_are_compared(database: duckdb.DuckDBPyConnection) -> None:
    during = Window(T0 + 300 * SECOND, T0 + 360 * SECOND), Window(T0 + SECOND, T0 + 201 * SECOND)
    found = compare(database, windows(*during))
    assert (found.target.count, found.baseline.count) == (60, 200)
    assert the(found, "app.tenant").values == ["acme"]


def test_a_request_of_both_conditions_counts_as_target_and_that_is_said(database: duckdb.DuckDBPyConnection) -> None:
    found = compare(database, Question("duration_ns > 150e6", "duration_ns > 10e6"))
    assert (found.target.count, found.baseline.count) == (60, 340)
    assert found.notes == ["60 requests meet both conditions and count as the target"]


def test_attributes_of_the_conditions_are_left_out(database: duckdb.DuckDBPyConnection) -> None:
    found = compare(database, Question("attributes['app.tenant'] = 'acme'"), limit=100)
    assert "app.tenant" not in {each for finding in found.findings for each in finding.attributes}
    assert the(found, "zone.copy").values == ["acme"]


@pytest.mark.parametrize("condition", ["1) or (1", "duration_ns >", "true; drop view spans", "1 from spans --"])
def test_what_is_no_condition_is_refused(database: duckdb.DuckDBPyConnection, condition: str) -> None:
    with pytest.raises((AnalysisError, duckdb.Error)):
        compare(database, Question(condition))


def test_the_command_prints_json_with_the_contracts_keys(store: Path, run: Any) -> None:
    answer = run("compare", "--slow", "--over", "150ms", "--store", store).json
    assert (answer["target"]["count"], answer["baseline"]["count"], answer["considered"]) == (60, 340, 400)
    keys = {"attributes", "values", "effect", "interval", "p_value", "q_value", "support", "examples", "evidence"}
    assert all(keys <= finding.keys() for finding in answer["findings"])
    assert answer["critical_path_difference"]


def test_the_command_answers_in_words_first_and_then_shows_the_paths(store: Path, run: Any) -> None:
    out = run("compare", "--slow", "--over", "150ms", "--store", store, "--format", "table").out
    lines = out.splitlines()
    assert lines[0].startswith("the slow requests of at least 150 ms (60) against the others (340): ")
    assert "all of the slow requests have app.tenant = acme" in out
    assert out.index("app.tenant") < out.index("Where the difference is")
    assert "infersight investigate" in lines[-1]


def test_the_command_takes_a_condition_windows_and_versions(store: Path, run: Any) -> None:
    target = run("compare", "--store", store, "--target", "attributes['app.tenant'] = 'acme'").json
    assert target["target"]["count"] == 60
    times = [f"{iso_time(T0 + low * SECOND)}..{iso_time(T0 + high * SECOND)}" for low, high in ((300, 360), (1, 201))]
    window = run("compare", "--store", store, "--target-window", times[0], "--baseline-window", times[1]).json
    assert (window["target"]["count"], window["baseline"]["count"]) == (60, 200)
    version = run("compare", "--store", store, "--service", "api", "--target-version", "2").json
    assert (version["target"]["count"], version["target"]["about"]) == (200, "version 2")


def test_too_few_requests_are_exit_code_3_and_one_line(store: Path, run: Any) -> None:
    none = run("compare", "--target", "status_code = 'OK'", "--store", store)
    assert (none.code, none.json["findings"]) == (3, [])
    assert (
        none.err == "no request is in the target: need more data: at least 5 requests in each cohort are a comparison\n"
    )
    few = run("compare", "--target", "duration_ns > 203.56e6", "--store", store)
    assert few.code == 3
    assert "the target has only 3 requests" in few.err


@pytest.mark.parametrize(
    "arguments",
    [(), ("--slow", "--errors"), ("--baseline", "true"), ("--slow", "--over", "often"), ("--target-window", "today")],
)
def test_wrong_use_is_one_line_that_says_what_to_do(store: Path, run: Any, arguments: tuple[str, ...]) -> None:
    outcome = run("compare", "--store", store, *arguments)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1


def test_traces_without_attributes_status_and_logs_are_compared(tmp_path: Path, run: Any) -> None:
    recording = Recording()
    for number in range(60):
        is_slow = number >= 50
        recording.span(number, 1, "order", number * SECOND, (90 if is_slow else 30) * MS)
        for call in range(3 if is_slow else 1):
            recording.span(number, 2 + call, "seat", number * SECOND + call * 20 * MS, 20 * MS, parent=1)
    answer = run("compare", "--slow", "--over", "60ms", "--store", recording.write(tmp_path / "store")).json
    assert [finding["statement"] for finding in answer["findings"]] == [
        "the slow requests call seat of api more often: median 3 against 1; all at least 3, none of the others"
    ]
    assert answer["critical_path_difference"][0]["difference_ns"] == 40 * MS


def test_spans_beyond_the_edges_of_the_window_belong_to_the_requests_inside(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(200, 280):
        is_slow = number % 4 == 0
        start = number * SECOND
        sent = {"queue": "long" if is_slow else "short"}
        recording.span(number, 1, "send", start - 100 * SECOND, MS, kind="PRODUCER", attributes=sent)
        recording.span(number, 2, "take", start, (90 if is_slow else 60) * SECOND, parent=1, kind="CONSUMER")
        table = {"table": "large" if is_slow else "small"}
        recording.span(number, 3, "store", start + 50 * SECOND, SECOND, parent=2, attributes=table)
        recording.span(number + 1_000, 1, "take", start + 200 * SECOND, SECOND, kind="CONSUMER")
    window = Window(T0 + 200 * SECOND, T0 + 280 * SECOND)
    with connect(recording.write(tmp_path / "store")) as connection:
        found = compare(connection, replace(slow("80s"), window=window))
    assert (found.target.count, found.baseline.count) == (20, 60)
    said = {
        (each.attribute, each.value, each.of)
        for finding in found.findings
        for each in (*finding.same_as, SameRequests(finding.attributes[0], finding.values[0], finding.of[0]))
    }
    assert {("queue", "long", "parent"), ("table", "large", "store of api")} <= said
