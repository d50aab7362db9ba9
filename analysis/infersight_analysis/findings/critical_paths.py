"""Findings of `critical-path`."""

from dataclasses import dataclass

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class WhatIf:
    """What the requests of a cohort would take if the own time of some operations were another.

    Their schedules are run again, see `profile.schedule`. `cohort` is `target` or `baseline`; without a comparison all
    requests are the target.
    """

    changes: list[str]
    cohort: str
    requests: int
    mean_ns: float
    new_mean_ns: float
    mean_difference_ns: float
    p99_ns: float
    new_p99_ns: float
    p99_difference_ns: float


@dataclass(frozen=True)
class PathTime:
    """The critical-path time of one call path over many requests.

    `path` names the operations from the request down, `service`, `name` and `kind` are those of the last one.
    `requests` have it, with `calls` spans. `self_ns` is the sum of its own time on the critical paths, without what it
    called, `total_ns` the sum with that. `mean_ns` is its own time by request, over all of them, and `share` its part
    of their durations; `p50_ns` and `p99_ns` are quantiles over the requests that have the path.
    """

    path: list[str]
    service: str | None
    name: str
    kind: str
    depth: int
    requests: int
    calls: int
    self_ns: int
    total_ns: int
    mean_ns: float
    share: float
    p50_ns: float
    p99_ns: float


@dataclass(frozen=True)
class CriticalPaths:
    """Where the time of requests went: `self_ns` of the paths sums to `total_ns`, that of all durations.

    Callers come before what they call, of one caller the one with most time first.
    """

    requests: int
    total_ns: int
    mean_ns: float
    median_ns: float
    p99_ns: float
    paths: list[PathTime]
    what_if: list[WhatIf]
    evidence: Evidence
