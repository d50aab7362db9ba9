"""Schedules run again with other own times, against the rule applied to one trace, event by event."""

import random

import numpy as np
import pytest
from tests.analysis.test_forest import random_spans, spans_of

from infersight_analysis.critical_path import was_awaited
from infersight_analysis.critical_paths.schedule import rescheduled
from infersight_analysis.forest import Forest
from infersight_analysis.trace import Node, Span, Trace


def resimulated(node: Node, low: int, high: int, scale: dict[str, float]) -> float:
    """The reference: how long a node takes, each of its nanoseconds looked at on its own."""
    windows = [
        (child, max(child.start_ns, low), min(child.end_ns, high))
        for child in node.children
        if was_awaited(child, node) and max(child.start_ns, low) < min(child.end_ns, high)
    ]
    begun: dict[int, float] = {}
    ended: dict[int, float] = {}

    def moment(time: int) -> float:
        """When what happened at this time happens now: after all that had finished, and the work since."""
        finished = [(end, id(child)) for child, _, end in windows if end <= time]
        since = max([low, *(end for end, _ in finished)])
        work = sum(
            1.0 if any(start <= tick < end for _, start, end in windows) else scale[node.span.name]
            for tick in range(since, time)
        )
        return max([0.0, *(ended[child] for _, child in finished)]) + work

    events = [(start, 1, child, end) for child, start, end in windows]
    events += [(end, 0, child, start) for child, start, end in windows]
    for time, is_start, child, other in sorted(events, key=lambda event: event[:2]):
        if is_start:
            begun[id(child)] = moment(time)
        else:
            ended[id(child)] = begun[id(child)] + resimulated(child, other, time, scale)
    return moment(high)


def small(spans: list[Span]) -> list[Span]:
    """The same, a hundredth as long, so that each nanosecond can be looked at."""
    return [
        Span(
            span.span_id, span.parent_id, span.name, span.kind, span.start_ns // 100,
            None if span.end_ns is None else span.end_ns // 100, span.service, span.instance, status=span.status,
        )
        for span in spans
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_arrays_run_every_schedule_as_one_trace_by_itself(seed: int) -> None:
    rng = random.Random(seed)
    traces = [small(random_spans(rng)) for _ in range(200)]
    spans, flat = spans_of(traces)
    factors = {span.name: rng.choice([0.0, 0.5, 1.0, 1.0, 2.0]) for span in flat}
    forest = Forest.of(spans)
    found = rescheduled(forest, forest.root, np.array([factors[span.name] for span in flat]))
    roots = [Trace.of(trace).root for trace in traces]
    assert found.tolist() == [resimulated(root, root.start_ns, root.end_ns, factors) for root in roots]


def test_nothing_changes_where_nothing_is_changed() -> None:
    rng = random.Random(5)
    spans, flat = spans_of([random_spans(rng) for _ in range(1_000)])
    forest = Forest.of(spans)
    found = rescheduled(forest, forest.root, np.ones(len(flat)))
    assert found.tolist() == (forest.end_ns - forest.start_ns)[forest.root].tolist()


def durations_with(scale: dict[str, float], *children: tuple[str, int, int], end: int) -> float:
    """The duration of a request from 0 to `end` with these children, own times multiplied."""
    rows = [Span("1", None, "request", "SERVER", 0, end, "a")]
    for number, (name, start_ns, end_ns) in enumerate(children, 2):
        rows.append(Span(str(number), "1", name, "INTERNAL", start_ns, end_ns, "a"))
    spans, flat = spans_of([rows])
    forest = Forest.of(spans)
    return float(rescheduled(forest, forest.root, np.array([scale.get(span.name, 1.0) for span in flat]))[0])


def test_a_parallel_call_that_becomes_the_last_one_decides() -> None:
    fanned_out = (("slow", 10, 90), ("fast", 10, 60))
    assert durations_with({"slow": 0.75}, *fanned_out, end=100) == 80
    assert durations_with({"slow": 0.0}, *fanned_out, end=100) == 70  # not 20: the fast one is still waited for


def test_what_came_after_a_call_moves_with_it() -> None:
    in_a_row = (("first", 0, 40), ("second", 50, 90))
    assert durations_with({"first": 0.5}, *in_a_row, end=100) == 80
    assert durations_with({"request": 2.0}, *in_a_row, end=100) == 120


def test_a_faster_call_beside_the_path_brings_nothing_and_a_slower_one_may_cost() -> None:
    beside = (("critical", 0, 90), ("beside", 0, 60))
    assert durations_with({"beside": 0.5}, *beside, end=100) == 100
    assert durations_with({"beside": 2.0}, *beside, end=100) == 130
