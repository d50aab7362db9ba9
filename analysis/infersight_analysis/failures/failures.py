"""Failures out of records: one exception leaves an event on each span it passes, a log record and failed spans."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import duckdb

from infersight_analysis.failures.fingerprint import short_type
from infersight_analysis.failures.stacks.frames import Raised
from infersight_analysis.failures.stacks.parsing import parse
from infersight_analysis.options import Window
from infersight_analysis.reading import ALWAYS_NS, query

_AT_ONCE: Final = 10_000
_STACKTRACE: Final = 8
"""Its place in a row."""


@dataclass(frozen=True)
class Record:
    """A record that says that something failed; `source` is `span event`, `log` or `span status`.

    User, session and route are what the record itself says of them; its trace may say more.
    """

    source: str
    trace_id: str | None
    span_id: str | None
    time_ns: int
    service: str | None
    version: str | None
    type: str | None
    message: str
    stacktrace: str | None
    weight: float = 1.0
    user: str | None = None
    session: str | None = None
    route: str | None = None

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
        """The longest stack: that of the place furthest out, where all of the way can be seen."""
        stacks = [record.stacktrace for record in self.records if record.stacktrace]
        return max(stacks, key=len, default=None)

    @cached_property
    def raised(self) -> Raised | None:
        """Its stack trace, read."""
        return parse(self.stacktrace)

    @cached_property
    def weight(self) -> float:
        """How many failures it stands for: what its lightest record does.

        Errors are logged whether or not their request was sampled and weigh 1 then, so the spans of a sampled request
        stand for failures that were counted already. What weighs 0 stands for no other.
        """
        return min((record.weight for record in self.records if record.weight > 0), default=0.0)


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
    found = connection.execute(query("error_records"), values)
    texts: dict[str | None, str | None] = {}  # a fault's stack trace is the same text thousands of times
    records: list[Record] = []
    while rows := found.fetchmany(_AT_ONCE):
        for row in rows:
            columns: list[Any] = list(row)
            columns[_STACKTRACE] = texts.setdefault(row[_STACKTRACE], row[_STACKTRACE])
            records.append(_named(Record(*columns)))
    return records


def _named(record: Record) -> Record:
    """A record with the exception that only its stack trace tells, as in the texts of many loggers."""
    if record.stacktrace is None or record.type is not None:
        return record
    raised = parse(record.stacktrace)
    if raised is None:
        return replace(record, stacktrace=None)
    return replace(record, type=raised.type or None, message=raised.message or record.message)


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


def _of_trace(members: Sequence[Record]) -> Iterator[Failure]:
    exceptions: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    rest: list[Record] = []
    for record in members:
        if record.is_exception:
            exceptions[short_type(record.type), record.message].append(record)
        else:
            rest.append(record)
    if not exceptions:
        # Spans end after those below them: the first to fail is the deepest.
        yield Failure(rest[0], rest)
        return
    first, *others = exceptions.values()
    yield Failure(first[0], sorted([*first, *rest], key=lambda record: record.time_ns))
    for records in others:
        yield Failure(records[0], records)
