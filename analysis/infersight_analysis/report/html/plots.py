# pyright: reportUnknownMemberType=false
# (matplotlib's types leave its keyword arguments open)
"""Plots as SVG for a page: drawn by matplotlib, coloured by the page's style, without any text of telemetry."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from infersight_analysis.report.html.drawing import MARK, OTHER, SERIES, TEXT, drawn, si_axis
from infersight_analysis.times import short_duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LIMIT_RANGE: Final = -1.5, 3.2
_MOST_POINTS: Final = 400
_MANY_HOURS_S: Final = 6 * 3600


def distribution(durations_ns: Sequence[int], mark_ns: int, about: str) -> Markup:
    """How long requests took, on a logarithmic axis, with one of them marked.

    Args:
        durations_ns: of all requests.
        mark_ns: of the one.
        about: the text alternative.
    """

    def draw(axes: "Axes") -> None:
        axes.hist(durations_ns, bins=_bins([*durations_ns, mark_ns]), color=SERIES)
        axes.axvline(mark_ns, color=MARK, linewidth=2)
        _time_axis(axes)

    return drawn(draw, about)


def two_distributions(target_ns: Sequence[int], baseline_ns: Sequence[int], about: str) -> Markup:
    """How long the requests of two cohorts took, each as shares of its own."""

    def draw(axes: "Axes") -> None:
        bins = _bins([*target_ns, *baseline_ns])
        for durations, colour in ((baseline_ns, OTHER), (target_ns, MARK)):
            weights = [100 / len(durations)] * len(durations)
            axes.hist(durations, bins=bins, weights=weights, color=colour, histtype="step", linewidth=1.8)
        axes.set_ylabel("% of its requests")
        _time_axis(axes)

    return drawn(draw, about)


def metric(points: Sequence[tuple[float, float]], during_s: tuple[float, float], about: str) -> Markup:
    """A metric series around a request.

    Args:
        points: seconds since the request began, and the reading.
        during_s: when the request began and ended, in the same seconds.
        about: the text alternative.
    """

    def draw(axes: "Axes") -> None:
        kept = points[:: max(1, -(-len(points) // _MOST_POINTS))]
        times, readings = zip(*kept, strict=True)
        axes.plot([time / 60 for time in times], readings, color=SERIES, linewidth=1.4, marker=".", markersize=3)
        axes.axvspan(during_s[0] / 60, during_s[1] / 60, color=MARK, alpha=0.5, linewidth=2)
        si_axis(axes)
        axes.set_xlabel("minutes since the request began")

    return drawn(draw, about)


def series(
    points: Sequence[tuple[float, float]], began_s: tuple[float, float], about: str, zero: str = "it began"
) -> Markup:
    """A series around something unusual in it.

    Args:
        points: seconds since it began, and the reading.
        began_s: between which seconds it may have begun.
        about: the text alternative.
        zero: what the seconds are since.
    """

    def draw(axes: "Axes") -> None:
        times, readings = zip(*points, strict=True)
        unit_s, unit = (3600, "hours") if times[-1] - times[0] > _MANY_HOURS_S else (60, "minutes")
        axes.plot([time / unit_s for time in times], readings, color=SERIES, linewidth=1.2)
        axes.axvspan(began_s[0] / unit_s, began_s[1] / unit_s, color=MARK, alpha=0.5, linewidth=2)
        si_axis(axes)
        axes.set_xlabel(f"{unit} since {zero}")

    return drawn(draw, about)


def counts(values: Sequence[float], length_s: float, about: str) -> Markup:
    """How often something occurred in each of equal parts of a time.

    Args:
        values: counts, in the order of time.
        length_s: how long the whole time is, seconds.
        about: the text alternative.
    """

    def draw(axes: "Axes") -> None:
        unit_s, unit = (3600, "hours") if length_s > _MANY_HOURS_S else (60, "minutes")
        width = length_s / len(values) / unit_s
        axes.bar([width * place for place in range(len(values))], values, width=width, align="edge", color=SERIES)
        si_axis(axes)
        axes.set_xlabel(f"{unit} since the first record")

    return drawn(draw, about)


def intervals(rows: Sequence[tuple[str, float, float, float]], about: str) -> Markup:
    """Changes with their intervals, in parts of what is allowed: 0 is no change, 1 the limit.

    Args:
        rows: a name of ours, the lower end, the change and the upper end, from top to bottom.
        about: the text alternative.
    """

    def draw(axes: "Axes") -> None:
        low, high = _LIMIT_RANGE
        for place, (_, *ends) in enumerate(rows):
            left, middle, right = (min(max(end, low), high) for end in ends)
            colour = MARK if ends[0] > 1 else SERIES
            axes.plot([left, right], [place, place], color=colour, linewidth=2.4, solid_capstyle="butt")
            axes.plot([middle], [place], color=colour, marker="o", markersize=4.5)
        axes.axvline(0, color=TEXT, linewidth=0.8)
        axes.axvline(1, color=MARK, linewidth=1.2, linestyle="--")
        axes.set_yticks(range(len(rows)), [name for name, *_ in rows])
        axes.set_xlim(low, high)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xticks([-1, 0, 1, 2, 3], ["better", "no change", "limit", "2x", "3x"])

    return drawn(draw, about, height=0.7 + 0.22 * len(rows))


def _bins(values: Sequence[int]) -> list[float]:
    """Edges of 40 bins of equal ratio that hold all values."""
    low, high = max(1, min(values)), max(2, *values)
    ratio = (high / low) ** (1 / 40) if high > low else 2.0
    return [min(low, *values), *(low * ratio**step for step in range(1, 40)), float(high) * 1.0001 + 1]


def _time_axis(axes: "Axes") -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator  # noqa: PLC0415 - see `drawing.drawn`

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
    axes.xaxis.set_major_formatter(FuncFormatter(_duration))
    axes.xaxis.set_minor_locator(NullLocator())


def _duration(value: float, _place: int) -> str:
    return short_duration(value)
