"""Findings of `compare`."""

from dataclasses import dataclass, field
from typing import Any

from infersight_analysis.findings.critical_paths import WhatIf
from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class Cohort:
    """A cohort of requests: how many, which, and how long they took; durations are null where there are none."""

    count: int
    about: str
    mean_ns: float | None
    median_ns: float | None
    p99_ns: float | None


@dataclass(frozen=True)
class Support:
    """How many requests of each cohort are concerned, of how many that could be."""

    target: int
    target_of: int
    baseline: int
    baseline_of: int


@dataclass(frozen=True)
class SameRequests:
    """Another attribute that the same requests have, but for one in twenty."""

    attribute: str
    value: Any
    of: str


@dataclass(frozen=True)
class Distinction:
    """What distinguishes the target from the baseline.

    `kind` says what `effect` is: of a `value` or a `pair` of values the ratio of the shares that have it, null where
    none of the baseline has it (`only_in_target`); of a `number` Cliff's delta; of a `shape`, a number that is
    distributed otherwise, the distance of Kolmogorov and Smirnov. `interval` holds it with 95 %, its upper end null
    where it is infinite. `values` are values, of a number and a shape the side of the cut at which the cohorts differ
    most, and `support` counts who is on it. `of` says whose each attribute is.
    """

    attributes: list[str]
    values: list[Any]
    of: list[str]
    kind: str
    statement: str
    effect: float | None
    interval: list[float | None]
    medians: list[float] | None
    p_value: float
    q_value: float
    strength: float
    only_in_target: bool
    support: Support
    same_as: list[SameRequests]
    examples: list[str]
    evidence: Evidence


@dataclass(frozen=True)
class CohortPath:
    """The critical-path time of one call path, in the mean over the requests of each cohort.

    `path` names the operations from the request down, `service` and `name` are those of the last one; one path without
    names stands for all small ones. The tail is the mean over the requests around the 99th percentile of their cohort.
    """

    path: list[str]
    service: str | None
    name: str
    target_ns: float
    baseline_ns: float
    difference_ns: float
    tail_target_ns: float
    tail_baseline_ns: float
    tail_difference_ns: float


@dataclass(frozen=True)
class Comparison:
    """What distinguishes two cohorts of requests, strongest first.

    The differences of the paths sum to `difference_ns`, that of the mean durations, and those of the tail to
    `tail_difference_ns`. `tests` is how many were made, `found` how many findings there are, `findings` lists the
    strongest of them.
    """

    target: Cohort
    baseline: Cohort
    considered: int
    summary: str
    threshold_ns: int | None
    tests: int
    found: int
    findings: list[Distinction]
    difference_ns: float | None
    tail_difference_ns: float | None
    critical_path_difference: list[CohortPath]
    notes: list[str]
    evidence: Evidence
    what_if: list[WhatIf] = field(default_factory=list[WhatIf])
