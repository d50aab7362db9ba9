"""The log of an incident: nothing is lost, nothing is changed unseen, and two may write at once."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents.log import IncidentLog
from infersight_analysis.options import Window
from infersight_collector.store.directory import create
from infersight_collector.store.errors import NotAStore


@pytest.fixture
def log(tmp_path: Path) -> IncidentLog:
    create(tmp_path / "store")
    return IncidentLog(tmp_path / "store")


def opened(log: IncidentLog) -> str:
    return log.open("Logins are slow", "HIGH", "since noon", Window(10, 20), "ada")


def lines(log: IncidentLog, incident: str) -> Path:
    return log.path(incident) / "log.jsonl"


def test_an_incident_is_read_as_it_was_recorded(log: IncidentLog) -> None:
    incident = opened(log)
    log.append(incident, "note", {"text": "größer, 漢字"}, "grace")
    first, second = log.read(incident)
    assert (first.kind, first.actor, first.payload["title"]) == ("opened", "ada", "Logins are slow")
    assert first.payload["start"] == "1970-01-01T00:00:00.000000010Z"
    assert (second.sequence, second.kind, second.payload) == (1, "note", {"text": "größer, 漢字"})
    assert second.previous == first.digest
    assert log.problems(incident) == []


def test_incidents_are_numbered_within_their_year(tmp_path: Path) -> None:
    create(tmp_path / "store")
    times = iter([1_780_000_000 * 10**9] * 4 + [1_800_000_000 * 10**9] * 2)
    log = IncidentLog(tmp_path / "store", clock=lambda: next(times))
    assert [opened(log) for _ in range(3)] == ["INC-2026-001", "INC-2026-002", "INC-2027-001"]
    assert log.ids() == ["INC-2026-001", "INC-2026-002", "INC-2027-001"]


def test_a_changed_event_shows(log: IncidentLog) -> None:
    incident = opened(log)
    log.append(incident, "note", {"text": "the cache was cold"}, "ada")
    path = lines(log, incident)
    path.write_text(path.read_text().replace("cache was cold", "cache was fine"))
    assert log.problems(incident) == ["event 1 is not what was recorded: it was changed"]


@pytest.mark.parametrize("kept", [[0, 2], [0, 2, 1], [1, 2]])
def test_an_event_taken_out_or_moved_shows(log: IncidentLog, kept: list[int]) -> None:
    incident = opened(log)
    for text in ("one", "two"):
        log.append(incident, "note", {"text": text}, "ada")
    path = lines(log, incident)
    every = path.read_text().splitlines(keepends=True)
    path.write_text("".join(every[place] for place in kept))
    assert any("does not follow" in problem for problem in log.problems(incident))


def test_a_line_that_is_no_event_is_told_with_its_number(log: IncidentLog) -> None:
    incident = opened(log)
    with lines(log, incident).open("a") as file:
        file.write("{}\n")
    assert len(log.read(incident)) == 1
    assert "line 2 of" in log.problems(incident)[0]


def test_what_a_crash_left_half_written_was_never_recorded(log: IncidentLog) -> None:
    incident = opened(log)
    with lines(log, incident).open("a") as file:
        file.write('{"sequence": 1, "time_')
    assert len(log.read(incident)) == 1
    log.append(incident, "note", {}, "ada")
    assert [event.kind for event in log.read(incident)] == ["opened", "note"]
    assert log.problems(incident) == []


def test_many_writers_lose_nothing_and_keep_the_chain(log: IncidentLog) -> None:
    incident = opened(log)
    with ThreadPoolExecutor(8) as pool:
        for number in range(64):
            pool.submit(log.append, incident, "note", {"number": number}, "ada")
    events = log.read(incident)
    assert sorted(event.payload["number"] for event in events[1:]) == list(range(64))
    assert log.problems(incident) == []


def test_incidents_opened_by_several_processes_get_a_number_each(log: IncidentLog) -> None:
    program = (
        "import sys; from pathlib import Path; from infersight_analysis.incidents.log import IncidentLog; "
        "from infersight_analysis.options import Window; log = IncidentLog(Path(sys.argv[1])); "
        "[print(log.open('t', 'LOW', '', Window(), 'p')) for _ in range(10)]"
    )
    command = [sys.executable, "-c", program, str(log.store)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    given = [incident for process in running for incident in process.communicate()[0].split()]
    assert sorted(given) == log.ids()
    assert len(set(given)) == 20


def test_what_is_no_json_is_refused_and_leaves_no_trace(log: IncidentLog) -> None:
    incident = opened(log)
    for payload in ({"value": float("nan")}, {"value": object()}):
        with pytest.raises(AnalysisError, match="note cannot be recorded"):
            log.append(incident, "note", payload, "ada")
    assert len(log.read(incident)) == 1


def test_an_unknown_incident_is_refused_with_those_that_there_are(log: IncidentLog) -> None:
    with pytest.raises(AnalysisError, match="incident open"):
        log.read("INC-2026-007")
    incident = opened(log)
    with pytest.raises(AnalysisError, match=f"there are {incident}"):
        log.read("../../etc")
    assert log.read(incident.lower()) == log.read(incident)


def test_wrong_severities_titles_and_directories_are_refused(log: IncidentLog, tmp_path: Path) -> None:
    with pytest.raises(AnalysisError, match="there are CRITICAL, HIGH, MEDIUM, LOW"):
        log.open("t", "BAD", "", Window(), "ada")
    with pytest.raises(AnalysisError, match="title"):
        log.open(" ", "LOW", "", Window(), "ada")
    with pytest.raises(NotAStore):
        IncidentLog(tmp_path).open("t", "LOW", "", Window(), "ada")
    assert not (tmp_path / "incidents").exists()


def test_only_the_owner_can_read_it(log: IncidentLog) -> None:
    path = lines(log, opened(log))
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert oct(path.parent.stat().st_mode & 0o777) == "0o700"
    assert json.loads(path.read_text())["sequence"] == 0
