"""Shares and quantiles of weighted requests, and how they differ, with intervals that hold at every look.

An interval holds the values that a score test does not reject: Wilson's (JASA 22, 1927) for a share, Woodruff's (JASA
47, 1952) for a quantile, which asks at which values the share of smaller ones could be the quantile's. With as many
standard errors as `stats.sequential` asks for they hold at all sample sizes at once, so it does not matter how often
one looks. Two of them make the interval of a difference as Newcombe does (Statistics in Medicine 17, 1998). Weighted
requests count as the number of equal weight that would vary as much.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import expm1, hypot, inf, log, nan, sqrt
from typing import Final

import numpy as np

from infersight_analysis.releases.requests import Flags, Numbers
from infersight_analysis.stats.sequential import standard_errors


@dataclass(frozen=True)
class Bounds:
    """A number with its interval, infinite on a side where nothing is known."""

    value: float
    low: float
    high: float

    def map(self, by: Callable[[float], float]) -> "Bounds":
        """The same on another scale, by a function that keeps the order."""
        return Bounds(by(self.value), by(self.low), by(self.high))

    @property
    def logarithm(self) -> "Bounds":
        """The same on a logarithmic scale."""
        return self.map(lambda number: log(number) if number > 0 else -inf)


def share(of: Flags, weights: Numbers, confidence: float) -> Bounds:
    """The weighted share of requests that have a property.

    Args:
        of: which have it.
        weights: of all.
        confidence: of the interval.
    """
    total = float(weights.sum())
    if total <= 0:
        return score(nan, 0.0, confidence)
    value = float(weights[of].sum()) / total
    variance = float((weights**2 * (of - value) ** 2).sum()) / total**2
    return score(value, value * (1 - value) / variance if variance > 0 else equal(weights), confidence)


def score(value: float, size: float, confidence: float) -> Bounds:
    """A share and its interval, from the size of the sample."""
    if size <= 0:
        return Bounds(nan, 0.0, 1.0)
    z2 = standard_errors(size, confidence) ** 2 / size
    centre, width = value + z2 / 2, sqrt(z2 * (value * (1 - value) + z2 / 4))
    low = 0.0 if value == 0 else max(0.0, (centre - width) / (1 + z2))
    high = 1.0 if value == 1 else min(1.0, (centre + width) / (1 + z2))
    return Bounds(value, low, high)


def mean(values: Numbers, confidence: float) -> Bounds:
    """The mean of readings that hardly depend on each other.

    Args:
        values: the readings.
        confidence: of the interval.
    """
    if len(values) < 2:
        return Bounds(float(values.mean()) if len(values) else nan, -inf, inf)
    return of_error(float(values.mean()), float(values.std(ddof=1)) / sqrt(len(values)), len(values), confidence)


def of_error(value: float, error: float, size: float, confidence: float) -> Bounds:
    """Bounds of a figure that is normal in the limit, from its standard error and the size of its sample."""
    width = standard_errors(size, confidence) * error
    return Bounds(value, value - width, value + width)


class Sorted:
    """Weighted numbers, sorted once for all of their quantiles.

    Args:
        values: the numbers.
        weights: how many each stands for, more than 0.
    """

    def __init__(self, values: Numbers, weights: Numbers) -> None:
        order = np.argsort(values, kind="stable")
        self._values: Final = values[order]
        self._weights: Final = weights[order]
        self.size: Final = equal(weights)

    def quantile(self, q: float, confidence: float) -> Bounds:
        """A quantile; without a bound on a side where too few are beyond it.

        Args:
            q: 0 to 1.
            confidence: of the interval.
        """
        if not len(self._values):
            return Bounds(nan, -inf, inf)
        width = standard_errors(self.size, confidence) * sqrt(q * (1 - q) / self.size)
        first = int(np.searchsorted(self._reached, q - width, "left")) if q > width else -1
        last = int(np.searchsorted(self._reached, q + width, "right"))
        return Bounds(
            self._interpolated(q),
            float(self._values[first]) if first >= 0 else -inf,
            float(self._values[last]) if last < len(self._values) else inf,
        )

    @cached_property
    def _reached(self) -> Numbers:
        weights = np.cumsum(self._weights)
        reached: Numbers = weights / weights[-1]
        return reached

    def _interpolated(self, q: float) -> float:
        """Between the middles of the weights of two neighbours."""
        return float(np.interp(q, self._reached - self._weights / self._weights.sum() / 2, self._values))


def less(a: Bounds, b: Bounds) -> Bounds:
    """B less A, by Newcombe's method from the intervals of both, which are independent."""
    low = b.value - a.value - hypot(b.value - b.low, a.high - a.value)
    high = b.value - a.value + hypot(b.high - b.value, a.value - a.low)
    return Bounds(b.value - a.value, low, high)


def growth(a: Bounds, b: Bounds) -> Bounds:
    """How much larger B is than A, as a share of A: 0.25 for a quarter more; both are positive."""
    return less(a.logarithm, b.logarithm).map(lambda number: expm1(number) if number > -inf else -inf)


def equal(weights: Numbers) -> float:
    """How many of equal weight vary as much (Kish, Survey Sampling, 1965)."""
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0
