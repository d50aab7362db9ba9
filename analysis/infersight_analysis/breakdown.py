"""What the time of a request went to: its critical path, summed by operation."""

from collections import Counter
from typing import Final, NamedTuple

from infersight_analysis.critical_path import critical_path
from infersight_analysis.reading import OPERATION
from infersight_analysis.trace import Node

UNATTRIBUTED: Final = "unattributed"


class Operation(NamedTuple):
    """What spans have in common that do the same work."""

    service: str | None
    name: str
    kind: str


def operation_of(node: Node, request: Node) -> Operation:
    """The operation that a span's own time is counted under.

    The own time of the request's span is on no instrumented stage, unless that span is a stage itself.
    """
    span = node.span
    if node is request and OPERATION not in span.attributes:
        return Operation(span.service, UNATTRIBUTED, UNATTRIBUTED.upper())
    return Operation(span.service, span.name, span.kind)


def breakdown(request: Node) -> Counter[Operation]:
    """Nanoseconds of the request by operation; they sum to the request's duration.

    The rest that is on no instrumented stage is always there, be it 0.
    """
    pieces: Counter[Operation] = Counter()
    if OPERATION not in request.span.attributes:
        pieces[operation_of(request, request)] = 0
    for segment in critical_path(request):
        pieces[operation_of(segment.node, request)] += segment.duration_ns
    return pieces
