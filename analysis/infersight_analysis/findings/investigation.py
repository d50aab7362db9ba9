"""Findings of `investigate`."""

from dataclasses import dataclass, field
from typing import Any

from infersight_analysis.findings.evidence import Evidence


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
class CodePlace:
    """Where the request's code was in a part of its time, by looks at its stacks many times a second.

    `function` and `place` are the innermost frame of the application, `inside` the innermost of all, null where that
    is the same; `awaiting` says that the request waited there rather than ran. `samples` of the `samples_of_part` saw
    it, and `about_ns` is as much of the part's time on the critical path.
    """

    part: str
    function: str
    place: str
    inside: str | None
    awaiting: bool
    samples: int
    samples_of_part: int
    about_ns: int


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
    code: list[CodePlace] = field(default_factory=list[CodePlace])
