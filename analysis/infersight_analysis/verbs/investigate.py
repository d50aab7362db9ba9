"""`infersight investigate`: why one request was slow."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click
import duckdb

from infersight_analysis import options
from infersight_analysis.allocation import uncollected
from infersight_analysis.breakdown import UNATTRIBUTED
from infersight_analysis.critical_path import critical_path, self_time
from infersight_analysis.findings import BaselineSummary, Evidence, Hypothesis, Investigation, PathStep, Piece, TreeSpan
from infersight_analysis.illustrations import illustrations_of
from infersight_analysis.investigation.baseline import LEAST, baseline_of
from infersight_analysis.investigation.batch import batches_of
from infersight_analysis.investigation.calls import repeated_calls
from infersight_analysis.investigation.case import Case
from infersight_analysis.investigation.code import code_of
from infersight_analysis.investigation.hypotheses import hypotheses
from infersight_analysis.investigation.pieces import anatomy, nanoseconds
from infersight_analysis.investigation.surroundings import (
    blocks_around,
    exemplars_of,
    held_by_others,
    logs_of,
    metrics_around,
    worker_of,
)
from infersight_analysis.reading import locate_trace, read_spans
from infersight_analysis.report.html.investigation import investigation_page
from infersight_analysis.report.investigation import print_investigation
from infersight_analysis.report.output import publish_finding
from infersight_analysis.session import opened
from infersight_analysis.stored import literal
from infersight_analysis.times import iso_time, short_duration
from infersight_analysis.trace import Node, Trace

_DEVICE_DURATION: Final = "infersight.device.duration"
_SHOWN: Final = 3


def investigate(connection: duckdb.DuckDBPyConnection, trace_id: str) -> Investigation:
    """Explain where the time of one request went, against requests like it.

    Args:
        connection: from `connect`.
        trace_id: 32 hex digits, or as many of the first as are unique.

    Raises:
        AnalysisError: there is no such trace, or more than one.
    """
    trace_id, between_ns = locate_trace(connection, trace_id)
    trace = Trace.of(read_spans(connection, [trace_id], between_ns=between_ns, attributes=True)[trace_id])
    case = _case(connection, trace_id, trace.root)
    request, comparison = case.request, case.comparison
    causes = hypotheses(case)
    logs = logs_of(connection, trace_id, request)
    return Investigation(
        trace_id=trace_id,
        service=request.span.service,
        name=request.span.name,
        start_time=iso_time(request.start_ns),
        status_code=request.span.status,
        total_ns=request.duration_ns,
        unattributed_ns=sum(piece.self_ns for piece in case.pieces if piece.name == UNATTRIBUTED),
        summary=_summary(case, causes[0]),
        baseline=comparison,
        breakdown=list(case.pieces),
        critical_path=_steps(request),
        hypotheses=causes,
        spans=_tree(trace),
        logs=logs,
        metrics=list(case.metrics),
        exemplars=exemplars_of(connection, trace_id, request),
        notes=[*trace.notes, *_more_data(comparison)],
        evidence=_evidence(trace_id, case.baseline.traces),
        accept_wait=case.accept,
        batches=list(case.batches),
        worker=case.worker,
        repeated_calls=list(case.calls),
        code=code_of(connection, trace_id, request, logs),
    )


def _case(connection: duckdb.DuckDBPyConnection, trace_id: str, request: Node) -> Case:
    """All that is known of a request."""
    accept_ns = nanoseconds(request.span.attributes.get("infersight.request.queue.duration"))
    blocks = blocks_around(connection, request, accept_ns)
    own = anatomy(request, held_by_others(blocks, trace_id))
    baseline = baseline_of(connection, trace_id, request)
    batches = batches_of(connection, trace_id, request)
    return Case(
        connection=connection,
        trace_id=trace_id,
        request=request,
        own=own,
        baseline=baseline,
        comparison=baseline.summary(request.duration_ns),
        pieces=_on_device(baseline.compare(own), request),
        accept=baseline.accept(accept_ns, request.span.service),
        blocks=blocks,
        metrics=metrics_around(connection, request),
        batches=batches,
        worker=worker_of(connection, trace_id, request, baseline),
        calls=repeated_calls(request, baseline),
    )


def _on_device(pieces: Sequence[Piece], request: Node) -> list[Piece]:
    """The pieces with what the device's own clock says of their spans."""
    device: Counter[tuple[str | None, str]] = Counter()
    for node in request.below():
        device[node.span.service, node.span.name] += nanoseconds(node.span.attributes.get(_DEVICE_DURATION))
    return [replace(piece, device_ns=device[piece.service, piece.name] or None) for piece in pieces]


