"""Two cohorts and one number of theirs, compared by order: no assumption on how the numbers are distributed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special

from infersight_analysis.stats.normal import Z_95, two_sided

Numbers = npt.NDArray[np.float64]

_KS_COVERAGE: Final = float(np.sqrt(np.log(2 / 0.025) / 2))
"""Massart's constant for bands that hold one distribution function with 97.5 %, so that two are held with 95 %."""


@dataclass(frozen=True)
class Cut:
    """The value at which two cohorts differ most: the shares of each that lie on its side.

    Args:
        value: the bound, which belongs to the side.
        above: whether the side is that of larger values.
        target: share of the target on that side, the larger one.
        baseline: the same of the baseline.
    """

    value: float
    above: bool
    target: float
    baseline: float


class TwoSamples:
    """Two samples of numbers.

    Args:
        target: at least one number, none of them NaN.
        baseline: the same of the baseline.
    """

    def __init__(self, target: Numbers, baseline: Numbers) -> None:
        self._target: Final = np.sort(target)
        self._baseline: Final = np.sort(baseline)
        # Of each number of the target: how many of the baseline are smaller, and how many are not larger.
        self._smaller: Final = np.searchsorted(self._baseline, self._target, "left")
        self._not_larger: Final = np.searchsorted(self._baseline, self._target, "right")

    @cached_property
    def delta(self) -> float:
        """Cliff's delta: how much likelier a number of the target is larger than one of the baseline than smaller."""
        return float((self._smaller + self._not_larger).mean() / len(self._baseline) - 1)

    @cached_property
    def deviate(self) -> float:
        """The Mann-Whitney statistic as a normal deviate, corrected for ties and continuity; of delta's sign."""
        n, m = len(self._target), len(self._baseline)
        together = np.sort(np.concatenate([self._target, self._baseline]))
        ends = np.flatnonzero(np.append(together[1:] != together[:-1], True))
        ties = np.diff(ends, prepend=-1).astype(np.float64)
        variance = n * m / 12 * (n + m + 1 - float((ties**3 - ties).sum()) / ((n + m) * (n + m - 1)))
        distance = max(0.0, abs(self.delta) * n * m / 2 - 0.5)
        return float(np.copysign(distance / np.sqrt(variance), self.delta)) if variance > 0 else 0.0

    @property
    def p_value(self) -> float:
        """Two-sided, of the Mann-Whitney test, whose statistic counts as normal."""
        return float(two_sided(np.array([self.deviate]))[0])

    def delta_interval(self) -> tuple[float, float]:
        """A 95 % interval of delta.

        Its variance is that of DeLong et al. (Biometrics 44, 1988); its ends are Cliff's asymmetric ones (Ordinal
        Methods, 1996, equation 5.12), which stay within -1 and 1 and do not shrink to nothing at them.
        """
        n, m, delta = len(self._target), len(self._baseline), self.delta
        if n < 2 or m < 2:
            return -1.0, 1.0
        if abs(delta) == 1:
            least = (min(n, m) - Z_95**2) / (min(n, m) + Z_95**2)
            return (least, 1.0) if delta > 0 else (-1.0, -least)
        above = np.searchsorted(self._target, self._baseline, "left") + np.searchsorted(
            self._target, self._baseline, "right"
        )
        of_target = (self._smaller + self._not_larger) / m - 1
        of_baseline = 1 - above / n
        variance = float(of_target.var(ddof=1) / n + of_baseline.var(ddof=1) / m)
        centre = delta - delta**3
        width = Z_95 * np.sqrt(variance) * np.sqrt((1 - delta**2) ** 2 + Z_95**2 * variance)
        scale = 1 - delta**2 + Z_95**2 * variance
        return max(-1.0, float((centre - width) / scale)), min(1.0, float((centre + width) / scale))

    @cached_property
    def distance(self) -> float:
        """The Kolmogorov-Smirnov statistic: the largest distance of the two distribution functions."""
        return float(max(self._gap_above().max(), self._gap_below().max(), 0.0))

    @property
    def distance_p_value(self) -> float:
        """Two-sided, by the limiting distribution with Stephens' correction; too large where there are ties."""
        effective = len(self._target) * len(self._baseline) / (len(self._target) + len(self._baseline))
        root = np.sqrt(effective)
        kolmogorov: Any = special.kolmogorov
        return float(kolmogorov((root + 0.12 + 0.11 / root) * self.distance))

    def distance_interval(self) -> tuple[float, float]:
        """A 95 % interval of the distance, wide: from the bands of Dvoretzky, Kiefer, Wolfowitz and Massart."""
        width = _KS_COVERAGE * (len(self._target) ** -0.5 + len(self._baseline) ** -0.5)
        return max(0.0, self.distance - width), min(1.0, self.distance + width)

    @property
    def medians(self) -> tuple[float, float]:
        """The medians of target and baseline."""
        return float(np.median(self._target)), float(np.median(self._baseline))

    @cached_property
    def cut(self) -> Cut:
        """Where they differ most, on the side where the target has more."""
        above, below = self._gap_above(), self._gap_below()
        n, m = len(self._target), len(self._baseline)
        if above.max() >= below.max():
            at = int(above.argmax())
            value = self._target[at]
            first = int(np.searchsorted(self._target, value, "left"))
            return Cut(float(value), True, 1 - first / n, 1 - int(self._smaller[at]) / m)
        at = int(below.argmax())
        value = self._target[at]
        last = int(np.searchsorted(self._target, value, "right"))
        return Cut(float(value), False, last / n, int(self._not_larger[at]) / m)

    def _gap_above(self) -> Numbers:
        """At each number of the target, how much more of the target than of the baseline is at least that."""
        gaps: Numbers = self._smaller / len(self._baseline) - self._first / len(self._target)
        return gaps

    def _gap_below(self) -> Numbers:
        """The same of what is at most that."""
        gaps: Numbers = self._last / len(self._target) - self._not_larger / len(self._baseline)
        return gaps

    @cached_property
    def _first(self) -> npt.NDArray[np.int64]:
        return np.searchsorted(self._target, self._target, "left")

    @cached_property
    def _last(self) -> npt.NDArray[np.int64]:
        return np.searchsorted(self._target, self._target, "right")
