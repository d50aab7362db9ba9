"""What else was recorded: the logs and exemplars of a trace, and the metrics and blocks of the process it ran in."""

from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import duckdb

from infersight_analysis.findings import ExemplarPoint, LogLine, MetricPoint
from infersight_analysis.reading import present, query
from infersight_analysis.stats.order import robust_deviation
from infersight_analysis.times import SECOND_NS, iso_time
from infersight_analysis.trace import Node

_HISTORY_NS: Final = 3600 * SECOND_NS
_AFTER_NS: Final = 120 * SECOND_NS
"""How long after the request its metrics may be exported; the SDK's default interval is 60 s."""

_LEAST_HISTORY: Final = 5


@dataclass(frozen=True)
class Block:
    """A stretch in which something blocked the event loop of the request's process.

    Args:
        trace_id: the request whose code blocked, where it is known.
        start_ns: when it began, nanoseconds since the epoch.
        end_ns: when it ended.
        function: what blocked.
        place: file and line of it.
    """

    trace_id: str | None
    start_ns: int
    end_ns: int
    function: str | None
    place: str

    def overlap_ns(self, node: Node) -> int:
        """Nanoseconds of it that lie in a span."""
        return max(0, min(self.end_ns, node.end_ns) - max(self.start_ns, node.start_ns))


def logs_of(connection: duckdb.DuckDBPyConnection, trace_id: str, request: Node) -> list[LogLine]:
    """The log records with the trace's id, in the order of time."""
    rows = connection.execute(query("logs_of_trace"), {"trace_id": trace_id}).fetchall()
    return [_log_line(row, request.start_ns) for row in rows]


def _log_line(row: tuple[Any, ...], start_ns: int) -> LogLine:
    time_ns, service, span_id, severity, body, event_name, kind, message = row
    return LogLine(
        time=iso_time(time_ns),
        offset_ns=time_ns - start_ns,
        service=service,
        span_id=span_id,
        severity=severity,
        body=body,
        event_name=event_name,
        exception=f"{kind}: {message or ''}".rstrip(": ") if kind else None,
    )


def exemplars_of(connection: duckdb.DuckDBPyConnection, trace_id: str) -> list[ExemplarPoint]:
    """The measurements that were kept with the trace's id."""
    rows = connection.execute(query("exemplars_of_trace"), {"trace_id": trace_id}).fetchall()
    return [ExemplarPoint(iso_time(time_ns), metric, value, span_id) for time_ns, metric, value, span_id in rows]


def blocks_around(connection: duckdb.DuckDBPyConnection, request: Node) -> list[Block]:
    """The blocked stretches of the event loop that overlap a request, in the order of time."""
    values = {"instance": request.span.instance, "start_ns": request.span.start_ns, "end_ns": request.span.start_ns}
    values["end_ns"] = request.span.start_ns + request.duration_ns
    rows = connection.execute(query("blocks_around"), values).fetchall()
    return [
        Block(trace_id, start_ns, end_ns, function, f"{file}:{line}")
        for trace_id, start_ns, end_ns, _, function, file, line in rows
        if start_ns is not None
    ]


def metrics_around(connection: duckdb.DuckDBPyConnection, request: Node) -> list[MetricPoint]:
    """The metric series of the request's process around it, the most unusual first."""
    if request.span.instance is None:
        return []
    start_ns = request.span.start_ns
    end_ns = start_ns + request.duration_ns
    values = {
        "instance": request.span.instance,
        "from_ns": start_ns - _HISTORY_NS,
        "until_ns": end_ns + _AFTER_NS,
        "start_ns": start_ns,
        "end_ns": end_ns,
    }
    rows = connection.execute(query("metrics_around"), values).fetchall()
    return sorted((_metric(row) for row in rows), key=_unusual_first)


def _metric(row: tuple[Any, ...]) -> MetricPoint:
    name, unit, series, reading, before, after, after_ns, history = row
    known: list[float] = history or []
    enough = len(known) >= _LEAST_HISTORY
    return MetricPoint(
        name=name,
        unit=unit,
        attributes=present(series),
        reading=reading,
        before=before,
        value=after,
        median=median(known) if enough else None,
        deviation=robust_deviation(after, known) if enough else None,
        time=iso_time(after_ns),
    )


def _unusual_first(point: MetricPoint) -> tuple[float, str]:
    return (-abs(point.deviation or 0), point.name)
