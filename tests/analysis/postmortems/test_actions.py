"""Action items: their order, what is overdue, and other tools that read them."""

import csv
import re
from datetime import date
from io import StringIO
from pathlib import Path

import pytest

from infersight_analysis.errors import AnalysisError
from infersight_analysis.findings.postmortem import Actions
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.log import IncidentLog
from infersight_analysis.postmortems import actions
from infersight_analysis.postmortems.interchange import as_csv, as_ics
from infersight_collector.store.directory import create

TODAY = date(2026, 3, 15)
NOW_NS = 1_773_576_000 * 10**9


@pytest.fixture
def incident(tmp_path: Path) -> Incident:
    create(tmp_path / "store")
    return Incident.open(IncidentLog(tmp_path / "store"), "slow", "HIGH", actor="ada")


def listed(incident: Incident) -> Actions:
    return Actions(actions.actions(incident.id, incident.state, TODAY))


def test_overdue_ones_come_first_then_grave_ones_and_what_is_done_last(incident: Incident) -> None:
    actions.add(incident, "later", due="2026-04-01", priority="LOW")
    actions.add(incident, "grave", priority="CRITICAL")
    actions.add(incident, "late", due="2026-03-14", priority="LOW")
    actions.add(incident, "finished", due="2026-03-01")
    actions.change(incident, "a4", "DONE")
    actions.change(incident, "A1", "IN_PROGRESS")
    found = listed(incident).actions
    assert [item.description for item in found] == ["late", "grave", "later", "finished"]
    assert [item.overdue for item in found] == [True, False, False, False]
    assert [item.status for item in found] == ["TODO", "TODO", "IN_PROGRESS", "DONE"]
    assert found[3].done is not None


def test_an_action_is_due_until_the_end_of_its_day(incident: Incident) -> None:
    actions.add(incident, "today", due=TODAY.isoformat())
    assert not listed(incident).actions[0].overdue


def test_all_incidents_of_a_store_are_listed_together(incident: Incident) -> None:
    other = Incident.open(incident.log, "again", "LOW", actor="ben")
    actions.add(incident, "first", priority="LOW")
    actions.add(other, "second", priority="HIGH")
    assert [item.description for item in actions.every(incident.log, TODAY).actions] == ["second", "first"]


def test_actions_may_be_done_after_the_incident_was_closed(incident: Incident) -> None:
    actions.add(incident, "alarm")
    incident.close(override="a false alarm")
    actions.change(incident, "A1", "DONE")
    assert listed(incident).actions[0].status == "DONE"


def test_a_date_that_is_none_and_an_action_that_is_none_are_refused(incident: Incident) -> None:
    with pytest.raises(AnalysisError, match="is no date: write it as 2026-03-31"):
        actions.add(incident, "alarm", due="soon")
    with pytest.raises(AnalysisError, match="no action A1"):
        actions.change(incident, "A1", "DONE")


def test_a_table_is_read_back_by_a_reader_of_csv_and_has_no_formulas(incident: Incident) -> None:
    actions.add(incident, '=cmd|"/c calc"!A1, a "quoted"\nline', owner="ada", due="2026-03-14")
    (row,) = csv.DictReader(StringIO(as_csv(listed(incident))))
    assert row["description"] == '\'=cmd|"/c calc"!A1, a "quoted"\nline'
    assert (row["owner"], row["due"], row["overdue"], row["outcome"]) == ("ada", "2026-03-14", "True", "")


def unfolded(text: str) -> list[str]:
    """The lines of a calendar (RFC 5545, 3.1)."""
    return re.sub("\r\n[ \t]", "", text).split("\r\n")


def test_a_calendar_has_a_to_do_for_each_action_and_a_day_to_look_back(incident: Incident) -> None:
    actions.add(
        incident, "alarm; on the pool, at 80 %", owner="ada", due="2026-03-31", priority="HIGH", outcome="fires"
    )
    actions.add(incident, "done")
    actions.change(incident, "A2", "DONE")
    text = as_ics(listed(incident), NOW_NS, [(incident.id, "2026-04-14")])
    lines = unfolded(text)
    assert (lines[0], lines[1], lines[-2:]) == ("BEGIN:VCALENDAR", "VERSION:2.0", ["END:VCALENDAR", ""])
    assert f"SUMMARY:{incident.id} A1: alarm\\; on the pool\\, at 80 %" in lines
    for line in ("DUE;VALUE=DATE:20260331", "PRIORITY:3", "STATUS:NEEDS-ACTION", "STATUS:COMPLETED", "CONTACT:ada"):
        assert line in lines
    assert lines[lines.index("BEGIN:VEVENT") + 3] == "DTSTART;VALUE=DATE:20260414"
    assert lines.count("BEGIN:VTODO") == lines.count("END:VTODO") == 2
    assert "DTSTAMP:20260315T120000Z" in lines


def test_lines_of_a_calendar_are_folded_between_characters_and_take_in_no_others(incident: Incident) -> None:
    actions.add(incident, "größer " * 30 + "\r\nEND:VCALENDAR\x00")
    text = as_ics(listed(incident), NOW_NS)
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    assert unfolded(text).count("END:VCALENDAR") == 1
    assert "größer größer" in "".join(unfolded(text))
