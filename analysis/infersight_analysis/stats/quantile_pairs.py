"""Differences of two quantiles that the ranks of two samples leave possible.

How well a number x serves as the quantile of an arm is told by how many of the arm are no larger. A difference d of two
quantiles is as good as the best x for A beside x + d for B, so it is a matter of going through pairs of ranks.
"""

from math import inf, nan

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


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
