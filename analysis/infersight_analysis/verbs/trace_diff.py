"""`infersight trace-diff`: what one request did differently from another."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click
import duckdb

from infersight_analysis import options
from infersight_analysis.call_tree import CallPath, Calls, call_tree
from infersight_analysis.findings import ComparedRequest, Evidence, PathDifference, TraceDifference
from infersight_analysis.reading import read_spans, resolve_trace
from infersight_analysis.report.output import print_json
from infersight_analysis.report.trace_diff import print_trace_difference
from infersight_analysis.session import opened
from infersight_analysis.stored import literals
from infersight_analysis.times import iso_time
from infersight_analysis.trace import Trace

_NO_CALLS = Calls()


def trace_diff(connection: duckdb.DuckDBPyConnection, a: str, b: str) -> TraceDifference:
    """Compare two requests call path by call path.

    Args:
        connection: from `connect`.
        a: id of the first trace, or as many of its first digits as are unique.
        b: the same of the second.

    Raises:
        AnalysisError: there is no such trace, or more than one.
    """
    ids = [resolve_trace(connection, prefix) for prefix in (a, b)]
    spans = read_spans(connection, ids)
    traces = [Trace.of(spans[trace_id]) for trace_id in ids]
    sql = f"from spans where trace_id in ({literals(ids)}) order by trace_id, start_time"
    return TraceDifference(
        a=_request(ids[0], traces[0]),
        b=_request(ids[1], traces[1]),
        difference_ns=traces[1].root.duration_ns - traces[0].root.duration_ns,
        paths=list(_differences(*(call_tree(trace.root) for trace in traces))),
        evidence=Evidence(ids, [sql]),
    )


def _request(trace_id: str, trace: Trace) -> ComparedRequest:
    root = trace.root
    return ComparedRequest(
        trace_id=trace_id,
        service=root.span.service,
        name=root.span.name,
        start_time=iso_time(root.start_ns),
        duration_ns=root.duration_ns,
        notes=list(trace.notes),
    )


def _differences(a: Mapping[CallPath, Calls], b: Mapping[CallPath, Calls]) -> Iterator[PathDifference]:
    """The roots are the same whatever their names are: two requests are compared, not two operations."""
    below_a, below_b = _below_root(a), _below_root(b)
    names = {path[1:]: path for path in (*b, *a)}
    for path in _in_order(below_a, below_b):
        mine, other = below_a.get(path, _NO_CALLS), below_b.get(path, _NO_CALLS)
        operation = names[path][-1]
        yield PathDifference(
            path=[step.name for step in names[path]],
            service=operation.service,
            name=operation.name,
            kind=operation.kind,
            depth=len(path),
            count_a=mine.count,
            count_b=other.count,
            duration_a_ns=mine.duration_ns,
            duration_b_ns=other.duration_ns,
            self_a_ns=mine.critical_ns,
            self_b_ns=other.critical_ns,
            difference_ns=other.critical_ns - mine.critical_ns,
        )


def _below_root(calls: Mapping[CallPath, Calls]) -> dict[CallPath, Calls]:
    return {path[1:]: found for path, found in calls.items()}


def _in_order(a: Iterable[CallPath], b: Iterable[CallPath]) -> Sequence[CallPath]:
    """The paths of both, depth first; what only `b` has follows what both have in the same place."""
    children: dict[CallPath, list[CallPath]] = {}
    for path in dict.fromkeys((*a, *b)):
        if path:
            children.setdefault(path[:-1], []).append(path)
    ordered: list[CallPath] = []
    waiting: list[CallPath] = [()]
    while waiting:
        path = waiting.pop()
        ordered.append(path)
        waiting.extend(reversed(children.get(path, [])))
    return ordered


@click.command(name="trace-diff")
@click.argument("a")
@click.argument("b")
@options.STORE
@options.FORMAT
def trace_diff_command(a: str, b: str, store: Path, form: str) -> None:
    """What one request did differently from another.

    A and B are trace ids, or as many first digits as are unique. The calls of both are put side by side by where
    they were called from; the differences of the time on the critical path sum to that of the two requests.

    \b
    infersight trace-diff 4bf92f35 0af76519
    """  # noqa: D301 - click's mark for lines that stay lines
    with opened(store) as connection:
        found = trace_diff(connection, a, b)
    if form == "json":
        print_json(found)
    else:
        print_trace_difference(found)
