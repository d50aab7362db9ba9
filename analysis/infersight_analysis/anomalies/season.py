"""What the same time of earlier days was like, for series in which that tells more than the last hours do."""

import warnings
from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DAYS: Final = 5
"""Earlier days that are compared with."""

SMOOTHED: Final = 5
"""Points that are averaged before they are compared: what happens at a time of day moves a little."""

LEAST_SEASONS: Final = 3
"""Seasons that a profile is made of, at least."""

_BETTER: Final = 0.8
"""A season is there when its mean absolute error is at most this part of what medians of the recent past leave."""


class Season:
    """A season of known length in many series: whether it is there, and how far a series is from it.

    The forecast is the median of the same time of the last `DAYS` seasons (a seasonal naive forecast, Hyndman and
    Athanasopoulos, Forecasting, 5.2, made robust); it counts once it has been better than both other forecasts.

    Args:
        series: how many.
        period: points of a season.
    """

    def __init__(self, series: int, period: int) -> None:
        self.period: Final = period
        self._errors: Final = np.zeros((3, series))  # of the season, and of the two medians

    def deviations(
        self, smooth: Numbers, medians: tuple[Numbers, Numbers], ages: npt.NDArray[np.int64], valid: Flags
    ) -> tuple[Numbers, Flags, Flags]:
        """How far each point is from its season.

        Args:
            smooth: moving means, series x (`DAYS` seasons before, and the times).
            medians: of the recent past before each point, short and long, series x times.
            ages: how many points after the series' first each point is.
            valid: which points are none of a gap.

        Returns:
            the deviations, which of them are known, and at which of these the season is there.
        """
        times = ages.shape[1]
        now = smooth[:, -times:]
        before = np.stack([self._earlier(smooth, ages, lag * self.period) for lag in range(1, DAYS + 1)])
        before.sort(axis=0)  # days that are not known come last
        days = np.minimum(ages // self.period, DAYS)
        middle = np.stack([(np.maximum(days, 1) - 1) // 2, np.maximum(days, 1) // 2])
        deviations = now - np.take_along_axis(before, middle, axis=0).mean(axis=0)
        known = valid & (days >= 1)
        deviations = np.where(known, deviations, 0.0)
        errors = np.stack([np.abs(deviations), *(np.abs(now - median) for median in medians)]) * known
        sums = self._errors[:, :, None] + np.cumsum(errors, axis=2)
        sums_before = np.concatenate([self._errors[:, :, None], sums[:, :, :-1]], axis=2)
        self._errors[:] = sums[:, :, -1]
        return deviations, known, known & (sums_before[0] < _BETTER * sums_before[1:].min(axis=0))

    @staticmethod
    def _earlier(smooth: Numbers, ages: npt.NDArray[np.int64], lag: int) -> Numbers:
        """What was so many points before each, infinite before the series began."""
        first = smooth.shape[1] - ages.shape[1] - lag
        return np.where(ages >= lag, smooth[:, first : first + ages.shape[1]], np.inf)


def without_season(values: Numbers, period: int) -> Numbers:
    """One series without its season, where one is there: each value less the median of its time of day, on average 0.

    Args:
        values: in the order of time; NaN is a gap.
        period: points of a season; three are needed.
    """
    seasons = len(values) // period
    if seasons < LEAST_SEASONS:
        return values
    padded = np.append(values, np.full(-len(values) % period, np.nan)).reshape(-1, period)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a time of day without any value
        profile = np.nanmedian(padded, axis=0)
        middle = np.nanmedian(values)
    adjusted = values - np.tile(profile - middle, len(padded))[: len(values)]
    is_there = np.nanmean(np.abs(adjusted - middle)) < _BETTER * np.nanmean(np.abs(values - middle))
    return adjusted if is_there and not np.isnan(profile).any() else values
