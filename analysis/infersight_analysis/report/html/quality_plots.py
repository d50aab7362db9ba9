# pyright: reportUnknownMemberType=false
# (matplotlib's types leave its keyword arguments open)
"""Plots of predictions: reliability, slices, and drift over time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from infersight_analysis.report.html.drawing import MARK, OTHER, SERIES, TEXT, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from infersight_analysis.findings.model_errors import Calibration


def reliability(found: "Calibration") -> Markup:
    """How often the model is right, by how sure it says to be; on the diagonal it is as often right as it says."""

    def draw(axes: "Axes") -> None:
        low = min(each.low for each in found.bins)
        axes.plot([low, 1], [low, 1], color=OTHER, linewidth=1, linestyle="--")
        for each in found.bins:
            if each.right.share is not None and each.right.interval is not None:
                axes.plot([each.confidence] * 2, each.right.interval, color=MARK, linewidth=1.6)
                axes.plot([each.confidence], [each.right.share], color=MARK, marker="o", markersize=4)
        axes.set_xlabel("confidence")
        axes.set_ylabel("share that is right")

    about = "reliability: the share that is right, with 95 % intervals, by confidence, against the diagonal"
    return drawn(draw, about, height=3.2)


def points_more(rows: Sequence[tuple[float, float, float]], about: str) -> Markup:
    """Differences of shares with their intervals, one a line, numbered from the top.

    Args:
        rows: the difference and the ends of its interval, as shares.
        about: the text alternative.
    """

    def draw(axes: "Axes") -> None:
        for line, (value, low, high) in enumerate(rows):
            axes.plot([100 * low, 100 * high], [line, line], color=MARK, linewidth=2.4, solid_capstyle="butt")
            axes.plot([100 * value], [line], color=MARK, marker="o", markersize=4.5)
        axes.axvline(0, color=TEXT, linewidth=0.8)
        axes.set_yticks(range(len(rows)), [str(number) for number in range(1, len(rows) + 1)])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("points more than elsewhere")

    return drawn(draw, about, height=0.8 + 0.22 * len(rows))


def score_over_time(points: Sequence[tuple[float, float]], began_s: tuple[float, float] | None, about: str) -> Markup:
    """How much the predictions of each part of the time speak for the new distribution.

    Args:
        points: seconds since the first prediction, and the mean score.
        began_s: between which seconds the change began, where it is known.
        about: the text alternative.
    """

    def draw(axes: "Axes") -> None:
        times, scores = zip(*points, strict=True)
        unit_s, unit = (3600, "hours") if times[-1] > 6 * 3600 else (60, "minutes")
        axes.plot([time / unit_s for time in times], scores, color=SERIES, linewidth=1.2)
        axes.axhline(0, color=TEXT, linewidth=0.6)
        if began_s is not None:
            axes.axvspan(began_s[0] / unit_s, began_s[1] / unit_s, color=MARK, alpha=0.5, linewidth=2)
        axes.set_xlabel(f"{unit} since the first prediction")

    return drawn(draw, about)
