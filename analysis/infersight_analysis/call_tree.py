"""A request's call paths: what was called from where, calls of one kind from one place taken together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from infersight_analysis.breakdown import Operation
from infersight_analysis.critical_path import critical_path
from infersight_analysis.trace import Node

CallPath: TypeAlias = tuple[Operation, ...]
"""The operations from the request down to the called one."""


@dataclass(slots=True)
class Calls:
    """The calls of one path.

    Args:
        count: how many.
        duration_ns: the sum of their durations; of concurrent calls more than the time that passed.
        critical_ns: how long they were responsible for the request, without the calls below them.
    """

    count: int = 0
    duration_ns: int = 0
    critical_ns: int = 0


def call_tree(request: Node) -> Mapping[CallPath, Calls]:
    """The calls of a request by path, callers before what they called, in the order of the first call.

    The critical times sum to the request's duration.
    """
    critical: dict[int, int] = {}
    for segment in critical_path(request):
        critical[id(segment.node)] = critical.get(id(segment.node), 0) + segment.duration_ns
    paths: dict[int, CallPath] = {}
    calls: dict[CallPath, Calls] = {}
    for node in request.below():
        above = () if node is request or node.parent is None else paths[id(node.parent)]
        path = paths[id(node)] = (*above, Operation(node.span.service, node.span.name, node.span.kind))
        found = calls.setdefault(path, Calls())
        found.count += 1
        found.duration_ns += node.duration_ns
        found.critical_ns += critical.get(id(node), 0)
    return calls
