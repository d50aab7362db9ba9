"""Two versions compared by their requests: as a whole, and route by route."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from infersight_analysis.findings import ReleaseMeasure
from infersight_analysis.releases.estimates import Bounds, Sorted, share
from infersight_analysis.releases.limits import DEFAULTS, ROLL_BACK, Limits
from infersight_analysis.releases.measures import Figure, measured
from infersight_analysis.releases.mix import Alike, alike
from infersight_analysis.releases.requests import Numbers, Requests

ERROR: Final = 0.05
"""How often a candidate at its limits may be rolled back, however often one looks: half of it of the whole service,
half of single routes."""

QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
_OF_ROUTES: Final = ("p50", "p95")
_WHOLE: Final = 4 + len(QUANTILES)
"""Figures of the whole service that roll back by default: error rate, success, cascade, accuracy and the quantiles."""

_BOTH_ENDS: Final = 52.0
"""A quantile's interval has an upper end from about so many requests times q / (1 - q) on."""

_MOST_ROUTES: Final = 200
_LEAST_OF_ROUTE: Final = 20
_UNLIKE: Final = 0.05
_ELSEWHERE: Final = 0.01


@dataclass(frozen=True)
class Compared:
    """What the requests of two versions say.

    Args:
        measures: of the routes that both served.
        routes: of single routes.
        notes: what was held equal, and what could not be compared.
    """

    measures: list[ReleaseMeasure]
    routes: list[ReleaseMeasure]
    notes: list[str]


def confidence_of(limits: Limits) -> float:
    """That of the intervals of figures of the whole service, so that all of them together hold."""
    more = sum(DEFAULTS[name].consequence != ROLL_BACK for name in limits.given)
    return 1 - ERROR / (_WHOLE + more)


def compared(baseline: Requests, candidate: Requests, limits: Limits, *, side_by_side: bool) -> Compared:
    """Compare two versions by the requests that they served.

    Args:
        baseline: those of the version that is known to be good.
        candidate: those of the other one.
        limits: how much worse it may be.
        side_by_side: whether both go on to serve.
    """
    same = alike(baseline, candidate)
    notes = list(_notes(same, candidate))
    if not len(same.candidate) and len(baseline) and len(candidate):
        notes.append("no route was served by both versions: they are compared as a whole, whatever they were asked for")
        same = replace(same, baseline=baseline, candidate=candidate, only_candidate={})
    confidence = confidence_of(limits)
    whole = _figures(same.baseline, same.candidate, confidence, None, tuple(QUANTILES))
    found = [measured(figure, limits[name], confidence, side_by_side=side_by_side) for name, figure in whole]
    of_routes = 1 - ERROR / (1 + len(same.candidate.by_route) * (2 + len(_OF_ROUTES)))
    single = [
        measured(figure, limits[name], of_routes, side_by_side=side_by_side)
        for name, figure in _single(same, baseline, candidate, of_routes)
    ]
    return Compared(found, single, notes)


def _single(same: Alike, baseline: Requests, candidate: Requests, confidence: float) -> Iterator[tuple[str, Figure]]:
    """The figures of single routes; of a service with one route there are none, and new ones are taken together."""
    routes = _frequent(same.candidate)
    total = candidate.count or 1.0
    for route in routes if len(routes) > 1 else ():
        sides = same.baseline.of_routes({route}), same.candidate.of_routes({route})
        if min(map(len, sides)) < _LEAST_OF_ROUTE:
            continue
        for name, figure in _figures(*sides, confidence, route, _OF_ROUTES):
            yield name, replace(figure, share_of_requests=sides[1].count / total)
    if same.only_candidate:
        new = candidate.of_routes(set(same.only_candidate))
        yield "error-rate", replace(_new_routes(baseline, new, confidence), share_of_requests=new.count / total)


def _figures(
    baseline: Requests, candidate: Requests, confidence: float, route: str | None, quantiles: Sequence[str]
) -> Iterator[tuple[str, Figure]]:
    """The figures of requests, each with the name of its limit."""
    counts = len(baseline), len(candidate)
    is_whole = route is None

    def of(name: str) -> tuple[Bounds, Bounds]:
        a, b = (share(getattr(side, name), side.weights, confidence) for side in (baseline, candidate))
        return a, b

    yield "error-rate", Figure("error rate", "share", *of("failed"), counts, route, is_needed=is_whole)
    yield "success", Figure("success rate", "share", *of("succeeded"), counts, route, is_needed=is_whole)
    answered = [side.where(~side.failed) for side in (baseline, candidate)]
    ordered = [Sorted(_positive(side.durations_ns), side.weights) for side in answered]
    for name in quantiles:
        q = QUANTILES[name]
        a, b = (side.quantile(q, confidence) for side in ordered)
        needed = is_whole and name in _OF_ROUTES
        sizes = len(answered[0]), len(answered[1])
        yield "latency", Figure(name, "ns", a, b, sizes, route, is_needed=needed, least=_BOTH_ENDS * q / (1 - q))
    if is_whole and (baseline.others_failed.any() or candidate.others_failed.any()):
        yield "cascade", Figure("failures of other services", "share", *of("others_failed"), counts)


def _new_routes(baseline: Requests, candidate: Requests, confidence: float) -> Figure:
    """The errors of routes that only the candidate serves, beside those of all that the baseline served."""
    a, b = (share(side.failed, side.weights, confidence) for side in (baseline, candidate))
    return Figure("error rate", "share", a, b, (len(baseline), len(candidate)), "routes that are new")


def _positive(durations_ns: Numbers) -> Numbers:
    """A duration of nothing has no logarithm."""
    return np.maximum(durations_ns, 1.0)


def _frequent(requests: Requests) -> list[str]:
    counts = requests.by_route
    return sorted(counts, key=lambda name: (-counts[name], name))[:_MOST_ROUTES]


def _notes(same: Alike, candidate: Requests) -> Iterator[str]:
    total = candidate.count
    if same.moved >= _UNLIKE:
        yield (
            f"the versions were asked for different mixes of routes ({100 * same.moved:.0f}% of the requests would "
            "have to move): the baseline's figures are for the candidate's mix"
        )
    for who, routes in (("candidate", same.only_candidate), ("baseline", same.only_baseline)):
        count = sum(routes.values())
        if count >= _ELSEWHERE * total:
            few = ", ".join(sorted(routes, key=lambda name: -routes[name])[:3]) + (", ..." if len(routes) > 3 else "")
            yield f"only the {who} was asked for {few} ({count:,.6g} requests): left out of the comparison"
