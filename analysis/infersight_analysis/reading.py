"""Spans out of the views, as the trees are made of them."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

import duckdb

from infersight_analysis.errors import AnalysisError
from infersight_analysis.trace import Span

OPERATION: Final = "infersight.operation"
MEASURED: Final = (
    "infersight.cpu.duration",
    "infersight.cpu.queue.duration",
    "infersight.event_loop.lag",
    "infersight.gc.duration",
    "infersight.requests.in_flight",
    "infersight.thread_pool.queue.duration",
)
"""What spans say of the time around them, in the order of the query's columns."""

_TRACE_ID: Final = re.compile(r"[0-9a-f]{1,32}")
_SHOWN: Final = 3

ALWAYS_NS: Final = (-(2**63), 2**63 - 1)


@cache
def query(name: str) -> str:
    """The text of `sql/queries/NAME.sql`."""
    return (resources.files("infersight_analysis") / "sql" / "queries" / f"{name}.sql").read_text()


class Place(NamedTuple):
    """A trace, and between which starts its spans lie, nanoseconds since the epoch."""

    trace_id: str
    between_ns: tuple[int, int]


def resolve_trace(connection: duckdb.DuckDBPyConnection, prefix: str) -> str:
    """The id of the one trace whose id begins so, see `locate_trace`."""
    return locate_trace(connection, prefix).trace_id


def locate_trace(connection: duckdb.DuckDBPyConnection, prefix: str) -> Place:
    """The one trace whose id begins so, and when it was.

    Args:
        connection: from `connect`.
        prefix: 32 hex digits, or as many of the first as are unique.

    Raises:
        AnalysisError: there is no such trace, or more than one.
    """
    wanted = prefix.strip().lower()
    if not _TRACE_ID.fullmatch(wanted):
        raise AnalysisError(f"{prefix!r} is no trace id: give up to 32 hex digits, as `infersight slow` lists them")
    sql = (
        "select trace_id, min(start_time_ns), max(start_time_ns) from spans "
        "where trace_id >= $first and trace_id < $after group by trace_id order by trace_id limit 4"
    )
    found = connection.execute(sql, {"first": wanted, "after": wanted + "g"}).fetchall()
    if not found:
        raise AnalysisError(f"no trace in this store begins with {wanted}; `infersight slow` lists some")
    if len(found) > 1:
        some = ", ".join(row[0] for row in found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
        raise AnalysisError(f"more than one trace begins with {wanted}: {some}")
    ((trace_id, first, last),) = found
    return Place(trace_id, ALWAYS_NS if first is None else (first, last))


def read_spans(
    connection: duckdb.DuckDBPyConnection,
    trace_ids: Iterable[str],
    *,
    between_ns: tuple[int, int] = ALWAYS_NS,
    attributes: bool = False,
) -> dict[str, list[Span]]:
    """The spans of traces.

    Args:
        connection: from `connect`.
        trace_ids: 32 hex digits each.
        between_ns: times between which the spans start, both included.
        attributes: whether to read all attributes; otherwise only `infersight.operation` and `MEASURED`.

    Returns:
        the spans by trace id; a trace without spans is absent.
    """
    ids = sorted(trace_ids)
    if not ids:
        return {}
    values = {
        "trace_ids": ids,
        "first": ids[0],
        "last": ids[-1],
        "from_ns": between_ns[0],
        "until_ns": between_ns[1],
        "with_attributes": attributes,
    }
    traces: defaultdict[str, list[Span]] = defaultdict(list)
    for row in connection.execute(query("spans_of_traces"), values).fetchall():
        traces[row[0]].append(_span(row))
    return dict(traces)


def _span(row: tuple[Any, ...]) -> Span:
    _, span_id, parent_id, name, kind, start, end, service, instance, version, status, attributes, *facts = row
    return Span(
        span_id=span_id or "",
        parent_id=parent_id,
        name=name or "",
        kind=kind or "UNSPECIFIED",
        start_ns=start or 0,
        end_ns=end,
        service=service,
        instance=instance,
        version=version,
        status=status or "UNSET",
        attributes=_known(facts) if attributes is None else present(attributes),
    )


def _known(facts: Sequence[Any]) -> dict[str, Any]:
    return {key: fact for key, fact in zip((OPERATION, *MEASURED), facts, strict=True) if fact is not None}


def present(attributes: str | None) -> dict[str, Any]:
    """The attributes that a record has, of the JSON text of its STRUCT, which has every key that occurs."""
    values: dict[str, Any] = json.loads(attributes or "{}") or {}
    return {key: value for key, value in values.items() if value is not None}
