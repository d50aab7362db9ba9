"""Statistics by order: a value's place among others."""

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
