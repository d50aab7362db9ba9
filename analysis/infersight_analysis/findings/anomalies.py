"""Findings of `anomalies`."""

from dataclasses import dataclass
from typing import Any

from infersight_analysis.findings.evidence import Evidence


@dataclass(frozen=True)
class Anomaly:
    """Something unusual in one series.

    Args:
        kind: `spike`, `dip`, `rise`, `fall`, `silence`, `above its season`, `below its season`, or `change`.
        name: of the metric; `requests` for what is made of spans.
        reading: `value`, `rate` a second, `mean`, `p50`, `p95`, `p99` or `error_share`.
        service: the service.
        instance: its process; None where its processes are together.
        attributes: of the series.
        unit: of the reading's metric.
        time: when it began; of a change the first step of the new level.
        interval: of a change the times that are possible with 95 %.
        value: what was read then; of a change, and of a rise or fall, the level.
        usual: the level before, a median.
        deviations: how far these are apart, in robust standard deviations of what was before; None where all was equal.
        surprise: -log10 of how probable it is by chance; 12 is the end of the scale.
        evidence: the SQL that shows the series around it, and traces.
    """

    kind: str
    name: str
    reading: str
    service: str | None
    instance: str | None
    attributes: dict[str, Any]
    unit: str | None
    time: str
    interval: tuple[str, str] | None
    value: float
    usual: float
    deviations: float | None
    surprise: float
    evidence: Evidence


@dataclass(frozen=True)
class Anomalies:
    """What was unusual, the most surprising first.

    Args:
        anomalies: the first of those found.
        found: how many there are.
        series: how many series there are with enough points.
        learning: how many of them were judged at no point yet.
        points: how many points were judged.
        false_alarms: how many alarms, at this setting, chance alone brings in so many points.
        step_ns: distance of the points, nanoseconds.
        start_time: begin of the first step that was judged.
        end_time: end of the last one.
        evidence: SQL that lists the series' metrics.
    """

    anomalies: list[Anomaly]
    found: int
    series: int
    learning: int
    points: int
    false_alarms: float
    step_ns: int
    start_time: str
    end_time: str
    evidence: Evidence
