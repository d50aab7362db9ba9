"""What is normal for a request: other requests of the same operation, and what their time went to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, log
from statistics import median
from typing import Final, NamedTuple

import duckdb

from infersight_analysis.breakdown import Operation
from infersight_analysis.findings import BaselineSummary, Piece
from infersight_analysis.investigation.pieces import ACCEPT, Anatomy, anatomy, nanoseconds
from infersight_analysis.reading import query, read_spans
from infersight_analysis.stats.order import percentile_of, robust_deviation
from infersight_analysis.times import SECOND_NS
from infersight_analysis.trace import Node, Trace

HOUR_NS: Final = 3600 * SECOND_NS
LEAST: Final = 8
"""Fewer other requests than this are no baseline."""

WANTED: Final = 30
"""With fewer before the request, those after it count as well."""

SAMPLE: Final = 200
"""Most requests whose traces are read; the median of as many is within 7 percentiles of the true one (95 %)."""

MOST: Final = 20_000
"""Most requests whose durations are read; ids are random, so the first ones are a random part."""

_SLOW_RANK: Final = 0.95

_SPREAD_NS: Final = 600 * SECOND_NS
"""How long before and after its request a span of it may start."""


class Request(NamedTuple):
    """One of the others; times in nanoseconds, `accept_ns` from its arrival on the host to the application."""

    trace_id: str
    span_id: str
    start_ns: int
    duration_ns: int
    version: str | None
    accept_ns: int

    @property
    def felt_ns(self) -> int:
        """How long it took for who sent it."""
        return self.duration_ns + self.accept_ns


@dataclass(frozen=True)
class Baseline:
    """Other requests of the same operation.

    Args:
        about: which they are, for people.
        requests: all of them.
        anatomies: of each one whose trace was read.
        nodes: the requests of those.
        traces: the ids of those.
        between_ns: the first and last time of their spans.
        nearby: requests of every version in the hour before and after.
    """

    about: str
    requests: Sequence[Request]
    anatomies: Sequence[Anatomy]
    nodes: Sequence[Node]
    traces: Sequence[str]
    between_ns: tuple[int, int]
    nearby: Sequence[Request]

    @property
    def is_enough(self) -> bool:
        """Whether a comparison means something."""
        return len(self.anatomies) >= LEAST

    @cached_property
    def durations_ns(self) -> list[int]:
        """The durations of all of them."""
        return [request.duration_ns for request in self.requests]

    def summary(self, total_ns: int) -> BaselineSummary:
        """How a request of this duration compares."""
        if not self.is_enough:
            return BaselineSummary(len(self.requests), self.about, None, None, None)
        normal = round(median(self.durations_ns))
        percentile = percentile_of(total_ns, self.durations_ns)
        return BaselineSummary(len(self.requests), self.about, normal, total_ns - normal, round(percentile, 2))

    def deviation(self, felt_ns: int) -> float:
        """How many robust standard deviations of the logarithms a request took longer than the median."""
        logarithms = [log(max(1, request.felt_ns)) for request in self.requests]
        deviation = robust_deviation(log(max(1, felt_ns)), logarithms)
        return float("inf") if deviation is None else deviation

    def times_slow(self, felt_ns: int) -> float:
        """How many times as long as the 95th percentile of the others a request took."""
        felt = sorted(request.felt_ns for request in self.requests)
        return felt_ns / max(1, felt[min(len(felt) - 1, ceil(_SLOW_RANK * len(felt)))])

    def compare(self, own: Anatomy) -> list[Piece]:
        """The pieces of a request against the same pieces of the others; who had none of it took 0."""
        compared = [self._piece(operation, self_ns, own) for operation, self_ns in own.pieces.items()]
        return sorted(compared, key=lambda piece: (-piece.self_ns, piece.name))

    def _piece(self, operation: Operation, self_ns: int, own: Anatomy) -> Piece:
        others = [other.pieces.get(operation, 0) for other in self.anatomies]
        normal, excess, percentile = self.placed(self_ns, others)
        return Piece(
            name=operation.name,
            kind=operation.kind,
            service=operation.service,
            self_ns=self_ns,
            baseline_ns=normal,
            excess_ns=excess,
            percentile=percentile,
            part=own.parts[operation],
            calls=own.calls.get(operation, 0),
            cpu_ns=own.cpu.get(operation),
        )

    def accept(self, accept_ns: int, service: str | None) -> Piece | None:
        """The wait before the application had the request; None where nothing says so."""
        others = [request.accept_ns for request in self.requests]
        if not accept_ns and not any(others):
            return None
        return Piece("accept wait", ACCEPT.upper(), service, accept_ns, *self.placed(accept_ns, others), part=ACCEPT)

    def placed(self, value: int, others: Sequence[int]) -> tuple[int | None, int | None, float | None]:
        """The median of the others, what is above it, and the percentile; nothing where there are too few."""
        if not self.is_enough:
            return None, None, None
        normal = round(median(others))
        return normal, value - normal, round(percentile_of(value, others), 2)

    def median_of(self, key: str) -> float | None:
        """The median of a measure on the requests' own spans; None where fewer than `LEAST` have it."""
        values = [value for node in self.nodes if isinstance(value := node.span.attributes.get(key), (int, float))]
        return float(median(values)) if len(values) >= LEAST else None

    def median_ns(self, key: str) -> int:
        """The median of a measure in seconds on the requests' own spans, those without it counting as 0."""
        values = [nanoseconds(node.span.attributes.get(key)) for node in self.nodes]
        return round(median(values)) if values else 0


