"""Findings of `rollback check`."""

from dataclasses import dataclass
from typing import Literal

from infersight_analysis.findings.evidence import Evidence

Verdict = Literal["keep", "roll back", "need more data"]
Standing = Literal["over", "within", "undecided", "unknown", "no limit"]
Trend = Literal["worse", "better", "moved", "none shown"]


@dataclass(frozen=True)
class ReleaseSide:
    """One version in the time that was compared.

    Args:
        start: when its first request in that time began.
        end: when its last one began.
        requests: how many, un-biased by sampling.
        recorded: how many were recorded.
        per_second: requests by the second.
    """

    version: str
    start: str | None
    end: str | None
    requests: float
    recorded: int
    per_second: float | None


@dataclass(frozen=True)
class ReleaseMeasure:
    """One figure of both versions, and what is known of their difference.

    Args:
        name: such as `error rate` or `p95`.
        route: of this route only; of all that both served where it is null.
        share_of_requests: the route's part of the candidate's requests.
        unit: `share` (0 to 1), `ns`, `1/s`, `s` (of CPU a request), `By`.
        baseline: the baseline's figure, for the candidate's mix of routes.
        candidate: the candidate's.
        candidate_low: the lower end of its interval, null where nothing bounds it.
        candidate_high: the upper end.
        baseline_count: on how many records the baseline's rests.
        candidate_count: on how many the candidate's.
        change: the candidate's less the baseline's, or as a share of it where `is_relative`.
        low: the lower end of the change's interval, null where nothing bounds it.
        high: the upper end.
        confidence: of the interval.
        limit: the most that is allowed: of the candidate's own figure for `error rate`, of the change for all others.
        limit_text: the same in words, with the direction in which it is one: `+25%`, `-5pp`.
        standing: whether the limit is crossed for certain (`over`), kept for certain (`within`), or neither yet.
        trend: whether the candidate differs at all.
        consequence: what follows from crossing the limit, `roll back` or `investigate`.
        is_needed: whether `keep` waits until it is known to be within its limit.
        more_requests: about how many more requests of the candidate would decide it, null where it is decided, or
            where more requests would not.
        statement: all of it in words.
    """

    name: str
    route: str | None
    share_of_requests: float
    unit: str
    baseline: float | None
    candidate: float | None
    candidate_low: float | None
    candidate_high: float | None
    baseline_count: int
    candidate_count: int
    change: float | None
    low: float | None
    high: float | None
    is_relative: bool
    confidence: float
    limit: float | None
    limit_text: str | None
    standing: Standing
    trend: Trend
    consequence: str
    is_needed: bool
    more_requests: float | None
    statement: str


@dataclass(frozen=True)
class NewFault:
    """A kind of error that came, or became more frequent, with the candidate.

    Args:
        state: `new` or `regressed`.
        count: failures with the candidate; `baseline_count` with the baseline.
        reason: the counts with their requests.
        fingerprint: as `infersight errors` lists it.
    """

    fingerprint: str
    type: str
    message: str
    state: str
    count: float
    baseline_count: float
    reason: str
    examples: list[str]


@dataclass(frozen=True)
class ReleaseCheck:
    """Whether a candidate is to be kept.

    Args:
        verdict: `keep`, `roll back` or `need more data`.
        reasons: why, the weightiest first.
        investigate: what is worse, or new, without being a reason to roll back.
        notes: what the comparison cannot tell.
        side_by_side: whether both versions served at the same time; otherwise the baseline ran before.
        measures: of all routes that both served.
        routes: of single routes, those over their limits first.
        faults: kinds of errors that came with the candidate.
        more_seconds: about how long until enough is recorded at the present rate, null where nothing is missing, or
            nobody can tell.
        limits: those that were applied, by name.
    """

    service: str
    verdict: Verdict
    reasons: list[str]
    investigate: list[str]
    notes: list[str]
    baseline: ReleaseSide
    candidate: ReleaseSide
    side_by_side: bool
    measures: list[ReleaseMeasure]
    routes: list[ReleaseMeasure]
    faults: list[NewFault]
    more_seconds: float | None
    limits: dict[str, float]
    evidence: Evidence
