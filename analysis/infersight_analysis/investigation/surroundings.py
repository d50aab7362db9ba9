"""What else was recorded: the logs and exemplars of a trace, and the metrics and blocks of the process it ran in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import duckdb

from infersight_analysis.findings import ExemplarPoint, LogLine, MetricPoint, WorkerState
from infersight_analysis.investigation.baseline import HOUR_NS, Baseline
from infersight_analysis.investigation.pieces import LAG, Stretch, nanoseconds
from infersight_analysis.reading import present, query
from infersight_analysis.stats.order import robust_deviation
from infersight_analysis.times import SECOND_NS, iso_time
from infersight_analysis.trace import Node

_AFTER_NS: Final = 120 * SECOND_NS
"""How long after the request its metrics may be exported; the SDK's default interval is 60 s."""

_LEAST_HISTORY: Final = 5
_LEAST_LOGS: Final = 50
_RARE_SHARE: Final = 0.001
"""A template that fewer than one record in a thousand has is rare; below `_LEAST_LOGS` records nobody can say."""

GC: Final = "infersight.gc.duration"
IN_FLIGHT: Final = "infersight.requests.in_flight"


@dataclass(frozen=True)
class Block:
    """A stretch in which something blocked the event loop of the request's process.

    Args:
        trace_id: the request whose code blocked, where it is known.
        start_ns: when it began, nanoseconds since the epoch.
        end_ns: when it ended.
        waited_ns: for how long of it the loop's thread waited for a CPU, for which what it ran is not to blame.
        function: what blocked.
        place: file and line of it.
    """

    trace_id: str | None
    start_ns: int
    end_ns: int
    waited_ns: int
    function: str | None
    place: str

    @property
    def is_by_code(self) -> bool:
        """Whether code on the loop blocked it: one that was in its own wait for events had nothing to run."""
        return self.function != "select" or not self.place.rpartition(":")[0].endswith("selectors.py")

    def overlap_ns(self, node: Node, before_ns: int = 0) -> int:
        """Nanoseconds of it that lie in a span, or in so many before it."""
        return max(0, min(self.end_ns, node.end_ns) - max(self.start_ns, node.start_ns - before_ns))

    def waited_in_ns(self, node: Node, before_ns: int = 0) -> int:
        """How many of these the loop's thread waited for a CPU, taken as even over the block."""
        return round(self.overlap_ns(node, before_ns) * min(1.0, self.waited_ns / max(1, self.end_ns - self.start_ns)))


@dataclass(frozen=True)
class Compilation:
    """A function that torch.compile compiled; nanoseconds, and why it was not the first time."""

    duration_ns: int
    compile_id: str | None
    reason: str | None


def held_by_others(blocks: Sequence[Block], trace_id: str) -> list[Stretch] | None:
    """When others than this trace held the event loop, without overlap; None where nothing was recorded."""
    stretches: list[Stretch] = []
    for block in sorted(blocks, key=lambda block: block.start_ns):
        if block.trace_id == trace_id:
            continue
        if stretches and block.start_ns <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], block.end_ns))
        else:
            stretches.append((block.start_ns, block.end_ns))
    return stretches if blocks else None


def around(request: Node) -> dict[str, int]:
    """An hour before a request, and after it: where what belongs to its trace is looked for, to skip other files."""
    start_ns = request.span.start_ns
    return {"from_ns": start_ns - HOUR_NS, "until_ns": start_ns + request.duration_ns + HOUR_NS}


def compilations_of(
    connection: duckdb.DuckDBPyConnection, trace_ids: Sequence[str], request: Node
) -> list[Compilation]:
    """What was compiled during these traces."""
    values = {"trace_ids": list(trace_ids), **around(request)}
    rows = connection.execute(query("compilations"), values).fetchall()
    return [Compilation(duration_ns or 0, compile_id, reason) for _, duration_ns, compile_id, reason in rows]


def worker_of(connection: duckdb.DuckDBPyConnection, trace_id: str, request: Node, baseline: Baseline) -> WorkerState:
    """What the request's process was doing besides."""
    span = request.span
    values = {"instance": span.instance, "trace_id": trace_id}
    values |= {"start_ns": span.start_ns, "end_ns": span.start_ns + request.duration_ns}  # type: ignore[dict-item]
    row = connection.execute(query("in_flight"), values).fetchone() if span.instance else None
    in_flight = span.attributes.get(IN_FLIGHT)
    lag, paused = span.attributes.get(LAG), span.attributes.get(GC)
    return WorkerState(
        instance=span.instance,
        in_flight=in_flight if isinstance(in_flight, int) else None,
        in_flight_baseline=baseline.median_of(IN_FLIGHT),
        overlapping=row[0] if row else 0,
        event_loop_lag_ns=None if lag is None else nanoseconds(lag),
        event_loop_lag_baseline_ns=None if baseline.median_of(LAG) is None else baseline.median_ns(LAG),
        gc_ns=None if paused is None else nanoseconds(paused),
        gc_baseline_ns=baseline.median_ns(GC) if baseline.is_enough else None,
    )


def logs_of(connection: duckdb.DuckDBPyConnection, trace_id: str, request: Node) -> list[LogLine]:
    """The log records with the trace's id, in the order of time; those of rare templates are marked."""
    rows = connection.execute(query("logs_of_trace"), {"trace_id": trace_id, **around(request)}).fetchall()
    if not rows:
        return []
    values = {
        "trace_id": trace_id,
        "services": sorted({row[1] for row in rows if row[1]}),
        "from_ns": request.span.start_ns - HOUR_NS,
        "until_ns": request.span.start_ns,
    }
    counted = connection.execute(query("templates_before"), values).fetchall()
    before = {template: count for template, count, _ in counted}
    total = counted[0][2] if counted else 0
    return [_log_line(row, request.start_ns, before, total) for row in rows]


def _log_line(row: tuple[Any, ...], start_ns: int, templates: Mapping[str, int], total: int) -> LogLine:
    time_ns, service, span_id, severity, body, event_name, kind, message, template = row
    before = templates.get(template, 0) if total >= _LEAST_LOGS else None
    return LogLine(
        time=iso_time(time_ns),
        offset_ns=time_ns - start_ns,
        service=service,
        span_id=span_id,
        severity=severity,
        body=body,
        event_name=event_name,
        exception=f"{kind}: {message or ''}".rstrip(": ") if kind else None,
        before=before,
        is_rare=before is not None and before <= _RARE_SHARE * total,
    )


def exemplars_of(connection: duckdb.DuckDBPyConnection, trace_id: str, request: Node) -> list[ExemplarPoint]:
    """The measurements that were kept with the trace's id."""
    rows = connection.execute(query("exemplars_of_trace"), {"trace_id": trace_id, **around(request)}).fetchall()
    return [ExemplarPoint(iso_time(time_ns), metric, value, span_id) for time_ns, metric, value, span_id in rows]


def blocks_around(connection: duckdb.DuckDBPyConnection, request: Node, accept_ns: int = 0) -> list[Block]:
    """The blocked stretches of the event loop that overlap a request or its wait before, in the order of time."""
    start_ns = request.span.start_ns
    values = {"instance": request.span.instance, "start_ns": start_ns - accept_ns}
    values["end_ns"] = start_ns + request.duration_ns
    rows = connection.execute(query("blocks_around"), values).fetchall()
    return [
        Block(trace_id, start_ns, end_ns, waited_ns, function, f"{file}:{line}")
        for trace_id, start_ns, end_ns, _, waited_ns, function, file, line in rows
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
        "from_ns": start_ns - HOUR_NS,
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
