"""The spans around failures: which of a trace's failures led to the others, and whom they touched."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import duckdb

from infersight_analysis.failures.failures import Failure
from infersight_analysis.failures.fingerprint import short_type
from infersight_analysis.reading import query
from infersight_analysis.times import SECOND_NS

_MARGIN_NS: Final = 3600 * SECOND_NS
"""How long before its first failure, and after its last one, a trace may have begun spans."""


@dataclass(frozen=True)
class FailingSpan:
    """A span that failed, serves someone, or has a failure recorded on it."""

    trace_id: str
    span_id: str | None
    parent_id: str | None
    service: str | None
    kind: str | None
    has_failed: bool
    route: str | None
    http_status: int | None
    rpc_status: str | None
    operation: str | None
    database: str | None
    messaging: str | None
    provider: str | None
    server: str | None
    user: str | None
    session: str | None


@dataclass(frozen=True)
class Surroundings:
    """The spans of failing traces, by trace."""

    traces: Mapping[str, Sequence[FailingSpan]] = field(default_factory=dict[str, Sequence[FailingSpan]])

    def spans(self, failure: Failure) -> Sequence[FailingSpan]:
        """Those of a failure's trace, in the order in which they began."""
        return self.traces.get(failure.first.trace_id or "", ())

    def origin(self, failure: Failure) -> FailingSpan | None:
        """The deepest span that the failure was recorded on."""
        by_id = {span.span_id: span for span in self.spans(failure)}
        ids = dict.fromkeys(record.span_id for record in failure.records if _is_of(record.type, failure))
        on = [by_id[span_id] for span_id in ids if span_id in by_id]
        deepest = on[0] if on else None
        for span in on[1:]:
            if deepest is not None and deepest.span_id in self.passed(span):
                deepest = span
        return deepest

    def passed(self, span: FailingSpan) -> list[str | None]:
        """The spans above one that failed as well, one above the other: the way that its failure went."""
        by_id = {other.span_id: other for other in self.traces.get(span.trace_id, ())}
        way: list[str | None] = []
        above = by_id.get(span.parent_id)
        while above is not None and above.has_failed and above.span_id not in way:
            way.append(above.span_id)
            above = by_id.get(above.parent_id)
        return way

    def route(self, failure: Failure) -> str | None:
        """The endpoint that it happened in: the first of its trace."""
        return next((span.route for span in self.spans(failure) if span.route), None) or failure.first.route

    def user(self, failure: Failure) -> str | None:
        """Whom it happened to."""
        own = next((record.user for record in failure.records if record.user), None)
        return own or next((span.user for span in self.spans(failure) if span.user), None)

    def session(self, failure: Failure) -> str | None:
        """In which session."""
        own = next((record.session for record in failure.records if record.session), None)
        return own or next((span.session for span in self.spans(failure) if span.session), None)


def read_surroundings(connection: duckdb.DuckDBPyConnection, failures: Sequence[Failure]) -> Surroundings:
    """Read the spans of the traces of failures.

    Args:
        connection: from `connect`.
        failures: in the order of time.
    """
    ids = sorted({failure.first.trace_id for failure in failures if failure.first.trace_id})
    if not ids:
        return Surroundings()
    values = {
        "trace_ids": ids,
        "first": ids[0],
        "last": ids[-1],
        "from_ns": failures[0].first.time_ns - _MARGIN_NS,
        "until_ns": failures[-1].first.time_ns + _MARGIN_NS,
    }
    traces: defaultdict[str, list[FailingSpan]] = defaultdict(list)
    for row in connection.execute(query("failing_spans"), values).fetchall():
        traces[row[0]].append(FailingSpan(*row))
    return Surroundings(traces)


def consequences(failures: Iterable[Failure], surroundings: Surroundings) -> dict[int, Failure]:
    """Failures that followed from another one of their trace: by the identity of each, the one that it began with.

    A failure follows from one that was recorded on a span below its own, from which every span up to it failed; from
    one on its own span, or one of which nobody knows the span, that came earlier; and from an exception that its stack
    trace names as a cause. What was caught and came to nothing, so that a span between ended well, is a failure of its
    own.
    """
    by_trace: defaultdict[str, list[Failure]] = defaultdict(list)
    for failure in failures:
        if failure.first.trace_id is not None:
            by_trace[failure.first.trace_id].append(failure)
    found: dict[int, Failure] = {}
    for members in by_trace.values():
        if len(members) > 1:
            found |= _within(members, surroundings)
    return found


@dataclass(frozen=True)
class _Placed:
    """A failure with its span, and with the way that it went from there."""

    failure: Failure
    origin: FailingSpan | None
    way: Sequence[str | None]


def _within(members: Sequence[Failure], surroundings: Surroundings) -> dict[int, Failure]:
    """The same of one trace, whose failures are in the order of time."""
    origins = [surroundings.origin(failure) for failure in members]
    placed = [
        _Placed(failure, origin, surroundings.passed(origin) if origin else ())
        for failure, origin in zip(members, origins, strict=True)
    ]
    led: dict[int, int] = {}
    for at, one in enumerate(placed):
        others = (place for place in range(len(placed)) if place != at)
        first = next((place for place in others if _follows(one, placed[place], is_later=place < at)), None)
        if first is not None:
            led[at] = first
    found: dict[int, Failure] = {}
    for at, begin in led.items():
        seen = {at}
        while begin in led and begin not in seen:
            seen.add(begin)
            begin = led[begin]  # noqa: PLW2901 - from one to the one before it
        if begin != at:
            found[id(members[at])] = members[begin]
    return found


def _follows(one: _Placed, other: _Placed, *, is_later: bool) -> bool:
    """Whether a failure follows from another one; `is_later` says whether it came later."""
    if one.origin is not None and other.origin is not None and one.origin.span_id != other.origin.span_id:
        return one.origin.span_id in other.way or (is_later and _names(one.failure, other.failure))
    return is_later


def _names(failure: Failure, other: Failure) -> bool:
    """Whether a failure's stack trace says that it was raised for the other one."""
    causes = list(failure.raised.chain)[1:] if failure.raised else []
    return any(short_type(cause.type) == short_type(other.first.type) for cause in causes)


def _is_of(kind: str | None, failure: Failure) -> bool:
    """Whether a record is of the exception itself, not of what else failed in its trace."""
    return not failure.first.is_exception or short_type(kind) == short_type(failure.first.type)
