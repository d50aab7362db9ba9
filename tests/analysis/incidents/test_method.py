"""The order of the method holds whatever is tried: on the pure state machine, and on a log on the disk."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from infersight_analysis.errors import AnalysisError
from infersight_analysis.incidents import gates
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.evidence import Exhibit
from infersight_analysis.incidents.incident import Incident, Refused
from infersight_analysis.incidents.log import OPENED, SEVERITIES, Event, IncidentLog
from infersight_analysis.incidents.state import OVERRIDE, State
from infersight_collector.store.directory import create

NAMES = ("1", "2", "3")
CHECKS = [
    [("reproduction", "passed"), ("metrics", "passed"), ("errors", "passed")],
    [("reproduction", "not applicable"), ("metrics", "passed"), ("errors", "passed")],
    [("reproduction", "passed"), ("metrics", "not applicable"), ("errors", "undecided")],
    [("reproduction", "failed"), ("metrics", "passed"), ("errors", "passed")],
    [],
]
OUTCOMES = ("supported", "refuted", "undecided")


def proven(checks: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {"checks": [{"name": name, "outcome": outcome, "statement": "s"} for name, outcome in checks]}


def named(kind: str, payload: Mapping[str, Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.just((kind, dict(payload)))


def hypotheses() -> st.SearchStrategy[str]:
    return st.sampled_from([f"H{name}" for name in NAMES])


def symptoms() -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from([f"S{name}" for name in NAMES]), unique=True)


STEPS = st.one_of(
    named(kinds.SYMPTOM, {"statement": "it is slow"}),
    named(kinds.EVIDENCE, {"about": "a", "file": "f", "sha256": "0"}),
    st.integers(0, 3).map(
        lambda n: (kinds.REPRODUCTION, {"statement": "s", "reproduced": n, "attempts": 3, "scenario": {}})
    ),
    symptoms().map(lambda s: (kinds.HYPOTHESIS, {"statement": "h", "refuted_by": "r", "explains": s})),
    st.tuples(hypotheses(), symptoms()).map(
        lambda p: (kinds.EXPLANATION, {"hypothesis": p[0], "symptoms": p[1], "how": "h"})
    ),
    st.tuples(hypotheses(), st.sampled_from(OUTCOMES)).map(
        lambda p: (kinds.TEST, {"hypothesis": p[0], "outcome": p[1], "statement": "t"})
    ),
    st.tuples(st.sampled_from(["too few connections", "slow"]), st.none() | hypotheses()).map(
        lambda p: (kinds.CAUSE, {"statement": p[0], "hypothesis": p[1]})
    ),
    named(kinds.FIX, {"description": "more connections"}),
    st.sampled_from(CHECKS).map(lambda checks: (kinds.VERIFICATION, proven(checks))),
    named(kinds.PREVENTION, {"type": "monitor", "description": "an alarm"}),
    named(kinds.POSTMORTEM, {"file": "f", "sha256": "0"}),
    named(kinds.NOTE, {"text": "n", "about": None}),
    named(kinds.CLOSED, {}),
    named(kinds.CLOSED, {}),
    named(kinds.REOPENED, {"reason": "again"}),
    named("rolled back", {"what": "by another tool"}),
)
WHYS = st.sampled_from([None] * 12 + ["", "nobody can wait"])


def closed_by_the_rules(events: Sequence[Event]) -> bool:
    """What closing takes, told anew from the events alone, without the code that it is held to."""
    severity = events[0].payload["severity"]
    events = events[max((e.sequence for e in events if e.kind == kinds.REOPENED), default=0) :]
    known = {event.kind for event in events}
    return {kinds.FIX, kinds.VERIFICATION} <= known and (
        severity not in ("CRITICAL", "HIGH") or kinds.POSTMORTEM in known
    )


def cause_by_the_rules(events: Sequence[Event]) -> bool:
    """Whether the last cause is of a hypothesis that was supported, never refuted, and explains all symptoms."""
    cause = [event for event in events if event.kind == kinds.CAUSE][-1]
    if cause.payload.get(OVERRIDE):
        return True
    name = cause.payload["hypothesis"]
    of_it = [event.payload for event in events if event.payload.get("hypothesis") == name]
    outcomes = [payload["outcome"] for payload in of_it if "outcome" in payload]
    explained = {symptom for payload in of_it for symptom in payload.get("symptoms", ())}
    stated = next(event.payload for event in events if event.kind == kinds.HYPOTHESIS and event.payload["name"] == name)
    every = {event.payload["name"] for event in events if event.kind == kinds.SYMPTOM}
    return (
        "supported" in outcomes
        and "refuted" not in outcomes
        and bool(every)
        and every <= explained | set(stated["explains"])
    )


def check_closed(state: State) -> None:
    """A closed incident went through the gates, or somebody overrode them and that is recorded."""
    if not state.is_closed or state.last(kinds.CLOSED).payload.get(OVERRIDE):  # type: ignore[union-attr]
        return
    events = [event for event in state.events if event.sequence <= state.last(kinds.CLOSED).sequence]  # type: ignore[union-attr]
    assert closed_by_the_rules(events)
    assert cause_by_the_rules(events)
    has_data = any(e.kind == kinds.EVIDENCE or e.payload.get("reproduced") for e in events)
    assert has_data or any(e.payload.get(OVERRIDE) for e in events)
    if events[0].payload["severity"] in ("CRITICAL", "HIGH"):
        assert any(event.kind == kinds.PREVENTION for event in events)
    fixed = max(event.sequence for event in events if event.kind == kinds.FIX)
    last = [event for event in events if event.kind == kinds.VERIFICATION][-1]
    assert last.sequence > fixed
    outcomes = {check["name"]: check["outcome"] for check in last.payload["checks"]}
    reproduced = any(event.payload.get("reproduced") for event in events)
    if not last.payload.get(OVERRIDE):
        assert outcomes["reproduction" if reproduced else "metrics"] == "passed"
        assert not {"failed", "undecided"} & set(outcomes.values())


def complete(severity: str) -> list[tuple[str, dict[str, Any]]]:
    """The steps from opening to closing, none too many."""
    needed: list[tuple[str, dict[str, Any]]] = [
        (kinds.SYMPTOM, {"statement": "it is slow"}),
        (kinds.EVIDENCE, {"about": "a", "file": "f", "sha256": "0"}),
        (kinds.HYPOTHESIS, {"statement": "h", "refuted_by": "r", "explains": ["S1"]}),
        (kinds.TEST, {"hypothesis": "H1", "outcome": "supported", "statement": "t"}),
        (kinds.CAUSE, {"statement": "too few connections", "hypothesis": "H1"}),
        (kinds.FIX, {"description": "more connections"}),
        (kinds.VERIFICATION, proven(CHECKS[1])),
    ]
    if severity in ("CRITICAL", "HIGH"):
        needed.append((kinds.PREVENTION, {"type": "monitor", "description": "an alarm"}))
        needed.append((kinds.POSTMORTEM, {"file": "f", "sha256": "0"}))
    return [*needed, (kinds.CLOSED, {})]


def almost_complete() -> st.SearchStrategy[list[tuple[str, dict[str, Any]]]]:
    """The steps of a grave incident with some left out, and others between: few of chance alone would get anywhere."""
    return st.lists(
        st.tuples(st.lists(STEPS, max_size=1), st.integers(0, 9)), min_size=len(complete("HIGH")), max_size=12
    ).map(
        lambda spoilt: [
            step
            for place, (between, kept) in enumerate(spoilt)
            for step in (*between, *complete("HIGH")[place : place + 1][: min(kept, 1)])
        ]
    )


class Method(RuleBasedStateMachine):
    """Steps in any order, on a log on the disk, some by the interface and some written past it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        create(self.folder / "store")
        self.log = IncidentLog(self.folder / "store")
        self.incident: Incident | None = None

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def opened(self, severity: str = "HIGH") -> Incident:
        if self.incident is None:
            self.incident = Incident.open(self.log, "it is slow", severity, actor="ada")
        return self.incident

    @rule(severity=st.sampled_from(SEVERITIES))
    def begin(self, severity: str) -> None:
        self.opened(severity)

    @rule(step=STEPS, override=WHYS)
    def take(self, step: tuple[str, dict[str, Any]], override: str | None) -> None:
        incident = self.opened()
        before = incident.state
        try:
            event = incident.record(*step, override=override)
        except AnalysisError as refused:
            told = (
                (refused.reason, refused.command) if isinstance(refused, Refused) else ("", f"infersight {incident.id}")
            )
            assert incident.state == before
            assert told[1].startswith("infersight ")
            assert incident.id in told[1]
        else:
            assert incident.state.events[-1] == event

    @rule(place=st.integers(0, 9))
    def take_one_of_the_method(self, place: int) -> None:
        incident = self.opened()
        steps = complete("HIGH")
        done = min(sum(event.kind in dict(steps) for event in incident.state.events), len(steps) - 1)
        self.take(steps[done if place else 0], None)

    @rule(step=STEPS)
    def write_past_it(self, step: tuple[str, dict[str, Any]]) -> None:
        incident = self.opened()
        self.log.append(incident.id, *step, actor="somebody")

    @invariant()
    def no_gate_was_passed(self) -> None:
        if self.incident is not None:
            check_closed(self.incident.state)
            assert self.log.problems(self.incident.id) == []


