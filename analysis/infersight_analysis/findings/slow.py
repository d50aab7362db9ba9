"""Findings of `slow`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class SlowRequest:
    """A slow request; `top` is what most of its time went to, on the critical path."""

    trace_id: str
    duration_ns: int
    service: str | None
    name: str
    start_time: str
    status_code: str
    route: str | None
    version: str | None
    span_id: str
    top: str
    top_ns: int


@dataclass(frozen=True)
class SlowRequests:
    """The slow requests, slowest first."""

    requests: list[SlowRequest]
    threshold_ns: int
    count: int
    considered: int
    evidence: Evidence
