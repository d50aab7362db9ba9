"""What is normal for a request: other requests of the same operation, and what their time went to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any, Final

import duckdb

from infersight_analysis.breakdown import Operation, breakdown
from infersight_analysis.findings import BaselineSummary, Piece
from infersight_analysis.reading import query, read_spans
from infersight_analysis.stats.order import percentile_of
from infersight_analysis.times import SECOND_NS
from infersight_analysis.trace import Node, Trace

HOUR_NS: Final = 3600 * SECOND_NS
LEAST: Final = 8
"""Fewer other requests than this are no baseline."""

WANTED: Final = 30
"""With fewer before the request, those after it count as well."""

SAMPLE: Final = 400
"""Most requests whose traces are read; the median of as many is within 5 percentiles of the true one (95 %)."""


@dataclass(frozen=True)
class Baseline:
    """Other requests of the same operation.

    Args:
        about: which they are, for people.
        requests: trace id, span id, start and duration in nanoseconds of each.
        pieces: the breakdown of each one whose trace was read.
        traces: the ids of those.
        between_ns: the first and last time of their spans.
    """

    about: str
    requests: Sequence[tuple[str, str, int, int]]
    pieces: Sequence[Mapping[Operation, int]]
    traces: Sequence[str]
    between_ns: tuple[int, int]

    @property
    def is_enough(self) -> bool:
        """Whether a comparison means something."""
        return len(self.pieces) >= LEAST

    @cached_property
    def durations_ns(self) -> list[int]:
        """The durations of all of them."""
        return [duration for _, _, _, duration in self.requests]

    def summary(self, total_ns: int) -> BaselineSummary:
        """How a request of this duration compares."""
        if not self.is_enough:
            return BaselineSummary(len(self.requests), self.about, None, None, None)
        normal = round(median(self.durations_ns))
        percentile = percentile_of(total_ns, self.durations_ns)
        return BaselineSummary(len(self.requests), self.about, normal, total_ns - normal, round(percentile, 2))

    def compare(self, pieces: Counter[Operation]) -> list[Piece]:
        """The pieces of a request against the same pieces of the others; who had none of it took 0."""
        compared = [self._piece(operation, self_ns) for operation, self_ns in pieces.items()]
        return sorted(compared, key=lambda piece: (-piece.self_ns, piece.name))

    def _piece(self, operation: Operation, self_ns: int) -> Piece:
        if not self.is_enough:
            return Piece(operation.name, operation.kind, operation.service, self_ns)
        others = [pieces.get(operation, 0) for pieces in self.pieces]
        normal = round(median(others))
        return Piece(
            name=operation.name,
            kind=operation.kind,
            service=operation.service,
            self_ns=self_ns,
            baseline_ns=normal,
            excess_ns=self_ns - normal,
            percentile=round(percentile_of(self_ns, others), 2),
        )


def baseline_of(connection: duckdb.DuckDBPyConnection, trace_id: str, request: Node) -> Baseline:
    """The requests of the same service, operation, route and version in the hour before, or around where those are few.

    Args:
        connection: from `connect`.
        trace_id: the trace to leave out.
        request: its request.
    """
    start = request.span.start_ns
    about = "in the hour before"
    rows = _requests(connection, trace_id, request, start - HOUR_NS, start)
    if len(rows) < WANTED:
        about = "in the hour before and after"
        rows = _requests(connection, trace_id, request, start - HOUR_NS, start + HOUR_NS)
    sample = rows[:: max(1, -(-len(rows) // SAMPLE))]
    first = min((row[2] for row in sample), default=start) - HOUR_NS
    last = max((row[2] + row[3] for row in sample), default=start) + HOUR_NS
    spans = read_spans(connection, {row[0] for row in sample}, between_ns=(first, last))
    trees = {trace: Trace.of(found) for trace, found in spans.items()}
    read = [(row[0], node) for row in sample if (node := _node(trees.get(row[0]), row[1])) is not None]
    pieces = [breakdown(node) for _, node in read]
    return Baseline(about, rows, pieces, [trace for trace, _ in read], (first, last))


def _requests(
    connection: duckdb.DuckDBPyConnection, trace_id: str, request: Node, from_ns: int, until_ns: int
) -> list[tuple[str, str, int, int]]:
    span = request.span
    route = span.attributes.get("http.route")
    values: dict[str, Any] = {
        "from_ns": from_ns,
        "until_ns": until_ns,
        "trace_id": trace_id,
        "name": span.name,
        "kind": span.kind,
        "service": span.service,
        "version": span.version,
        "route": None if route is None else str(route),
    }
    return connection.execute(query("baseline"), values).fetchall()


def _node(trace: Trace | None, span_id: str) -> Node | None:
    if trace is None:
        return None
    tops = (trace.root, *trace.others)
    return next((node for top in tops for node in top.below() if node.span.span_id == span_id), None)
