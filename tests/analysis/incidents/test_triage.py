"""`infersight incident triage`: what it notices, supposes and keeps."""

import json
import shlex
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.analysis.conftest import Run
from tests.analysis.incidents.scenes import FAILS, INCIDENT, MINUTE, WINDOW, exhausted_pool
from tests.analysis.recording import MS, SECOND, T0, Recording

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings.triage import Triage
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.log import IncidentLog
from infersight_analysis.incidents.triage import triage
from infersight_analysis.rootcause.question import Question
from infersight_analysis.times import parse_time

ASKED = Question(T0 + INCIDENT[0], T0 + INCIDENT[1])


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> IncidentLog:
    return IncidentLog(exhausted_pool(tmp_path_factory.mktemp("triage") / "store"))


@pytest.fixture(scope="module")
def found(log: IncidentLog) -> Triage:
    return triage(log, ASKED, actor="ada")


def test_what_is_worse_than_before_is_a_symptom_with_its_numbers(found: Triage) -> None:
    failing, median, tail = found.symptoms
    assert failing.incident == pytest.approx(FAILS, abs=0.04)
    assert failing.baseline == 0
    assert failing.difference[0] < failing.incident < failing.difference[1]
    assert (median.statement[:3], tail.statement[:3]) == ("p50", "p95")
    assert median.incident == pytest.approx(900 * MS, rel=0.02)


def test_the_timeline_has_the_release_the_change_and_the_fault(found: Triage) -> None:
    begin = {entry.source: parse_time(entry.time) for entry in reversed(found.timeline)}
    for source in ("deployment", "change", "fault"):
        assert abs(begin[source] - T0 - INCIDENT[0]) < MINUTE, source
    assert [entry.time for entry in found.timeline] == sorted(entry.time for entry in found.timeline)


def test_each_hypothesis_says_what_would_refute_it_and_is_in_the_incident(found: Triage, log: IncidentLog) -> None:
    assert [each.source for each in found.hypotheses] == ["rootcause", "deployments", "errors"]
    assert found.hypotheses[1].statement == "api: version 1.1 after 1.0 brought it about"
    supposed = Incident(log, found.id, "ada").state.hypotheses
    assert [each.name for each in found.hypotheses] == list(supposed)
    assert all(each.refuted_by for each in found.hypotheses)
    assert {each.outcome for each in supposed.values()} == {"untested"}


def test_it_is_opened_with_everything_and_what_is_next(found: Triage, log: IncidentLog) -> None:
    state = Incident(log, found.id, "ada").state
    assert [event.payload["statement"] for event in state.of("symptom")] == [each.statement for each in found.symptoms]
    assert [event.payload["name"] for event in state.of("evidence")] == [each.evidence for each in found.looked_at]
    assert found.severity == "HIGH"
    assert found.severity_reason.endswith("of all requests fail in addition, 5% or more")
    assert found.next == f'infersight incident hypothesis test {found.id} H1 --sql "select ..."'


def test_what_is_kept_is_what_the_command_answers(found: Triage, log: IncidentLog, run: Run) -> None:
    state = Incident(log, found.id, "ada").state
    kept = state.named("evidence")
    for look in found.looked_at:
        asked = run(*shlex.split(look.command)[1:], "--store", log.store, "--format", "json")
        assert asked.code in (0, 3), look.command
        before = json.loads((log.path(found.id) / kept[look.evidence]["file"]).read_text())
        verb = look.command.split()[1]
        if verb == "deployments":
            assert asked.json["marks"] == before["marks"]
        elif verb == "slow":
            assert asked.json["requests"] == before["requests"]
        elif verb == "compare":
            assert asked.json["summary"] == before["summary"]
        elif verb == "anomalies":
            assert asked.json["found"] == before["found"]
        else:
            assert asked.json == before, verb


def quiet(path: Path) -> IncidentLog:
    recording = Recording()
    for number in range(1, 1500):
        recording.span(number, 1, "GET /", number * 3 * SECOND, (20 + number * 7 % 11) * MS, kind="SERVER")
    return IncidentLog(recording.write(path / "store"))


