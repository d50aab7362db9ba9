"""Findings of `errors`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class ErrorGroup:
    """Errors of one fingerprint; `count` is failures, however many records each of them left."""

    fingerprint: str
    type: str
    message: str
    template: str
    count: int
    first_seen: str
    last_seen: str
    services: list[str]
    versions: list[str]
    routes: list[str]
    location: str | None
    frames: list[str]
    sources: dict[str, int]
    examples: list[str]


@dataclass(frozen=True)
class ErrorGroups:
    """What broke, most frequent first."""

    errors: list[ErrorGroup]
    evidence: Evidence