Method.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestMethodOnTheDisk = Method.TestCase


def test_no_sequence_of_steps_closes_an_incident_past_the_gates() -> None:
    closed: list[bool] = []

    @settings(max_examples=600, deadline=None, derandomize=True, database=None)
    @given(st.sampled_from(SEVERITIES), almost_complete(), st.lists(WHYS, min_size=30, max_size=30))
    def sequence(severity: str, steps: list[tuple[str, dict[str, Any]]], whys: list[str | None]) -> None:
        state = gates.replay([Event(0, 0, "ada", OPENED, {"title": "it is slow", "severity": severity})])
        counts: dict[str, int] = {}
        for place, ((kind, payload), override) in enumerate(zip(steps, whys, strict=False), 1):
            counts[kind] = counts.get(kind, 0) + 1
            prefix = {kinds.SYMPTOM: "S", kinds.HYPOTHESIS: "H"}.get(kind, "X")
            said = {"name": f"{prefix}{counts[kind]}", **payload, **({OVERRIDE: override} if override else {})}
            state = gates.after(state, Event(place, place, "ada", kind, said))
            check_closed(state)
        closed.append(state.is_closed and not state.overrides)

    sequence()
    assert sum(closed) > 20  # otherwise nothing was tried


@pytest.fixture
def log(tmp_path: Path) -> IncidentLog:
    create(tmp_path / "store")
    return IncidentLog(tmp_path / "store")


