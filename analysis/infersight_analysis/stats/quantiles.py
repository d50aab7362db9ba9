"""Quantiles of two arms of numbers, such as the 99th percentile of their latencies, by order and nothing else.

No density is estimated and no resampling done. How well a number x serves as the q quantile of an arm is told by how
many of the arm are no larger: that count is binomial. A difference d of two quantiles is as good as the best x for A
beside x + d for B, so an interval is a matter of going through pairs of ranks.
"""

from math import inf, log, nan
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special  # pyright: ignore[reportMissingTypeStubs]

from infersight_analysis.stats.estimate import Estimate
from infersight_analysis.stats.normal import two_sided, z_of

Numbers = npt.NDArray[np.float64]

_special: Any = special  # scipy publishes no types


def difference(a: Numbers, b: Numbers, q: float, confidence: float = 0.95) -> Estimate:
    """The q quantile of B less that of A.

    By the empirical likelihood of both (Owen, Biometrika 75, 1988), whose ratio has a chi-square distribution: the
    interval holds the differences that its test does not reject. Right for one look at data of a size that was set
    before; `sequential` is for looking again and again.

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
    limit = z_of(confidence) ** 2
    costs = deviances(len(a), q), deviances(len(b), q)
    value, low, high, least = compare(np.sort(a), np.sort(b), q, costs, limit)
    if not min(len(a), len(b)):
        return Estimate(value, low, high, None, "unknown: an arm is empty")
    p_value = float(two_sided(np.sqrt(np.array([least])))[0])
    return Estimate(value, low, high, p_value, "empirical likelihood of quantiles")


def check_quantile(q: float) -> None:
    """Raises: ValueError: unless q is more than 0 and less than 1."""
    if not 0 < q < 1:
        raise ValueError(f"a quantile lies between 0 and 1, not at {q}")


def deviances(size: int, q: float) -> Numbers:
    """What it costs, as a likelihood-ratio statistic, that 0, 1, ... `size` of an arm are no larger than its quantile.

    Compared with the best of these counts: an arm too small to reach its quantile speaks for no difference then.
    """
    below = np.arange(size + 1, dtype=np.float64)
    above = size - below
    found = 2 * (
        _special.xlogy(below, below / max(size, 1))
        + _special.xlogy(above, above / max(size, 1))
        - below * log(q)
        - above * log(1 - q)
    )
    return np.asarray(found - found.min(), np.float64)


def compare(
    a: Numbers, b: Numbers, q: float, costs: tuple[Numbers, Numbers], limit: float
) -> tuple[float, float, float, float]:
    """The difference of two quantiles, and what costs allow it to be.

    Args:
        a: the numbers of A, ascending.
        b: those of B.
        q: which quantile.
        costs: of A and of B, of a number being the quantile if 0, 1, ... all of them are no larger; convex.
        limit: what both may cost together, no less than the cheapest.

    Returns:
        the difference in the samples, the least and the largest one that is within the limit, and what no difference
        costs.
    """
    value = float(np.quantile(b, q) - np.quantile(a, q)) if len(a) and len(b) else nan
    low, high = _ends(_framed(a), _framed(b), costs, limit)
    return value, low, high, _cost_of_none(a, b, costs)


def _framed(ordered: Numbers) -> Numbers:
    """With bounds, so that i of the arm are no larger than what lies between elements i and i + 1."""
    return np.concatenate([[-inf], ordered, [inf]])


def _ends(a: Numbers, b: Numbers, costs: tuple[Numbers, Numbers], limit: float) -> tuple[float, float]:
    """For each place of the quantile of A, the places of that of B that the rest of the limit buys."""
    of_a, of_b = costs
    cheapest = int(of_b.argmin())
    places = np.flatnonzero(of_a + of_b[cheapest] <= limit)
    rest = limit - of_a[places]
    down, up = of_b[: cheapest + 1][::-1], of_b[cheapest:]  # both ascend
    first = cheapest + 1 - np.searchsorted(down, rest, "right")
    last = cheapest - 1 + np.searchsorted(up, rest, "right")
    return float((b[first] - a[places + 1]).min()), float((b[last + 1] - a[places]).max())


def _cost_of_none(a: Numbers, b: Numbers, costs: tuple[Numbers, Numbers]) -> float:
    """What the best common quantile costs; at a number of the samples, counts with and without it are as good."""
    places = np.unique(np.concatenate([a, b]))
    total = np.zeros(len(places))
    for ordered, cost in zip((a, b), costs, strict=True):
        below, up_to = np.searchsorted(ordered, places, "left"), np.searchsorted(ordered, places, "right")
        total += cost[np.clip(int(cost.argmin()), below, up_to)]
    return float(total.min()) if len(total) else 0.0
