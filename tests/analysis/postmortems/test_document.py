"""The post-mortem as a whole: what is in it, what is unknown, and that all in it is text."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.incidents.scenes import END, INCIDENT, exhausted_pool
from tests.analysis.recording import MS, SECOND, T0, Recording
from tests.analysis.report.test_html import HOSTILE, OVERRIDE, Page

from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.evidence import Exhibit
from infersight_analysis.incidents.incident import Incident, Refused
from infersight_analysis.incidents.log import IncidentLog
from infersight_analysis.incidents.overview import record
from infersight_analysis.incidents.verification import verify
from infersight_analysis.options import Window
from infersight_analysis.postmortems import actions
from infersight_analysis.postmortems.document import post_mortem
from infersight_analysis.postmortems.review import follow_up, review
from infersight_analysis.postmortems.writing import keep
from infersight_analysis.report.html.incidents import incident_page
from infersight_analysis.report.html.postmortem import postmortem_page
from infersight_analysis.report.postmortem import to_markdown
from infersight_analysis.times import SECOND_NS

WINDOW = Window(T0 + INCIDENT[0], T0 + INCIDENT[1])
DAY_NS = 86_400 * SECOND_NS


class Clock:
    """The time of the tests: it goes on by a minute at each look."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns

    def __call__(self) -> int:
        self.now_ns += 60 * SECOND_NS
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    """Two minutes after the incident began."""
    return Clock(T0 + INCIDENT[0] + 60 * SECOND_NS)


@pytest.fixture
def incident(tmp_path: Path, clock: Clock) -> Incident:
    log = IncidentLog(exhausted_pool(tmp_path / "store"), clock=clock)
    return Incident.open(log, "Predictions fail", "HIGH", actor="ada", window=WINDOW, symptoms=["p95 is above 1 s"])


def explained(incident: Incident, cause: str = "two connections for any load") -> Incident:
    exhibit = Exhibit("sql", "select 1 as one", b"{}")
    incident.add_evidence(exhibit)
    incident.add_hypothesis("version 1.1 is slower", "its code is never reached", ["S1"])
    incident.add_test("H1", exhibit, "refuted", "its code is never reached")
    incident.add_hypothesis("the pool is too small", "connections are free", ["all"])
    incident.add_test("H2", exhibit, "supported", "none is free")
    incident.set_cause(cause, "H2")
    return incident


def test_the_times_are_those_of_the_telemetry_and_of_the_steps(incident: Incident) -> None:
    explained(incident).record_fix("fifty connections")
    found = post_mortem(incident, now_ns=T0 + END)
    took = {each.name: each.duration_ns for each in found.elapsed}
    assert took["detection"] == pytest.approx(180 * SECOND_NS, abs=60 * SECOND_NS)
    assert took["diagnosis"] == 9 * 60 * SECOND_NS  # a minute a step, and one for its evidence
    assert took["resolution"] == pytest.approx(INCIDENT[1] - INCIDENT[0], abs=90 * SECOND_NS)


def test_the_timeline_is_in_order_and_has_telemetry_and_people(incident: Incident) -> None:
    explained(incident).note("the alarm was loud", "well")
    found = post_mortem(incident, now_ns=T0 + END)
    times = [each.time for each in found.timeline]
    assert times == sorted(times)
    sources = {each.source for each in found.timeline}
    assert {"deployment", "change", "fault", "impact", "opened", "cause", "note"} <= sources
    assert {each.actor for each in found.timeline} == {None, "ada"}


def test_what_was_supported_refuted_and_noted_is_told_apart(incident: Incident) -> None:
    explained(incident)
    for about, text in (("well", "a"), ("wrong", "b"), ("factor", "c"), (None, "d")):
        incident.note(text, about)
    found = post_mortem(incident, now_ns=T0 + END)
    assert found.supported == ["H2 the pool is too small: none is free"]
    assert found.refuted == ["H1 version 1.1 is slower: its code is never reached"]
    assert (found.went_well, found.went_wrong, found.factors) == (["a"], ["b"], ["c"])
    assert "The cause: two connections for any load." in found.summary
    assert [each.shows for each in found.queries[3:]] == ["E1", "E2", "E3"]


