"""The score of the Numenta Anomaly Benchmark (Lavin and Ahmad, ICMLA 2015), after the rules of github.com/numenta/NAB.

A detection in a labelled window counts by how early it is, the earliest one of a window alone; one outside costs, the
less the shorter it comes after a window; a window without any costs. One threshold for all series is chosen, the one
with the best sum, which is then scaled: 0 is a detector that says nothing, 100 a perfect one. The first 15 % of a
series, of its first 5 000 points at most, do not count.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

_PROBATION: Final = 0.15
_PROBATION_OF: Final = 5_000
_FAR: Final = 3.0
"""So many window lengths behind a window a false alarm is as bad as anywhere."""


@dataclass(frozen=True)
class Profile:
    """What counts how much: a window found, a false alarm, a window missed."""

    found: float
    false_alarm: float
    missed: float


PROFILES: Final = {
    "standard": Profile(1.0, 0.11, 1.0),
    "reward_low_FP_rate": Profile(1.0, 0.22, 1.0),
    "reward_low_FN_rate": Profile(1.0, 0.11, 2.0),
}
"""The profiles of NAB's config/profiles.json."""


@dataclass(frozen=True)
class Scored:
    """A series that a detector has scored.

    Args:
        scores: the anomaly score of each point.
        windows: first and last point of each labelled window, in order.
    """

    scores: Numbers
    windows: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Verdict:
    """The score, the threshold that has it, and of each series: windows, those found, and false alarms."""

    score: float
    threshold: float
    series: Mapping[str, tuple[int, int, int]]


def probation(points: int) -> int:
    """How many points at the beginning of a series do not count."""
    return min(math.floor(_PROBATION * points), int(_PROBATION * _PROBATION_OF))


def scaled_sigmoid(position: Numbers) -> Numbers:
    """The weight at a place relative to a window: -1 is its begin (0.9866), 0 its end (0); beyond, it is negative."""
    near = 2 / (1 + np.exp(5 * np.minimum(position, _FAR))) - 1
    return np.where(position >= _FAR, -1.0, near)


def nab_score(series: Mapping[str, Scored], profile: Profile = PROFILES["standard"]) -> Verdict:
    """The score of a detector over all series, at the threshold that suits it best."""
    scores: list[Numbers] = []
    gains: list[Numbers] = []
    places: list[npt.NDArray[np.int64]] = []  # number of the window, negative outside: -1 less that of the series
    windows = counted = 0
    for number, scored in enumerate(series.values()):
        gain, window = _points(scored, profile)
        window = np.where(window >= 0, window + windows, -1 - number)
        counts = slice(probation(len(gain)), None)
        scores.append(scored.scores[counts])
        gains.append(gain[counts])
        places.append(window[counts])
        windows += len(scored.windows)
        counted += len(np.unique(places[-1][places[-1] >= 0]))
    score, gain, place = np.concatenate(scores), np.concatenate(gains), np.concatenate(places)
    order = np.argsort(-score, kind="stable")
    score, place = score[order], place[order]
    totals = np.append(0.0, np.cumsum(_steps(gain[order], place, profile))) - profile.missed * counted
    last_of_score = np.append(score[1:] != score[:-1], True)  # a threshold takes all points of a score
    ends = np.append(0, np.flatnonzero(last_of_score) + 1)
    best = int(ends[np.argmax(totals[ends])])
    null = -profile.missed * counted
    perfect = profile.found * windows
    return Verdict(
        score=100 * (float(totals[best]) - null) / (perfect - null) if windows else 0.0,
        threshold=float(score[best - 1]) if best else math.inf,
        series=_counts(series, place[:best]),
    )


def _points(scored: Scored, profile: Profile) -> tuple[Numbers, npt.NDArray[np.int64]]:
    """What an alarm at each point is worth, and the window that the point lies in, else -1."""
    points = np.arange(len(scored.scores))
    gain = np.full(len(points), -profile.false_alarm)
    window = np.full(len(points), -1)
    best = float(scaled_sigmoid(np.array([-1.0]))[0])
    for number, (first, last) in enumerate(scored.windows):
        inside = slice(first, last + 1)
        length = last - first + 1
        window[inside] = number
        gain[inside] = profile.found * scaled_sigmoid(-(last - points[inside] + 1) / length) / best
        gain[last + 1 :] = profile.false_alarm * scaled_sigmoid((points[last + 1 :] - last) / max(1, length - 1))
    return gain, window


def _steps(gain: Numbers, place: npt.NDArray[np.int64], profile: Profile) -> Numbers:
    """By how much each point, taken in the order of its score, changes the sum."""
    steps = gain.copy()
    for window in np.unique(place[place >= 0]):
        inside = np.flatnonzero(place == window)
        steps[inside] = np.diff(np.maximum.accumulate(gain[inside]), prepend=-profile.missed)
    return steps


def _counts(series: Mapping[str, Scored], alarms: npt.NDArray[np.int64]) -> dict[str, tuple[int, int, int]]:
    found = set(alarms[alarms >= 0].tolist())
    counts: dict[str, tuple[int, int, int]] = {}
    first = 0
    for number, (name, scored) in enumerate(series.items()):
        windows = len(scored.windows)
        counts[name] = (windows, len(found & set(range(first, first + windows))), int((alarms == -1 - number).sum()))
        first += windows
    return counts
