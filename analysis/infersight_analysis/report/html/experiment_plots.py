# pyright: reportUnknownMemberType=false
# (matplotlib's types leave its keyword arguments open)
"""Plots of experiments: effects with their intervals, an effect over time, arms over time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from infersight_analysis.report.html.drawing import MARK, OTHER, SERIES, TEXT, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MANY_HOURS_S: Final = 6 * 3600
_MANY_DAYS_S: Final = 3 * 86_400

Point = tuple[float, float, float, float]
"""Where on the axis, the difference, and the ends of its interval."""


def effects(rows: Sequence[Point], about: str) -> Markup:
    """Relative differences with their intervals, one a line, numbered from the top.

    Args:
        rows: place of the line's number, the difference and the ends of its interval, as shares of the baseline.
        about: the text alternative.
    """
    widest = max((abs(value) for _, value, _, _ in rows), default=0.0)
    # An interval without an end, or a very wide one, must not press all others flat.
    limit = 3 * max(widest, sorted(max(-low, high) for _, _, low, high in rows)[len(rows) // 2], 0.001)

    def draw(axes: "Axes") -> None:
        for line, (_, value, low, high) in enumerate(rows):
            colour = SERIES if low <= 0 <= high else MARK
            ends = [100 * min(max(end, -limit), limit) for end in (low, high)]
            axes.plot(ends, [line, line], color=colour, linewidth=2.4, solid_capstyle="butt")
            axes.plot([100 * value], [line], color=colour, marker="o", markersize=4.5)
        axes.axvline(0, color=TEXT, linewidth=0.8)
        axes.set_yticks(range(len(rows)), [f"{number:g}" for number, *_ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlabel("difference from the baseline, %")

    return drawn(draw, about, height=0.8 + 0.22 * len(rows))


def over_time(points: Sequence[Point], zero: str, scale: float, unit: str, about: str) -> Markup:
    """A difference at moments, with the band of its intervals.

    Args:
        points: seconds, the difference and the ends of its interval.
        zero: what the seconds are since.
        scale: what differences are multiplied by.
        unit: what they are in then.
        about: the text alternative.
    """
    unit_s, name = _scale([time for time, *_ in points])
    spread = sorted(max(abs(low), abs(high)) for _, _, low, high in points)[len(points) // 2]
    limit = 2.5 * max(spread, *(abs(value) for _, value, _, _ in points))

    def draw(axes: "Axes") -> None:
        times = [time / unit_s for time, *_ in points]
        low, high = ([scale * min(max(point[side], -limit), limit) for point in points] for side in (2, 3))
        axes.fill_between(times, low, high, color=SERIES, alpha=0.3, linewidth=0)
        axes.plot(times, [scale * value for _, value, _, _ in points], color=SERIES, marker=".", linewidth=1.4)
        axes.axhline(0, color=TEXT, linewidth=0.8)
        axes.set_xlabel(f"{name} since {zero}")
        axes.set_ylabel(unit)

    return drawn(draw, about)


def shares(arms: Sequence[Sequence[int]], planned: Sequence[float], about: str) -> Markup:
    """The share of the new units that each arm got, in each part of the time; dashed what was meant.

    Args:
        arms: new units in each part of the time, of each arm.
        planned: shares as they were meant.
        about: the text alternative.
    """
    totals = [sum(units) for units in zip(*arms, strict=True)]
    parts = [place for place, total in enumerate(totals) if total]

    def draw(axes: "Axes") -> None:
        for number, (units, share) in enumerate(zip(arms, planned, strict=True), 1):
            colour = OTHER if number == 1 else MARK
            values = [100 * units[part] / totals[part] for part in parts]
            axes.plot([part + 1 for part in parts], values, color=colour, marker=".", linewidth=1.4)
            axes.axhline(100 * share, color=colour, linewidth=0.8, linestyle="--")
            axes.annotate(str(number), (parts[-1] + 1, values[-1]), xytext=(6, -3), textcoords="offset points")
        axes.set_ylim(0, 1.15 * axes.get_ylim()[1])
        axes.set_xlabel("tenth of the new units")
        axes.set_ylabel("% of the new units")

    return drawn(draw, about)


def _scale(seconds: Sequence[float]) -> tuple[float, str]:
    length = max(seconds) - min(0.0, *seconds)
    if length > _MANY_DAYS_S:
        return 86_400, "days"
    return (3600, "hours") if length > _MANY_HOURS_S else (60, "minutes")
