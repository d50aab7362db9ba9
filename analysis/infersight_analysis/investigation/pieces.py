"""What the time of a request was for: its critical path by operation, and what each operation is."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from infersight_analysis.breakdown import UNATTRIBUTED, Operation, operation_of
from infersight_analysis.critical_path import Segment, critical_path
from infersight_analysis.reading import OPERATION
from infersight_analysis.trace import Node, Span

ACCEPT: Final = "accept"
EVENT_LOOP: Final = "event_loop"
THREAD_POOL: Final = "thread_pool"
QUEUE: Final = "queue"
BATCHED: Final = "batched"
STAGE: Final = "stage"
INFERENCE: Final = "inference"
FORWARD: Final = "forward"
DATABASE: Final = "database"
CALL: Final = "call"
OTHER: Final = "other"

WORK: Final = frozenset({STAGE, INFERENCE, FORWARD, BATCHED, OTHER, UNATTRIBUTED})
"""Parts in which the process itself works, or waits for what nothing is said about."""

OPERATION_QUERY: Final = "query"
MODEL: Final = frozenset({INFERENCE, FORWARD, BATCHED})
DEPENDENCY: Final = frozenset({DATABASE, CALL})

LAG: Final = "infersight.event_loop.lag"
CPU_WAIT: Final = "infersight.cpu.queue.duration"
_LEAST_LAG_NS: Final = 20_000_000
"""A heartbeat is late by less where nothing is wrong."""

_PARTS: Final = {
    "thread_pool": THREAD_POOL,
    "queue": QUEUE,
    "batched": BATCHED,
    "stage": STAGE,
    "detail": STAGE,
    "inference": INFERENCE,
    "generation": INFERENCE,
    "forward": FORWARD,
    "query": DATABASE,
}

Stretch = tuple[int, int]
"""Start and end, nanoseconds since the epoch."""


@dataclass(frozen=True)
class Anatomy:
    """A request by operation.

    Args:
        pieces: nanoseconds on its critical path; they sum to its duration.
        calls: how many spans.
        cpu: nanoseconds that the threads of its spans ran, where they say so, without those of the spans below.
        parts: what the time of each is for.
    """

    pieces: Counter[Operation]
    calls: Counter[Operation]
    cpu: Counter[Operation]
    parts: dict[Operation, str]


def anatomy(request: Node, held: Sequence[Stretch] | None = None) -> Anatomy:
    """Take a request apart.

    Time in which others held the event loop is none of the operation that waited for it, but a piece of its own: the
    stretches in `held` where they are known, and else as much of the time on no stage as the longest lag. Spans that
    have a thread to themselves do not wait for the loop.

    Args:
        request: with what is below it.
        held: when others blocked the event loop of its process, without overlap; None where nothing was recorded.
    """
    nodes = list(request.below())
    operations = {id(node): operation_of(node, request) for node in nodes}
    parts = {operations[id(node)]: _part(node.span, request.span) for node in nodes}
    loop = Operation(request.span.service, "event loop lag", "EVENT_LOOP")
    pieces: Counter[Operation] = Counter()
    if OPERATION not in request.span.attributes:
        parts[operations[id(request)]] = UNATTRIBUTED
        pieces[operations[id(request)]] = 0
    for segment in critical_path(request):
        lost = _overlap(segment, held) if held and _needs_loop(segment.node, request) else 0
        pieces[operations[id(segment.node)]] += segment.duration_ns - lost
        pieces[loop] += lost
    if held is None and (unattributed := operations[id(request)]).name == UNATTRIBUTED:
        lag = nanoseconds(request.span.attributes.get(LAG))
        lost = min(lag, pieces[unattributed]) if lag >= _LEAST_LAG_NS else 0
        pieces[unattributed] -= lost
        pieces[loop] += lost
    parts[loop] = EVENT_LOOP
    if not pieces[loop]:
        del pieces[loop]
    return Anatomy(pieces, Counter(operations.values()), _cpu(nodes, operations), parts)


def nanoseconds(seconds: object) -> int:
    """Nanoseconds of an attribute in seconds; 0 where it is none."""
    return round(seconds * 1e9) if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) else 0


def _part(span: Span, request: Span) -> str:
    known = _PARTS.get(str(span.attributes.get(OPERATION)))
    if known is not None:
        return known
    if span.kind == "CLIENT" and any(str(key).startswith("db.") for key in span.attributes):
        return DATABASE
    if span.kind in ("CLIENT", "PRODUCER") or span.service != request.service:
        return CALL
    return OTHER


def _needs_loop(node: Node, request: Node) -> bool:
    span = node.span
    is_here = (span.service, span.instance) == (request.span.service, request.span.instance)
    return is_here and "infersight.cpu.duration" not in span.attributes


def _overlap(segment: Segment, held: Sequence[Stretch]) -> int:
    return sum(max(0, min(segment.end_ns, end) - max(segment.start_ns, start)) for start, end in held)


def _cpu(nodes: Sequence[Node], operations: dict[int, Operation]) -> Counter[Operation]:
    own: Counter[Operation] = Counter()
    for node in nodes:
        cpu_ns = nanoseconds(node.span.attributes.get("infersight.cpu.duration"))
        if cpu_ns:
            own[operations[id(node)]] += cpu_ns
            if node.parent is not None and "infersight.cpu.duration" in node.parent.span.attributes:
                own[operations.get(id(node.parent), operations[id(node)])] -= cpu_ns
    return own
