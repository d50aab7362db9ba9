"""The page of what happened around a moment: the metric plotted, and everything else below."""

from typing import Final

from markupsafe import Markup

from infersight_analysis.findings import AnomalyAround, MetricAround
from infersight_analysis.report.anomaly import around_lists, series_of
from infersight_analysis.report.html import plots
from infersight_analysis.report.html.environment import page, printable
from infersight_analysis.times import parse_time

_LEAST_POINTS: Final = 3
_MOST_SERIES: Final = 12


def anomaly_page(found: AnomalyAround) -> str:
    """One file of HTML that needs nothing else."""
    series = [(each, series_of(each), _plot(each, found)) for each in found.series[:_MOST_SERIES]]
    return page("anomaly", f"{found.metric} around {found.at}", found=found, series=series, lists=around_lists(found))


def _plot(each: MetricAround, found: AnomalyAround) -> Markup | None:
    if len(each.values) < _LEAST_POINTS:
        return None
    began_ns = parse_time(found.began or found.at)
    points = [((parse_time(time) - began_ns) / 1e9, value) for time, value in each.values]
    about = printable(f"{found.metric}, {series_of(each)}: {each.reading}")
    return plots.series(points, (0.0, 0.0), about, "it began" if found.began else "then")
