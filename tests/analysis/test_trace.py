from typing import Any

import pytest

from infersight_analysis.trace import Node, Span, Trace


def span(span_id: str, parent: str | None, start: int, end: int | None, **facts: Any) -> Span:
    values: dict[str, Any] = {"name": span_id, "kind": "INTERNAL", "service": "s", "instance": "i", **facts}
    return Span(span_id=span_id, parent_id=parent, start_ns=start, end_ns=end, **values)


def shape(node: Node) -> dict[str, Any]:
    """The tree as nested dicts of names."""
    return {child.span.name: shape(child) for child in node.children}


def node_of(trace: Trace, name: str) -> Node:
    return next(node for node in trace.root.below() if node.span.name == name)


def test_a_whole_trace_needs_no_repair() -> None:
    trace = Trace.of([span("b", "a", 1, 2), span("a", None, 0, 10), span("c", "b", 1, 2)])
    assert (trace.root.span.name, shape(trace.root), trace.notes) == ("a", {"b": {"c": {}}}, ())


def test_a_span_with_a_missing_parent_is_put_below_the_request_and_that_is_said() -> None:
    trace = Trace.of([span("a", None, 0, 10), span("b", "lost", 5, 6)])
    assert shape(trace.root) == {"b": {}}
    assert "a parent that was not received" in " ".join(trace.notes)


def test_without_its_root_a_trace_begins_with_its_first_span() -> None:
    trace = Trace.of([span("late", "lost", 5, 8), span("early", "lost", 0, 10)])
    assert trace.root.span.name == "early"
    assert shape(trace.root) == {"late": {}}


def test_a_root_outside_of_the_request_stays_apart() -> None:
    trace = Trace.of([span("request", None, 0, 10), span("afterwards", None, 50, 90)])
    assert [other.span.name for other in trace.others] == ["afterwards"]
    assert trace.root.duration_ns == 10


def test_an_unfinished_span_ends_with_the_last_below_it() -> None:
    trace = Trace.of([span("a", None, 0, None), span("b", "a", 2, 9), span("c", "a", 3, None)])
    assert (trace.root.end_ns, node_of(trace, "c").end_ns) == (9, 3)
    assert "2 spans are unfinished" in trace.notes


def test_a_span_that_ends_before_it_starts_takes_no_time() -> None:
    trace = Trace.of([span("a", None, 0, 10), span("b", "a", 5, 3)])
    assert node_of(trace, "b").duration_ns == 0
    assert "ends before it starts" in " ".join(trace.notes)


def test_a_cycle_is_cut_and_every_span_is_kept() -> None:
    trace = Trace.of([span("a", "c", 0, 10), span("b", "a", 1, 9), span("c", "b", 2, 8)])
    assert shape(trace.root) == {"b": {"c": {}}}
    assert "its own ancestor" in " ".join(trace.notes)


def test_a_span_that_is_its_own_parent_is_a_root() -> None:
    assert Trace.of([span("a", "a", 0, 10), span("b", "a", 1, 2)]).root.span.name == "a"


def test_a_span_that_was_sent_twice_is_counted_once_in_its_finished_form() -> None:
    trace = Trace.of([span("a", None, 0, None), span("a", None, 0, 10)])
    assert (trace.root.duration_ns, trace.root.children) == (10, [])
    assert "sent more than once" in " ".join(trace.notes)


def test_different_spans_with_one_id_are_both_kept() -> None:
    first, second = span("a", None, 0, 10), span("a", None, 2, 8, name="other")
    trace = Trace.of([first, second, span("b", "a", 3, 4)])
    assert sorted(node.span.name for node in trace.root.below()) == ["a", "b", "other"]


@pytest.mark.parametrize(("start", "end"), [(-500, -490), (1000, 1010)])
def test_a_callee_whose_clock_contradicts_its_caller_is_shifted_into_the_call_with_all_below(
    start: int, end: int
) -> None:
    trace = Trace.of(
        [
            span("a", None, 0, 100),
            span("call", "a", 10, 40, kind="CLIENT"),
            span("served", "call", start, end, kind="SERVER", service="other", instance="j"),
            span("inside", "served", start + 2, end - 2, service="other", instance="j"),
        ]
    )
    served, inside = node_of(trace, "served"), node_of(trace, "inside")
    assert (served.start_ns, served.end_ns) == (20, 30)
    assert (inside.start_ns, inside.end_ns) == (22, 28)
    assert "the clock of other contradicts its callers" in " ".join(trace.notes)


def test_a_callee_that_begins_after_its_caller_gave_up_is_left_as_it_is() -> None:
    call = span("call", None, 0, 30, kind="CLIENT", status="ERROR")
    served = span("served", "call", 31, 35, kind="SERVER", service="other", instance="j")
    trace = Trace.of([call, served])
    assert (node_of(trace, "served").start_ns, trace.notes) == (31, ())


def test_a_callee_that_ends_shortly_after_its_caller_is_left_as_it_is() -> None:
    call = span("call", None, 0, 30, kind="CLIENT")
    served = span("served", "call", 5, 32, kind="SERVER", service="other", instance="j")
    trace = Trace.of([call, served])
    assert (node_of(trace, "served").start_ns, trace.notes) == (5, ())


def test_a_child_in_the_same_process_is_never_shifted() -> None:
    trace = Trace.of([span("a", None, 0, 10, kind="CLIENT"), span("b", "a", 8, 12, kind="SERVER")])
    assert node_of(trace, "b").start_ns == 8


def test_a_trace_without_spans_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one span"):
        Trace.of([])
