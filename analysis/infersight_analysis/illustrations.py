"""What a report draws beside what was found: durations of other requests, and metric series around one."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

import duckdb

from infersight_analysis.cohorts.evidence import durations_of_cohorts
from infersight_analysis.cohorts.question import Question
from infersight_analysis.findings import Comparison, Investigation, MetricPoint
from infersight_analysis.reading import present, query
from infersight_analysis.times import SECOND_NS, parse_time

_AROUND_NS: Final = 3600 * SECOND_NS
_AFTER_NS: Final = 600 * SECOND_NS
_MOST: Final = 20_000
_SERIES: Final = 6
_LEAST_POINTS: Final = 3

Points = list[tuple[float, float]]
"""Seconds since the request began, and the reading."""


@dataclass(frozen=True)
class Illustrations:
    """What is drawn of an investigation.

    Args:
        durations_ns: of requests of the same operation in the hours before and after, at most 20 000.
        series: the most unusual metric series of the request's process, from an hour before to ten minutes after.
    """

    durations_ns: list[int] = field(default_factory=list[int])
    series: list[tuple[MetricPoint, Points]] = field(default_factory=list[tuple[MetricPoint, Points]])


def illustrations_of(connection: duckdb.DuckDBPyConnection, found: Investigation) -> Illustrations:
    """Read what is drawn of an investigation.

    Args:
        connection: from `connect`, the one that it was made with.
        found: the investigation.
    """
    if not found.spans:
        return Illustrations()
    start_ns = parse_time(found.start_time)
    request = {"trace_id": found.trace_id, "span_id": found.spans[0].span_id}
    times = {"from_ns": start_ns - _AROUND_NS, "until_ns": start_ns + found.total_ns + _AROUND_NS}
    durations = connection.execute(query("durations_like"), {**request, **times, "most": _MOST}).fetchall()
    return Illustrations([row[0] for row in durations], _series(connection, found, request, start_ns))


def durations_of(
    connection: duckdb.DuckDBPyConnection, question: Question, found: Comparison
) -> tuple[list[int], list[int]]:
    """How long requests of the target and of the baseline took, nanoseconds; a random part of very many.

    Args:
        connection: from `connect`, the one that the comparison was made with.
        question: what was compared.
        found: the comparison.
    """
    sql = durations_of_cohorts(question, found.threshold_ns)
    cohorts: tuple[list[int], list[int]] = ([], [])
    for is_target, duration_ns in connection.execute(f"{sql} limit {_MOST}").fetchall():
        cohorts[0 if is_target else 1].append(duration_ns)
    return cohorts


def _series(
    connection: duckdb.DuckDBPyConnection, found: Investigation, request: dict[str, str], start_ns: int
) -> list[tuple[MetricPoint, Points]]:
    chosen = found.metrics[:_SERIES]
    if not chosen:
        return []
    values = {
        **request,
        "names": sorted({metric.name for metric in chosen}),
        "from_ns": start_ns - _AROUND_NS,
        "until_ns": start_ns + found.total_ns + _AFTER_NS,
    }
    points: defaultdict[tuple[str, str, str], Points] = defaultdict(list)
    for name, series, reading, time_ns, number in connection.execute(query("series_around"), values).fetchall():
        points[name, str(present(series)), reading].append(((time_ns - start_ns) / SECOND_NS, number))
    drawn = [(metric, points[metric.name, str(metric.attributes), metric.reading]) for metric in chosen]
    return [(metric, read) for metric, read in drawn if len(read) >= _LEAST_POINTS]
