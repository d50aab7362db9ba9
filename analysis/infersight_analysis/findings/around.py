"""Findings of `anomaly`."""

from dataclasses import dataclass
from typing import Any

from infersight_analysis.findings.errors import ErrorGroup
from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class MetricAround:
    """A series of the metric around the moment.

    Args:
        reading: `value`, `rate` a second, `mean`, `p50`, `p95`, `p99` or `error_share`.
        values: times and readings within the window.
        median: of the baseline, None without enough of it.
        usual: the 5th and the 95th percentile of the baseline.
        extreme: the reading that is furthest from the median.
        deviations: how far, in robust standard deviations of the baseline; None where all of it was equal.
    """

    name: str
    reading: str
    service: str | None
    instance: str | None
    attributes: dict[str, Any]
    unit: str | None
    values: list[tuple[str, float]]
    median: float | None
    usual: tuple[float, float] | None
    extreme: float | None
    deviations: float | None


@dataclass(frozen=True)
class MovedSeries:
    """A series that became unusual around the moment.

    Args:
        when: `before`, `together` or `after` the metric did.
        offset_ns: from then on, negative before it.
        kind: as `anomalies` says it.
        surprise: -log10 of how probable it is by chance.
    """

    name: str
    reading: str
    service: str | None
    instance: str | None
    attributes: dict[str, Any]
    when: str
    offset_ns: int
    time: str
    kind: str
    value: float
    usual: float
    surprise: float


@dataclass(frozen=True)
class NewTemplate:
    """A log template of the window that the baseline did not have."""

    template: str
    service: str | None
    severity: str | None
    count: float
    first_seen: str
    example: str | None
    p_value: float


@dataclass(frozen=True)
class ServiceAround:
    """The requests of a service in the window and in the baseline; durations are medians."""

    service: str | None
    requests: float
    failed: float
    median_ns: int | None
    baseline_requests: float
    baseline_failed: float
    baseline_median_ns: int | None
    p_value: float | None


@dataclass(frozen=True)
class Exemplar:
    """A trace to look into: of a measurement that was kept with the metric, of a failure, or a slow one."""

    trace_id: str
    why: str
    time: str
    value: float | None


@dataclass(frozen=True)
class AnomalyAround:
    """What happened around a moment.

    Args:
        at: the moment that was asked for.
        began: when the metric became unusual, None where it did not.
        start: begin of the window; the baseline is what lies before it, from `baseline_start` on.
        failed_traces: traces of the window in which something failed; `baseline_failed_traces` is the same before.
        moved: other series that became unusual, in the order of time.
        marks: what was deployed or set, with how long before or after the moment.
        notes: what to know of what is missing.
    """

    metric: str
    at: str
    began: str | None
    start: str
    end: str
    baseline_start: str
    series: list[MetricAround]
    traces: float
    failed_traces: float
    baseline_traces: float
    baseline_failed_traces: float
    services: list[ServiceAround]
    errors: list[ErrorGroup]
    templates: list[NewTemplate]
    marks: list[str]
    moved: list[MovedSeries]
    exemplars: list[Exemplar]
    notes: list[str]
    evidence: Evidence