def _steps(request: Node) -> list[PathStep]:
    """The spans of the critical path in the order of their first moment on it."""
    times: dict[int, int] = {}
    nodes: dict[int, Node] = {}
    for segment in critical_path(request):
        key = id(segment.node)
        nodes.setdefault(key, segment.node)
        times[key] = times.get(key, 0) + segment.duration_ns
    spans = [(nodes[key].span, self_ns) for key, self_ns in times.items()]
    return [PathStep(span.span_id, span.name, span.service, self_ns) for span, self_ns in spans]


def _tree(trace: Trace) -> list[TreeSpan]:
    return [
        TreeSpan(
            span_id=node.span.span_id,
            name=node.span.name,
            service=node.span.service,
            kind=node.span.kind,
            depth=node.depth(),
            start_ns=node.start_ns - trace.root.start_ns,
            duration_ns=node.duration_ns,
            self_ns=self_time(node),
            status_code=node.span.status,
        )
        for top in (trace.root, *trace.others)
        for node in top.below()
    ]


def _summary(case: Case, cause: Hypothesis) -> str:
    comparison = case.comparison
    took = f"{case.request.span.name} took {short_duration(case.request.duration_ns)}"
    if case.accept and (case.accept.excess_ns or 0) > max(0, case.excess_ns) / 10:
        took += f" after {short_duration(case.accept.self_ns)} until it was accepted"
    if comparison.excess_ns is None or comparison.percentile is None:
        return f"{took}: {cause.statement}."
    sign = "more" if comparison.excess_ns >= 0 else "less"
    place = "longer than any of them" if comparison.percentile == 100 else f"p{comparison.percentile:.1f}"
    normal = f"{short_duration(abs(comparison.excess_ns))} {sign} than the median of {comparison.requests} like it"
    return f"{took}, {normal} ({place}): {cause.statement}."


def _more_data(comparison: BaselineSummary) -> list[str]:
    if comparison.total_ns is not None:
        return []
    return [f"need more data: {comparison.requests} other requests like it, at least {LEAST} are a baseline"]


def _evidence(trace_id: str, baseline: Sequence[str]) -> Evidence:
    sql = [
        f"from spans where trace_id = {literal(trace_id)} order by start_time",
        f"from logs where trace_id = {literal(trace_id)} order by time",
    ]
    return Evidence([trace_id], sql, {"baseline_examples": list(baseline[:_SHOWN])})


@click.command(name="investigate")
@click.argument("trace_id")
@options.STORE
@options.report("table", "json", "html")
def investigate_command(trace_id: str, store: Path, form: str, output: Path | None) -> None:
    """Why one request was slow.

    TRACE_ID may be shortened to digits that are unique. The request's time is broken down along its critical path,
    so that the pieces and the unattributed rest sum to it exactly, and each piece is compared with other requests of
    the same service, operation, route and version in the hour before. Then its logs, the metrics of its process
    around it, and possible causes with the evidence for them; `unknown` where nothing stands out.

    \b
    infersight slow --limit 5
    infersight investigate 4bf92f35
    infersight investigate 4bf92f35 --output report.html
    """  # noqa: D301 - click's mark for lines that stay lines
    with uncollected(), opened(store) as connection:
        found = investigate(connection, trace_id)
        publish_finding(
            form,
            output,
            found,
            print_investigation,
            lambda found: investigation_page(found, illustrations_of(connection, found)),
        )
