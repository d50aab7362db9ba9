"""The page of anomalies: each with a plot of its series around it."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from infersight_analysis.findings import Anomalies, Anomaly
from infersight_analysis.report.anomalies import odds, reading, series_name, since
from infersight_analysis.report.html import plots
from infersight_analysis.report.html.environment import page, printable

_LEAST_POINTS: Final = 3

Plotted = tuple[list[tuple[float, float]], tuple[float, float]]
"""Seconds since the anomaly began and readings; and the seconds between which it may have begun."""


def anomalies_page(found: Anomalies, plotted: Sequence[Plotted]) -> str:
    """One file of HTML that needs nothing else.

    Args:
        found: the anomalies.
        plotted: the series around each of them.
    """
    listed = [
        (
            one,
            series_name(one),
            since(one),
            reading(one.usual, one),
            reading(one.value, one),
            odds(one.surprise),
            _plot(one, points, interval_s),
        )
        for one, (points, interval_s) in zip(found.anomalies, plotted, strict=True)
    ]
    return page("anomalies", "Anomalies", found=found, anomalies=listed)


def _plot(one: Anomaly, points: list[tuple[float, float]], interval_s: tuple[float, float]) -> Markup | None:
    if len(points) < _LEAST_POINTS:
        return None
    about = f"{series_name(one)}: {one.kind} from {reading(one.usual, one)} to {reading(one.value, one)}"
    return plots.series(points, interval_s, printable(about))
