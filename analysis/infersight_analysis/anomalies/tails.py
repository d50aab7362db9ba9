# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# (NumPy leaves the result of some functions open)
"""How surprising a number is, by the largest ones before it: the tail of a distribution, learnt from a stream."""

from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

KEPT: Final = 10
"""Largest values that the tail is fitted to."""

CERTAIN: Final = 12.0
"""The largest surprise: a probability of 1e-12 or less."""

_SAID: Final = np.array([0, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 6, 11, 40, 400])
_LIGHT: Final = np.array([0, 0.25, 0.48, 0.87, 1.2, 1.41, 1.53, 1.60, 1.66, 1.69, 1.7, 1.7, 1.7])
_HEAVY: Final = np.array([0, 0.25, 0.45, 0.84, 1.14, 1.39, 1.58, 1.75, 2.01, 2.36, 2.88, 4, 6])
"""What a tail that is fitted to `KEPT` values says of a number, as -log10 of its probability, and what it is worth.

Ten values leave much open: of 400 000 samples of an exponential distribution, 1 in 50 was followed by a number beyond
the fit's end point, to which it gives no probability at all (light). The other fit ends no sooner than an exponential
distribution does, and is worth so much where the truth is a Pareto distribution of shape 0.5 (heavy)."""

_DOUBT: Final = 0.4
"""By so much the fit may exceed what it is worth; on ten kinds of noise alarms are then as rare as is asked for."""

_BLOCK: Final = 512
_ROUNDING: Final = 1e-9


class UpperTails:
    """The upper tails of many streams of numbers, a row each.

    Beyond the `KEPT`-th largest value the excesses follow a generalised Pareto distribution (Pickands, Annals of
    Statistics 3, 1975), fitted by probability-weighted moments (Hosking and Wallis, Technometrics 29, 1987), as in
    Siffer et al., Anomaly Detection in Streams with Extreme Value Theory (KDD 2017). A number is judged before it is
    learnt.

    Args:
        rows: number of streams.
    """

    def __init__(self, rows: int) -> None:
        self._largest: Final = np.full((rows, KEPT + 1), -np.inf)  # ascending; the first is the threshold
        self._smallest: Final = np.full(rows, np.inf)
        self._seen: Final = np.zeros(rows, np.int64)

    def surprise(self, values: Numbers, learn: Flags, score: Flags) -> Numbers:
        """Of each number -log10 of the probability that its stream has one so large, 0 where it is not beyond the tail.

        Args:
            values: streams x times, no NaN.
            learn: which numbers are learnt.
            score: which are judged.
        """
        surprise = np.zeros(values.shape)
        for first in range(0, values.shape[1], _BLOCK):
            block = slice(first, first + _BLOCK)
            surprise[:, block] = self._block(values[:, block], learn[:, block], score[:, block])
        return surprise

    def _block(self, values: Numbers, learn: Flags, score: Flags) -> Numbers:
        surprise = np.zeros(values.shape)
        warming = learn & ~np.logical_or.accumulate(score, axis=1)
        self._learn(np.where(warming, values, -np.inf))
        seen = self._seen[:, None] + np.cumsum(learn, axis=1)
        lows = np.minimum.accumulate(np.where(learn, values, np.inf), axis=1)
        np.minimum(lows, self._smallest[:, None], out=lows)
        self._smallest[:] = lows[:, -1]
        rows, times = np.nonzero((learn | score) & ~warming & (values > self._largest[:, :1]))
        # Thresholds only rise, so these are all that may lie beyond; they are taken in order, of all streams at once.
        turns = np.arange(len(rows)) - np.searchsorted(rows, rows, "left")
        order = np.argsort(turns, kind="stable")
        rows, times = rows[order], times[order]
        for turn in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(turns[order])) + 1):
            row, time = rows[turn], times[turn]
            beyond = values[row, time] > self._largest[row, 0]
            row, time = row[beyond], time[beyond]
            judged = score[row, time] & np.isfinite(self._largest[row, 0])
            of = row[judged], time[judged]
            earlier = seen[of] - learn[of]
            surprise[of] = _beyond(self._largest[of[0]], values[of], earlier, lows[of])
            learnt = learn[row, time]
            row, time = row[learnt], time[learnt]
            self._largest[row, 0] = values[row, time]
            self._largest[row] = np.sort(self._largest[row], axis=1)
        self._seen[:] = seen[:, -1]
        return surprise

    def _learn(self, values: Numbers) -> None:
        if np.isfinite(values).any():
            together = np.concatenate([self._largest, values], axis=1)
            self._largest[:] = np.sort(np.partition(together, -KEPT - 1, axis=1)[:, -KEPT - 1 :], axis=1)


def _beyond(largest: Numbers, values: Numbers, seen: npt.NDArray[np.int64], lows: Numbers) -> Numbers:
    """The surprise of values beyond the first of the largest before them; of so many numbers, from these lows on."""
    threshold = largest[:, 0]
    excess = values - threshold
    span = threshold - lows
    rounding = _ROUNDING * np.maximum(np.abs(threshold), span)
    said, cautious = _survivals(excess, largest[:, 1:] - threshold[:, None])
    # Where the largest are all the same, only their number tells; the more so if it is farther off than all were apart.
    tied = largest[:, -1] - threshold <= rounding
    of_number = np.where(excess > span, np.maximum(1.0, seen / KEPT), 1.0)
    said, cautious = (np.where(tied, of_number, each) for each in (said, cautious))
    worth = np.maximum(np.interp(said, _SAID, _LIGHT), np.interp(cautious, _SAID, _HEAVY))
    # A tail is crossed twice as often as a fit to ten values says.
    beyond = np.minimum(said - np.log10(2), worth + _DOUBT)
    surprise = np.clip(np.log10(np.maximum(seen, 1) / KEPT) + beyond, 0, CERTAIN)
    return np.where(excess > rounding, surprise, 0.0)


def _survivals(excess: Numbers, excesses: Numbers) -> tuple[Numbers, Numbers]:
    """-log10 of the probability of an excess by the sorted ones before it, a sample a row: by both fits."""
    size = excesses.shape[1]
    ranks: Numbers = np.arange(1.0, size + 1)
    weights = (size - ranks + 0.35) / size  # plotting positions of Hosking and Wallis
    mean = excesses.mean(axis=1)
    spread = mean - 2 * (excesses * weights).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        fitted = np.where(spread > 0, 2 - mean / spread, -0.5)
        shapes = np.stack([np.clip(fitted, -0.5, 0.5), np.clip(fitted, 0.0, 0.5)])
        scaled = excess / (mean * (1 - shapes))
        curved = np.log1p(np.maximum(shapes * scaled, -1 + 1e-12)) / shapes
    both: Numbers = np.where(np.abs(shapes) < 1e-9, scaled, curved) / np.log(10)
    return both[0], both[1]
