"""Two cohorts and one number of theirs, compared by order: no assumption on how the numbers are distributed."""

from dataclasses import dataclass
from functools import cached_property
from math import exp, pi, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.stats.normal import Z_95, two_sided

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_BAND: Final = float(np.sqrt(np.log(2 / 0.025) / 2))
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
        values: the distinct numbers of both, ascending.
        target: how often each of them occurs in the target.
        baseline: how often in the baseline; both occur at all.
    """

    def __init__(self, values: Numbers, target: Counts, baseline: Counts) -> None:
        self._values: Final = values
        self._target: Final = target
        self._baseline: Final = baseline
        self._target_to: Final = np.cumsum(target)  # up to each value, it included
        self._baseline_to: Final = np.cumsum(baseline)
        self.sizes: Final = int(self._target_to[-1]), int(self._baseline_to[-1])

    @classmethod
    def of(cls, target: Numbers, baseline: Numbers) -> "TwoSamples":
        """Of the numbers one by one, none of them NaN."""
        together = np.sort(np.concatenate([target, baseline]))
        ends = np.flatnonzero(np.append(together[1:] != together[:-1], True))
        values = together[ends]
        target_to = np.searchsorted(np.sort(target), values, "right")
        of_target = np.diff(target_to, prepend=0)
        return cls(values, of_target, np.diff(ends, prepend=-1) - of_target)

    @cached_property
    def delta(self) -> float:
        """Cliff's delta: how much likelier a number of the target is larger than one of the baseline than smaller."""
        n, m = self.sizes
        return float(self._target @ self._baseline_below / (n * m))

    @cached_property
    def deviate(self) -> float:
        """The Mann-Whitney statistic as a normal deviate, corrected for ties and continuity; of delta's sign."""
        n, m = self.sizes
        ties = (self._target + self._baseline).astype(np.float64)
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
        n, m = self.sizes
        delta = self.delta
        if min(n, m) < 2:
            return -1.0, 1.0
        if abs(delta) > 1 - 1e-12:
            least = (min(n, m) - Z_95**2) / (min(n, m) + Z_95**2)
            return (least, 1.0) if delta > 0 else (-1.0, -least)
        of_target = self._baseline_below / m - delta
        of_baseline = (n - self._target_to - (self._target_to - self._target)) / n - delta
        variance = float(self._target @ of_target**2 / (n - 1) / n + self._baseline @ of_baseline**2 / (m - 1) / m)
        centre = delta - delta**3
        width = Z_95 * np.sqrt(variance) * np.sqrt((1 - delta**2) ** 2 + Z_95**2 * variance)
        scale = 1 - delta**2 + Z_95**2 * variance
        return max(-1.0, float((centre - width) / scale)), min(1.0, float((centre + width) / scale))

    @property
    def distance(self) -> float:
        """The Kolmogorov-Smirnov statistic: the largest distance of the two distribution functions."""
        return float(np.abs(self._gaps).max())

    @property
    def distance_p_value(self) -> float:
        """Two-sided, by the limiting distribution with Stephens' correction; too large where there are ties."""
        n, m = self.sizes
        root = np.sqrt(n * m / (n + m))
        return _kolmogorov(float((root + 0.12 + 0.11 / root) * self.distance))

    def distance_interval(self) -> tuple[float, float]:
        """A 95 % interval of the distance, wide: from the bands of Dvoretzky, Kiefer, Wolfowitz and Massart."""
        width = _BAND * sum(size**-0.5 for size in self.sizes)
        return max(0.0, self.distance - width), min(1.0, self.distance + width)

    @property
    def medians(self) -> tuple[float, float]:
        """The medians of target and baseline."""
        return self._median(self._target_to), self._median(self._baseline_to)

    @cached_property
    def cut(self) -> Cut:
        """Where they differ most, on the side where the target has more."""
        n, m = self.sizes
        if -self._gaps.min() >= self._gaps.max():
            at = int(self._gaps.argmin())  # more of the target is above this value
            shares = 1 - self._target_to[at] / n, 1 - self._baseline_to[at] / m
            following = min(at + 1, len(self._values) - 1)
            return Cut(float(self._values[following]), True, float(shares[0]), float(shares[1]))
        at = int(self._gaps.argmax())
        return Cut(float(self._values[at]), False, float(self._target_to[at] / n), float(self._baseline_to[at] / m))

    @property
    def _baseline_below(self) -> Counts:
        """At each value, how many of the baseline are smaller less how many are larger."""
        return 2 * self._baseline_to - self._baseline - self.sizes[1]

    @cached_property
    def _gaps(self) -> Numbers:
        """Up to each value, how much more of the target than of the baseline there is."""
        n, m = self.sizes
        gaps: Numbers = self._target_to / n - self._baseline_to / m
        return gaps

    def _median(self, up_to: Counts) -> float:
        size = int(up_to[-1])
        places = np.searchsorted(up_to, [(size - 1) // 2, size // 2], "right")
        return float(self._values[places].mean())


def _kolmogorov(distance: float) -> float:
    """The probability that the scaled distance is larger, in the limit (Kolmogorov, 1933).

    By the series that converges the faster: far out the alternating one, near 0 that of Jacobi's theta function.
    """
    if distance < 0.2:
        return 1.0  # but for less than 1e-12
    if distance < 1:
        terms = (exp(-((2 * term - 1) ** 2) * pi**2 / (8 * distance**2)) for term in range(1, 5))
        return 1 - sqrt(2 * pi) / distance * sum(terms)
    return 2 * sum(sign * exp(-2 * (term * distance) ** 2) for term, sign in enumerate((1, -1, 1, -1, 1), start=1))
