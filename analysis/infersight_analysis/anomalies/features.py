# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# scipy publishes no types.
"""What of a series is watched: numbers made of each point and those before it, which are extreme when it is unusual."""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy import ndimage

Numbers = npt.NDArray[np.float64]


def odd(length: float) -> int:
    """A length as an odd number of points, 3 at least: such a window has a middle."""
    return max(3, int(length) // 2 * 2 + 1)


def medians_before(values: Numbers, length: int) -> Numbers:
    """Of each point from the `length`-th on, the median of so many before it; series x times, an odd length."""
    found = np.empty((values.shape[0], values.shape[1] - length))
    for row, series in enumerate(values):
        found[row] = ndimage.median_filter(series, length)[length // 2 : -(length // 2) - 1]
    return found


def means_to(values: Numbers, length: int) -> Numbers:
    """Of each point from the `length`-th on, the mean of so many up to it, itself included."""
    means: Numbers = sliding_window_view(values, length, axis=1).mean(axis=-1)
    return means


def carried(values: Numbers) -> Numbers:
    """Each gap with the number before it; what is before the first number stays NaN."""
    every: npt.NDArray[np.int64] = np.arange(values.shape[1])
    places = np.maximum.accumulate(np.where(np.isnan(values), 0, every), axis=1)
    return np.take_along_axis(values, places, axis=1)


def begun_with_first(values: Numbers) -> Numbers:
    """What is before the first number as that number, 0 where there is none at all."""
    first = np.argmax(~np.isnan(values), axis=1)
    return np.nan_to_num(np.where(np.isnan(values), np.take_along_axis(values, first[:, None], axis=1), values))