@pytest.mark.parametrize("severity", SEVERITIES)
def test_the_whole_method_closes_an_incident(log: IncidentLog, severity: str) -> None:
    incident = Incident.open(log, "it is slow", severity, actor="ada")
    for kind, payload in complete(severity):
        incident.record(kind, payload)
    assert incident.state.is_closed
    assert gates.stage(incident.state) == "closed"
    assert incident.state.overrides == []


@pytest.mark.parametrize("left_out", range(9))
def test_without_any_one_of_its_steps_a_grave_incident_stays_open(log: IncidentLog, left_out: int) -> None:
    incident = Incident.open(log, "it is slow", "HIGH", actor="ada")
    steps = complete("HIGH")
    refused = 0
    for kind, payload in (*steps[:left_out], *steps[left_out + 1 :]):
        try:
            incident.record(kind, payload)
        except AnalysisError:
            refused += 1
    assert refused
    assert not incident.state.is_closed


@pytest.mark.parametrize(
    ("taken", "then", "reason", "command"),
    [
        (0, kinds.FIX, "nothing was reproduced and there is no evidence", "evidence add INC-"),
        (0, kinds.HYPOTHESIS, "there is no evidence: what is known is a guess", "evidence add INC-"),
        (2, kinds.CAUSE, "there is no hypothesis", "hypothesis add INC-"),
        (3, kinds.CAUSE, "no hypothesis is supported by a test, H1 is untested", "hypothesis test INC-"),
        (4, kinds.FIX, "the cause is not known", "cause set INC-"),
        (5, kinds.VERIFICATION, "no fix is recorded", "fix record INC-"),
        (6, kinds.CLOSED, "the fix is not verified", "verify INC-"),
        (7, kinds.CLOSED, "nothing prevents it from coming back", "prevent add INC-"),
        (8, kinds.CLOSED, "there is no post-mortem", "postmortem write INC-"),
        (10, kinds.FIX, "the incident is closed", "reopen INC-"),
    ],
)
def test_a_step_too_early_is_refused_with_the_reason_and_what_is_next(
    log: IncidentLog, taken: int, then: str, reason: str, command: str
) -> None:
    incident = Incident.open(log, "it is slow", "HIGH", actor="ada")
    steps = complete("HIGH")
    for kind, payload in steps[:taken]:
        incident.record(kind, payload)
    payload = dict(steps)[then]
    if taken < 3:  # nothing is there yet that it could name
        payload = {key: value for key, value in payload.items() if key != "hypothesis"} | {"explains": list[str]()}
    with pytest.raises(Refused, match=reason) as refused:
        incident.record(then, payload)
    assert command in refused.value.command


