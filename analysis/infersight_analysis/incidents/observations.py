"""What the telemetry of an incident says by itself: deployments, bursts, levels that changed, faults."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import duckdb

from infersight_analysis.anomalies.anomalies import anomalies
from infersight_analysis.bursts.clusters import find_bursts
from infersight_analysis.deployments.marks import Mark, marks
from infersight_analysis.failures.errors import errors
from infersight_analysis.findings import Anomalies, Bursts, ErrorGroups
from infersight_analysis.options import Window
from infersight_analysis.report.anomalies import reading, series_name
from infersight_analysis.rootcause.question import Question
from infersight_analysis.times import SECOND_NS, parse_time

BEFORE_NS: Final = 1800 * SECOND_NS
"""How long before an incident a deployment may have brought it about."""

_CHANGES: Final = 8
_FAULTS: Final = 5


@dataclass(frozen=True)
class Moment:
    """Something that happened.

    Args:
        time_ns: when, nanoseconds since the epoch.
        source: `deployment`, `burst`, `change` or `fault`.
        statement: what.
        trace_ids: traces that show it.
    """

    time_ns: int
    source: str
    statement: str
    trace_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Observations:
    """What the telemetry says of an incident.

    Args:
        marks: what took the place of what, from half an hour before it on.
        bursts: of errors, in it and its baseline.
        anomalies: in it, against the day before.
        errors: the faults in it.
    """

    marks: list[Mark]
    bursts: Bursts
    anomalies: Anomalies
    errors: ErrorGroups

    def moments(self) -> list[Moment]:
        """All that has a time, in its order."""
        found = [*self._deployments(), *self._bursts(), *self._changes(), *self._faults()]
        return sorted(found, key=lambda moment: (moment.time_ns, moment.source, moment.statement))

    def _deployments(self) -> Iterator[Moment]:
        for mark in self.marks:
            yield Moment(mark.time_ns, "deployment", mark.statement)

    def _bursts(self) -> Iterator[Moment]:
        for cluster in self.bursts.clusters:
            for burst in cluster.bursts:
                service, traces = burst.service or "?", tuple(burst.examples)
                said = f"{service} fails: {burst.count:,.6g} failures where {burst.expected:,.3g} are usual"
                yield Moment(parse_time(burst.start), "burst", said, traces)
                yield Moment(parse_time(burst.end), "burst", f"{service} fails no more than usual", traces)

    def _changes(self) -> Iterator[Moment]:
        listed = [one for one in self.anomalies.anomalies if one.kind == "change"]
        for one in listed[:_CHANGES]:
            said = f"{series_name(one)} goes from {reading(one.usual, one)} to {reading(one.value, one)}"
            yield Moment(parse_time(one.time), "change", said, tuple(one.evidence.trace_ids))

    def _faults(self) -> Iterator[Moment]:
        fresh = [group for group in self.errors.errors if group.state in {"new", "regressed"}]
        for group in fresh[:_FAULTS]:
            said = f"first {group.state} {group.type} in {', '.join(group.services) or '?'}: {group.message[:120]}"
            yield Moment(parse_time(group.first_seen), "fault", said, tuple(group.examples))


def observe(
    connection: duckdb.DuckDBPyConnection,
    question: Question,
    told: Callable[[str], None] = lambda _: None,
    service: str | None = None,
) -> Observations:
    """Look at the telemetry of an incident.

    Args:
        connection: from `connect`; of a store opened from a week before the incident on, where faults are to be known.
        question: when the incident was, and its baseline.
        told: hears what is being looked at.
        service: only this service.
    """
    window = Window(question.start_ns, question.end_ns)
    told("deployments")
    changed = marks(connection, Window(question.start_ns - BEFORE_NS, question.end_ns), service)
    told("bursts")
    burst = find_bursts(connection, service=service, window=Window(question.baseline_ns[0], question.end_ns))
    told("anomalies")
    unusual = anomalies(connection, service=service, window=window, limit=50).found
    told("errors")
    return Observations(changed, burst, unusual, errors(connection, service=service, window=window))
