"""Findings of `deployments`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class DeployedVersion:
    """One version of a service, while it ran.

    Args:
        runs: from when to when it was seen; more than once where others took its place between.
        records: number of its records by signal: `spans`, `logs`, `metrics`.
        requests: how many requests it served, un-biased by sampling.
        failed: how many of them failed.
    """

    service: str | None
    version: str | None
    environment: str | None
    deployment: str | None
    first_seen: str
    last_seen: str
    runs: list[tuple[str, str]]
    instances: int
    records: dict[str, int]
    requests: float
    failed: float


@dataclass(frozen=True)
class DeploymentMark:
    """A moment at which something else began to run.

    Args:
        time: when it was first seen.
        kind: `version`, `rollback` (a version that ran before), `deployment` (the same version anew), `model` or
            `configuration`.
        what: `service.version`, the name of the model, or the attribute that changed.
        before: what was there before.
        after: what is there since.
        until: when the old one was last seen; later than `time` while both ran, null where it still does.
    """

    time: str
    service: str | None
    kind: str
    what: str
    before: str | None
    after: str | None
    until: str | None
    statement: str


@dataclass(frozen=True)
class Deployments:
    """What ran when, by service and time; marks in the order of time."""

    versions: list[DeployedVersion]
    marks: list[DeploymentMark]
    evidence: Evidence
