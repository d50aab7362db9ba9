import random

import pytest

from infersight_analysis.critical_path import critical_path, self_time
from infersight_analysis.trace import Node, Span


def tree(start: int, end: int, *children: Node, name: str = "request") -> Node:
    node = Node(Span(name, None, name, "INTERNAL", start, end), start, end, None, list(children))
    for child in children:
        child.parent = node
    return node


def path(root: Node) -> list[tuple[str, int, int]]:
    return [(segment.node.span.name, segment.start_ns, segment.end_ns) for segment in critical_path(root)]


def random_tree(rng: random.Random) -> Node:
    """Up to 12 spans anywhere between 0 and 40: nested, overlapping, equal, empty, outliving or outside."""
    start = rng.randint(0, 10)
    nodes = [tree(start, rng.randint(start, 40), name="0")]
    for index in range(1, rng.randint(1, 12)):
        start = rng.randint(0, 40)
        node = tree(start, rng.randint(start, 40), name=str(index))
        node.parent = rng.choice(nodes)
        node.parent.children.append(node)
        nodes.append(node)
    return nodes[0]


def owner_of_each_nanosecond(root: Node) -> dict[int, str]:
    """The reference: the definition applied to each nanosecond on its own, from the last to the first."""
    owners: dict[int, str] = {}
    for moment in range(root.start_ns, root.end_ns):
        node = root
        while (below := responsible_child(node, moment, window(root, node, moment))) is not None:
            node = below
        owners[moment] = node.span.name
    return owners


def window(root: Node, node: Node, moment: int) -> int:
    """The end of the stretch around `moment` from which `node` is looked at."""
    if node is root:
        return root.end_ns
    assert node.parent is not None
    now = window(root, node.parent, moment)
    while (child := last_finishing(node.parent, now)) is not None:
        if child is node:
            return min(now, node.end_ns)
        now = child.start_ns
    raise AssertionError("only responsible children are asked for")


def responsible_child(node: Node, moment: int, now: int) -> Node | None:
    while (child := last_finishing(node, now)) is not None:
        if child.start_ns <= moment:
            return child if moment < min(child.end_ns, now) else None
        now = child.start_ns
    return None


def last_finishing(node: Node, now: int) -> Node | None:
    lowest = min(now, node.end_ns)
    candidates = [
        child
        for child in node.children
        if child.start_ns < min(child.end_ns, lowest)
        and child.end_ns > node.start_ns
        and (child.end_ns <= node.end_ns or node.end_ns - child.start_ns >= child.end_ns - node.end_ns)
    ]
    return min(candidates, key=lambda child: (-child.end_ns, child.start_ns, child.span.span_id), default=None)


def test_a_sequence_of_stages_is_on_the_path_with_the_gaps_of_the_request() -> None:
    root = tree(0, 10, tree(1, 4, name="a"), tree(5, 9, name="b"))
    expected = [("request", 0, 1), ("a", 1, 4), ("request", 4, 5), ("b", 5, 9), ("request", 9, 10)]
    assert path(root) == expected


def test_of_parallel_children_the_last_to_finish_is_waited_for() -> None:
    assert path(tree(0, 10, tree(0, 10, name="slow"), tree(0, 6, name="quick"))) == [("slow", 0, 10)]


def test_an_overlapped_child_has_the_time_before_the_later_one_began() -> None:
    assert path(tree(0, 10, tree(0, 6, name="a"), tree(4, 10, name="b"))) == [("a", 0, 4), ("b", 4, 10)]


def test_a_child_that_slightly_outlives_its_parent_is_clipped_to_it() -> None:
    assert path(tree(0, 10, tree(2, 12, name="handler"))) == [("request", 0, 2), ("handler", 2, 10)]


def test_a_background_task_was_not_waited_for() -> None:
    assert path(tree(0, 10, tree(8, 30, name="background"))) == [("request", 0, 10)]


def test_a_request_without_duration_has_no_path() -> None:
    assert path(tree(5, 5, tree(5, 5, name="a"))) == []


def test_self_time_leaves_out_every_child_and_counts_overlap_once() -> None:
    root = tree(0, 100, tree(10, 40, name="a"), tree(30, 50, name="b"), tree(90, 200, name="background"))
    assert self_time(root) == 50


def test_a_chain_deeper_than_pythons_stack_is_walked() -> None:
    node = tree(5_000, 5_001)
    for depth in range(5_000):
        node = tree(4_999 - depth, 5_002 + depth, node)
    assert sum(segment.duration_ns for segment in critical_path(node)) == node.duration_ns


@pytest.mark.parametrize("seed", range(20))
def test_random_trees_agree_with_the_definition_applied_to_each_nanosecond(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(500):
        root = random_tree(rng)
        segments = critical_path(root)
        assert sum(segment.duration_ns for segment in segments) == root.duration_ns
        found = {
            moment: segment.node.span.name for segment in segments for moment in range(segment.start_ns, segment.end_ns)
        }
        assert found == owner_of_each_nanosecond(root)


@pytest.mark.parametrize("seed", range(5))
def test_self_time_of_random_trees_is_the_count_of_nanoseconds_without_a_child(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(2_000):
        root = random_tree(rng)
        alone = [
            moment
            for moment in range(root.start_ns, root.end_ns)
            if not any(child.start_ns <= moment < child.end_ns for child in root.children)
        ]
        assert self_time(root) == len(alone)
