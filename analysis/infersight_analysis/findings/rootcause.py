"""Findings of `rootcause`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class Sign:
    """One thing that speaks for a service as the origin.

    Args:
        signal: `behaviour` (of its visits), `delay`, `metric`, `log` or `flow`.
        statement: what it is, in words.
        of: what within the service: some of `operation`, `instance`, `version`, `metric`, `template`, `exception`,
            `span`, `call`, `way`.
        incident: the number during the incident: a share, a duration in nanoseconds, a reading.
        baseline: the same in the baseline; null where there was none.
        p_value: how often chance alone brings this; null for a flow, which is no test.
        evidence: where it can be checked.
    """

    signal: str
    statement: str
    of: dict[str, str]
    incident: float
    baseline: float | None
    p_value: float | None
    evidence: Evidence


@dataclass(frozen=True)
class Suspect:
    """A service that may be the origin.

    Args:
        service: its name.
        score: the evidence for it, in nats: the sum of what each signal says.
        confidence: the probability that it is the origin, if one service is, or none.
        signals: the evidence by signal.
        evidence: what speaks for it, the most telling first.
    """

    service: str
    score: float
    confidence: float
    signals: dict[str, float]
    evidence: list[Sign]


@dataclass(frozen=True)
class RootCause:
    """Where an incident began.

    Args:
        verdict: `origin` where the first service is more likely the origin than not, else `unknown`.
        summary: the same in words.
        services: those that something speaks for, the likeliest first.
        found: how many there are, of which `services` has the first.
        start: when the incident began.
        end: when it ended.
        baseline_start: when the baseline began.
        baseline_end: when it ended.
        read: how many traces, log records and metric series were there, in the incident and in the baseline.
        notes: what to know of the data.
        evidence: where the whole can be checked.
    """

    verdict: str
    summary: str
    services: list[Suspect]
    found: int
    start: str
    end: str
    baseline_start: str
    baseline_end: str
    read: dict[str, list[int]]
    notes: list[str]
    evidence: Evidence
