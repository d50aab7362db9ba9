"""What the verbs find, typed; their fields are the keys of the JSON, a contract that is only added to.

Durations are integer nanoseconds, times ISO 8601 in UTC with nanoseconds.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Evidence:
    """Where a finding can be checked.

    Args:
        trace_ids: the traces that it is about, most telling first.
        sql: queries for `infersight sql` that show it.
        numbers: what the statement was made from.
    """

    trace_ids: list[str]
    sql: list[str]
    numbers: dict[str, Any] = field(default_factory=dict[str, Any])


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


@dataclass(frozen=True)
class Piece:
    """A part of a request's time: the critical-path time of all spans of one operation.

    `baseline_ns` is the median of other requests, `excess_ns` what is above it, `percentile` the place among them;
    null where there are too few others. `kind` is the span kind, `UNATTRIBUTED` for the time of the request on no
    instrumented stage, or `EVENT_LOOP` for what others held the event loop. `part` is what the time was for, see
    `investigation.pieces`. `cpu_ns` is how long the threads of its spans ran and `device_ns` the device's own clock,
    which of an asynchronous device may end later than the span; null where no span says so.
    """

    name: str
    kind: str
    service: str | None
    self_ns: int
    baseline_ns: int | None = None
    excess_ns: int | None = None
    percentile: float | None = None
    part: str = "other"
    calls: int = 0
    cpu_ns: int | None = None
    device_ns: int | None = None


@dataclass(frozen=True)
class PathStep:
    """A span of the critical path and how long it was responsible, in the order of time."""

    span_id: str
    name: str
    service: str | None
    self_ns: int


@dataclass(frozen=True)
class TreeSpan:
    """A span of the repaired tree, in the order of a waterfall; `start_ns` counts from the request's start."""

    span_id: str
    name: str
    service: str | None
    kind: str
    depth: int
    start_ns: int
    duration_ns: int
    self_ns: int
    status_code: str


@dataclass(frozen=True)
class Hypothesis:
    """A possible cause; `confidence` is from 0 to 1, see `investigation.case`.

    `supporting` and `opposing` are the numbers for it and against it, one sentence each.
    """

    cause: str
    confidence: float
    statement: str
    evidence: Evidence
    supporting: list[str] = field(default_factory=list[str])
    opposing: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class LogLine:
    """A log record of the trace.

    `before` is how many records of its template its services logged in the hour before, null where they logged too
    little to tell; `is_rare` says that these are none, or next to none.
    """

    time: str
    offset_ns: int
    service: str | None
    span_id: str | None
    severity: str | None
    body: str | None
    event_name: str | None
    exception: str | None
    before: int | None = None
    is_rare: bool = False


@dataclass(frozen=True)
class BatchMember:
    """A request of a batch; `size` without padding, `share` its part of the batch, 0 to 1."""

    trace_id: str
    size: float | None
    share: float | None
    queue_ns: int | None


@dataclass(frozen=True)
class BatchRide:
    """A batch that the request rode in; `members` are largest first, the request itself is one of them.

    `forward_ns` and `device_ns` are the forward calls of the batch, by the wall's clock and the device's, and `cpu_ns`
    is how long their thread ran.
    """

    name: str
    trace_id: str
    span_id: str
    duration_ns: int
    release_reason: str | None
    fill: float | None
    queue_ns: int | None
    share: float | None
    item_size: float | None
    largest_size: float | None
    forward_ns: int | None
    device_ns: int | None
    cpu_ns: int | None
    members: list[BatchMember]


@dataclass(frozen=True)
class WorkerState:
    """What the request's process was doing besides: `in_flight` requests when it began, itself included.

    `overlapping` is how many other requests of the process were open at some moment of it; seconds-long measures are
    in nanoseconds. Baselines are medians of the others; null where it is not known.
    """

    instance: str | None
    in_flight: int | None
    in_flight_baseline: float | None
    overlapping: int
    event_loop_lag_ns: int | None
    event_loop_lag_baseline_ns: int | None
    gc_ns: int | None
    gc_baseline_ns: int | None


@dataclass(frozen=True)
class RepeatedCalls:
    """Calls of one kind below one span, where there are several.

    `failed` of them ended in an error, `retried_ns` passed from the first attempt to the start of the last where
    failed ones were made again. `baseline_count` is the median number in other requests.
    """

    name: str
    service: str | None
    parent_span_id: str
    count: int
    baseline_count: float | None
    duration_ns: int
    failed: int
    timed_out: int
    retried_ns: int
    error: str | None


@dataclass(frozen=True)
class MetricPoint:
    """A metric series of the request's process around the request.

    `value` is the first after the request ended: of gauges and up-down counters as it is, of counters the rate a
    second, of histograms the mean of what was recorded since the point before. `before` is the last before the
    request began. `deviation` is robust, against the series' own hour before; null where it has no history.
    """

    name: str
    unit: str | None
    attributes: dict[str, Any]
    reading: str
    before: float | None
    value: float
    median: float | None
    deviation: float | None
    time: str


@dataclass(frozen=True)
class ExemplarPoint:
    """A measurement that was kept with the trace's id."""

    time: str
    metric: str
    value: float | None
    span_id: str | None


@dataclass(frozen=True)
class BaselineSummary:
    """What the request is compared with.

    `requests` is how many, `about` which; `total_ns` is their median duration, null where they are too few.
    """

    requests: int
    about: str
    total_ns: int | None
    excess_ns: int | None
    percentile: float | None


@dataclass(frozen=True)
class Investigation:
    """Why one request was slow; `breakdown` sums to `total_ns`, and so does `critical_path`.

    `accept_wait` is before that: from the arrival of the request on its host to the application.
    """

    trace_id: str
    service: str | None
    name: str
    start_time: str
    status_code: str
    total_ns: int
    unattributed_ns: int
    summary: str
    baseline: BaselineSummary
    breakdown: list[Piece]
    critical_path: list[PathStep]
    hypotheses: list[Hypothesis]
    spans: list[TreeSpan]
    logs: list[LogLine]
    metrics: list[MetricPoint]
    exemplars: list[ExemplarPoint]
    notes: list[str]
    evidence: Evidence
    accept_wait: Piece | None = None
    batches: list[BatchRide] = field(default_factory=list[BatchRide])
    worker: WorkerState | None = None
    repeated_calls: list[RepeatedCalls] = field(default_factory=list[RepeatedCalls])


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
