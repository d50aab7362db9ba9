"""The post-mortem of an incident: all that is known of it, put together."""

import time
from collections.abc import Callable, Iterator
from typing import Final

from infersight_analysis.failures.groups import HISTORY_NS
from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.incidents import IncidentStatus
from infersight_analysis.findings.postmortem import Impact, KeptEvidence, NamedQuery, PostMortem
from infersight_analysis.incidents import state as kinds
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.observations import Moment, observe
from infersight_analysis.incidents.overview import record
from infersight_analysis.incidents.state import State
from infersight_analysis.postmortems.actions import actions
from infersight_analysis.postmortems.history import elapsed, timeline
from infersight_analysis.postmortems.impact import impact
from infersight_analysis.postmortems.review import day_of, follow_up, review
from infersight_analysis.rootcause.question import Question
from infersight_analysis.session import opened
from infersight_analysis.times import iso_time, long_duration, parse_time, short_duration

_SHOWN: Final = (
    "requests, failures, users and durations of the incident",
    "the same of the baseline",
    "the series by which begin and end are told",
)


def post_mortem(
    incident: Incident,
    *,
    service: str | None = None,
    now_ns: int | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> PostMortem:
    """Put the post-mortem of an incident together.

    Args:
        incident: which.
        service: only the requests of this service.
        now_ns: when it is written, nanoseconds since the epoch; now by default.
        told: hears what is being looked at.
    """
    now_ns = time.time_ns() if now_ns is None else now_ns
    state = incident.state
    cost, moments = _telemetry(incident, state, service, now_ns, told)
    found = record(incident)
    cause = state.last(kinds.CAUSE)
    queries = list(_queries(state, cost))
    verification = state.last(kinds.VERIFICATION)
    return PostMortem(
        id=incident.id,
        title=state.opening["title"],
        severity=state.opening["severity"],
        written=iso_time(now_ns)[:10],
        summary=list(_summary(state, cost)),
        impact=cost,
        timeline=timeline(moments, state, cost),
        cause=cause.payload["statement"] if cause else None,
        supported=list(_tested(state, kinds.SUPPORTED)),
        refuted=list(_tested(state, kinds.REFUTED)),
        factors=_notes(state, "factor"),
        went_well=_notes(state, "well"),
        went_wrong=_notes(state, "wrong"),
        fixes=[_with(event.payload["description"], event.payload.get("change")) for event in state.of(kinds.FIX)],
        checks=verification.payload["checks"] if verification else [],
        preventions=list(_preventions(state)),
        actions=actions(incident.id, state, day_of(now_ns)),
        elapsed=elapsed(state, cost),
        follow_up=follow_up(state, now_ns),
        overridden=list(_overridden(found.status)),
        problems=[*found.status.irregular, *found.status.problems],
        review=review(incident, now_ns).remarks,
        appendix=list(_appendix(state)),
        queries=queries,
        evidence=Evidence(found.evidence.trace_ids, [each.sql for each in queries]),
    )


def _telemetry(
    incident: Incident, state: State, service: str | None, now_ns: int, told: Callable[[str], None]
) -> tuple[Impact | None, list[Moment]]:
    """What it cost, and what the telemetry shows; nothing where nobody said when it was."""
    start = state.opening.get("start")
    if not start:
        return None, []
    window = incident.window
    end_ns = window.end_ns or _proven_ns(state) or now_ns
    question = Question(parse_time(start), end_ns)
    until_ns = min(now_ns, max(_after_fix_ns(state) or 0, end_ns + (end_ns - question.start_ns)))
    begin_ns = min(question.start_ns - HISTORY_NS, question.baseline_ns[0])
    with opened(incident.log.store, start_ns=begin_ns, end_ns=until_ns) as connection:
        told("impact")
        cost = impact(connection, question, until_ns, service)
        return cost, observe(connection, question, told, service).moments()


def _proven_ns(state: State) -> int | None:
    fix = state.last(kinds.FIX)
    return fix.time_ns if fix else None


def _after_fix_ns(state: State) -> int | None:
    """Until when the last verification looked."""
    verification = state.last(kinds.VERIFICATION)
    end = verification.payload.get("end") if verification else None
    return parse_time(end) if end else None


def _summary(state: State, cost: Impact | None) -> Iterator[str]:
    """All of it in a few sentences, each of what was recorded or counted."""
    opening = state.opening
    yield f"{opening['title'].rstrip('.')}."
    if cost and cost.requests:
        lasting = f" for {long_duration(cost.lasting.duration_ns)}" if cost.lasting.duration_ns else ""
        began = (cost.lasting.began or cost.start)[:16].replace("T", " ")
        usual = "" if cost.baseline_error_share is None else f", {cost.baseline_error_share:.1%} before"
        share = f"{cost.error_share or 0:.1%}{usual}"
        yield f"From {began} UTC on{lasting}, {cost.failed:,.6g} of {cost.requests:,.6g} requests failed ({share})."
        p95 = next((each for each in cost.quantiles if each.q == 0.95), None)
        if p95:
            yield f"p95 was {short_duration(p95.incident_ns)}, {short_duration(p95.baseline_ns)} before."
        if cost.users:
            concerned = cost.users_concerned / cost.users
            yield f"It concerned {cost.users_concerned:,} of {cost.users:,} users ({concerned:.1%})."
    cause, fix = state.last(kinds.CAUSE), state.last(kinds.FIX)
    yield f"The cause: {cause.payload['statement'].rstrip('.')}." if cause else "The cause is not known."
    if fix:
        proven = "is proven" if state.last(kinds.VERIFICATION) and kinds.is_verified(state) else "is not proven"
        yield f"The fix {proven}: {fix.payload['description'].rstrip('.')}."


def _preventions(state: State) -> Iterator[str]:
    for event in state.of(kinds.PREVENTION):
        yield _with(f"{event.payload['type']}: {event.payload['description']}", event.payload.get("reference"))


def _overridden(status: IncidentStatus) -> Iterator[str]:
    for each in status.overridden:
        yield f"{each.kind} by {each.actor}, although {each.refused}. Why: {each.why}"


def _appendix(state: State) -> Iterator[KeptEvidence]:
    for event in state.of(kinds.EVIDENCE):
        kept = event.payload
        yield KeptEvidence(
            kept["name"], iso_time(event.time_ns), event.actor, kept["about"], kept["file"], kept["sha256"]
        )


def _queries(state: State, cost: Impact | None) -> Iterator[NamedQuery]:
    """Those that the impact was counted by, and those among the evidence."""
    if cost:
        for shows, sql in zip(_SHOWN, cost.evidence.sql, strict=True):
            yield NamedQuery(shows, sql)
    for event in state.of(kinds.EVIDENCE):
        if event.payload.get("type") == "sql":
            yield NamedQuery(event.payload["name"], event.payload["about"])


def _tested(state: State, outcome: str) -> Iterator[str]:
    for hypothesis in state.hypotheses.values():
        if hypothesis.outcome == outcome:
            tests = [
                event.payload["statement"]
                for event in state.of(kinds.TEST)
                if event.payload["hypothesis"] == hypothesis.name and event.payload["outcome"] == outcome
            ]
            yield f"{hypothesis.name} {hypothesis.statement}: {'; '.join(tests)}"


def _notes(state: State, about: str) -> list[str]:
    return [event.payload["text"] for event in state.of(kinds.NOTE) if event.payload.get("about") == about]


def _with(text: str, reference: str | None) -> str:
    return f"{text} ({reference})" if reference else text