def test_where_nothing_is_otherwise_it_says_so(tmp_path: Path) -> None:
    log = quiet(tmp_path)
    found = triage(log, Question(T0 + 3600 * SECOND, T0 + 4200 * SECOND), actor="ada")
    assert (found.symptoms, found.hypotheses) == ([], [])
    assert (found.severity, found.title) == ("LOW", "nothing is otherwise than before, by test")
    assert found.next == f'infersight incident symptom add {found.id} "..."'


def test_where_requests_are_as_before_it_notices_what_a_service_does_otherwise(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 1500):
        is_odd = 3600 <= number * 3 < 4200
        recording.span(number, 1, "GET /", number * 3 * SECOND, (20 + number * 7 % 11) * MS, kind="SERVER")
        said = "no contacts for account" if is_odd else "contacts found"
        recording.log(number * 3 * SECOND + MS, said, trace=number, span=1, severity=17 if is_odd else 9)
    log = IncidentLog(recording.write(tmp_path / "store"))
    found = triage(log, Question(T0 + 3600 * SECOND, T0 + 4200 * SECOND), actor="ada")
    assert (found.symptoms, found.severity) == ([], "MEDIUM")
    assert "no contacts for account" in found.title
    assert list(Incident(log, found.id, "ada").state.named("symptom")) == ["S1"]


def test_without_a_baseline_nothing_is_said_to_be_otherwise(tmp_path: Path) -> None:
    found = triage(quiet(tmp_path), Question(T0, T0 + 600 * SECOND), actor="ada")
    assert found.symptoms == []
    assert found.notes[0].startswith("the baseline has no requests")


def test_a_time_without_records_opens_nothing(tmp_path: Path) -> None:
    log = quiet(tmp_path)
    with pytest.raises(AnalysisError, match="nothing was recorded in this time"):
        triage(log, Question(T0 + 10_000 * SECOND, T0 + 11_000 * SECOND), actor="ada")
    assert log.ids() == []


@pytest.mark.parametrize(("every", "severity"), [(3, "CRITICAL"), (12, "HIGH"), (40, "MEDIUM")])
def test_the_severity_is_by_how_many_requests_fail_in_addition(tmp_path: Path, every: int, severity: str) -> None:
    recording = Recording()
    for number in range(1, 4200):
        fails = number > 3600 and number % every == 0
        recording.span(number, 1, "GET /", number * SECOND, 20 * MS, kind="SERVER", error="no" if fails else None)
    log = IncidentLog(recording.write(tmp_path / "store"))
    found = triage(log, Question(T0 + 3600 * SECOND, T0 + 4200 * SECOND), actor="ada")
    assert found.severity == severity


def test_progress_is_on_stderr_and_the_last_half_hour_is_looked_at_without_times(log: IncidentLog, run: Run) -> None:
    outcome = run("incident", "triage", "--store", log.store)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.splitlines()[-1].startswith("nothing was recorded in this time")
    outcome = run("incident", "triage", *WINDOW, "--severity", "low", "--title", "By hand", "--store", log.store)
    assert outcome.err.splitlines()[:3] == ["requests", "deployments", "bursts"]
    assert (outcome.json["severity"], outcome.json["title"]) == ("LOW", "By hand")


def test_two_people_at_once_get_names_of_their_own(tmp_path: Path) -> None:
    log = quiet(tmp_path)
    shared = Incident.open(log, "It is slow", "LOW", actor="ada")
    with ThreadPoolExecutor(4) as pool:
        people = [Incident(log, shared.id, name) for name in ("ada", "ben")]
        for number in range(20):
            pool.submit(people[number % 2].add_symptom, f"symptom {number}")
    names = list(shared.state.named("symptom"))
    assert sorted(names, key=lambda name: int(name[1:])) == [f"S{number}" for number in range(1, 21)]
    assert log.problems(shared.id) == []
