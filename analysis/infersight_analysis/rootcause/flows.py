"""Whose excess a symptom is, told by metrics alone: time and failures are accounted for along the calls.

A service that answers 800 requests 10 ms later than usual adds 8 s of waiting, and its callers can have no more from
it. What a service has in excess, less what those that it calls have, is its own; a symptom is divided among the
services that it depends on by what of it their own excess explains.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.rootcause.propagation import reached
from infersight_analysis.rootcause.question import Calls, Symptom
from infersight_analysis.rootcause.series import FAILURES, LATENCY, SUCCESS, Series, classified
from infersight_analysis.stats.surprise import LEAST_BASELINE, Numbers

_MEAN: Final = re.compile(r"average|avg|mean", re.IGNORECASE)

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
    """The excess of a service, at the times of the symptom's readings.

    Args:
        series: what it is told from.
        requests: how many requests it has, an interval of the readings.
        level: the mean of it.
        within: the part of its variation that goes with the symptom's.
    """

    series: Series
    requests: float
    level: float
    within: float


@dataclass(frozen=True)
class _Noticed:
    """What the symptom's service has in excess.

    Args:
        level: the mean of it.
        strength: how much it varies, the norm of what differs from the mean.
        readings: how many readings that is of.
    """

    level: float
    strength: float
    readings: int

    def share(self, level: float, within: float) -> float:
        """Which share of it another excess explains, at most all of its level and all of its variation."""
        parts = (self.readings * max(0.0, self.level) ** 2, self.strength**2)
        shares = (_ratio(level, self.level), _ratio(within, self.strength))
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
        of_symptom = by_kind[kind].get(symptom.service)
        if of_symptom is None or (symptom.metric is not None and of_symptom.name != symptom.metric):
            continue
        for service, flow in _explained(by_kind, kind, calls, symptom.service).items():
            if service not in found or flow.evidence > found[service].evidence:
                found[service] = flow
    return found


def _by_kind(series: Iterable[Series]) -> dict[str, dict[str, Series]]:
    """The series of each kind that says most of its service: of several, that of the mean, then the first."""
    found: defaultdict[str, dict[str, Series]] = defaultdict(dict)
    for each in series:
        kind = classified(each)
        if kind is None or not each.in_window.any():
            continue
        known = found[kind].get(each.service)
        if known is None or (_MEAN.search(each.labels + each.name) and not _MEAN.search(known.labels + known.name)):
            found[kind][each.service] = each
    return found


def _explained(by_kind: Mapping[str, Mapping[str, Series]], kind: str, calls: Calls, symptom: str) -> dict[str, Flow]:
    at = by_kind[kind][symptom]
    times = at.time_ns[at.in_window].astype(np.float64)
    profile = _profile(at, kind, by_kind["requests"].get(symptom), times)
    within = profile - profile.mean()
    noticed = _Noticed(float(profile.mean()), float(np.linalg.norm(within)), len(times))
    weights = within / noticed.strength if noticed.strength else within
    among = reached(calls, symptom) if calls else set(by_kind[kind])
    excess: dict[str, _Excess] = {}
    for service in among & set(by_kind[kind]):
        series, requests = by_kind[kind][service], by_kind["requests"].get(service)
        profile = _profile(series, kind, requests, times)
        excess[service] = _Excess(series, _requests(requests, times), float(profile.mean()), float(weights @ profile))
    return {service: _flow(service, kind, excess, calls, noticed) for service in excess}


def _flow(service: str, kind: str, excess: Mapping[str, _Excess], calls: Calls, noticed: _Noticed) -> Flow:
    of_service = excess[service]
    own_level, own_within = of_service.level, of_service.within
    for callee in calls.get(service, ()):
        if callee != service and callee in excess:
            part = _part_of(service, callee, excess, calls)
            own_level -= part * max(0.0, excess[callee].level)
            own_within -= part * max(0.0, excess[callee].within)
    share = noticed.share(own_level, own_within)
    readings = _share_of_failures(of_service.series) if kind == FAILURES else of_service.series.readings
    before = readings[~of_service.series.in_window]
    freedom = (min(noticed.readings, _MOST_READINGS) - 1) / 2
    return Flow(
        kind=kind,
        series=of_service.series,
        incident=float(readings[of_service.series.in_window].mean()),
        baseline=float(np.median(before)) if len(before) else float("nan"),
        excess=of_service.level,
        own=own_level,
        share=share,
        evidence=-freedom * float(np.log1p(-min(share, _MOST))),
    )


def _part_of(caller: str, callee: str, excess: Mapping[str, _Excess], calls: Calls) -> float:
    """Which part of a service's requests is from one of its callers, by how busy its callers are."""
    callers = [each for each in excess if callee in calls.get(each, ())]
    total = sum(excess[each].requests for each in callers)
    return excess[caller].requests / total if total > 0 else 1 / max(1, len(callers))


def _profile(series: Series, kind: str, requests: Series | None, times: Numbers) -> Numbers:
    """What all requests of a service had more than usual around each time; nothing where nothing was read."""
    readings = _share_of_failures(series) if kind == FAILURES else series.readings
    before = readings[~series.in_window]
    usual = np.median(before if len(before) >= LEAST_BASELINE else readings[series.in_window])
    more = _around(series.time_ns[series.in_window], readings[series.in_window] - usual, times)
    profile: Numbers = np.nan_to_num(more) * _requests(requests, times)
    return profile


def _requests(requests: Series | None, times: Numbers) -> float:
    """How many requests a service has in the incident, an interval of the readings; 1 where that is not known."""
    if requests is None or not requests.in_window.any():
        return 1.0
    counts = _around(requests.time_ns[requests.in_window], requests.readings[requests.in_window], times)
    return float(np.nan_to_num(counts).mean())


def _share_of_failures(series: Series) -> Numbers:
    readings = series.readings / (100.0 if series.unit == "%" or series.readings.max(initial=0.0) > 1 else 1.0)
    return 1.0 - readings if SUCCESS.search(series.name) else readings


def _around(time_ns: npt.NDArray[np.int64], readings: Numbers, times: Numbers) -> Numbers:
    """The mean of the readings nearest to each time; NaN where there are none."""
    nearest = np.abs(time_ns.astype(np.float64)[:, None] - times[None, :]).argmin(axis=1)
    counts = np.bincount(nearest, minlength=len(times))
    with np.errstate(invalid="ignore"):
        means: Numbers = np.bincount(nearest, readings, len(times)) / counts
    return means