def test_an_override_is_recorded_with_what_it_overrode(log: IncidentLog) -> None:
    incident = Incident.open(log, "it is slow", "LOW", actor="ada")
    event = incident.close(override="a false alarm")
    assert incident.state.is_closed
    assert (event.payload[OVERRIDE], event.payload["refused"]) == ("a false alarm", "the cause is not known")
    assert incident.state.overrides == [event]


def test_an_override_that_was_not_needed_is_none(log: IncidentLog) -> None:
    incident = Incident.open(log, "it is slow", "LOW", actor="ada")
    for kind, payload in complete("LOW"):
        incident.record(kind, payload, override="to be sure")
    assert incident.state.overrides == []


def test_one_refutation_outweighs_every_support(log: IncidentLog) -> None:
    incident = Incident.open(log, "it is slow", "LOW", actor="ada")
    for kind, payload in complete("LOW")[:4]:
        incident.record(kind, payload)
    incident.record(kinds.TEST, {"hypothesis": "H1", "outcome": "refuted", "statement": "t"})
    with pytest.raises(Refused, match="no hypothesis is supported"):
        incident.set_cause("too few connections", "H1")


def test_a_symptom_that_comes_later_unsettles_the_cause(log: IncidentLog) -> None:
    incident = Incident.open(log, "it is slow", "LOW", actor="ada")
    for kind, payload in complete("LOW")[:5]:
        incident.record(kind, payload)
    incident.add_symptom("memory grows")
    with pytest.raises(Refused, match="H1 does not explain S2: memory grows") as refused:
        incident.record_fix("more connections")
    assert "hypothesis explain" in refused.value.command
    incident.explain("H1", ["S2"], "requests that wait hold their buffers")
    incident.record_fix("more connections")


def test_a_symptom_is_no_cause(log: IncidentLog) -> None:
    incident = Incident.open(log, "it is slow", "LOW", actor="ada")
    for kind, payload in complete("LOW")[:4]:
        incident.record(kind, payload)
    with pytest.raises(Refused, match="that is the symptom S1"):
        incident.set_cause("It is slow!", "H1")


def test_a_new_fix_has_to_be_verified_anew(log: IncidentLog) -> None:
    incident = Incident.open(log, "it is slow", "LOW", actor="ada")
    for kind, payload in complete("LOW")[:-1]:
        incident.record(kind, payload)
    incident.record_fix("even more connections")
    with pytest.raises(Refused, match="the fix is not verified"):
        incident.close()


