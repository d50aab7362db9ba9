"""Whose excess a symptom is, told by metrics alone: time and failures are accounted for along the calls.

A service that answers 800 requests 10 ms later than usual adds 8 s of waiting, and its callers can have no more from
it. What a service has in excess, less what those that it calls have, is its own; a symptom is divided among the
services that it depends on by what of it their own excess explains.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from infersight_analysis.rootcause.propagation import reached
from infersight_analysis.rootcause.question import Calls, Symptom
from infersight_analysis.rootcause.series import FAILURES, LATENCY, REQUESTS, SUCCESS, Series, classified
from infersight_analysis.stats.surprise import LEAST_BASELINE, Numbers

_SERVER: Final = re.compile(r"\bserver\b")
_MEAN: Final = re.compile(r"average|avg|mean", re.IGNORECASE)
_QUANTILE: Final = re.compile(r"p\d\d|quantile|percentile|maxim|minim", re.IGNORECASE)

_MOST: Final = 0.99
"""No share explains a symptom better than so: readings have errors."""

_MOST_READINGS: Final = 10
"""Neighbouring readings depend on each other: more of them are no more evidence."""


@dataclass(frozen=True)
class Flow:
    """A service's part in a symptom.

    Args:
        kind: `latency` or `failures`.
        series: the readings that it is told from.
        incident: the mean of what a request took, or of its failures, during the incident.
        baseline: the median of the same before.
        excess: what all its requests had more than usual, an interval of the readings: seconds (or what the readings
            are in), or failed requests.
        own: the part of it that is not of those that it calls.
        share: which share of the symptom that explains, 0 to 1.
        evidence: in nats.
    """

    kind: str
    series: Series
    incident: float
    baseline: float
    excess: float
    own: float
    share: float
    evidence: float


@dataclass(frozen=True)
class _Excess:
    """The excess of a service.

    Args:
        series: what it is told from; of several, the one with most of it.
        requests: how many requests the service has, an interval of the readings.
        profile: what all requests had more than usual, around each reading of the symptom; 0 where nothing was read.
    """

    series: Series
    requests: float
    profile: Numbers

    @classmethod
    def of(cls, series: Sequence[Series], requests: Sequence[Series], kind: str, times: Numbers) -> "_Excess":
        """The excess that all series of a service tell together."""
        counts = {(each.instance, each.labels): _mean_of(each, times) for each in requests}
        total = sum(counts.values()) if counts else float(len(series))
        profiles: list[Numbers] = []
        for each in series:
            readings = _of_requests(each, kind)
            before = readings[~each.in_window]
            usual = np.median(before if len(before) >= LEAST_BASELINE else readings[each.in_window])
            more = np.nan_to_num(_around(each, readings - usual, times))
            profiles.append(more * counts.get((each.instance, each.labels), total / len(series)))
        most = int(np.argmax([profile.sum() for profile in profiles]))
        return cls(series[most], total, np.sum(profiles, axis=0))


def _mean_of(series: Series, times: Numbers) -> float:
    return float(np.nan_to_num(_around(series, series.readings, times)).mean())


@dataclass(frozen=True)
class _Noticed:
    """What the symptom's service has in excess.

    Args:
        level: the mean of it.
        within: how it varies around that.
        readings: how many readings that is of.
    """

    level: float
    within: Numbers
    readings: int

    def along(self, profile: Numbers) -> float:
        """The part of another excess's variation that goes with the symptom's."""
        strength = float(np.linalg.norm(self.within))
        return float(self.within @ profile) / strength if strength else 0.0

    def share(self, level: float, within: float) -> float:
        """Which share of it another excess explains, at most all of its level and all of its variation."""
        strength = float(np.linalg.norm(self.within))
        parts = (self.readings * max(0.0, self.level) ** 2, strength**2)
        shares = (_ratio(level, self.level), _ratio(within, strength))
        return sum(part * share for part, share in zip(parts, shares, strict=True)) / (sum(parts) or 1.0)


def _ratio(own: float, of: float) -> float:
    return min(1.0, max(0.0, own / of)) if of > 0 else 0.0


def flows(series: Iterable[Series], calls: Calls, symptom: Symptom) -> dict[str, Flow]:
    """Who explains a symptom, of the services that it depends on.

    Args:
        series: the metric series.
        calls: who calls whom; without it everything may depend on everything.
        symptom: where it was noticed.

    Returns:
        by service; empty where the symptom's service has no such readings.
    """
    found: dict[str, Flow] = {}
    by_kind = _by_kind(series)
    for kind in (LATENCY, FAILURES):
        of_symptom = by_kind.get(kind, {}).get(symptom.service)
        if of_symptom is None or (symptom.metric is not None and of_symptom[0].name != symptom.metric):
            continue
        for service, flow in _explained(by_kind, kind, calls, symptom.service).items():
            if service not in found or flow.evidence > found[service].evidence:
                found[service] = flow
    return found


def _by_kind(series: Iterable[Series]) -> dict[str, dict[str, list[Series]]]:
    """The series of each kind and service that tell of its requests as a whole: of all instances and all routes."""
    found: defaultdict[str, defaultdict[str, list[Series]]] = defaultdict(lambda: defaultdict(list))
    for each in series:
        kind = classified(each)
        if kind is not None and each.in_window.any():
            found[kind][each.service].append(each)
    return {kind: {service: _telling(every) for service, every in of_kind.items()} for kind, of_kind in found.items()}


def _telling(series: list[Series]) -> list[Series]:
    """Of what is told in several ways: by the server rather than the client, the mean rather than quantiles."""
    for wanted in (_SERVER, _MEAN):
        series = [each for each in series if wanted.search(each.name + each.labels)] or series
    plain = [each for each in series if not _QUANTILE.search(each.name + each.labels)] or series[:1]
    return [each for each in plain if each.name == plain[0].name and each.reading == plain[0].reading]


def _explained(
    by_kind: Mapping[str, Mapping[str, list[Series]]], kind: str, calls: Calls, symptom: str
) -> dict[str, Flow]:
    readings = max(by_kind[kind][symptom], key=lambda each: int(each.in_window.sum()))
    times = readings.time_ns[readings.in_window].astype(np.float64)
    requests = by_kind.get(REQUESTS, {})
    excess = {
        service: _Excess.of(each, requests.get(service, []), kind, times)
        for service, each in by_kind[kind].items()
        if not calls or service in reached(calls, symptom)
    }
    profile = excess[symptom].profile
    within = profile - profile.mean()
    noticed = _Noticed(float(profile.mean()), within, len(times))
    return {service: _flow(service, kind, excess, calls, noticed) for service in excess}


def _flow(service: str, kind: str, excess: Mapping[str, _Excess], calls: Calls, noticed: _Noticed) -> Flow:
    of_service = excess[service]
    own_level, own_within = float(of_service.profile.mean()), noticed.along(of_service.profile)
    for callee in calls.get(service, ()):
        if callee != service and callee in excess:
            part = _part_of(service, callee, excess, calls)
            own_level -= part * max(0.0, float(excess[callee].profile.mean()))
            own_within -= part * max(0.0, noticed.along(excess[callee].profile))
    share = noticed.share(own_level, own_within)
    freedom = (min(noticed.readings, _MOST_READINGS) - 1) / 2
    readings, in_window = _of_requests(of_service.series, kind), of_service.series.in_window
    return Flow(
        kind=kind,
        series=of_service.series,
        incident=float(readings[in_window].mean()),
        baseline=float(np.median(readings[~in_window])) if not in_window.all() else float("nan"),
        excess=float(of_service.profile.mean()),
        own=own_level,
        share=share,
        evidence=-freedom * float(np.log1p(-min(share, _MOST))),
    )


def _part_of(caller: str, callee: str, excess: Mapping[str, _Excess], calls: Calls) -> float:
    """Which part of a service's requests is from one of its callers, by how busy its callers are."""
    callers = [each for each in excess if callee in calls.get(each, ())]
    total = sum(excess[each].requests for each in callers)
    return excess[caller].requests / total if total > 0 else 1 / max(1, len(callers))


def _of_requests(series: Series, kind: str) -> Numbers:
    """What a request took, or the share that failed, at each reading."""
    if kind == LATENCY:
        return series.readings
    shares = series.readings / (100.0 if series.unit == "%" or series.readings.max(initial=0.0) > 1 else 1.0)
    return 1.0 - shares if SUCCESS.search(series.name) else shares


def _around(series: Series, readings: Numbers, times: Numbers) -> Numbers:
    """The mean of the readings in the incident that are nearest to each time; NaN where there are none."""
    nearest = np.abs(series.time_ns[series.in_window].astype(np.float64)[:, None] - times).argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(times))
    with np.errstate(invalid="ignore"):
        means: Numbers = np.bincount(nearest, readings[series.in_window], len(times)) / counts
    return means
