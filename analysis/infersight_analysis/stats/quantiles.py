"""Quantiles of two arms of numbers, such as the 99th percentile of their latencies, by order and nothing else."""

from math import hypot, inf, nan
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from infersight_analysis.stats.estimate import Estimate

Numbers = npt.NDArray[np.float64]

_special: Any = special  # scipy publishes no types

_BISECTIONS: Final = 30
"""To one part in a thousand million of a rank."""


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
    arms = np.sort(a), np.sort(b)
    value = float(np.quantile(arms[1], q) - np.quantile(arms[0], q))
    low, high = _ends(*arms, q, (1 - confidence) / 2)
    p_value = _p_value(*arms, q) if value else 1.0
    return Estimate(value, low, high, p_value, "fractional order statistics of both arms, squared and added")


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
    return _interval(np.sort(values), q, (1 - confidence) / 2)


def check_quantile(q: float) -> None:
    """Raises: ValueError: unless q is more than 0 and less than 1."""
    if not 0 < q < 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {q}")


def _interval(ordered: Numbers, q: float, tail: float) -> tuple[float, float]:
    """Of numbers in ascending order, with a probability to lie beyond each end."""
    size = len(ordered)
    near, far = np.zeros(2), np.full(2, size + 1.0)
    for _ in range(_BISECTIONS):
        low, high = (near + far) / 2
        # The number at a rank is below the quantile with a probability of 1 - tail, and with one of tail.
        below = _special.betainc([size + 1 - low, high], [low, size + 1 - high], [1 - q, q])
        moves_up = (below < tail) == [True, False]
        near, far = np.where(moves_up, [low, high], near), np.where(moves_up, far, [low, high])
    ends = np.interp(near, np.arange(1, size + 1), ordered, left=-inf, right=inf)
    return float(ends[0]), float(ends[1])


def _ends(a: Numbers, b: Numbers, q: float, tail: float) -> tuple[float, float]:
    """Of the difference."""
    (low_a, high_a), (low_b, high_b) = _interval(a, q, tail), _interval(b, q, tail)
    at_a, at_b = float(np.quantile(a, q)), float(np.quantile(b, q))
    low = at_b - at_a - hypot(max(0.0, at_b - low_b), max(0.0, high_a - at_a))
    return low, at_b - at_a + hypot(max(0.0, high_b - at_b), max(0.0, at_a - low_a))


def _p_value(a: Numbers, b: Numbers, q: float) -> float:
    """The smallest level at which the interval leaves out no difference, found on the scale of normal deviates."""
    near, far = 0.0, 38.0
    for _ in range(_BISECTIONS):
        z = (near + far) / 2
        low, high = _ends(a, b, q, float(_special.ndtr(-z)))
        near, far = (near, z) if low <= 0 <= high else (z, far)
    return 2 * float(_special.ndtr(-far))
