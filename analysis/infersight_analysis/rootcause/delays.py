"""Which services made their callers wait: their own time, and the way to them, beside the baseline.

A trace's critical path gives each nanosecond to one visit, or to the way between two. So who waits for a slow service
is not slow itself. A way belongs to both of its ends: where the network of one service is slow, all its ways are.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from infersight_analysis.forest import NONE, Rows
from infersight_analysis.rootcause.visits import Visits
from infersight_analysis.stats.surprise import LEAST_BASELINE, Sample, common, evidence, smallest, surprises

_LEAST_NS: Final = 1_000
"""Shorter times count as so long: their logarithms would say more than clocks can."""

_LEAST_VISITS: Final = 3


@dataclass(frozen=True)
class Delay:
    """A time that grew.

    Args:
        operation: number of the operation whose own time it is; None for a way.
        way: numbers of the calling and the called service; None for a service's own time.
        medians_ns: in the incident and in the baseline.
        visits: how many of them there are in both.
        deviation: see `stats.surprise`.
        p_value: the same.
    """

    operation: int | None
    way: tuple[int, int] | None
    medians_ns: tuple[float, float]
    visits: tuple[int, int]
    deviation: float
    p_value: float


@dataclass(frozen=True)
class Slowness:
    """What grew of a service's times.

    Args:
        delays: the most surprising first.
        p_value: of the most surprising one, or of what all of a kind share, whichever is less likely.
        share: its share of all the time that traces waited longer.
    """

    delays: list[Delay]
    p_value: float
    share: float

    @property
    def evidence(self) -> float:
        """In nats; what makes nobody wait is no evidence, however surprising."""
        return max(0.0, evidence(self.p_value) + float(np.log(max(self.share, 1e-9))))


def slowness(visits: Visits) -> dict[int, Slowness]:
    """What grew of each service's times, by its number."""
    delays = _own_times(visits)
    ways = _ways(visits)
    services = {*delays, *ways}
    excess_ns = {each: _excess_ns(each, delays.get(each, []), ways.get(each, [])) for each in services}
    total_ns = sum(excess_ns.values()) or 1.0
    found: dict[int, Slowness] = {}
    for service in services:
        own, of_ways = delays.get(service, []), ways.get(service, [])
        p_values = [delay.p_value for delay in own]
        if len(own) > 1:
            p_values.append(common([delay.p_value for delay in own]))
        p_values += _of_ways(of_ways, service)
        every = sorted([*own, *of_ways], key=lambda delay: delay.p_value)
        found[service] = Slowness(every, smallest(p_values), excess_ns[service] / total_ns)
    return found


def _excess_ns(service: int, own: Sequence[Delay], ways: Sequence[Delay]) -> float:
    """How much longer traces waited for a service in all, on the ways to it included."""
    mine = [*own, *(way for way in ways if way.way is not None and way.way[1] == service)]
    return sum(delay.visits[0] * max(0.0, delay.medians_ns[0] - delay.medians_ns[1]) for delay in mine)


def _of_ways(ways: Sequence[Delay], service: int) -> list[float]:
    """What the ways to a service share, and what those from it do; one way alone is blamed on the called."""
    to = [way.p_value for way in ways if way.way is not None and way.way[1] == service]
    of = [way.p_value for way in ways if way.way is not None and way.way[0] == service]
    groups = [to] if to else []
    if len(of) > 1:
        groups.append(of)
    return [group[0] if len(group) == 1 else common(group) for group in groups]


def _own_times(visits: Visits) -> dict[int, list[Delay]]:
    groups = list(_groups(visits, visits.operation, np.arange(len(visits))))
    delays: defaultdict[int, list[Delay]] = defaultdict(list)
    for rows, delay in zip(groups, _delays(groups, visits, visits.own_ns), strict=True):
        delays[int(visits.service[rows[0]])].append(Delay(int(visits.operation[rows[0]]), None, *delay))
    return delays


def _ways(visits: Visits) -> dict[int, list[Delay]]:
    called = np.flatnonzero((visits.caller != NONE) & (visits.network_ns > 0))
    caller = visits.service[visits.caller[called]]
    way = caller * (int(visits.service.max(initial=0)) + 1) + visits.service[called]
    groups = list(_groups(visits, way, called))
    delays: defaultdict[int, list[Delay]] = defaultdict(list)
    for rows, delay in zip(groups, _delays(groups, visits, visits.network_ns), strict=True):
        ends = int(visits.service[visits.caller[rows[0]]]), int(visits.service[rows[0]])
        for service in set(ends):
            delays[service].append(Delay(None, ends, *delay))
    return delays


def _groups(visits: Visits, group: Rows, among: Rows) -> Iterator[Rows]:
    """The visits of each group in the order of time, of the groups that have enough in both times."""
    order = np.lexsort((visits.table.start_ns[visits.top[among]], group))
    ends = np.flatnonzero(group[order][1:] != group[order][:-1]) + 1
    for rows in np.split(among[order], ends):
        during = int(np.count_nonzero(visits.in_window[rows]))
        if during >= _LEAST_VISITS and len(rows) - during >= max(_LEAST_VISITS, LEAST_BASELINE):
            yield rows


def _delays(
    groups: Sequence[Rows], visits: Visits, times_ns: Rows
) -> list[tuple[tuple[float, float], tuple[int, int], float, float]]:
    if not groups:
        return []
    times = [(times_ns[rows[visits.in_window[rows]]], times_ns[rows[~visits.in_window[rows]]]) for rows in groups]
    family = [Sample(*(np.log(np.maximum(each, _LEAST_NS)) for each in both)) for both in times]
    return [
        (
            (float(np.median(during)), float(np.median(before))),
            (len(during), len(before)),
            surprise.deviation,
            surprise.p_value,
        )
        for (during, before), surprise in zip(times, surprises(family, only_above=True), strict=True)
    ]
