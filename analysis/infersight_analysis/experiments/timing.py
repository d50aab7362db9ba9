"""How an effect goes on: with every look, and with the time that a unit has had the variant."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Final

import numpy as np

from infersight_analysis.experiments.effects import always
from infersight_analysis.experiments.observations import Codes, Numbers, Observations, Outcome
from infersight_analysis.experiments.samples import Rows
from infersight_analysis.stats import means
from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.stats.normal import z_of

LOOKS: Final = 24
_AGES: Final = 6
_LEAST_UNITS: Final = 5
_RETURNING: Final = 2.0
"""Values a unit from which on its time with the variant tells something."""

_TREND_ALARM: Final = 0.01


@dataclass(frozen=True)
class Look:
    """An effect up to a moment, or in a stretch of the units' time with the variant.

    Args:
        at: nanoseconds since the epoch, or since a unit's first exposure; the end of the stretch.
        units: how many both arms had.
        effect: the difference.
    """

    at: int
    units: int
    effect: Estimate


@dataclass(frozen=True)
class Trend:
    """How an effect changes with the time that units have had the variant.

    Args:
        ages: the effect in stretches of that time, the earliest first.
        change: how much the effect changes from the first stretch to the last, by a line through all values.
        is_by_unit: whether the time is that of each unit; else that since the experiment began.
    """

    ages: list[Look]
    change: Estimate
    is_by_unit: bool

    @property
    def kind(self) -> str | None:
        """`novelty` where the effect wears off, `primacy` where it grows, None where no change is sure."""
        if (self.change.p_value or 0.0) >= _TREND_ALARM or not self.ages:
            return None
        return "novelty" if self.ages[0].effect.value * self.change.value < 0 else "primacy"


def looks(
    observations: Observations, outcome: Outcome, arm: int, *, confidence: float, tightest_at: float
) -> list[Look]:
    """The effect of an arm as it was known at moments of the experiment, with intervals that hold at all of them.

    Args:
        observations: what was observed.
        outcome: a metric's values.
        arm: place of the arm.
        confidence: of the intervals together.
        tightest_at: units an arm at which the intervals are the tightest.
    """
    rows = Rows.of(observations, outcome)
    time_ns = observations.time_ns
    if time_ns is None or not len(rows.row) or not np.ptp(time_ns):
        return []
    times = time_ns[rows.row]
    found: list[Look] = []
    first, last = int(times.min()), int(times.max())
    for moment in (first + (last - first) * look // LOOKS for look in range(1, LOOKS + 1)):
        until = rows.only(times <= moment)
        a, b = until.sample(0), until.sample(arm)
        if min(len(a), len(b)) < _LEAST_UNITS:
            continue
        effect = always(rows.metric, a, b, confidence, tightest_at)
        found.append(Look(moment, len(a) + len(b), effect))
    return found


def trend(observations: Observations, outcome: Outcome, arm: int, confidence: float = 0.95) -> Trend | None:
    """How the effect of an arm changes with the time since a unit's first exposure.

    Where units do not come back, with the time since the experiment began. The change is the difference of the arms'
    slopes over the stretches, whose errors are summed by unit.

    Args:
        observations: what was observed.
        outcome: a metric's values.
        arm: place of the arm.
        confidence: of the intervals.

    Returns:
        None where times are not known, or too few units are.
    """
    time_ns = observations.time_ns
    rows = Rows.of(observations, outcome).as_means
    rows = rows.only((rows.arm == 0) | (rows.arm == arm))
    if time_ns is None or not len(rows.row):
        return None
    times = time_ns[rows.row]
    since = times - time_ns[observations.first_row[rows.unit]]
    is_by_unit = len(rows.row) / len(np.unique(rows.unit)) >= _RETURNING and bool(np.ptp(since))
    age = since if is_by_unit else times - int(time_ns[0])
    edges = np.unique(np.quantile(age, np.linspace(0, 1, _AGES + 1)[1:-1]))
    stretch = np.searchsorted(edges, age, "right")
    ends = [*edges.astype(np.int64).tolist(), int(age.max())]
    ages = list(_ages(rows, arm, stretch, ends, confidence))
    if len(ages) < 2:
        return None
    slopes = [_slope(rows, side, stretch) for side in (0, arm)]
    change = (slopes[1][0] - slopes[0][0]) * (len(ends) - 1)
    error = sqrt(slopes[0][1] + slopes[1][1]) * (len(ends) - 1)
    width = z_of(confidence) * error
    p_value = erfc(abs(change) / error / sqrt(2)) if error else 1.0
    return Trend(ages, Estimate(change, change - width, change + width, p_value, "difference of slopes"), is_by_unit)


def _ages(rows: Rows, arm: int, stretch: Codes, ends: Sequence[int], confidence: float) -> list[Look]:
    found: list[Look] = []
    for place, end in enumerate(ends):
        part = rows.only(stretch == place)
        a, b = part.sample(0), part.sample(arm)
        if min(len(a), len(b)) >= _LEAST_UNITS:
            found.append(Look(end, len(a) + len(b), means.difference(a.values, b.values, confidence)))
    return found


def _slope(rows: Rows, arm: int, stretch: Codes) -> tuple[float, float]:
    """The slope of an arm's values over the stretches, and its variance with errors summed by unit."""
    is_arm = rows.arm == arm
    part = rows.only(is_arm)
    weight = part.weight * part.divisor
    values = part.value / np.where(part.divisor > 0, part.divisor, 1.0)
    x = stretch[is_arm] - np.average(stretch[is_arm], weights=weight)
    spread = float((weight * x**2).sum())
    if spread == 0:
        return 0.0, 0.0
    slope = float((weight * x * values).sum()) / spread
    residual: Numbers = values - np.average(values, weights=weight) - slope * x
    _, place = np.unique(part.unit, return_inverse=True)
    scores = np.bincount(place, weight * x * residual)
    return slope, float((scores**2).sum()) / spread**2
