"""What is otherwise in an incident than before it, by test: the symptoms, and how grave they are."""

from collections.abc import Iterator
from typing import Final

from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.triage import Noticed
from infersight_analysis.incidents.requests import Requests, counting, duration_difference, error_difference
from infersight_analysis.times import short_duration

_LONGER: Final = 1.1
"""A quantile that grew by less is no symptom, however sure."""

_CRITICAL, _HIGH = 0.25, 0.05
"""Shares of requests that fail in addition, from which on an incident is so grave."""

_DOUBLE: Final = 2.0


def noticed(usual: Requests, now: Requests, window: tuple[int, int], baseline: tuple[int, int]) -> list[Noticed]:
    """What got worse.

    Args:
        usual: the requests of the baseline.
        now: those of the incident.
        window: when the incident was, nanoseconds since the epoch.
        baseline: when the baseline was.
    """
    if not usual.count or not now.count:
        return []
    evidence = Evidence([], [counting(*window), counting(*baseline)], {"requests": now.count, "before": usual.count})
    return [*_failing(usual, now, evidence), *_slower(usual, now, evidence)]


def _failing(usual: Requests, now: Requests, evidence: Evidence) -> Iterator[Noticed]:
    difference = error_difference(usual, now)
    if difference.low > 0:
        said = (
            f"{now.error_share:.1%} of {now.count:,} requests fail, {usual.error_share:.1%} of {usual.count:,} before"
        )
        interval = (difference.low, difference.high)
        yield Noticed(said, now.error_share, usual.error_share, interval, difference.p_value, evidence)


def _slower(usual: Requests, now: Requests, evidence: Evidence) -> Iterator[Noticed]:
    for q in (0.5, 0.95):
        incident, before = now.quantile(q), usual.quantile(q)
        difference = duration_difference(usual, now, q)
        if difference.low > 0 and incident > _LONGER * before:
            said = f"p{q * 100:.0f} of the requests is {short_duration(incident)}, {short_duration(before)} before"
            yield Noticed(said, incident, before, (difference.low, difference.high), difference.p_value, evidence)


def severity_of(usual: Requests, now: Requests, symptoms: list[Noticed]) -> tuple[str, str]:
    """How grave it is, and why: by the share of requests that fail in addition, and by how much they take longer."""
    if not symptoms:
        return "LOW", "no request fails or waits more than before, by test"
    excess = now.error_share - usual.error_share
    slower = now.quantile(0.95) / usual.quantile(0.95) if usual.quantile(0.95) else 1.0
    if excess >= _CRITICAL:
        return "CRITICAL", f"{excess:.0%} of all requests fail in addition, {_CRITICAL:.0%} or more"
    if excess >= _HIGH:
        return "HIGH", f"{excess:.0%} of all requests fail in addition, {_HIGH:.0%} or more"
    if slower >= _DOUBLE:
        return "HIGH", f"p95 is {slower:.1f} times what it was, {_DOUBLE:g} or more"
    return "MEDIUM", f"less than {_HIGH:.0%} of all requests fail in addition, and p95 is less than {_DOUBLE:g} times"
