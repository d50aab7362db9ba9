"""When a distribution changed: the mean score of the predictions, part by part of the time, and where it rises."""

import numpy as np

from infersight_analysis.findings.model_drift import Began
from infersight_analysis.quality.predictions import Numbers, Times
from infersight_analysis.times import SECOND_NS, iso_time

_LEAST_POINTS = 24
_MOST_POINTS = 200
_LEAST_IN_POINT = 10


def scores_over_time(time_ns: Times, score: Numbers) -> tuple[Times, Numbers]:
    """The mean score of parts with equally many predictions, in the order of time, and when each part begins.

    Args:
        time_ns: of each prediction.
        score: how much each speaks for the new distribution, see `Divergence.score`.

    Returns:
        nothing where there are too few predictions to tell a moment.
    """
    points = min(_MOST_POINTS, len(time_ns) // _LEAST_IN_POINT)
    if points < _LEAST_POINTS:
        return np.zeros(0, np.int64), np.zeros(0)
    order = np.argsort(time_ns, kind="stable")
    starts = np.arange(points) * len(order) // points
    sums = np.add.reduceat(score[order], starts)
    return time_ns[order][starts], sums / np.diff(starts, append=len(order))


def began(times: Times, scores: Numbers) -> Began | None:
    """The largest lasting rise of the score; None where there is none that chance does not explain."""
    from infersight_analysis.anomalies.changes import changes  # noqa: PLC0415 - loads SciPy's statistics

    rises = [each for each in changes(scores) if each.after > each.before]
    if not rises:
        return None
    rise = max(rises, key=lambda each: each.after - each.before)
    at, earliest, latest = (int(times[place]) for place in (rise.at, *rise.interval))
    return Began(iso_time(at), iso_time(earliest), iso_time(latest))


def as_points(times: Times, scores: Numbers) -> list[tuple[float, float]]:
    """Seconds since the first one, and the score."""
    return [
        (float(time - times[0]) / SECOND_NS, score) for time, score in zip(times.tolist(), scores.tolist(), strict=True)
    ]
