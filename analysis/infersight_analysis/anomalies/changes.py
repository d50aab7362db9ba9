# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# scipy publishes no types.
"""When the level of a series changed: change points with a time, an interval and a probability, looking back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from scipy import special, stats

Numbers = npt.NDArray[np.float64]

LEAST_POINTS: Final = 24
_LEAST_SEGMENT: Final = 5
_CUT: Final = 2.0
_BAI_95: Final = 11.03
"""97.5 % quantile of the place of the maximum in Bai's limit distribution."""


@dataclass(frozen=True)
class Change:
    """A change of the level between two points of a series.

    Args:
        at: the first point of the new level.
        interval: the first points of the new level that are possible with 95 %.
        before: median from the change before, or the begin, up to this one.
        after: median from this one up to the next, or the end.
        p_value: how probable so large a change anywhere in the series is by chance.
    """

    at: int
    interval: tuple[int, int]
    before: float
    after: float
    p_value: float


def changes(values: Numbers, *, level: float = 0.01) -> list[Change]:
    """The changes of a series' level, in the order of time.

    The values count by their ranks, as normal scores, so that outliers weigh no more than others. Intervals of many
    lengths are searched for the largest difference of the means on both sides (seeded binary segmentation, Kovács et
    al., Biometrika 110, 2023), the shortest interval in which chance does not explain it comes first (narrowest over
    threshold, Baranowski et al., JRSS B 81, 2019), and so on in what is left and right of it. Neighbours that depend
    on each other count for less: the scale is the long-run one, from differences of the means of neighbouring blocks.
    The interval of a change is Bai's (Review of Economics and Statistics 79, 1997).

    Args:
        values: of one series, in the order of time; gaps (NaN) are left out.
        level: how probable one false change is, in a series that has none.
    """
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < LEAST_POINTS:
        return []
    scores = normal_scores(values[known])
    scale, blocks = long_run_scale(scores)
    if scale == 0:
        return []
    # Student's t, because the scale is estimated, and Bonferroni for the places at which a change might be.
    quantile: Any = stats.t.isf(level / 2 / len(scores), blocks - 2)
    splits = _search(scores / scale, float(quantile))
    return [
        _change(values, known, scores / scale, (first, at, last), blocks)
        for first, at, last in zip([0, *splits], splits, [*splits[1:], len(scores)], strict=False)
    ]


def normal_scores(values: Numbers) -> Numbers:
    """Ranks as quantiles of the standard normal distribution (Blom, 1958), cut at two standard deviations.

    Equal values have equal ones, so a few values among many that are equal would be far out, and two of them together a
    level; the cut is for them.
    """
    ranks: Numbers = stats.rankdata(values)
    scores: Numbers = special.ndtri((ranks - 0.375) / (len(values) + 0.25))
    bound = _CUT * scores.std()
    cut: Numbers = np.clip(scores - scores.mean(), -bound, bound)
    return cut


def long_run_scale(values: Numbers) -> tuple[float, int]:
    """The standard deviation of a sum of n values, divided by the root of n, whatever their dependence; and the blocks.

    It is the median absolute difference of the means of neighbouring blocks, at all places, which a few changes leave
    as it is, and no less than that of independent values, by the differences of neighbours (von Neumann, 1941).
    """
    length = max(2, round(len(values) ** 0.5))
    sums = np.append(0.0, np.cumsum(values))
    means = (sums[length:] - sums[:-length]) / length
    dependent = 1.4826 * float(np.median(np.abs(means[length:] - means[:-length]))) * (length / 2) ** 0.5
    independent = float(np.sqrt(np.mean(np.diff(values) ** 2) / 2))
    return max(dependent, independent), len(values) // length


def _search(values: Numbers, quantile: float) -> list[int]:
    """First points of new levels of values whose long-run scale is 1."""
    found: list[int] = []
    sums = np.append(0.0, np.cumsum(values))
    candidates = sorted(_candidates(sums, quantile), key=lambda candidate: (candidate[1] - candidate[0], -candidate[3]))
    for first, last, at, _ in candidates:
        if not any(first - _LEAST_SEGMENT < other < last + _LEAST_SEGMENT for other in found):
            found.append(at)
    return _settled(sums, sorted(found), quantile)


def _candidates(sums: Numbers, quantile: float) -> Iterator[tuple[int, int, int, float]]:
    """Begin and end of the seeded intervals with a significant difference, its place, and its size."""
    points = len(sums) - 1
    length = float(points)
    while length >= 2 * _LEAST_SEGMENT:
        size = round(length)
        starts = np.unique(np.linspace(0, points - size, max(1, 2 * -(-points // size) - 1)).astype(np.int64))
        contrasts = np.abs(_contrasts(sliding_window_view(sums, size + 1)[starts]))
        best = contrasts.argmax(axis=1)
        for start, place, contrast in zip(starts, best, contrasts[np.arange(len(best)), best], strict=True):
            if contrast > quantile:
                yield int(start), int(start) + size, int(start) + int(place) + _LEAST_SEGMENT, float(contrast)
        length /= 2**0.5


def _contrasts(sums: Numbers) -> Numbers:
    """The standardised difference of the means after and before each place; running sums, an interval a row."""
    size = sums.shape[-1] - 1
    left: npt.NDArray[np.int64] = np.arange(_LEAST_SEGMENT, size - _LEAST_SEGMENT + 1)
    total = sums[..., -1:] - sums[..., :1]
    so_far = sums[..., left] - sums[..., :1]
    contrasts: Numbers = (left / size * total - so_far) / np.sqrt(left * (size - left) / size)
    return contrasts


def _settled(sums: Numbers, splits: list[int], quantile: float) -> list[int]:
    """The splits, each put where the difference between its neighbours is largest, without those that are none."""
    places = list(splits)
    position = 0
    while position < len(places):
        first = places[position - 1] if position else 0
        last = places[position + 1] if position + 1 < len(places) else len(sums) - 1
        if last - first < 2 * _LEAST_SEGMENT:
            del places[position]
            continue
        contrasts = np.abs(_contrasts(sums[first : last + 1]))
        best = int(contrasts.argmax())
        if contrasts[best] <= quantile:
            del places[position]
            position = max(0, position - 1)
            continue
        places[position] = first + best + _LEAST_SEGMENT
        position += 1
    return places


def _change(
    values: Numbers, known: npt.NDArray[np.int64], scaled: Numbers, around: tuple[int, int, int], blocks: int
) -> Change:
    """The change at the middle of three places, of values whose long-run scale is 1."""
    first, at, last = around
    left, right = scaled[first:at], scaled[at:last]
    difference = float(right.mean() - left.mean())
    t = abs(difference) / np.sqrt(1 / len(left) + 1 / len(right))
    width = int(_BAI_95 / difference**2) + 1
    p_value: Any = 2 * len(scaled) * stats.t.sf(t, blocks - 2)
    low, high = max(first + 1, at - width), min(last - 1, at + width)
    return Change(
        at=int(known[at]),
        interval=(int(known[low]), int(known[high])),
        before=float(np.median(values[known[first:at]])),
        after=float(np.median(values[known[at:last]])),
        p_value=min(1.0, float(p_value)),
    )
