"""One figure of both versions against its limit: where it stands, and how much more would decide it."""

from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import Final

from infersight_analysis.findings import ReleaseMeasure
from infersight_analysis.findings.numbers import finite
from infersight_analysis.findings.releases import Standing, Trend
from infersight_analysis.releases import wording
from infersight_analysis.releases.estimates import Bounds, growth, less
from infersight_analysis.releases.limits import Limit

ALIKE: Final = 0.01
"""An error rate that is at most this much above the baseline's is not what rolling back would mend."""

_NEAR: Final = 0.1
"""An estimate this near to its limit, in widths of its interval, takes a hundred times as much to be told apart."""


@dataclass(frozen=True)
class Figure:
    """What one figure is, of both versions.

    Args:
        name: for people.
        unit: as `ReleaseMeasure` has it.
        baseline: with its interval.
        candidate: with its interval.
        counts: records of baseline and candidate that they rest on.
        route: of this route only.
        share_of_requests: its part of the candidate's requests.
        is_needed: whether `keep` waits for it.
        least: records below which no interval can have both ends.
    """

    name: str
    unit: str
    baseline: Bounds
    candidate: Bounds
    counts: tuple[int, int]
    route: str | None = None
    share_of_requests: float = 1.0
    is_needed: bool = False
    least: float = 0.0


def measured(
    figure: Figure, limit: Limit, confidence: float, *, side_by_side: bool, has_limit: bool = True
) -> ReleaseMeasure:
    """A figure against its limit.

    Args:
        figure: of both versions.
        limit: its limit.
        confidence: of the intervals.
        side_by_side: whether the baseline goes on to serve, too.
        has_limit: whether the limit means something here.
    """
    change = _change(figure, limit)
    known = isfinite(change.value)
    if not known:  # a side recorded nothing, or is 0, of which nothing is a multiple
        change = Bounds(0.0, -inf, inf)
    standing: Standing = "unknown"
    if known:
        standing = _standing(figure, limit, change) if has_limit else "no limit"
    more = _more(figure, limit, change, side_by_side=side_by_side) if standing == "undecided" else None
    found = ReleaseMeasure(
        name=figure.name,
        route=figure.route,
        share_of_requests=figure.share_of_requests,
        unit=figure.unit,
        baseline=finite(figure.baseline.value),
        candidate=finite(figure.candidate.value),
        candidate_low=finite(figure.candidate.low),
        candidate_high=finite(figure.candidate.high),
        baseline_count=figure.counts[0],
        candidate_count=figure.counts[1],
        change=finite(change.value) if known else None,
        low=finite(change.low),
        high=finite(change.high),
        is_relative=limit.kind == "relative",
        confidence=confidence,
        limit=limit.value if has_limit else None,
        limit_text=wording.limit(limit.value, limit.kind, limit.worse) if has_limit else None,
        standing=standing,
        trend=_trend(limit, change) if has_limit else "none shown",
        consequence=limit.consequence,
        is_needed=figure.is_needed,
        more_requests=more,
        statement="",
    )
    return replace(found, statement=wording.statement(found))


def _change(figure: Figure, limit: Limit) -> Bounds:
    if limit.kind == "relative":
        return growth(figure.baseline, figure.candidate)
    return less(figure.baseline, figure.candidate)


def _worsening(limit: Limit, change: Bounds) -> Bounds:
    """The change with the sign by which more is worse."""
    return Bounds(-change.value, -change.high, -change.low) if limit.worse < 0 else change


def _standing(figure: Figure, limit: Limit, change: Bounds) -> Standing:
    if limit.kind == "own":
        if figure.candidate.low > limit.value and change.low > 0:
            return "over"
        return "within" if figure.candidate.high <= limit.value or change.high <= ALIKE else "undecided"
    worsening = _worsening(limit, change)
    if worsening.low > limit.value or (limit.worse == 0 and worsening.high < -limit.value):
        return "over"
    is_low_enough = limit.worse != 0 or worsening.low >= -limit.value
    return "within" if worsening.high <= limit.value and is_low_enough else "undecided"


def _trend(limit: Limit, change: Bounds) -> Trend:
    worsening = _worsening(limit, change)
    if worsening.low <= 0 <= worsening.high:
        return "none shown"
    if limit.worse == 0:
        return "moved"
    return "worse" if worsening.low > 0 else "better"


def _more(figure: Figure, limit: Limit, change: Bounds, *, side_by_side: bool) -> float | None:
    """About how many more requests of the candidate would decide it: intervals narrow with the root of the number.

    Only the candidate's part of the interval narrows where the baseline has ended.
    """
    count = figure.counts[1]
    if limit.kind == "own":
        centre, low, high, part = figure.candidate.value, figure.candidate.low, figure.candidate.high, 1.0
    else:
        scale = _worsening(limit, change)
        centre, low, high = scale.value, scale.low, scale.high
        part = 1.0 if side_by_side else _part(figure, limit)
    gap = abs(limit.value - centre)
    ends = (high - centre, centre - low) if centre < limit.value else (centre - low, high - centre)
    width = ends[0] if isfinite(ends[0]) else ends[1]  # of an open end the other one is the best guess
    rest = gap**2 - (1 - part) * width**2
    if not isfinite(width) or gap < _NEAR * width or rest <= 0:
        return None
    return max(1.0, figure.least - count, count * (part * width**2 / rest - 1))


def _part(figure: Figure, limit: Limit) -> float:
    """The part of the squared width of the change's interval that is the candidate's."""
    sides = (figure.baseline, figure.candidate)
    if limit.kind == "relative":
        sides = (sides[0].logarithm, sides[1].logarithm)
    squares = [(side.high - side.low) ** 2 for side in sides]
    return squares[1] / sum(squares) if isfinite(sum(squares)) and sum(squares) > 0 else 1.0
