"""Findings of `bursts`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class BurstFault:
    """A fault of which a burst is made."""

    fingerprint: str
    type: str
    message: str
    count: float


@dataclass(frozen=True)
class ErrorBurst:
    """A time in which a service failed more often than its own base rate explains.

    Args:
        start: of the first failure.
        end: of the last one.
        count: failures, as many as they stand for.
        expected: what the base rate would have been in that time.
        per: what the base rate is by: `requests`, or `time` where the service served none.
        p_value: that chance alone makes so many, corrected for all windows that were looked at.
    """

    service: str | None
    start: str
    end: str
    count: float
    expected: float
    per: str
    p_value: float
    faults: list[BurstFault]
    examples: list[str]


@dataclass(frozen=True)
class BurstLink:
    """How two services' bursts go together.

    Args:
        leader: the service that failed first.
        follower: the other one.
        lag_ns: from the beginning of the leader's burst to that of the follower's; by the traces they share, where
            there are any, else by the bursts' first failures.
        traces: traces in which both failed.
        share: part of the follower's failing traces in which the leader failed, too.
    """

    leader: str | None
    follower: str | None
    lag_ns: int
    traces: int
    share: float
    examples: list[str]


@dataclass(frozen=True)
class SharedTrait:
    """What the failing spans of a cluster have more often than those that went well at the same time.

    Args:
        trait: `service.version`, `service.instance.id`, `host.name` or `dependency`.
        value: its value.
        services: those that have it.
        failed: part of the failed spans that have it.
        others: part of those that went well.
        q_value: the false-discovery rate at which it is one.
    """

    trait: str
    value: str
    services: list[str]
    failed: float
    others: float
    q_value: float


@dataclass(frozen=True)
class BurstCluster:
    """Bursts that overlap in time, the first one first.

    `marks` are the deployments in the time before it: what changed, and how long before the first failure.
    """

    start: str
    end: str
    bursts: list[ErrorBurst]
    links: list[BurstLink]
    shared: list[SharedTrait]
    marks: list[str]
    statement: str
    evidence: Evidence


@dataclass(frozen=True)
class Bursts:
    """Clusters of bursts in the order of time.

    Args:
        clusters: what was found.
        step_ns: the resolution.
        services: how many services had failures.
        false_alarms: in how many services without a burst there may be one.
        start: when what was looked at begins.
        end: when it ends.
    """

    clusters: list[BurstCluster]
    step_ns: int
    services: int
    false_alarms: float
    start: str | None
    end: str | None
    evidence: Evidence
