"""A trace as a tree, whatever was lost, repeated or skewed on the way; every repair is said in `notes`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from infersight_analysis.times import short_duration


@dataclass(frozen=True, slots=True)
class Span:
    """A span as it was stored; times in nanoseconds since the epoch."""

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    start_ns: int
    end_ns: int | None
    service: str | None = None
    instance: str | None = None
    version: str | None = None
    status: str = "UNSET"
    attributes: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)


@dataclass(slots=True)
class Node:
    """A span at its place in the tree; its times are repaired."""

    span: Span
    start_ns: int
    end_ns: int
    parent: "Node | None" = None
    children: "list[Node]" = field(default_factory=list["Node"])

    @property
    def duration_ns(self) -> int:
        """Nanoseconds from start to end, never negative."""
        return self.end_ns - self.start_ns

    def below(self) -> "Iterable[Node]":
        """This node and all below it, parents first, children by start."""
        waiting: list[Node] = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(sorted(node.children, key=_order, reverse=True))

    def depth(self) -> int:
        """How many nodes are above."""
        depth, node = 0, self
        while node.parent is not None:
            depth, node = depth + 1, node.parent
        return depth


@dataclass(frozen=True)
class Trace:
    """A repaired trace.

    Args:
        root: the request: the first span without a parent, or, where that was lost, the first of the rest.
        others: further roots that began outside of the request; their time is not the request's.
        notes: what had to be repaired, one sentence each.
    """

    root: Node
    others: tuple[Node, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, spans: Iterable[Span]) -> "Trace":
        """Build the tree of a trace's spans.

        - A span sent twice is kept once; different spans with one id are both kept, children go to the first.
        - An unfinished span ends with the last span below it; one that ends before it starts takes no time.
        - A cycle of parents is cut before its first span.
        - A span whose parent is missing, or a further root, is put below the root when it starts during it.
        - Where a remote call (CLIENT to SERVER, in another process) contradicts causality, the clock of the callee
          is shifted so that the call lies in the middle of its caller, with everything below it (the rule of
          Jaeger's clock-skew adjuster, applied only to contradictions).

        Raises:
            ValueError: there are no spans.
        """
        notes: list[str] = []
        nodes = _nodes(spans, notes)
        tops = _connect(nodes, notes)
        root = min(tops, key=lambda node: (node.span.parent_id is not None, *_order(node)))
        _repair_ends(tops, notes)
        others = _adopt(root, [node for node in tops if node is not root], notes)
        _repair_clocks(root, notes)
        return cls(root, tuple(others), tuple(notes))


def _order(node: Node) -> tuple[int, int, str]:
    return (node.start_ns, -node.end_ns, node.span.span_id)


def _nodes(spans: Iterable[Span], notes: list[str]) -> list[Node]:
    kept: dict[tuple[str, str | None, str, int], Span] = {}
    repeated = 0
    for span in spans:
        key = (span.span_id, span.service, span.name, span.start_ns)
        repeated += key in kept
        if key not in kept or kept[key].end_ns is None:
            kept[key] = span
    if not kept:
        raise ValueError("a trace has at least one span")
    _say(notes, repeated, "was sent more than once and is counted once", "were sent more than once and counted once")
    backwards = sum(span.end_ns is not None and span.end_ns < span.start_ns for span in kept.values())
    _say(notes, backwards, "ends before it starts; it counts as taking no time", "end before they start; no time")
    nodes = [Node(span, span.start_ns, max(span.start_ns, span.end_ns or 0)) for span in kept.values()]
    return sorted(nodes, key=_order)


def _connect(nodes: Sequence[Node], notes: list[str]) -> list[Node]:
    """Link the nodes; returns those without a parent in the trace."""
    by_id: dict[str, Node] = {}
    for node in nodes:
        by_id.setdefault(node.span.span_id, node)
    _say(notes, len(nodes) - len(by_id), "shares its id with another", "share their id with another")
    for node in nodes:
        parent = by_id.get(node.span.parent_id or "")
        node.parent = None if parent is node else parent
    cut = _cut_cycles(nodes)
    _say(notes, cut, "is its own ancestor; the cycle is cut there", "are their own ancestors; the cycles are cut there")
    for node in nodes:
        if node.parent is not None:
            node.parent.children.append(node)
    tops = [node for node in nodes if node.parent is None]
    missing = sum(node.span.parent_id is not None for node in tops) - cut
    _say(notes, missing, "has a parent that was not received", "have parents that were not received")
    return tops


def _cut_cycles(nodes: Sequence[Node]) -> int:
    """Cut each cycle at its earliest node; returns how many were cut."""
    cut = 0
    settled: set[int] = set()
    for node in nodes:  # in the order of their start
        path: list[Node] = []
        on_path: set[int] = set()
        at: Node | None = node
        while at is not None and id(at) not in settled and id(at) not in on_path:
            path.append(at)
            on_path.add(id(at))
            at = at.parent
        if at is not None and id(at) in on_path:
            cycle = path[next(index for index, member in enumerate(path) if member is at) :]
            min(cycle, key=_order).parent = None
            cut += 1
        settled |= on_path
    return cut


def _repair_ends(tops: Iterable[Node], notes: list[str]) -> None:
    unfinished = 0
    for top in tops:
        for node in reversed(list(top.below())):  # children before their parents
            if node.span.end_ns is None:
                unfinished += 1
                node.end_ns = max([node.start_ns, *(child.end_ns for child in node.children)])
    _say(notes, unfinished, "is unfinished; it is taken to end with the last span below it", "are unfinished")


def _adopt(root: Node, tops: Iterable[Node], notes: list[str]) -> list[Node]:
    """Put parentless nodes below the root where they start during it; returns the rest."""
    rest: list[Node] = []
    adopted = 0
    for node in tops:
        if root.start_ns <= node.start_ns < root.end_ns:
            node.parent = root
            root.children.append(node)
            adopted += 1
        else:
            rest.append(node)
    _say(notes, adopted, "has no parent here and is put below the root", "have no parent here and are below the root")
    _say(notes, len(rest), "is a further root outside of the request", "are further roots outside of the request")
    return rest


def _repair_clocks(root: Node, notes: list[str]) -> None:
    shifts: defaultdict[str, list[int]] = defaultdict(list)
    for node in root.below():
        shift = _skew(node)
        if shift:
            for moved in node.below():
                moved.start_ns += shift
                moved.end_ns += shift
            shifts[node.span.service or "a service"].append(shift)
    for service, values in shifts.items():
        middle = sorted(values)[len(values) // 2]
        sign = "+" if middle > 0 else ""
        calls = "1 call" if len(values) == 1 else f"{len(values)} calls"
        notes.append(
            f"the clock of {service} contradicts its callers; shifted by {sign}{short_duration(middle)} ({calls})"
        )


def _skew(node: Node) -> int:
    """Nanoseconds to add to a callee's clock, 0 where it does not contradict its caller's."""
    caller = node.parent
    if caller is None or (caller.span.kind, node.span.kind) != ("CLIENT", "SERVER"):
        return 0
    if (caller.span.service, caller.span.instance) == (node.span.service, node.span.instance):
        return 0
    before_its_cause = node.start_ns < caller.start_ns
    # One that merely ends late may have gone on after its answer, one of a caller that gave up may have begun late.
    after_its_answer = node.start_ns >= caller.end_ns and caller.span.status != "ERROR"
    if before_its_cause or after_its_answer:
        slack = caller.duration_ns - node.duration_ns
        return caller.start_ns + max(0, slack // 2) - node.start_ns
    return 0


def _say(notes: list[str], count: int, one: str, many: str) -> None:
    if count:
        notes.append(f"1 span {one}" if count == 1 else f"{count} spans {many}")
