"""The request waited for its turn: in a queue, for a thread, or for a lock."""

from collections.abc import Sequence
from typing import Final

from infersight_analysis.breakdown import UNATTRIBUTED
from infersight_analysis.findings import Evidence, Hypothesis, Piece
from infersight_analysis.investigation.case import Case, excess_of
from infersight_analysis.investigation.pieces import (
    ACCEPT,
    FORWARD,
    INFERENCE,
    OTHER,
    QUEUE,
    STAGE,
    THREAD_POOL,
    nanoseconds,
)
from infersight_analysis.investigation.surroundings import GC
from infersight_analysis.reading import query
from infersight_analysis.times import short_duration
from infersight_analysis.trace import Node

_SURE_QUEUE: Final = 0.92
_SURE_ACCEPT: Final = 0.85
_SURE_THREADS: Final = 0.92
_SURE_HANDED_OVER: Final = 0.85
_SURE_TOGETHER: Final = 0.65

_WAITED: Final = 0.5
"""A span that ran for less of its time than the rest of this waited."""

_TOLERANCE: Final = 0.05
_LEAST_TOLERANCE_NS: Final = 5_000_000


def queueing(case: Case) -> list[Hypothesis]:
    """More requests than the process, or its batches, could take."""
    blocked_ns = sum(block.overlap_ns(case.request, _accept_ns(case)) for block in case.blocks)
    pieces = case.pieces_of({QUEUE, ACCEPT})
    # A process whose event loop is blocked accepts nothing: that wait is the block's.
    explained = sum(excess_of(p) if p.part == QUEUE else max(0, excess_of(p) - blocked_ns) for p in pieces)
    if not pieces or not case.is_worth_naming(explained):
        return []
    supporting: list[str] = []
    opposing: list[str] = []
    worker = case.worker
    if worker.in_flight is not None and worker.in_flight_baseline is not None:
        words = f"{worker.in_flight} requests in flight on its process, normally {worker.in_flight_baseline:g}"
        (supporting if worker.in_flight > worker.in_flight_baseline else opposing).append(words)
    for ride in case.batches[:1]:
        reason = f", released because {ride.release_reason}" if ride.release_reason else ""
        supporting.append(f"its batch had {len(ride.members)} requests{reason}")
    return [
        case.hypothesis(
            "queueing",
            explained,
            sure=_SURE_QUEUE if pieces[0].part == QUEUE else _SURE_ACCEPT,
            statement=case.compared(pieces[0]),
            evidence=case.piece_evidence(pieces[0], *(ride.trace_id for ride in case.batches)),
            supporting=supporting,
            opposing=opposing,
        )
    ]


def thread_pool(case: Case) -> list[Hypothesis]:
    """All threads of a pool were taken."""
    attribute = "infersight.thread_pool.queue.duration"
    waited = nanoseconds(case.request.span.attributes.get(attribute)) - case.baseline.median_ns(attribute)
    pieces = case.pieces_of({THREAD_POOL})
    explained = max(case.excess_in({THREAD_POOL}), waited)
    if not case.is_worth_naming(explained):
        return []
    statement = (
        case.compared(pieces[0])
        if pieces
        else f"work of the request waited {short_duration(waited)} longer than normal for a free thread"
    )
    evidence = case.piece_evidence(pieces[0]) if pieces else Evidence([case.trace_id], [case.trace_sql()])
    supporting = [f"{case.worker.overlapping} other requests of its process were open meanwhile"]
    return [
        case.hypothesis(
            "thread_pool",
            explained,
            sure=_SURE_THREADS,
            statement=statement,
            evidence=evidence,
            supporting=supporting,
        )
    ]


def lock_contention(case: Case) -> list[Hypothesis]:
    """A thread stood still in a place where others of its process stood too, one let go after the other."""
    for piece in case.pieces_of({STAGE, INFERENCE, OTHER, FORWARD, UNATTRIBUTED})[:2]:
        excess = excess_of(piece)
        nodes = case.spans_of(piece) if piece.kind != "UNATTRIBUTED" else []
        waited = _waited_ns(piece, nodes[0]) if nodes else None
        if waited is None or waited < _WAITED * excess or not case.is_worth_naming(min(waited, excess)):
            continue
        together = _waiting(_same_place(case, nodes[0]), piece)
        if not together:
            continue
        is_handed_over = _is_one_at_a_time(nodes[0], together)
        supporting = [
            f"its thread ran for only {short_duration(piece.cpu_ns or 0)} of {short_duration(piece.self_ns)}",
            f"{len(together)} other calls of {piece.name} in the same process waited at the same time",
        ]
        opposing: list[str] = []
        if is_handed_over:
            supporting.append("they did not end as far apart as they began: one waited for another")
        else:
            opposing.append("they ended as far apart as they began, as calls that are slow by themselves do")
        sure = _SURE_HANDED_OVER if is_handed_over else _SURE_TOGETHER
        return [
            case.hypothesis(
                "lock_contention",
                min(waited, excess) - _gc_ns(case),
                sure=sure,
                statement=f"{case.compared(piece)}: it waited for {short_duration(waited)}, one call after the other",
                evidence=case.piece_evidence(piece, *(trace for trace, _, _ in together[:3])),
                supporting=supporting,
                opposing=opposing,
            )
        ]
    return []


def _gc_ns(case: Case) -> int:
    return nanoseconds(case.request.span.attributes.get(GC))


def _accept_ns(case: Case) -> int:
    return case.accept.self_ns if case.accept else 0


def _waited_ns(piece: Piece, node: Node) -> int | None:
    """How long the span's thread stood still; None where nobody says."""
    if "infersight.cpu.duration" not in node.span.attributes:
        return None
    return max(0, piece.self_ns - max(0, piece.cpu_ns or 0))


Call = tuple[str, int, int]
"""Trace, start and end."""


def _same_place(case: Case, node: Node) -> list[Call]:
    span = node.span
    if span.instance is None:
        return []
    values = {
        "instance": span.instance,
        "name": span.name,
        "start_ns": span.start_ns,
        "end_ns": span.start_ns + node.duration_ns,
        "trace_id": case.trace_id,
        "span_id": span.span_id,
    }
    return case.connection.execute(query("same_place"), values).fetchall()


def _waiting(others: Sequence[Call], piece: Piece) -> list[Call]:
    """Those that took far longer than normal too."""
    normal = piece.baseline_ns or 0
    return [other for other in others if other[2] - other[1] >= 2 * normal + _LEAST_TOLERANCE_NS]


def _is_one_at_a_time(node: Node, together: Sequence[Call]) -> bool:
    """Whether the calls ended otherwise than they began.

    Calls that are slow by themselves end as far apart as they began. Those that wait for one another end one by one
    where they began together, or all at once, when somebody let go, where they began apart.
    """
    start = node.span.start_ns
    starts = [start, *(call[1] for call in together)]
    ends = [start + node.duration_ns, *(call[2] for call in together)]
    spread = abs((max(ends) - min(ends)) - (max(starts) - min(starts)))
    return spread > max(_LEAST_TOLERANCE_NS, _TOLERANCE * node.duration_ns)
