"""What was read of an incident, and what each signal makes of it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np

from infersight_analysis.forest import NONE, Rows
from infersight_analysis.rootcause.blame import Blame
from infersight_analysis.rootcause.delays import Slowness, slowness
from infersight_analysis.rootcause.doings import Doings
from infersight_analysis.rootcause.flows import Flow, flows
from infersight_analysis.rootcause.logs import Records, read_records, visit_of
from infersight_analysis.rootcause.messages import Logging, logging
from infersight_analysis.rootcause.propagation import unexplained
from infersight_analysis.rootcause.question import Calls, Question
from infersight_analysis.rootcause.series import Series, Straying, classified, read_series, straying
from infersight_analysis.rootcause.spans import SpanTable
from infersight_analysis.rootcause.visits import Visits
from infersight_analysis.stats.surprise import evidence

MOST_SPANS: Final = 2_000_000
"""Of more spans a part of the traces is read, as many as have about so many."""


@dataclass(frozen=True)
class Scene:
    """An incident, and what each signal says; findings by the name of the service.

    Args:
        question: the incident.
        visits: what services were called for.
        doings: what they did then.
        records: what was logged.
        visit_of_record: where it was logged.
        series: the metric series.
        calls: who calls whom.
        blame: who behaves otherwise.
        delays: who makes others wait.
        strays: whose metrics stray.
        logs: who logs otherwise, of the records that belong to no visit.
        flows: whose excess the symptom is.
        one_in: the part of the traces that was read.
    """

    question: Question
    visits: Visits
    doings: Doings
    records: Records
    visit_of_record: Rows
    series: list[Series]
    calls: Calls
    blame: Blame
    delays: Mapping[str, Slowness]
    strays: Mapping[str, Straying]
    logs: Mapping[str, Logging]
    flows: Mapping[str, Flow]
    one_in: int

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, question: Question) -> "Scene":
        """Read the incident and its baseline, and ask each signal."""
        one_in = _part(connection, question)
        visits = Visits.of(SpanTable.read(connection, question, one_in), question.start_ns, question.end_ns)
        records = read_records(connection, question, one_in)
        visit_of_record = visit_of(records, visits)
        doings = Doings.of(visits, records, visit_of_record)
        series = read_series(connection, question)
        calls = _calls(visits, question.calls or {})
        accounted = flows(series, calls, question.symptom) if question.symptom is not None else {}
        # What is accounted for is not counted again as a metric that strays.
        others = [each for each in series if not (accounted and classified(each))]
        services = visits.table.service.values
        return cls(
            question=question,
            visits=visits,
            doings=doings,
            records=records,
            visit_of_record=visit_of_record,
            series=series,
            calls=calls,
            blame=Blame.of(visits, doings),
            delays={services[number]: found for number, found in slowness(visits).items()},
            strays=straying(others),
            logs=logging(records, visit_of_record == NONE, question),
            flows=accounted,
            one_in=one_in,
        )

    def services(self) -> list[str]:
        """All services that left any record."""
        known = {each.service for each in self.series} | set(self.visits.table.service.values)
        return sorted((known | set(self.records.service.values)) - {""})

    def number(self, service: str) -> int | None:
        """The number of a service among the visits', None where it has none."""
        services = self.visits.table.service.values
        return services.index(service) if service in services else None

    def service(self, number: int) -> str:
        """The name of a service."""
        return self.visits.table.service.values[number]

    def operation(self, number: int) -> str:
        """The name of the first span of an operation's visits."""
        first = int(np.flatnonzero(self.visits.operation == number)[0])
        table = self.visits.table
        return table.name.values[int(table.name.codes[self.visits.top[first]])]

    def own_excess(self, service: str) -> float:
        """How much of the symptom a service has by itself: of those that explain all of it, the one that has most."""
        flow = self.flows.get(service)
        return flow.own if flow is not None else 0.0

    def visits_between(self, caller: int, called: int) -> Rows:
        """The visits of the incident that one service made to another, by their numbers."""
        visits = self.visits
        is_called = (visits.caller != NONE) & (visits.service == called) & visits.in_window
        return np.flatnonzero(is_called & (visits.service[visits.caller] == caller))

    def read(self) -> dict[str, list[int]]:
        """How much of each signal there is, in the incident and in the baseline."""
        traces = [
            len(np.unique(self.visits.trace[chosen])) for chosen in (self.visits.in_window, ~self.visits.in_window)
        ]
        records = [int(np.count_nonzero(chosen)) for chosen in (self.records.in_window, ~self.records.in_window)]
        series = [
            sum(bool(chosen.any()) for chosen in each)
            for each in zip(*((one.in_window, ~one.in_window) for one in self.series), strict=True)
        ]
        return {"traces": traces, "log records": records, "metric series": series or [0, 0]}

    def notes(self) -> list[str]:
        """What to know of the data."""
        found = [
            f"no {signal} in the {time}"
            for signal, counts in self.read().items()
            for time, count in zip(("incident", "baseline"), counts, strict=True)
            if not count
        ]
        if self.one_in > 1:
            found.append(f"one in {self.one_in} traces was read")
        symptom = self.question.symptom
        if symptom is not None and not self.flows:
            found.append(f"no latency, availability or error metric of {symptom.service} in the incident")
        return found

    def evidence(self) -> dict[str, dict[str, float]]:
        """The evidence for each service by signal, in nats, where there is any."""
        services = self.visits.table.service.values
        behaviour = {services[number]: evidence(of.p_value) for number, of in self.blame.services.items()}
        delay = {service: delays.evidence for service, delays in self.delays.items()}
        by_signal: dict[str, dict[str, float]] = {
            "behaviour": behaviour,
            "delay": delay,
            "metric": self._of_metrics(max([*behaviour.values(), *delay.values()], default=0.0)),
            "log": unexplained({service: evidence(logs.p_value) for service, logs in self.logs.items()}, self.calls),
            "flow": {service: flow.evidence for service, flow in self.flows.items()},
        }
        found: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for signal, of_signal in by_signal.items():
            for service, nats in of_signal.items():
                if nats > 0:
                    found[service][signal] = nats
        return dict(found)

    def _of_metrics(self, of_traces: float) -> dict[str, float]:
        """The evidence of metrics.

        Args:
            of_traces: the most evidence that the visits of any service are. Latencies and failures that they account
                for are not counted again, nor those that others, whose visits are not known, see of them.
        """
        metrics = {service: evidence(strays.p_value(None)) for service, strays in self.strays.items()}
        upwards = {service: evidence(strays.p_value("up")) for service, strays in self.strays.items()}
        called = {callee for callees in self.calls.values() for callee in callees}
        for service, nats in unexplained(upwards, self.calls).items():
            seen = 0.0 if self.number(service) is not None else max(0.0, nats - of_traces)
            demand = 0.0 if service in called else evidence(self.strays[service].p_value("down"))
            metrics[service] = max(metrics[service], seen, demand)
        return metrics


def _part(connection: duckdb.DuckDBPyConnection, question: Question) -> int:
    """One in how many traces is to be read, so that there are not too many spans."""
    times = {name: value for name, value in question.times.items() if not name.startswith("guard")}
    during = "(start_time_ns >= $from_ns and start_time_ns < $until_ns)"
    before = "(start_time_ns >= $baseline_from_ns and start_time_ns < $baseline_until_ns)"
    row = connection.execute(f"select count(*) from spans where {during} or {before}", times).fetchone()  # noqa: S608
    return max(1, -(-(row[0] if row else 0) // MOST_SPANS))


def _calls(visits: Visits, known: Calls) -> Calls:
    """Who calls whom, as the spans say, and as was known before."""
    calls: defaultdict[str, set[str]] = defaultdict(set, {caller: set(callees) for caller, callees in known.items()})
    called = np.flatnonzero(visits.caller != NONE)
    services = visits.table.service.values
    pairs = np.unique(np.stack([visits.service[visits.caller[called]], visits.service[called]]), axis=1)
    each: list[int]
    for each in pairs.T.tolist():
        caller, callee = each
        if caller != callee:
            calls[services[caller]].add(services[callee])
    return {caller: frozenset(callees) for caller, callees in calls.items()}
