"""What an incident cost: requests, users, failures and time beyond what is usual, each number by its SQL."""

from math import inf
from typing import Any, Final

import duckdb

from infersight_analysis.extent import extent
from infersight_analysis.findings.evidence import Evidence
from infersight_analysis.findings.numbers import finite
from infersight_analysis.findings.postmortem import Impact, QuantileChange
from infersight_analysis.incidents.requests import (
    Requests,
    counting,
    duration_difference,
    error_difference,
    read_requests,
)
from infersight_analysis.options import Window
from infersight_analysis.postmortems.lasting import grid_of, lasting, series_sql
from infersight_analysis.rootcause.question import Question
from infersight_analysis.times import iso_time

_QUANTILES: Final = (0.5, 0.95, 0.99)
_USUALLY_SLOW: Final = 0.01


def impact(
    connection: duckdb.DuckDBPyConnection, question: Question, until_ns: int, service: str | None = None
) -> Impact:
    """What an incident cost.

    Args:
        connection: from `connect`.
        question: when it was, and its baseline.
        until_ns: until when to look for its end, nanoseconds since the epoch.
        service: only requests of this service.
    """
    incident, baseline = (question.start_ns, question.end_ns), question.baseline_ns
    now, usual = (read_requests(connection, *times, service) for times in (incident, baseline))
    slow_ns = round(usual.quantile(0.99)) if usual.count else None
    asked = [counting(*times, service, slow_ns or inf) for times in (incident, baseline)]
    during, before = (_counted(connection, sql) for sql in asked)
    recorded = extent(connection, Window(baseline[0], until_ns))
    grid = grid_of(*(recorded or (baseline[0], until_ns)))
    excess, interval = _excess(usual, now, during["requests"])
    return Impact(
        start=iso_time(incident[0]),
        end=iso_time(incident[1]),
        baseline_start=iso_time(baseline[0]),
        baseline_end=iso_time(baseline[1]),
        lasting=lasting(connection, grid, incident, service),
        requests=during["requests"],
        failed=during["failed"],
        error_share=_share(during["failed"], during["requests"]),
        baseline_error_share=_share(before["failed"], before["requests"]),
        excess_failed=excess,
        excess_interval=interval,
        slow=during["slow"],
        slow_over_ns=slow_ns,
        excess_slow=None if slow_ns is None else max(0.0, during["slow"] - _USUALLY_SLOW * during["requests"]),
        users=during["users"],
        users_concerned=during["users_concerned"],
        quantiles=[_quantile(usual, now, q) for q in _QUANTILES] if usual.count and now.count else [],
        notes=_notes(usual, during, before),
        evidence=Evidence([], [*asked, series_sql(grid, service)]),
    )


def _counted(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    """The one row of the SQL that the report shows: what is told is what it answers."""
    cursor = connection.execute(sql)
    row = cursor.fetchone() or ()
    counted: dict[str, Any] = dict(zip([name for name, *_ in cursor.description or ()], row, strict=True))
    return {name: _whole(value) for name, value in counted.items()}


def _whole(value: Any) -> Any:
    """A number, as an integer where it is whole, so that unsampled counts look like counts."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _excess(usual: Requests, now: Requests, requests: float) -> tuple[float | None, tuple[float, float] | None]:
    """Failures beyond the baseline's share, with 95 %."""
    if not usual.count or not now.count:
        return None, None
    difference = error_difference(usual, now)
    return difference.value * requests, (difference.low * requests, difference.high * requests)


def _quantile(usual: Requests, now: Requests, q: float) -> QuantileChange:
    difference = duration_difference(usual, now, q)
    interval = finite(difference.low), finite(difference.high)
    return QuantileChange(q, now.quantile(q), usual.quantile(q), difference.value, interval)


def _notes(usual: Requests, during: dict[str, Any], before: dict[str, Any]) -> list[str]:
    notes: list[str] = []
    if not usual.count:
        notes.append("the baseline has no requests: what is usual is unknown, and so is what was beyond it")
    if not (during["is_whole"] and before["is_whole"]):
        notes.append("requests were sampled: counts are of all they stand for, durations and users of those kept")
    if not during["users"] and during["kept"]:
        notes.append("requests do not say whose they are (enduser.id, user.id): how many users it concerned is unknown")
    return notes
