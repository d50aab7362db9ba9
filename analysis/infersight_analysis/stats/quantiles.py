"""Quantiles of two arms of numbers, such as the 99th percentile of their latencies, by order and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import hypot, inf, nan
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from infersight_analysis.stats.estimate import Estimate

Numbers = npt.NDArray[np.float64]

_special: Any = special  # scipy publishes no types

_BISECTIONS: Final = 28


def difference(a: Numbers, b: Numbers, q: float, confidence: float = 0.95) -> Estimate:
    """The q quantile of B less that of A.

    Its interval squares and adds the distances to the ends of both arms' own intervals (Zou and Donner, Statistics in
    Medicine 27, 2008), as Newcombe's does for shares; those are `interval`. The p value is the level at which it would
    end at 0. No density is estimated and nothing resampled. Right for one look at data of a size that was set before;
    `sequential` is for looking again and again.

    Args:
        a: the numbers of A in any order, none of them NaN.
        b: those of B.
        q: which quantile, more than 0 and less than 1.
        confidence: of the interval.

    Returns:
        an estimate with infinite ends where an arm is too small to know: the 99th percentile of 100 numbers has no
        upper end, for it may lie beyond all of them.

    Raises:
        ValueError: if there is no such quantile.
    """
    check_quantile(q)
    if not min(len(a), len(b)):
        return Estimate(nan, -inf, inf, None, "unknown: an arm is empty")
    of = _Difference(np.sort(a), np.sort(b), q)
    method = "fractional order statistics of both arms, squared and added"
    return Estimate(of.value, *of.ends((1 - confidence) / 2), of.p_value(), method)


def interval(values: Numbers, q: float, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of the q quantile of one arm.

    By fractional order statistics (Hutson, Journal of Applied Statistics 26, 1999): the binomial interval of ranks,
    between ranks interpolated.

    Args:
        values: the numbers in any order, none of them NaN.
        q: which quantile, more than 0 and less than 1.
        confidence: of the interval.

    Returns:
        the ends, infinite where there are too few numbers.

    Raises:
        ValueError: if there is no such quantile.
    """
    check_quantile(q)
    ordered = np.sort(values)
    (low,), (high,) = _ranks([len(values)], q, (1 - confidence) / 2).tolist()
    return _at(ordered, low), _at(ordered, high)


def check_quantile(q: float) -> None:
    """Raises: ValueError: unless q is more than 0 and less than 1."""
    if not 0 < q < 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {q}")


def _ranks(sizes: Sequence[int], q: float, tail: float) -> Numbers:
    """Fractional ranks between which the quantile lies, with a probability to lie beyond each of them.

    Returns:
        a low and a high rank for each size, of shape (2, sizes).
    """
    n = np.array([sizes, sizes], np.float64)
    near, far = np.zeros(n.shape), n + 1
    is_low = np.array([[True], [False]])
    for _ in range(_BISECTIONS):
        ranks = (near + far) / 2
        rest = n + 1 - ranks
        # The number at a rank is below the quantile with a probability of 1 - tail, and with one of tail.
        beyond = _special.betainc(np.where(is_low, rest, ranks), np.where(is_low, ranks, rest), [[1 - q], [q]]) < tail
        near, far = np.where(beyond == is_low, ranks, near), np.where(beyond == is_low, far, ranks)
    return near


def _at(ordered: Numbers, rank: float) -> float:
    """The number at a fractional rank, the smallest being at 1; infinite where there is none."""
    below = int(rank)
    if rank < 1:
        return -inf
    if rank > len(ordered):
        return inf
    following = ordered[min(below, len(ordered) - 1)]
    return float(ordered[below - 1] + (rank - below) * (following - ordered[below - 1]))


@dataclass(frozen=True)
class _Difference:
    """Of the quantiles of two arms in ascending order."""

    a: Numbers
    b: Numbers
    q: float

    @cached_property
    def quantiles(self) -> tuple[float, float]:
        return float(np.quantile(self.a, self.q)), float(np.quantile(self.b, self.q))

    @property
    def value(self) -> float:
        return self.quantiles[1] - self.quantiles[0]

    def ends(self, tail: float) -> tuple[float, float]:
        (low_a, low_b), (high_a, high_b) = _ranks((len(self.a), len(self.b)), self.q, tail).tolist()
        at_a, at_b = self.quantiles
        down = max(0.0, at_b - _at(self.b, low_b)), max(0.0, _at(self.a, high_a) - at_a)
        up = max(0.0, _at(self.b, high_b) - at_b), max(0.0, at_a - _at(self.a, low_a))
        return self.value - hypot(*down), self.value + hypot(*up)

    def p_value(self) -> float:
        """The smallest level at which the interval leaves out no difference, found on the scale of normal deviates."""
        if self.value == 0:
            return 1.0
        near, far = 0.0, 38.0
        for _ in range(_BISECTIONS):
            z = (near + far) / 2
            low, high = self.ends(float(_special.ndtr(-z)))
            near, far = (near, z) if low <= 0 <= high else (z, far)
        return 2 * float(_special.ndtr(-far))
