"""A first look at everything: what is otherwise than before, what happened when, and what may have brought it about."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import duckdb

from infersight_analysis.cohorts.comparison import compare
from infersight_analysis.cohorts.question import OUTCOMES, Slow
from infersight_analysis.cohorts.question import Question as Cohorts
from infersight_analysis.deployments.marks import as_finding
from infersight_analysis.errors import AnalysisError
from infersight_analysis.failures.groups import HISTORY_NS
from infersight_analysis.findings import Anomalies, Comparison, Deployments, Evidence, RootCause, SlowRequests
from infersight_analysis.findings.triage import LookedAt, Noticed, RankedHypothesis, TimelineEntry, Triage
from infersight_analysis.incidents.evidence import Exhibit, traces_in
from infersight_analysis.incidents.incident import Incident
from infersight_analysis.incidents.log import IncidentLog
from infersight_analysis.incidents.noticing import noticed, severity_of
from infersight_analysis.incidents.observations import BEFORE_NS, Moment, Observations, observe
from infersight_analysis.incidents.overview import next_command
from infersight_analysis.incidents.requests import Requests, read_requests
from infersight_analysis.incidents.suppositions import ranked
from infersight_analysis.options import Window
from infersight_analysis.report.output import to_json
from infersight_analysis.rootcause.cause import rootcause
from infersight_analysis.rootcause.question import Question
from infersight_analysis.session import opened
from infersight_analysis.times import iso_time

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_MOST_MOMENTS: Final = 40
_SLOWEST: Final = 10
_FAILED: Final = ("the failed requests", "the others")
_FEW: Final = 0.01
"""Where no more requests fail, the slow ones are looked at."""


@dataclass(frozen=True)
class _Look:
    """What was found, before an incident is made of it."""

    usual: Requests
    now: Requests
    symptoms: list[Noticed]
    seen: Observations
    slow: SlowRequests
    cause: RootCause
    comparison: Comparison
    notes: list[str]


def triage(
    log: IncidentLog,
    question: Question,
    *,
    actor: str,
    service: str | None = None,
    severity: str | None = None,
    title: str | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Triage:
    """Look at a time with every verb, and open an incident with what they found.

    Args:
        log: the logs of the store.
        question: the time, and its baseline.
        actor: who opens it.
        service: only this service.
        severity: how grave it is; by the requests concerned, where it is not given.
        title: what is wrong; the first symptom by default.
        told: hears what is being looked at.

    Raises:
        AnalysisError: there is no request or error in that time.
    """
    begin_ns = min(question.start_ns - HISTORY_NS, question.baseline_ns[0])
    with opened(log.store, start_ns=begin_ns, end_ns=question.end_ns) as connection:
        look = _look(connection, question, service, told)
    moments = look.seen.moments()
    hypotheses = ranked(look.cause, look.seen.marks, question.start_ns, look.comparison, look.seen.errors)
    grave, reason = severity_of(look.usual, look.now, look.symptoms)
    symptoms = [each.statement for each in look.symptoms] or _otherwise(look, question)
    if symptoms and not look.symptoms:
        grave, reason = "MEDIUM", "requests fail and wait as before, but something is otherwise"
    told("opening the incident")
    incident = Incident.open(
        log,
        title or (symptoms[0] if symptoms else "nothing is otherwise than before, by test"),
        severity or grave,
        actor=actor,
        description="Opened by a triage of the telemetry.",
        window=Window(question.start_ns, question.end_ns),
        symptoms=symptoms,
    )
    looked_at = [_keep(incident, *answer) for answer in _answers(look, question, service)]
    supposed = [_suppose(incident, each) for each in hypotheses]
    return Triage(
        id=incident.id,
        title=incident.state.opening["title"],
        severity=severity or grave,
        severity_reason="as it was given" if severity else reason,
        start=iso_time(question.start_ns),
        end=iso_time(question.end_ns),
        baseline_start=iso_time(question.baseline_ns[0]),
        baseline_end=iso_time(question.baseline_ns[1]),
        symptoms=look.symptoms,
        timeline=[entry(moment) for moment in moments[:_MOST_MOMENTS]],
        hypotheses=supposed,
        looked_at=looked_at,
        notes=look.notes,
        next=next_command(incident.id, incident.state),
        evidence=_evidence(look, moments),
    )


def _otherwise(look: _Look, question: Question) -> list[str]:
    """What is otherwise where requests, as such, are as before: a burst of errors, or what a service does."""
    bursts = [
        cluster.statement for cluster in look.seen.bursts.clusters if _overlaps(cluster.start, cluster.end, question)
    ]
    signs = [sign.statement for suspect in look.cause.services[:1] for sign in suspect.evidence[:1]]
    return bursts[:1] or (signs if look.cause.verdict == "origin" else [])


def entry(moment: Moment) -> TimelineEntry:
    """A moment of the telemetry as it is listed."""
    return TimelineEntry(iso_time(moment.time_ns), moment.source, None, moment.statement, list(moment.trace_ids))


def _look(
    connection: duckdb.DuckDBPyConnection, question: Question, service: str | None, told: Callable[[str], None]
) -> _Look:
    from infersight_analysis.verbs.slow import slow  # noqa: PLC0415 - the function is the verb's

    window = Window(question.start_ns, question.end_ns)
    told("requests")
    now = read_requests(connection, question.start_ns, question.end_ns, service)
    usual = read_requests(connection, *question.baseline_ns, service)
    symptoms = noticed(usual, now, (question.start_ns, question.end_ns), question.baseline_ns)
    seen = observe(connection, question, told, service)
    if not now.count and not seen.errors.errors:
        raise AnalysisError("nothing was recorded in this time: give another --last, or --start and --end")
    notes = [] if usual.count else ["the baseline has no requests: nothing can be said to be otherwise than before"]
    told("slow")
    slowest = slow(connection, service=service, window=window, limit=_SLOWEST)
    told("rootcause")
    cause = rootcause(connection, question)
    told("compare")
    comparison = compare(connection, _cohorts(now, window, service), limit=5)
    return _Look(usual, now, symptoms, seen, slowest, cause, comparison, [*notes, *comparison.notes])


def _cohorts(now: Requests, window: Window, service: str | None) -> Cohorts:
    """The requests concerned, against the others of the same time: those that fail, or the slow ones if few do."""
    if now.error_share > _FEW:
        return Cohorts("status_code = 'ERROR'", about=_FAILED, service=service, window=window, restated=OUTCOMES)
    return Cohorts(Slow(share=0.95), about=("the slow requests", "the others"), service=service, window=window)


def _overlaps(start: str, end: str, question: Question) -> bool:
    return start < iso_time(question.end_ns) and end >= iso_time(question.start_ns)


def _answers(look: _Look, question: Question, service: str | None) -> list[tuple[str, str, "DataclassInstance"]]:
    """Each verb's command, its answer in a line, and its finding."""
    window = _times(question.start_ns, question.end_ns)
    only = f" --service {shlex.quote(service)}" if service else ""
    seen = look.seen
    count = sum(len(cluster.bursts) for cluster in seen.bursts.clusters)
    changed = Deployments([], [as_finding(mark) for mark in seen.marks], Evidence([], []))
    burst = _times(question.baseline_ns[0], question.end_ns)
    deployed = _times(question.start_ns - BEFORE_NS, question.end_ns)
    kind = "errors" if look.comparison.target.about == _FAILED[0] else "slow"
    return [
        (f"slow {window}{only} --limit {_SLOWEST}", f"{look.slow.considered:,} requests", look.slow),
        (f"errors {window}{only}", f"{seen.errors.found} faults, {seen.errors.count:,.6g} failures", seen.errors),
        (f"bursts {burst}{only}", f"{count} bursts of errors", seen.bursts),
        (f"anomalies {window}{only}", _unusual(seen.anomalies), seen.anomalies),
        (f"deployments {deployed}{only}", f"{len(changed.marks)} changes of what runs", changed),
        (f"rootcause {window}", look.cause.summary, look.cause),
        (f"compare --{kind} {window}{only}", look.comparison.summary, look.comparison),
    ]


def _times(start_ns: int, end_ns: int) -> str:
    return f"--start {iso_time(start_ns)} --end {iso_time(end_ns)}"


def _unusual(found: Anomalies) -> str:
    return f"{found.found} anomalies in {found.series} series"


def _keep(incident: Incident, command: str, answer: str, finding: "DataclassInstance") -> LookedAt:
    content = to_json(finding).encode()
    exhibit = Exhibit("verb", f"infersight {command}", content, trace_ids=traces_in(content))
    return LookedAt(f"infersight {command}", answer, incident.add_evidence(exhibit).payload["name"])


def _suppose(incident: Incident, each: RankedHypothesis) -> RankedHypothesis:
    event = incident.add_hypothesis(f"{each.statement} ({each.because})", each.refuted_by)
    return replace(each, name=event.payload["name"])


def _evidence(look: _Look, moments: list[Moment]) -> Evidence:
    traces = [request.trace_id for request in look.slow.requests[:3]]
    traces += [trace for moment in moments for trace in moment.trace_ids[:1]]
    sql = [query for each in look.symptoms for query in each.evidence.sql]
    return Evidence(list(dict.fromkeys(traces)), list(dict.fromkeys([*sql, *look.cause.evidence.sql])))
