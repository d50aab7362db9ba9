"""Failures out of records: one exception leaves an event on each span it passes, a log record and failed spans."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from infersight_analysis.options import Window
from infersight_analysis.reading import ALWAYS_NS, query


@dataclass(frozen=True)
class Record:
    """A record that says that something failed; `source` is `span event`, `log` or `span status`."""

    source: str
    trace_id: str | None
    span_id: str | None
    time_ns: int
    service: str | None
    version: str | None
    type: str | None
    message: str
    stacktrace: str | None

    @property
    def is_exception(self) -> bool:
        """Whether it says which exception."""
        return self.type is not None and self.source != "span status"


@dataclass(frozen=True)
class Failure:
    """One thing that went wrong; `first` is the record nearest to it, `records` are all that it left."""

    first: Record
    records: Sequence[Record]

    @property
    def stacktrace(self) -> str | None:
        """The stack of the earliest record that has one."""
        return next((record.stacktrace for record in self.records if record.stacktrace), None)


def read_records(connection: duckdb.DuckDBPyConnection, window: Window, service: str | None) -> list[Record]:
    """The records of a window, in the order of time.

    Args:
        connection: from `connect`.
        window: when they were recorded; for failed spans, when those began.
        service: only this service's.
    """
    values: dict[str, Any] = {
        "from_ns": ALWAYS_NS[0] if window.start_ns is None else window.start_ns,
        "until_ns": ALWAYS_NS[1] if window.end_ns is None else window.end_ns,
        "service": service,
    }
    rows = connection.execute(query("error_records"), values).fetchall()
    return [Record(*row) for row in rows]


def failures(records: Iterable[Record]) -> list[Failure]:
    """One failure for each exception of a trace, by type and message, however often it was recorded.

    A trace's failed spans and error logs without an exception belong to its first exception; where it has none, to
    the first of them. A record without a trace stands for itself.

    Args:
        records: in the order of time.
    """
    found: list[Failure] = []
    by_trace: defaultdict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.trace_id is None:
            found.append(Failure(record, [record]))
        else:
            by_trace[record.trace_id].append(record)
    for members in by_trace.values():
        found.extend(_of_trace(members))
    return sorted(found, key=lambda failure: failure.first.time_ns)


def _of_trace(members: Sequence[Record]) -> list[Failure]:
    exceptions: defaultdict[tuple[str | None, str], list[Record]] = defaultdict(list)
    rest: list[Record] = []
    for record in members:
        if record.is_exception:
            exceptions[_short(record.type), record.message].append(record)
        else:
            rest.append(record)
    if not exceptions:
        # Spans end after those below them: the first to fail is the deepest.
        return [Failure(rest[0], rest)]
    first, *others = exceptions.values()
    together = sorted([*first, *rest], key=lambda record: record.time_ns)
    return [Failure(first[0], together), *(Failure(records[0], records) for records in others)]


def _short(kind: str | None) -> str | None:
    """The class without its module: senders write `ValueError` and `builtins.ValueError`."""
    return kind.rpartition(".")[2] if kind else None
