"""Many traces as arrays, against the same rules applied to one trace, node by node."""

import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from infersight_analysis.critical_path import critical_path
from infersight_analysis.forest import Forest, Spans, critical_times
from infersight_analysis.trace import Span, Trace

SERVICES = ("a", "b", "c")


def random_spans(rng: random.Random) -> list[Span]:
    """Up to 14 spans with everything that goes wrong: lost and cyclic parents, equal ids, skewed clocks, no end."""
    spans: list[Span] = []
    for index in range(rng.randint(1, 14)):
        start = 100 * rng.randint(0, 40) + index  # no two ends are equal, for which of them was waited for is arbitrary
        service = rng.choice(SERVICES)
        spans.append(
            Span(
                span_id=f"{rng.choice([index, index, index, rng.randrange(14)]) + 1:02}",
                parent_id=rng.choice([None, *(f"{other + 1:02}" for other in range(14)), "99"]) if index else None,
                name=f"span {index}",
                kind=rng.choice(["CLIENT", "SERVER", "SERVER", "INTERNAL"]),
                start_ns=start,
                end_ns=rng.choice([None, *[start + 100 * rng.randint(-2, 30)] * 8]),
                service=service,
                instance=f"{service}-1",
                status=rng.choice(["UNSET", "ERROR"]),
            )
        )
    return spans


def spans_of(traces: Sequence[Sequence[Span]]) -> tuple[Spans, list[Span]]:
    rows = [
        (number, span)
        for number, spans in enumerate(traces)
        for span in sorted(spans, key=lambda span: (span.start_ns, -max(span.start_ns, span.end_ns or 0), span.span_id))
    ]

    def ids(texts: Sequence[tuple[int, str | None]]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        return np.array([number * 100 + int(text) if text else 0 for number, text in texts], np.uint64)

    flat = [span for _, span in rows]
    return Spans(
        trace=np.array([number for number, _ in rows], np.int64),
        span_id=ids([(number, span.span_id) for number, span in rows]),
        parent_id=ids([(number, span.parent_id) for number, span in rows]),
        start_ns=np.array([span.start_ns for span in flat], np.int64),
        end_ns=np.array([span.end_ns or 0 for span in flat], np.int64),
        is_finished=np.array([span.end_ns is not None for span in flat], np.bool_),
        process=np.array([SERVICES.index(span.service or "") for span in flat], np.int64),
        is_client=np.array([span.kind == "CLIENT" for span in flat], np.bool_),
        is_server=np.array([span.kind == "SERVER" for span in flat], np.bool_),
        is_error=np.array([span.status == "ERROR" for span in flat], np.bool_),
    ), flat


def times_of(spans: Sequence[Span]) -> Counter[str]:
    """The reference: one trace by its nodes."""
    times: Counter[str] = Counter()
    for segment in critical_path(Trace.of(spans).root):
        times[segment.node.span.name] += segment.duration_ns
    return times


@pytest.mark.parametrize("seed", range(20))
def test_arrays_of_traces_have_the_times_of_each_trace_by_itself(seed: int) -> None:
    rng = random.Random(seed)
    traces = [random_spans(rng) for _ in range(500)]
    spans, flat = spans_of(traces)
    forest = Forest.of(spans)
    times = critical_times(forest, forest.root)
    found: list[Counter[str]] = [Counter() for _ in traces]
    for number, span, time in zip(spans.trace.tolist(), flat, times.tolist(), strict=True):
        if time:
            found[number][span.name] += time
    assert found == [times_of(trace) for trace in traces]


def test_the_times_below_a_request_sum_to_it_wherever_it_is_in_its_trace() -> None:
    rng = random.Random(7)
    spans, _ = spans_of([random_spans(rng) for _ in range(500)])
    forest = Forest.of(spans)
    requests = forest.levels[1]
    times = critical_times(forest, requests)
    above = np.full(len(times), -1)
    above[requests] = requests
    for level in forest.levels[2:]:
        above[level] = above[forest.parent[level]]
    sums = np.bincount(above[above >= 0], times[above >= 0], len(times))
    assert np.array_equal(sums[requests], (forest.end_ns - forest.start_ns)[requests])
    assert not times[above < 0].any()


def test_a_chain_as_deep_as_it_is_long_is_walked() -> None:
    depth = 2_000
    chain = [
        Span(f"{index + 1}", f"{index}" if index else None, "a", "INTERNAL", index, 2 * depth - index)
        for index in range(depth)
    ]
    spans = Spans(
        trace=np.zeros(depth, np.int64),
        span_id=np.arange(1, depth + 1, dtype=np.uint64),
        parent_id=np.arange(depth, dtype=np.uint64),
        start_ns=np.array([span.start_ns for span in chain], np.int64),
        end_ns=np.array([span.end_ns for span in chain], np.int64),
        is_finished=np.ones(depth, np.bool_),
        process=np.zeros(depth, np.int64),
        is_client=np.zeros(depth, np.bool_),
        is_server=np.zeros(depth, np.bool_),
        is_error=np.zeros(depth, np.bool_),
    )
    forest = Forest.of(spans)
    assert critical_times(forest, forest.root).sum() == 2 * depth


def test_no_spans_are_no_trees() -> None:
    spans, _ = spans_of([])
    forest = Forest.of(spans)
    assert critical_times(forest, forest.root).tolist() == []
