"""`infersight slow`: the slow requests, and what each one's time went to."""

from pathlib import Path
from typing import Any

import click
import duckdb

from infersight_analysis import options
from infersight_analysis.breakdown import breakdown
from infersight_analysis.cohorts.question import MARGIN_NS, Slow
from infersight_analysis.findings import Evidence, SlowRequest, SlowRequests
from infersight_analysis.options import Window
from infersight_analysis.reading import ALWAYS_NS, query, read_spans
from infersight_analysis.report.output import print_json
from infersight_analysis.report.slow import print_slow
from infersight_analysis.session import opened
from infersight_analysis.stored import literals
from infersight_analysis.times import iso_time
from infersight_analysis.trace import Span, Trace


def slow(
    connection: duckdb.DuckDBPyConnection,
    *,
    over: str | None = None,
    limit: int = 20,
    service: str | None = None,
    route: str | None = None,
    model: str | None = None,
    window: Window = Window(),  # noqa: B008 - immutable
) -> SlowRequests:
    """The slowest requests.

    A request is a trace's first span that serves someone or has no parent; with `service`, of that service.

    Args:
        connection: from `connect`.
        over: a least duration such as `500ms`, or a percentile of the requests considered, such as `p99`.
        limit: most requests to list.
        service: only requests of this service.
        route: only this route (`http.route`, or the span's name).
        model: only requests in which this model was called.
        window: when the requests began.

    Raises:
        AnalysisError: `over` is neither.
    """
    asked = Slow() if over is None else Slow.of(over)
    values: dict[str, Any] = {
        "from_ns": ALWAYS_NS[0] if window.start_ns is None else window.start_ns,
        "until_ns": ALWAYS_NS[1] if window.end_ns is None else window.end_ns,
        "service": service,
        "route": route,
        "model": model,
        "over_ns": asked.over_ns,
        "share": asked.share or 0.0,
        "limit": limit,
    }
    rows = connection.execute(query("slow_requests"), values).fetchall()
    found = [row for row in rows if row[0] is not None]
    spans = read_spans(connection, [row[0] for row in found], between_ns=_between(found))
    requests = [_request(row, spans.get(row[0], [])) for row in found]
    return SlowRequests(
        requests=requests,
        threshold_ns=rows[0][9] or 0,
        count=rows[0][11],
        considered=rows[0][10],
        evidence=_evidence(requests),
    )


def _between(rows: list[tuple[Any, ...]]) -> tuple[int, int]:
    if not rows:
        return ALWAYS_NS
    return min(row[4] for row in rows) - MARGIN_NS, max(row[4] + row[5] for row in rows) + MARGIN_NS


def _request(row: tuple[Any, ...], spans: list[Span]) -> SlowRequest:
    trace_id, span_id, service, name, start_ns, duration_ns, status, route, version = row[:9]
    nodes = Trace.of(spans).root.below() if spans else ()
    node = next((node for node in nodes if node.span.span_id == span_id), None)
    pieces = breakdown(node).most_common(1) if node else []
    top, top_ns = (pieces[0][0].name, pieces[0][1]) if pieces else (name, duration_ns)
    return SlowRequest(
        trace_id=trace_id,
        duration_ns=duration_ns,
        service=service,
        name=name,
        start_time=iso_time(start_ns),
        status_code=status,
        route=route,
        version=version,
        span_id=span_id,
        top=top,
        top_ns=top_ns,
    )


def _evidence(requests: list[SlowRequest]) -> Evidence:
    ids = [request.trace_id for request in requests]
    columns = "trace_id, service_name, name, kind, start_time, duration_ns"
    sql = f"select {columns} from spans where trace_id in ({literals(ids)}) order by trace_id, start_time"  # noqa: S608 - quoted
    return Evidence(trace_ids=ids, sql=[sql])


@click.command(name="slow")
@click.option("--over", metavar="DURATION|pNN", help="Only requests of at least 500ms, or at least p99 of all.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Most requests to list.")
@options.SERVICE
@options.ROUTE
@options.CALLED_MODEL
@options.STORE
@options.FORMAT
@options.window
def slow_command(
    *,
    over: str | None,
    limit: int,
    service: str | None,
    route: str | None,
    model: str | None,
    store: Path,
    form: str,
    window: Window,
) -> None:
    """The slowest requests, and what most of each one's time went to.

    A request is the first span of a trace that serves someone or has no parent. Its time is that of the critical
    path: what the request really waited for, each nanosecond counted once.

    \b
    infersight slow --last 1h --over p99
    infersight slow --service sentiment --route /predict --over 500ms
    """  # noqa: D301 - click's mark for lines that stay lines
    reach = window.widened(MARGIN_NS)
    with opened(store, start_ns=reach.start_ns, end_ns=reach.end_ns, create_when_named=True) as connection:
        found = slow(connection, over=over, limit=limit, service=service, route=route, model=model, window=window)
    if form == "json":
        print_json(found)
    else:
        print_slow(found)
