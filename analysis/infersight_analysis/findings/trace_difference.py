"""Findings of `trace-diff`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class ComparedRequest:
    """One of two requests that are compared; `notes` say what had to be repaired in its trace."""

    trace_id: str
    service: str | None
    name: str
    start_time: str
    duration_ns: int
    notes: list[str]


@dataclass(frozen=True)
class PathDifference:
    """Calls of one operation from one place in two requests, a and b.

    `path` names the operations from the request down to the called one. `duration_*_ns` are sums over the calls,
    `self_*_ns` how long they were responsible for the request, without what they called; `difference_ns` is b's
    minus a's.
    """

    path: list[str]
    service: str | None
    name: str
    kind: str
    depth: int
    count_a: int
    count_b: int
    duration_a_ns: int
    duration_b_ns: int
    self_a_ns: int
    self_b_ns: int
    difference_ns: int


@dataclass(frozen=True)
class TraceDifference:
    """Two requests side by side; the differences of the paths sum to `difference_ns`, b's duration minus a's."""

    a: ComparedRequest
    b: ComparedRequest
    difference_ns: int
    paths: list[PathDifference]
    evidence: Evidence
