"""Statistics by order: a value's place among others, and how two orders agree."""

from collections.abc import Sequence
from statistics import median
from typing import Final

_NORMAL_MAD: Final = 1.4826  # makes the median absolute deviation a standard deviation, for normal values
_NORMAL_MEAN_AD: Final = 1.2533  # the same for the mean absolute deviation


def percentile_of(value: float, others: Sequence[float]) -> float:
    """The percentage of the others that are smaller, an equal one counting half (the mid-rank percentile).

    Args:
        value: the value to place.
        others: at least one value to place it among.
    """
    smaller = sum(other < value for other in others)
    equal = sum(other == value for other in others)
    return 100.0 * (smaller + equal / 2) / len(others)


def quantile(values: Sequence[float], q: float) -> float:
    """The q-quantile with linear interpolation between neighbours (Hyndman and Fan's type 7, as numpy and DuckDB).

    Args:
        values: at least one value, in any order.
        q: from 0 to 1.
    """
    ordered = sorted(values)
    position = q * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def robust_deviation(value: float, history: Sequence[float]) -> float | None:
    """How many robust standard deviations a value is from the median of its history.

    The modified z-score of Iglewicz and Hoaglin (1993): by the median absolute deviation, by the mean absolute
    deviation where more than half of the history is equal. 0 for the constant itself, None for any departure from a
    history without deviation, which no number expresses.

    Args:
        value: the value to judge.
        history: at least one earlier value.
    """
    centre = median(history)
    distances = [abs(past - centre) for past in history]
    scale = _NORMAL_MAD * median(distances) or _NORMAL_MEAN_AD * sum(distances) / len(distances)
    if scale:
        return (value - centre) / scale
    return 0.0 if value == centre else None


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1 on; equal values share the mean of their ranks."""
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for position in range(first, last + 1):
            result[order[position]] = (first + last) / 2 + 1
        first = last + 1
    return result


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Spearman's rho, from -1 to 1; 0 where one side is constant.

    Args:
        left: values, paired by position with
        right: as many values.
    """
    a, b = ranks(left), ranks(right)
    mean = (len(a) + 1) / 2
    covariance = sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    spread = (sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b)) ** 0.5
    return covariance / spread if spread else 0.0
