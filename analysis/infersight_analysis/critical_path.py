"""Where a request's time went: self time and critical path of a trace."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from infersight_analysis.trace import Node


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the request that one span is responsible for; times in nanoseconds since the epoch."""

    node: Node
    start_ns: int
    end_ns: int

    @property
    def duration_ns(self) -> int:
        """Nanoseconds from start to end; never 0."""
        return self.end_ns - self.start_ns


def critical_path(root: Node) -> list[Segment]:
    """The segments of the critical path of `root`, in the order of time, without gap or overlap.

    Definition, going back in time from the end of a span: of the children that started before this moment, the one
    that finishes last is what the span waited for; until then back from now the span was busy itself, and from then
    back to the child's start the child is responsible, by the same rule. Children are clipped to their parent and to
    the moment from which they are looked at, so that where children overlap the later one has its whole time and the
    earlier one the rest. A child that spends more than half of its time after its parent's end was not waited for and
    is not on the path. This is the last-finishing-child walk of CRISP (Zhang et al., USENIX ATC 2022), which drops
    an overlapping child where this clips it.

    Every nanosecond of the root belongs to exactly one segment: their durations sum to the root's.
    """
    segments: list[Segment] = []
    waiting = [(root, root.start_ns, root.end_ns, False)]
    while waiting:  # the latest stretch is on top, so that segments come out backwards in time
        node, low, high, is_own = waiting.pop()
        if is_own:
            segments.append(Segment(node, low, high))
        else:
            parts = list(_split(node, low, high))
            waiting.extend((part, start, end, part is node) for part, start, end in reversed(parts))
    segments.reverse()
    return segments


def _split(node: Node, low: int, high: int) -> Iterator[tuple[Node, int, int]]:
    """Stretches of [low, high) of the node, backwards in time: its own, and those of the children it waited for."""
    now = high
    for child in sorted(node.children, key=_last_finishing):
        start, end = max(child.start_ns, low), min(child.end_ns, now)
        if start >= end or not was_awaited(child, node):
            continue
        if end < now:
            yield node, end, now
        yield child, start, end
        now = start
    if low < now:
        yield node, low, now


def _last_finishing(node: Node) -> tuple[int, int, str]:
    return (-node.end_ns, node.start_ns, node.span.span_id)


def was_awaited(child: Node, parent: Node) -> bool:
    """Whether at least half of a child's time lies before its parent's end."""
    return 2 * (child.end_ns - parent.end_ns) <= child.duration_ns


def self_time(node: Node) -> int:
    """Nanoseconds of a span in which none of its children ran."""
    covered, reached = 0, node.start_ns
    for start, end in sorted((child.start_ns, child.end_ns) for child in node.children):
        start, end = max(start, reached), min(end, node.end_ns)  # noqa: PLW2901 - the part not counted yet
        if start < end:
            covered += end - start
            reached = end
    return node.duration_ns - covered


def time_by_span(segments: Iterable[Segment]) -> dict[str, int]:
    """Nanoseconds on the path of each span, by span id."""
    totals: dict[str, int] = {}
    for segment in segments:
        span_id = segment.node.span.span_id
        totals[span_id] = totals.get(span_id, 0) + segment.duration_ns
    return totals
