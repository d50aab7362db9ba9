"""Findings of `postmortem`."""

from dataclasses import dataclass, field
from typing import Any

from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.triage import TimelineEntry


@dataclass(frozen=True)
class QuantileChange:
    """A quantile of the requests' durations, in the incident and in the baseline, and their difference (95 %)."""

    q: float
    incident_ns: float
    baseline_ns: float
    difference_ns: float
    interval_ns: tuple[float | None, float | None]


@dataclass(frozen=True)
class Lasting:
    """From when to when requests were otherwise.

    Args:
        began: the first step of the new level; null where no change is found.
        began_interval: the times that are possible with 95 %.
        ended: the first step after it; null where none is found.
        ended_interval: the times that are possible with 95 %.
        duration_ns: from one to the other; null where one of them is not known.
        by: which reading changed: `error_share` or `p95`.
        statement: it in words, or why it is not known.
    """

    began: str | None
    began_interval: tuple[str, str] | None
    ended: str | None
    ended_interval: tuple[str, str] | None
    duration_ns: int | None
    by: str | None
    statement: str


@dataclass(frozen=True)
class Impact:
    """What an incident cost, computed from the telemetry.

    Args:
        start: when what is counted begins.
        end: when it ends.
        baseline_start: when the baseline begins.
        baseline_end: when it ends.
        lasting: how long it lasted, by change points.
        requests: how many there were, un-biased by sampling.
        failed: how many of them failed.
        error_share: the share that failed.
        baseline_error_share: that of the baseline; null where it has no requests.
        excess_failed: failures beyond the baseline's share; null where there is none.
        excess_interval: that with 95 %.
        slow: requests that took longer than 99 of 100 in the baseline.
        slow_over_ns: how long that is, nanoseconds.
        excess_slow: slow ones beyond the hundredth that is usual.
        users: how many users there were; 0 where requests do not say whose they are.
        users_concerned: how many of them had a request that failed or was slow.
        quantiles: of the durations.
        notes: what to know of these numbers.
        evidence: the SQL of every number.
    """

    start: str
    end: str
    baseline_start: str
    baseline_end: str
    lasting: Lasting
    requests: float
    failed: float
    error_share: float | None
    baseline_error_share: float | None
    excess_failed: float | None
    excess_interval: tuple[float, float] | None
    slow: float
    slow_over_ns: int | None
    excess_slow: float | None
    users: int
    users_concerned: int
    quantiles: list[QuantileChange]
    notes: list[str]
    evidence: Evidence


@dataclass(frozen=True)
class ActionItem:
    """Something to do about it.

    Args:
        incident: of which incident.
        name: `A1`, ...
        description: what.
        owner: who sees to it; null where nobody does.
        due: until when, a date; null where none was given.
        priority: `CRITICAL`, `HIGH`, `MEDIUM` or `LOW`.
        outcome: how one will see that it is done; null where nobody said.
        status: `TODO`, `IN_PROGRESS` or `DONE`.
        done: when it was done.
        overdue: whether it is not done and its date has passed.
    """

    incident: str
    name: str
    description: str
    owner: str | None
    due: str | None
    priority: str
    outcome: str | None
    status: str
    done: str | None
    overdue: bool


@dataclass(frozen=True)
class Actions:
    """Action items, what is overdue and grave first."""

    actions: list[ActionItem] = field(default_factory=list[ActionItem])


@dataclass(frozen=True)
class Remark:
    """Something about a post-mortem that should be otherwise.

    Args:
        kind: `blame`, `action` or `follow-up`.
        of: where it is: `note 7`, `A1`, ...
        text: what is said there.
        reason: what is wrong with it.
        instead: what would be better.
    """

    kind: str
    of: str
    text: str
    reason: str
    instead: str


@dataclass(frozen=True)
class Review:
    """What a check of a post-mortem found; nothing, where all is well."""

    incident: str
    remarks: list[Remark]


@dataclass(frozen=True)
class Elapsed:
    """How long something took, from when to when; nanoseconds, null where one of the times is not known."""

    name: str
    duration_ns: int | None
    statement: str


@dataclass(frozen=True)
class FollowUp:
    """The look back, 30 days after it was closed; `due` is null while it is open."""

    due: str | None
    done: str | None
    overdue: bool


@dataclass(frozen=True)
class KeptEvidence:
    """A piece of evidence of the incident."""

    name: str
    time: str
    actor: str
    about: str
    file: str
    sha256: str


@dataclass(frozen=True)
class NamedQuery:
    """A query, and which numbers it shows."""

    shows: str
    sql: str


@dataclass(frozen=True)
class PostMortem:
    """What happened, what it cost, why, and what follows from it.

    Args:
        id: of the incident.
        title: what was wrong.
        severity: how grave it was.
        written: the day.
        summary: all of it in a few sentences.
        impact: what it cost; null where the incident has no window.
        timeline: what happened, of the telemetry and of people, in its order.
        cause: what brought it about; null where that is not known.
        supported: the hypotheses that tests supported, with the tests.
        refuted: those that were refuted.
        factors: what contributed.
        went_well: what went well.
        went_wrong: what went wrong.
        fixes: what was changed.
        checks: what the verification saw.
        preventions: what keeps it from coming back.
        actions: what is to be done.
        elapsed: how long detection, diagnosis and resolution took.
        follow_up: when to look back.
        overridden: what was done against the method.
        problems: what was changed or lost since it was recorded.
        review: what the check found.
        appendix: all evidence.
        queries: the SQL of every number.
        evidence: the traces that it is about, and the same SQL.
    """

    id: str
    title: str
    severity: str
    written: str
    summary: list[str]
    impact: Impact | None
    timeline: list[TimelineEntry]
    cause: str | None
    supported: list[str]
    refuted: list[str]
    factors: list[str]
    went_well: list[str]
    went_wrong: list[str]
    fixes: list[str]
    checks: list[dict[str, Any]]
    preventions: list[str]
    actions: list[ActionItem]
    elapsed: list[Elapsed]
    follow_up: FollowUp
    overridden: list[str]
    problems: list[str]
    review: list[Remark]
    appendix: list[KeptEvidence]
    queries: list[NamedQuery]
    evidence: Evidence
