"""`infersight errors`: what broke, each fault once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import click
import duckdb

from infersight_analysis import options
from infersight_analysis.failures.failures import Failure, failures, read_records
from infersight_analysis.failures.fingerprint import fingerprint, frames_of, location_of, template_of
from infersight_analysis.findings import ErrorGroup, ErrorGroups, Evidence
from infersight_analysis.options import Window
from infersight_analysis.reading import query
from infersight_analysis.report.errors import print_errors
from infersight_analysis.report.output import print_json
from infersight_analysis.session import opened
from infersight_analysis.stored import literals
from infersight_analysis.times import iso_time

_EXAMPLES: Final = 5
_FRAMES: Final = 8


def errors(
    connection: duckdb.DuckDBPyConnection,
    *,
    service: str | None = None,
    window: Window = Window(),  # noqa: B008 - immutable
    limit: int = 20,
) -> ErrorGroups:
    """Group what failed by fault, the most frequent first.

    Args:
        connection: from `connect`.
        service: only failures of this service.
        window: when they happened.
        limit: most groups to list.
    """
    groups: defaultdict[str, list[Failure]] = defaultdict(list)
    for failure in failures(read_records(connection, window, service)):
        frames = frames_of(failure.stacktrace)
        groups[fingerprint(failure.first.type or "", failure.first.message, frames)].append(failure)
    largest = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))[:limit]
    routes = _routes(connection, [failure for _, members in largest for failure in members])
    listed = [_group(key, members, routes) for key, members in largest]
    return ErrorGroups(listed, _evidence(listed))


def _routes(connection: duckdb.DuckDBPyConnection, members: Iterable[Failure]) -> dict[str, str]:
    ids = {failure.first.trace_id for failure in members} - {None}
    rows = connection.execute(query("routes_of_traces"), {"trace_ids": list(ids)}).fetchall()
    return dict(rows)


def _group(key: str, members: Sequence[Failure], routes: Mapping[str, str]) -> ErrorGroup:
    first = members[0].first
    frames = frames_of(next((failure.stacktrace for failure in members if failure.stacktrace), None))
    location = location_of(frames)
    traces = dict.fromkeys(failure.first.trace_id for failure in reversed(members) if failure.first.trace_id)
    return ErrorGroup(
        fingerprint=key,
        type=first.type or "error",
        message=first.message,
        template=template_of(first.message),
        count=len(members),
        first_seen=iso_time(first.time_ns),
        last_seen=iso_time(members[-1].first.time_ns),
        services=_distinct(failure.first.service for failure in members),
        versions=_distinct(failure.first.version for failure in members),
        routes=_distinct(routes.get(trace) for trace in traces),
        location=str(location) if location else None,
        frames=[str(frame) for frame in frames[:_FRAMES]],
        sources=dict(Counter(record.source for failure in members for record in failure.records)),
        examples=list(traces)[:_EXAMPLES],
    )


def _distinct(values: Iterable[str | None]) -> list[str]:
    return sorted({value for value in values if value})


def _evidence(groups: Sequence[ErrorGroup]) -> Evidence:
    traces = [group.examples[0] for group in groups if group.examples]
    columns = (
        "trace_id, span_id, time, attributes['exception.type'] as type, attributes['exception.message'] as message"
    )
    where = f"trace_id in ({literals(traces)})"
    sql = f"select {columns} from span_events where name = 'exception' and {where}"  # noqa: S608 - quoted
    return Evidence(traces, [sql])


@click.command(name="errors")
@options.SERVICE
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Most groups to list.")
@options.STORE
@options.FORMAT
@options.window
def errors_command(*, service: str | None, limit: int, store: Path, form: str, window: Window) -> None:
    """What broke: exceptions, error logs and failed spans, each failure counted once, grouped by fault.

    An exception leaves an event on every span that it passes, a log record, and failed spans: within a trace that is
    one failure. Failures are the same fault when their exception was raised at the same place by the same code, or,
    without a stack trace, when their messages differ only in values.

    \b
    infersight errors --last 1h --service sentiment
    """  # noqa: D301 - click's mark for lines that stay lines
    with opened(store, start_ns=window.start_ns, end_ns=window.end_ns) as connection:
        found = errors(connection, service=service, window=window, limit=limit)
    if form == "json":
        print_json(found)
    else:
        print_errors(found)