def test_the_summary_says_whether_the_fix_is_proven(incident: Incident) -> None:
    explained(incident).record_fix("fifty connections")
    assert "The fix is not proven: fifty connections." in post_mortem(incident, now_ns=T0 + END).summary
    verify(incident, window=Window(T0 + INCIDENT[1], T0 + END))
    assert "The fix is proven: fifty connections." in post_mortem(incident, now_ns=T0 + END).summary


def test_without_a_window_the_impact_is_unknown_and_said_to_be(tmp_path: Path) -> None:
    log = IncidentLog(exhausted_pool(tmp_path / "store"))
    incident = Incident.open(log, "slow", "LOW", actor="ada", symptoms=["p95 is above 1 s"])
    found = post_mortem(explained(incident))
    assert found.impact is None
    assert "Unknown: nobody said when it was" in to_markdown(found)
    assert found.elapsed[0].duration_ns is None


def test_without_users_or_a_baseline_these_numbers_are_unknown(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 200):
        recording.span(number, 1, "GET /", number * SECOND, 20 * MS, kind="SERVER")
    log = IncidentLog(recording.write(tmp_path / "store"))
    incident = Incident.open(log, "slow", "LOW", actor="ada", window=Window(T0, T0 + 200 * SECOND))
    found = post_mortem(incident, now_ns=T0 + 300 * SECOND)
    assert found.impact is not None
    assert (found.impact.requests, found.impact.users, found.impact.excess_failed) == (199, 0, None)
    assert (found.impact.baseline_error_share, found.impact.slow_over_ns, found.impact.quantiles) == (None, None, [])
    assert [note.split(":")[0] for note in found.impact.notes] == [
        "the baseline has no requests",
        "requests do not say whose they are (enduser.id, user.id)",
    ]
    assert "users concerned" not in to_markdown(found)


def test_sampled_requests_count_for_those_they_stand_for(tmp_path: Path) -> None:
    recording = Recording()
    for number in range(1, 400):
        recording.span(
            number, 1, "GET /", number * SECOND, 20 * MS, kind="SERVER", error="no" if number > 390 else None,
            attributes={"sampling.weight": 1},
        )  # fmt: skip
    log = IncidentLog(recording.write(tmp_path / "store"))
    window = Window(T0 + 200 * SECOND, T0 + 400 * SECOND)
    incident = Incident.open(log, "slow", "LOW", actor="ada", window=window)
    found = post_mortem(incident, now_ns=T0 + 500 * SECOND)
    assert found.impact is not None
    assert found.impact.failed == 9
    assert found.impact.excess_failed == pytest.approx(9)
    low, high = found.impact.excess_interval or (0, 0)
    assert low < 9 < high


def test_a_post_mortem_is_refused_while_the_cause_is_not_known(incident: Incident) -> None:
    found = post_mortem(incident, now_ns=T0 + END)
    with pytest.raises(Refused, match="the cause is not known"):
        keep(incident, found)
    keep(incident, found, override="the service was retired")
    written = incident.state.last(kinds.POSTMORTEM)
    assert written is not None
    assert written.payload["override"] == "the service was retired"
    assert "Against the method" in to_markdown(post_mortem(incident, now_ns=T0 + END))


def test_the_same_post_mortem_is_recorded_once_and_another_one_again(incident: Incident) -> None:
    explained(incident)
    for _ in range(2):
        keep(incident, post_mortem(incident, now_ns=T0 + END))
    assert len(incident.state.of(kinds.POSTMORTEM)) == 1
    incident.note("more is known", "factor")
    keep(incident, post_mortem(incident, now_ns=T0 + END))
    files = [event.payload["file"] for event in incident.state.of(kinds.POSTMORTEM)]
    assert len(set(files)) == 2
    for file in files:
        assert (incident.log.path(incident.id) / file).read_text().startswith("# Post-mortem: Predictions fail")