def baseline_of(connection: duckdb.DuckDBPyConnection, trace_id: str, request: Node) -> Baseline:
    """The requests of the same service, operation, route and version in the hour before.

    Where those are few, those of the hour after count as well; where these are no baseline, other versions do.

    Args:
        connection: from `connect`.
        trace_id: the trace to leave out.
        request: its request.
    """
    start = request.span.start_ns
    nearby = _requests(connection, trace_id, request)
    about, chosen = _chosen(nearby, start, request.span.version)
    sample = _sample(chosen)
    first = min((other.start_ns for other in sample), default=start) - _SPREAD_NS
    last = max((other.start_ns + other.duration_ns for other in sample), default=start) + _SPREAD_NS
    spans = read_spans(connection, {other.trace_id for other in sample}, between_ns=(first, last))
    trees = {trace: Trace.of(found) for trace, found in spans.items()}
    read = [(other, node) for other in sample if (node := _node(trees.get(other.trace_id), other.span_id)) is not None]
    return Baseline(
        about=about,
        requests=chosen,
        anatomies=[anatomy(node) for _, node in read],
        nodes=[node for _, node in read],
        traces=[other.trace_id for other, _ in read],
        between_ns=(first, last),
        nearby=nearby,
    )


def _sample(chosen: Sequence[Request]) -> Sequence[Request]:
    """A part of the requests, which are in the order of their trace ids.

    Files are sorted by trace id, so that neighbours are read for a fraction of the price. Ids are random, and so are
    neighbours; where they follow the time, which the starts of the first ones show, it is every so many instead.
    """
    first = chosen[:SAMPLE]
    if _between(first) >= _between(chosen) / 2:
        return first
    return chosen[:: -(-len(chosen) // SAMPLE)]


def _between(requests: Sequence[Request]) -> int:
    starts = [request.start_ns for request in requests]
    return max(starts) - min(starts) if starts else 0


def _chosen(nearby: Sequence[Request], start_ns: int, version: str | None) -> tuple[str, Sequence[Request]]:
    same = [other for other in nearby if other.version == version]
    before = [other for other in same if other.start_ns < start_ns]
    if len(before) >= WANTED:
        return "in the hour before", before
    if len(same) >= LEAST or len(same) == len(nearby):
        return "in the hour before and after", same
    return "in the hour before and after, of any version", nearby


def _requests(connection: duckdb.DuckDBPyConnection, trace_id: str, request: Node) -> list[Request]:
    span = request.span
    route = span.attributes.get("http.route")
    values = {
        "from_ns": span.start_ns - HOUR_NS,
        "until_ns": span.start_ns + HOUR_NS,
        "trace_id": trace_id,
        "name": span.name,
        "kind": span.kind,
        "service": span.service,
        "route": None if route is None else str(route),
        "most": MOST,
    }
    return [Request(*row) for row in connection.execute(query("baseline"), values).fetchall()]


def _node(trace: Trace | None, span_id: str) -> Node | None:
    tops: Iterable[Node] = () if trace is None else (trace.root, *trace.others)
    return next((node for top in tops for node in top.below() if node.span.span_id == span_id), None)
