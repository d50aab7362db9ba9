"""Many series at once: what is unusual in them, the most surprising first."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from infersight_analysis.anomalies.changes import Change, changes
from infersight_analysis.anomalies.detector import FALSE_ALARMS, KINDS, REST, Detector, Judgement
from infersight_analysis.anomalies.season import without_season
from infersight_analysis.anomalies.tails import CERTAIN
from infersight_analysis.stats.discoveries import q_values

Numbers = npt.NDArray[np.float64]

_WARM_UP: Final = 0.15
"""The part of the points that is only learnt where nothing was before."""

_WARM_UP_BEFORE: Final = 1 / 3
"""The same of the points before, where a window begins later: there may be gaps in them."""

_LEAST_WARM_UP: Final = 40
_MOST_WARM_UP: Final = 750

CHANGE: Final = "change"
FALSE_DISCOVERIES: Final = 0.05
"""Of the changes of all series, the part that is none (Benjamini and Hochberg)."""

_TOGETHER: Final = 256
_LEVELS: Final = ("rise", "fall")
_TOWARDS: Final = {"spike": ("spike", "dip"), "dip": ("spike", "dip"), "rise": _LEVELS, "fall": _LEVELS}
"""An alarm is about the last points, its name about what was usual before."""

_BACK: Final = 2.0


@dataclass(frozen=True)
class Settings:
    """How series are watched.

    Args:
        first: the first step that is of interest; what is before is learnt.
        period: steps of a day.
        false_alarms: probability of an alarm at a point of which nothing is wrong.
    """

    first: int
    period: int
    false_alarms: float = FALSE_ALARMS

    def warm_up(self, steps: int) -> int:
        """Points of a series of so many steps that are only learnt."""
        learnt = self.first * _WARM_UP_BEFORE or steps * _WARM_UP
        return int(min(max(learnt, _LEAST_WARM_UP), _MOST_WARM_UP))


@dataclass(frozen=True)
class Unusual:
    """Something unusual: in which series, by what, from which step on.

    Args:
        series: its row.
        kind: of `KINDS`, or `CHANGE`.
        step: where it begins.
        interval: of a change, the steps that are possible with 95 %.
        value: the reading, or the new level.
        usual: the median before.
        deviations: the robust standard deviations between them, None where all before was equal.
        surprise: -log10 of the probability.
    """

    series: int
    kind: str
    step: int
    interval: tuple[int, int] | None
    value: float
    usual: float
    deviations: float | None
    surprise: float


def watch(numbers: Numbers, settings: Settings) -> tuple[list[Unusual], int, int]:
    """What is unusual in series, the most surprising first.

    Args:
        numbers: series x steps, NaN where nothing was recorded.
        settings: how they are watched.

    Returns:
        it; how many points were judged, and in how many series.
    """
    steps = numbers.shape[1]
    warm_up = settings.warm_up(steps)
    found: list[Unusual] = []
    points = series = 0
    for start in range(0, len(numbers), _TOGETHER):
        together = numbers[start : start + _TOGETHER]
        period = settings.period if steps > settings.period else None
        detector = Detector(len(together), warm_up=warm_up, false_alarms=settings.false_alarms, period=period)
        judgement = detector.update(together)
        found += _alarms(together, judgement, start, settings.first, warm_up)
        known = ~np.isnan(together)
        judged = (known & (np.cumsum(known, axis=1) > warm_up))[:, settings.first :]
        points += int(judged.sum())
        series += int(judged.any(axis=1).sum())
    shifts = _changes(numbers, settings)
    told = [one for one in found if not any(_is_same(one, shift, warm_up) for shift in shifts.get(one.series, ()))]
    told += [shift for of_series in shifts.values() for shift in of_series if shift.step >= settings.first]
    return sorted(told, key=lambda one: (-one.surprise, -(one.deviations or np.inf), one.series)), points, series


def _alarms(numbers: Numbers, judgement: Judgement, offset: int, first: int, warm_up: int) -> Iterator[Unusual]:
    smooth = max(3, warm_up // 40)
    for row, step in zip(*np.nonzero(judgement.alarms), strict=True):
        if step < first:
            continue
        kind = KINDS[judgement.kind[row, step]]
        known = numbers[row, : step + 1][~np.isnan(numbers[row, : step + 1])][-warm_up:]
        value = float(known[-smooth:].mean() if kind in _LEVELS else known[-1])
        usual = float(np.median(known[:-1]))
        deviations = _deviations(known[:-1], value, usual)
        if kind in _TOWARDS:
            if deviations is not None and deviations < _BACK:
                continue  # back to what was usual, after something else
            kind = _TOWARDS[kind][int(value < usual)]
        surprise = float(judgement.surprise[row, step : step + warm_up // REST].max())
        yield Unusual(offset + int(row), kind, int(step), None, value, usual, deviations, surprise)


def _deviations(before: Numbers, value: float, usual: float) -> float | None:
    scale = 1.4826 * float(np.nanmedian(np.abs(before - usual)))
    return abs(value - usual) / scale if scale > 0 else None


def _changes(numbers: Numbers, settings: Settings) -> dict[int, list[Unusual]]:
    """The changes of each series' level that are none by chance, of all series together."""
    found = [
        (row, change)
        for row, values in enumerate(numbers)
        for change in changes(without_season(values, settings.period))
    ]
    q = q_values(np.array([change.p_value for _, change in found]), max(len(found), len(numbers)))
    kept: dict[int, list[Unusual]] = {}
    for (row, change), share in zip(found, q, strict=True):
        if share <= FALSE_DISCOVERIES:
            kept.setdefault(row, []).append(_change(row, numbers[row], change))
    return kept


def _change(row: int, values: Numbers, change: Change) -> Unusual:
    return Unusual(
        series=row,
        kind=CHANGE,
        step=change.at,
        interval=change.interval,
        value=change.after,
        usual=change.before,
        deviations=_deviations(values[: change.at], change.after, change.before),
        surprise=min(CERTAIN, float(-np.log10(max(change.p_value, 1e-300)))),
    )


def _is_same(alarm: Unusual, change: Unusual, warm_up: int) -> bool:
    """Whether an alarm is about a change: at its begin, or in its direction while the new level is still new."""
    assert change.interval is not None
    first, last = change.interval
    same_way = (alarm.value > alarm.usual) == (change.value > change.usual)
    until = change.step + warm_up if same_way else change.step + warm_up // REST
    return first - 2 <= alarm.step <= max(last, until)