def test_one_looks_back_after_thirty_days(incident: Incident, clock: Clock) -> None:
    incident.close(override="a drill")
    closed_ns = clock.now_ns
    assert follow_up(incident.state, closed_ns + 29 * DAY_NS).overdue is False
    late = follow_up(incident.state, closed_ns + 32 * DAY_NS)
    assert (late.due, late.overdue) == ("2025-11-08", True)
    remarks = review(incident, closed_ns + 32 * DAY_NS).remarks
    assert [remark.kind for remark in remarks] == ["action", "follow-up"]
    incident.note("the pool was never full again", "follow-up")
    assert follow_up(incident.state, closed_ns + 32 * DAY_NS).done is not None


def test_the_review_reads_what_people_wrote_and_not_what_was_answered(incident: Incident) -> None:
    explained(incident, cause="Ben forgot the pool")
    incident.add_evidence(Exhibit("sql", "select 'the engineer broke it'", b"{}"))
    actions.add(incident, "resize", owner="ben", due="2026-01-01", outcome="a load test passes")
    remarks = review(incident, T0 + END).remarks
    assert [(remark.kind, remark.text) for remark in remarks] == [("blame", "Ben forgot the pool")]


Render = Callable[[Incident], str]


def shown(incident: Incident) -> str:
    return incident_page(record(incident))


def told(incident: Incident) -> str:
    return postmortem_page(post_mortem(incident, now_ns=T0 + END))


@pytest.fixture
def hostile(tmp_path: Path) -> Incident:
    """An incident in which every text is hostile."""
    text = f"{HOSTILE}{OVERRIDE} | a `b` **c** [d](https://evil.example) {{{{ 7 * 7 }}}}"
    log = IncidentLog(exhausted_pool(tmp_path / "store"))
    incident = Incident.open(log, text, "HIGH", actor=text, description=text, window=WINDOW, symptoms=[text])
    exhibit = Exhibit("sql", text, text.encode())
    incident.add_evidence(exhibit)
    incident.add_hypothesis(text, text, ["all"])
    incident.add_test("H1", exhibit, "supported", text)
    incident.set_cause(f"{text} indeed", "H1")
    incident.record_fix(text, text)
    incident.add_prevention("test", text, text)
    for about in (None, "well", "wrong", "factor"):
        incident.note(text, about)
    actions.add(incident, text, owner=text, outcome=text)
    incident.close(override=text)
    return incident


@pytest.mark.parametrize("render", [shown, told])
def test_pages_show_what_people_say_as_text(hostile: Incident, render: Render) -> None:
    text = render(hostile)
    page = Page(text)
    assert len(page.scripts) == 1
    assert "alert" not in page.scripts[0]
    assert not [tag for tag, _ in page.tags if tag in {"img", "iframe", "object", "link", "b"}]
    assert all(reference.startswith("#") for reference in page.references())
    assert "\u202e" not in text
    assert HOSTILE in page.text
    assert "{{ 7 * 7 }}" in page.text
    for tag in ("table", "tbody", "ul", "p", "h2", "h3", "details", "main"):
        assert len(re.findall(rf"<{tag}(?:\s[^>]*)?>", text)) == text.count(f"</{tag}>"), tag


def test_markdown_shows_what_people_say_as_text(hostile: Incident) -> None:
    text = re.sub(
        r"^(`{3,})sql\n.*?^\1$", "", to_markdown(post_mortem(hostile, now_ns=T0 + END)), flags=re.MULTILINE | re.DOTALL
    )
    assert not re.search(r"(?<!\\)<script|(?<!\\)<img|(?<!\\)\[d\]\(", text)
    rows = [line for line in text.splitlines() if line.startswith("|")]
    cells: dict[int, Any] = {}
    for row in rows:
        cells.setdefault(len(re.findall(r"(?<!\\)\|", row)), row)
    assert set(cells) == {3, 4, 6, 8}  # impact, timeline, evidence, actions: no cell falls into two


def test_a_fence_that_is_in_a_query_does_not_end_it(incident: Incident) -> None:
    incident.add_evidence(Exhibit("sql", "select '```' -- ```\n", b"{}"))
    text = to_markdown(post_mortem(incident, now_ns=T0 + END))
    assert "````sql\nselect '```' -- ```\n````" in text
