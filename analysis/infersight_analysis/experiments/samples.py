"""A metric's values by unit, whatever their number and the metric's kind: one number a unit, whose mean is the metric.

Variants are assigned to units, so units are what is independent, not their requests. A ratio of sums over units, such
as a rate or a mean over requests, is made linear around itself: each unit's deviation from what its count would give,
over the mean count (the delta method; Deng, Knoblich and Lu, KDD 2018). A quantile is made linear by the density at it
(its influence function), which comes from the width of an interval of ranks (Liu, Sun, Varshney and Xu, 2019). After
that all metrics are means, and what is right for means of units is right for them.
"""

from dataclasses import dataclass, replace

import numpy as np

from infersight_analysis.experiments.metrics import Metric
from infersight_analysis.experiments.observations import NONE, Codes, Flags, Numbers, Observations, Outcome
from infersight_analysis.stats.normal import Z_95


@dataclass(frozen=True)
class Sample:
    """A metric in one arm.

    Args:
        value: the metric; NaN where the arm has no values.
        values: a number for each unit, whose mean is the metric; a plain quantile is that of them.
        units: which unit each is of.
        records: how many values there were.
        is_plain: whether each unit has one value that stands for itself only, so that `values` are those.
    """

    value: float
    values: Numbers
    units: Codes
    records: int
    is_plain: bool

    def __len__(self) -> int:
        return len(self.values)

    @property
    def variance(self) -> float:
        """The squared standard error of the metric; NaN of fewer than two units."""
        return float(np.var(self.values, ddof=1)) / len(self) if len(self) > 1 else float("nan")

    @property
    def influence(self) -> Numbers:
        """What each unit adds to the metric's error."""
        return (self.values - self.value) / max(1, len(self))


@dataclass(frozen=True)
class Rows:
    """Values of a metric with what is known of each.

    Args:
        metric: the metric.
        row: the exposure of each.
        arm: its arm.
        unit: its unit.
        value: the values.
        divisor: what their sum is divided by the sum of.
        weight: how many each stands for.
    """

    metric: Metric
    row: Codes
    arm: Codes
    unit: Codes
    value: Numbers
    divisor: Numbers
    weight: Numbers

    @classmethod
    def of(cls, observations: Observations, outcome: Outcome) -> "Rows":
        """Those of the units that had one variant only."""
        unit = observations.unit.codes[outcome.row]
        arm = observations.unit_arm[unit]
        every = cls(
            outcome.metric,
            outcome.row,
            arm,
            unit,
            outcome.value,
            outcome.divisor,
            observations.weight[outcome.row],
        )
        return every.only(arm != NONE)

    def only(self, flags: Flags) -> "Rows":
        """Some of them."""
        codes = (self.row[flags], self.arm[flags], self.unit[flags])
        return Rows(self.metric, *codes, self.value[flags], self.divisor[flags], self.weight[flags])

    def linear(self, arm: int) -> Sample:
        """Those of one arm, by unit, of a quantile too as numbers whose mean it is."""
        rows = self.only(self.arm == arm)
        if rows.metric.quantile is None:
            return self.sample(arm)
        units, place = _places(rows.unit)
        return rows._quantile(rows.metric.quantile, units, place, is_plain=False)  # noqa: SLF001 - of the same class

    def sample(self, arm: int) -> Sample:
        """Those of one arm, by unit."""
        rows = self.only(self.arm == arm)
        units, place = _places(rows.unit)
        if rows.metric.statistic == "any":
            had = np.zeros(len(units))
            np.maximum.at(had, place, (rows.value > 0).astype(np.float64))
            return Sample(_mean(had), had, units, len(place), is_plain=True)
        is_plain = len(units) == len(place) and bool((rows.weight == 1).all())
        if rows.metric.quantile is not None:
            return rows._quantile(rows.metric.quantile, units, place, is_plain=is_plain)  # noqa: SLF001 - of the same class
        if is_plain and rows.metric.divisor is None:
            return Sample(_mean(rows.value), rows.value, rows.unit, len(place), is_plain=True)
        totals = _sums(place, rows.weight * rows.value, len(units))
        return _linear(totals, _sums(place, rows.weight * rows.divisor, len(units)), units, len(place))

    def _quantile(self, q: float, units: Codes, place: Codes, *, is_plain: bool) -> Sample:
        if not len(units):
            return Sample(float("nan"), self.value, units, 0, is_plain=True)
        if is_plain:
            return Sample(float(np.quantile(self.value, q)), self.value, self.unit, len(place), is_plain=True)
        at = _weighted_quantiles(self.value, self.weight, np.array([q]))[0]
        above = _sums(place, self.weight * (self.value > at), len(units))
        shares = _linear(above, _sums(place, self.weight, len(units)), units, len(place))
        error = np.sqrt(shares.variance) if len(units) > 1 else 0.0
        ends = np.clip(np.array([q - Z_95 * error, q + Z_95 * error]), 0, 1)
        low, high = _weighted_quantiles(self.value, self.weight, ends)
        slope = (high - low) / (ends[1] - ends[0]) if ends[1] > ends[0] else 0.0
        return Sample(float(at), at + slope * (shares.values - shares.value), units, len(place), is_plain=False)

    @property
    def as_means(self) -> "Rows":
        """The same question about a mean: of a quantile how many values lie beyond that of both arms together."""
        if self.metric.quantile is None or not len(self.value):
            return self
        at = _weighted_quantiles(self.value, self.weight, np.array([self.metric.quantile]))[0]
        shares = replace(self.metric, statistic="rate")
        return replace(self, metric=shares, value=(self.value > at).astype(np.float64))


def _mean(values: Numbers) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _places(unit: Codes) -> tuple[Codes, Codes]:
    """The units that occur, ascending, and the place of each element's among them; codes are dense, so by counting."""
    occurs = np.bincount(unit) > 0
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[unit]


def _sums(place: Codes, values: Numbers, size: int) -> Numbers:
    """The sum of the values at each of so many places."""
    return np.asarray(np.bincount(place, values, size), np.float64)


def _linear(totals: Numbers, counts: Numbers, units: Codes, records: int) -> Sample:
    """A ratio of sums over units as a mean over them."""
    whole = float(counts.sum())
    if not whole:
        return Sample(float("nan"), np.zeros(0), units[:0], records, is_plain=False)
    ratio = float(totals.sum()) / whole
    return Sample(ratio, ratio + (totals - ratio * counts) * len(units) / whole, units, records, is_plain=False)


def _weighted_quantiles(values: Numbers, weight: Numbers, shares: Numbers) -> Numbers:
    """The least values up to which these shares of the weight lie."""
    order = np.argsort(values)
    reached = np.cumsum(weight[order])
    wanted: list[float] = (shares * reached[-1] * (1 - 1e-12)).tolist()
    places = [min(int(np.searchsorted(reached, share)), len(values) - 1) for share in wanted]
    return np.asarray(values[order][places], np.float64)
