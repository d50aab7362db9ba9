# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# (NumPy leaves the result of some functions open)
"""Anomalies of many series as they come: each point is judged by those before it, and by nothing else."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.anomalies.features import begun_with_first, carried, means_to, medians_before, odd
from infersight_analysis.anomalies.season import DAYS, SMOOTHED, Season
from infersight_analysis.anomalies.tails import UpperTails

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

KINDS: Final = ("spike", "dip", "rise", "fall", "silence", "above its season", "below its season")
"""What a point can be unusual by, in the order of the tails that are kept."""

FALSE_ALARMS: Final = 1e-3
"""Probability of an alarm at a point of which nothing is wrong, by default."""

_SMOOTH: Final = 40
_LOCAL: Final = 8
REST: Final = 5
"""The warm-up divided by these is the length of means, of medians, and of the silence after an alarm."""

_POINT: Final = 1.5
"""A point that is far off moves the mean, too: it is named after itself unless the mean is so much more surprising."""

_RUNS: Final = 2.0 ** np.arange(40)
"""Lengths at which silence is judged: it is said again when it has doubled."""


@dataclass(frozen=True)
class Judgement:
    """What was found at points; arrays are series x times.

    Args:
        surprise: -log10 of the probability that a point is as unusual as this one, all that is watched together.
        kind: place in `KINDS` of what is most unusual.
        alarms: where something begins that is less probable than was asked for.
    """

    surprise: Numbers
    kind: npt.NDArray[np.int64]
    alarms: Flags


class Detector:
    """Watches many series of one step, a row each.

    Of each point three numbers are watched: its distance from the median of the recent past (a spike), the mean of the
    last few points (a level, or a trend), and for how long the series has not been above the median of its past
    (silence); where a season is there, also the distance from it. Each is judged by the upper and lower tails of its
    own past, and the least probable one counts (by Bonferroni, for there are seven tails).

    After an alarm a series is silent for a fifth of the warm-up, while what is new becomes part of its past.

    Args:
        series: how many.
        warm_up: points of a series that are only learnt, at least 40.
        false_alarms: probability of an alarm at a point of which nothing is wrong.
        period: points of a season that may be there, such as a day.
    """

    def __init__(
        self, series: int, *, warm_up: int, false_alarms: float = FALSE_ALARMS, period: int | None = None
    ) -> None:
        self.warm_up: Final = warm_up
        self.level: Final = float(-np.log10(false_alarms))
        self._local: Final = odd(warm_up / _LOCAL)
        self._long: Final = odd(warm_up)
        self._smooth: Final = max(3, warm_up // _SMOOTH)
        self._season: Final = None if period is None else Season(series, period)
        reach = max(self._long, 0 if period is None else DAYS * period + SMOOTHED)
        self._history: Numbers = np.full((series, reach), np.nan)
        self._age: Final = np.full(series, -1)  # of the last point, after the first one of the series
        self._seen: Final = np.zeros(series, np.int64)
        self._quiet: Final = np.zeros(series, np.int64)
        self._rested: Final = np.zeros(series, np.int64)  # the age from which on there may be an alarm
        self._tails: Final = UpperTails(len(KINDS) * series)

    def update(self, values: Numbers) -> Judgement:
        """Judge the next points, then learn them.

        Args:
            values: series x times; NaN is a gap, which is neither judged nor learnt.
        """
        together = carried(np.concatenate([self._history, values], axis=1))
        self._history = together[:, values.shape[1] :]
        valid = ~np.isnan(values)
        begun = np.maximum.accumulate(valid, axis=1) | (self._age >= 0)[:, None]
        ages = self._age[:, None] + np.cumsum(begun, axis=1)
        self._age[:] = ages[:, -1]
        seen = self._seen[:, None] + np.cumsum(valid, axis=1)
        self._seen[:] = seen[:, -1]
        features, learn, score = self._features(begun_with_first(together), ages, valid, seen > self.warm_up)
        found = self._tails.surprise(np.concatenate(features), np.concatenate(learn), np.concatenate(score))
        by_kind = found.reshape(len(KINDS), *values.shape)
        surprise = np.maximum(by_kind.max(axis=0) - np.log10(len(KINDS)), 0.0)
        by_kind[:2] *= _POINT
        return Judgement(surprise, by_kind.argmax(axis=0), self._alarms(surprise, ages))

    def _features(
        self, known_values: Numbers, ages: npt.NDArray[np.int64], valid: Flags, warm: Flags
    ) -> tuple[list[Numbers], list[Flags], list[Flags]]:
        """The numbers that are watched, by kind; which are learnt, and which are judged."""
        times = ages.shape[1]
        now = known_values[:, -times:]
        local = medians_before(known_values[:, -times - self._local :], self._local)
        long = medians_before(known_values[:, -times - self._long :], self._long)
        spike = now - local
        level = means_to(known_values[:, -times - self._smooth + 1 :], self._smooth)
        runs, ended = self._runs(now <= long)
        features = [spike, -spike, level, -level, runs]
        begun = valid & (ages >= self._smooth)
        # A run is learnt when it has ended, else it would be judged by itself.
        learn = [begun, begun, begun, begun, valid & ended]
        score = [*(each & warm for each in learn[:-1]), begun & warm & ~ended & np.isin(runs, _RUNS)]
        if self._season is None:
            nothing = np.zeros(valid.shape, np.bool_)
            return [*features, spike, spike], [*learn, nothing, nothing], [*score, nothing, nothing]
        smooth = means_to(known_values, SMOOTHED)
        deviation, known, there = self._season.deviations(smooth, (local, long), ages, valid)
        # Learnt from the second season on, judged where the season is there.
        return (
            [*features, deviation, -deviation],
            [*learn, known, known],
            [*score, known & warm & there, known & warm & there],
        )

    def _runs(self, quiet: Flags) -> tuple[Numbers, Flags]:
        """Of each point how many up to it are quiet, where a run has just ended its length; and where that is."""
        places: npt.NDArray[np.int64] = np.arange(1, quiet.shape[1] + 1)
        last_loud = np.maximum.accumulate(np.where(quiet, 0, places), axis=1)
        runs = np.where(last_loud > 0, places - last_loud, places + self._quiet[:, None])
        before = np.concatenate([self._quiet[:, None], runs[:, :-1]], axis=1)
        self._quiet[:] = runs[:, -1]
        ended = ~quiet & (before > 0)
        return np.where(ended, before, runs).astype(np.float64), ended

    def _alarms(self, surprise: Numbers, ages: npt.NDArray[np.int64]) -> Flags:
        alarms = np.zeros(surprise.shape, np.bool_)
        rest = self.warm_up // REST
        for series, time in zip(*np.nonzero(surprise >= self.level), strict=True):
            if ages[series, time] >= self._rested[series]:
                alarms[series, time] = True
                self._rested[series] = ages[series, time] + rest + 1
        return alarms
