"""A waterfall of a trace, with the critical path marked; of a large trace the spans that matter most."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from infersight_analysis.critical_path import critical_path
from infersight_analysis.findings import Investigation, TreeSpan
from infersight_analysis.trace import Node, Span

_MOST: Final = 250
_ALIKE: Final = 5
"""Rows for calls of one name from one span, in a trace that has more spans than rows."""

_RESOLUTION: Final = 1000
"""Stretches of the path that are nearer to each other than this part of the request are drawn as one."""


@dataclass(frozen=True)
class Bar:
    """A stretch of a row, left edge and width in percent of the request."""

    left: float
    width: float


@dataclass(frozen=True)
class Row:
    """A span at its place.

    `path` is where it was responsible for the request, for `path_ns` in all; `hidden` spans below it have no row.
    """

    span: TreeSpan
    bar: Bar
    path: list[Bar]
    path_ns: int
    hidden: int


def nodes_of(found: Investigation) -> list[Node]:
    """The repaired trees again, one node for each of the found spans, the request's first."""
    nodes: list[Node] = []
    above: list[Node] = []
    for span in found.spans:
        del above[span.depth :]
        parent = above[-1] if above else None
        end_ns = span.start_ns + span.duration_ns
        own = Span(span.span_id, None, span.name, span.kind, span.start_ns, end_ns, span.service)
        node = Node(own, span.start_ns, end_ns, parent)
        if parent is not None:
            parent.children.append(node)
        above.append(node)
        nodes.append(node)
    return nodes


def waterfall(found: Investigation, nodes: Sequence[Node]) -> list[Row]:
    """The rows: every span, or those with most time on the path, the longest ones, and what is above them.

    Args:
        found: the investigation.
        nodes: `nodes_of` it.
    """
    if not nodes:
        return []
    number = {id(node): place for place, node in enumerate(nodes)}
    stretches: list[list[tuple[int, int]]] = [[] for _ in nodes]
    path_ns: Counter[int] = Counter()
    for segment in critical_path(nodes[0]):
        place = number[id(segment.node)]
        path_ns[place] += segment.duration_ns
        _extend(stretches[place], segment.start_ns, segment.end_ns, found.total_ns / _RESOLUTION)
    shown = _shown(nodes, path_ns, number)
    hidden = _hidden(nodes, shown, number)
    whole = found.total_ns or 1
    return [
        Row(
            span=found.spans[place],
            bar=_bar(nodes[place].start_ns, nodes[place].end_ns, whole),
            path=[_bar(start, end, whole) for start, end in stretches[place]],
            path_ns=path_ns[place],
            hidden=hidden[place],
        )
        for place in sorted(shown)
    ]


def _extend(stretches: list[tuple[int, int]], start_ns: int, end_ns: int, nearest_ns: float) -> None:
    if stretches and start_ns - stretches[-1][1] < nearest_ns:
        stretches[-1] = (stretches[-1][0], end_ns)
    else:
        stretches.append((start_ns, end_ns))


def _shown(nodes: Sequence[Node], path_ns: Counter[int], number: dict[int, int]) -> set[int]:
    """Places of the spans with a row: all of a small trace, else few of calls that are alike, with what called them."""
    if len(nodes) <= _MOST:
        return set(range(len(nodes)))
    places = sorted(range(len(nodes)), key=lambda place: (-path_ns[place], -nodes[place].duration_ns, place))
    shown = {0}
    alike: Counter[tuple[int, str]] = Counter()
    for place in places:
        if len(shown) >= _MOST:
            break
        node: Node | None = nodes[place]
        kind = (id(nodes[place].parent), nodes[place].span.name)
        if alike[kind] >= _ALIKE:
            continue
        alike[kind] += 1
        while node is not None and number[id(node)] not in shown:
            shown.add(number[id(node)])
            node = node.parent
    return shown


def _hidden(nodes: Sequence[Node], shown: set[int], number: dict[int, int]) -> Counter[int]:
    """How many spans without a row are below each one with a row; those below none are counted at the first."""
    hidden: Counter[int] = Counter()
    nearest: dict[int, int] = {}
    for place, node in enumerate(nodes):  # parents come first
        above = 0 if node.parent is None else nearest[number[id(node.parent)]]
        nearest[place] = place if place in shown else above
        hidden[above] += place not in shown
    return hidden


def _bar(start_ns: int, end_ns: int, whole_ns: int) -> Bar:
    left = min(max(start_ns / whole_ns, 0.0), 1.0)
    right = min(max(end_ns / whole_ns, left), 1.0)
    return Bar(round(100 * left, 3), round(100 * (right - left), 3))