def test_an_incident_that_came_back_needs_another_fix(log: IncidentLog) -> None:
    incident = Incident.open(log, "it is slow", "LOW", actor="ada")
    for kind, payload in complete("LOW"):
        incident.record(kind, payload)
    incident.reopen("slow again")
    assert not incident.state.is_closed
    with pytest.raises(Refused, match="no fix is recorded"):
        incident.close()


def test_what_was_written_past_the_gates_does_not_count_and_is_shown(log: IncidentLog) -> None:
    incident = Incident.open(log, "it is slow", "HIGH", actor="ada")
    log.append(incident.id, kinds.CLOSED, {}, "somebody")
    log.append(incident.id, kinds.VERIFICATION, {"checks": 3}, "somebody")
    state = incident.state
    assert not state.is_closed
    assert [reason for _, reason in state.irregular] == ["the cause is not known", "verification needs checks"]


@pytest.mark.parametrize(
    ("kind", "payload", "says"),
    [
        (kinds.SYMPTOM, {"statement": ""}, "symptom needs statement"),
        (kinds.TEST, {"hypothesis": "H9", "outcome": "supported", "statement": "t"}, "no hypothesis H9"),
        (kinds.HYPOTHESIS, {"statement": "h", "refuted_by": "r", "explains": ["S9"]}, "no symptom S9: there are S1"),
        (kinds.HYPOTHESIS, {"statement": "h", "refuted_by": "", "explains": []}, "needs refuted_by"),
        (kinds.ACTION_CHANGED, {"action": "A1", "status": "DONE"}, "no action A1"),
        (kinds.REOPENED, {"reason": "again"}, "the incident is open"),
        (OPENED, {"severity": "LOW"}, "begins with being opened, once"),
    ],
)
def test_what_makes_no_sense_is_wrong_use_whatever_the_override(
    log: IncidentLog, kind: str, payload: dict[str, Any], says: str
) -> None:
    incident = Incident.open(log, "it is slow", "LOW", actor="ada", symptoms=["it is slow"])
    with pytest.raises(AnalysisError, match=says) as refused:
        incident.record(kind, payload, override="now")
    assert not isinstance(refused.value, Refused)


def test_only_the_hypothesis_that_was_supported_can_be_the_cause(log: IncidentLog) -> None:
    incident = Incident.open(log, "it is slow", "LOW", actor="ada")
    for kind, payload in complete("LOW")[:4]:
        incident.record(kind, payload)
    incident.add_hypothesis("the disk is full", "there is room", ["all"])
    with pytest.raises(Refused, match="H2 is untested, so it is no cause") as refused:
        incident.set_cause("a full disk", "H2")
    assert "hypothesis test" in refused.value.command


def test_a_refutation_that_comes_later_unsettles_the_cause(log: IncidentLog) -> None:
    incident = Incident.open(log, "it is slow", "LOW", actor="ada")
    for kind, payload in complete("LOW")[:-1]:
        incident.record(kind, payload)
    incident.record(kinds.TEST, {"hypothesis": "H1", "outcome": "refuted", "statement": "t"})
    with pytest.raises(Refused, match="H1 is refuted, so it is no cause"):
        incident.close()


def test_nothing_is_left_of_evidence_that_is_refused(log: IncidentLog) -> None:
    incident = Incident.open(log, "it is slow", "LOW", actor="ada")
    with pytest.raises(AnalysisError, match="no hypothesis H1"):
        incident.add_test("H1", Exhibit("file", "a", b"b"), "supported", "t")
    incident.close(override="a drill")
    with pytest.raises(Refused, match="the incident is closed"):
        incident.add_evidence(Exhibit("file", "a", b"b"))
    assert not (log.path(incident.id) / "evidence").exists()
    assert [event.kind for event in log.read(incident.id)] == ["opened", "closed"]
