"""`infersight anomalies`: what is unusual in the series of the store, and when their levels changed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis import options
from infersight_analysis.anomalies.detector import FALSE_ALARMS
from infersight_analysis.anomalies.evidence import evidence_of, metrics_read
from infersight_analysis.anomalies.series import Grid, Series, read_series
from infersight_analysis.anomalies.watching import Settings, Unusual, watch
from infersight_analysis.findings.anomalies import Anomalies, Anomaly
from infersight_analysis.options import Window
from infersight_analysis.reading import present, query
from infersight_analysis.report.anomalies import print_anomalies
from infersight_analysis.report.output import publish, to_json
from infersight_analysis.session import opened
from infersight_analysis.times import SECOND_NS, iso_time, parse_duration

NEED_MORE_DATA: Final = 3

_DAY_NS: Final = 86_400 * SECOND_NS
_STEPS_NS: Final = tuple(seconds * SECOND_NS for seconds in (10, 30, 60, 300, 900, 3600, 21_600))
_LEAST_STEPS: Final = 288
"""A day in steps of five minutes; what is longer has longer steps, what is shorter shorter ones."""

_LEAST_POINTS: Final = 24
_PLOTTED: Final = 400


@dataclass(frozen=True)
class Plot:
    """A series around something unusual in it.

    Args:
        points: seconds since it began, and readings.
        interval_s: of a change the times that are possible, in the same seconds.
    """

    points: list[tuple[float, float]]
    interval_s: tuple[float, float]


@dataclass(frozen=True)
class Watched:
    """What was found, and a plot of each of the anomalies that are listed."""

    found: Anomalies
    plots: list[Plot]


def anomalies(
    connection: duckdb.DuckDBPyConnection,
    metric: str | None = None,
    *,
    service: str | None = None,
    window: Window = Window(),  # noqa: B008 - immutable
    history_ns: int = _DAY_NS,
    step_ns: int | None = None,
    false_alarms: float | None = None,
    limit: int = 20,
) -> Watched:
    """What is unusual in every series: metrics, quantiles of histograms, and requests, errors and durations by route.

    Args:
        connection: from `connect`.
        metric: only this metric; `requests` for the series that are made of spans.
        service: only this service.
        window: when it begins; without a begin, everything, of which the first part is only learnt.
        history_ns: how long before the window is learnt from, nanoseconds.
        step_ns: distance of the points; by default so that there are 288 at least.
        false_alarms: how many alarms a series has in a day by chance; by default one in a thousand points.
        limit: most anomalies to list.

    Raises:
        AnalysisError: a file cannot be read.
    """
    grid, first = _settings(connection, {"metric": metric, "service": service}, window, history_ns, step_ns)
    probability = FALSE_ALARMS if false_alarms is None else min(0.5, false_alarms * grid.step_ns / _DAY_NS)
    settings = Settings(first, max(1, round(_DAY_NS / grid.step_ns)), probability)
    series, numbers = read_series(connection, grid, metric=metric, service=service, least=_LEAST_POINTS)
    unusual, points, judged = watch(numbers, settings)
    listed = unusual[:limit]
    found = Anomalies(
        anomalies=[_anomaly(connection, grid, series[one.series], one) for one in listed],
        found=len(unusual),
        series=len(series),
        learning=len(series) - judged,
        points=points,
        false_alarms=points * settings.false_alarms,
        step_ns=grid.step_ns,
        start_time=iso_time(grid.time_ns(settings.first or min(settings.warm_up(grid.steps), grid.steps))),
        end_time=iso_time(grid.end_ns),
        evidence=metrics_read(grid),
    )
    return Watched(found, [_plot(numbers[one.series], one, grid) for one in listed])


def _settings(
    connection: duckdb.DuckDBPyConnection,
    of: dict[str, str | None],
    window: Window,
    history_ns: int,
    step_ns: int | None,
) -> tuple[Grid, int]:
    """The steps, and the first of them that is of interest."""
    row = connection.execute(query("anomalies/recorded"), of).fetchone()
    first_ns, last_ns, apart_ns = (0, 0, 0) if row is None or row[0] is None else row
    start_ns = first_ns if window.start_ns is None else max(first_ns, window.start_ns - history_ns)
    end_ns = last_ns + 1 if window.end_ns is None else min(last_ns + 1, window.end_ns)
    grid = Grid.over(start_ns, end_ns, step_ns or _step(end_ns - start_ns, apart_ns))
    first = 0 if window.start_ns is None else max(0, (window.start_ns - grid.start_ns) // grid.step_ns)
    return grid, first


def _step(span_ns: int, apart_ns: int) -> int:
    """The longest step of which there are enough, and in which there usually is a point."""
    enough = max((step for step in _STEPS_NS if span_ns // step >= _LEAST_STEPS), default=_STEPS_NS[0])
    return next((step for step in _STEPS_NS if step >= max(enough, 0.9 * apart_ns)), _STEPS_NS[-1])


def _anomaly(connection: duckdb.DuckDBPyConnection, grid: Grid, series: Series, one: Unusual) -> Anomaly:
    attributes: dict[str, Any] = present(series.attributes)
    return Anomaly(
        kind=one.kind,
        name=series.name,
        reading=series.reading,
        service=series.service,
        instance=series.instance,
        attributes=attributes,
        unit=series.unit,
        time=iso_time(grid.time_ns(one.step)),
        interval=None
        if one.interval is None
        else (iso_time(grid.time_ns(one.interval[0])), iso_time(grid.time_ns(one.interval[1]))),
        value=one.value,
        usual=one.usual,
        deviations=one.deviations,
        surprise=one.surprise,
        evidence=evidence_of(connection, grid, series, one.step),
    )


def _plot(values: npt.NDArray[np.float64], one: Unusual, grid: Grid) -> Plot:
    first = max(0, one.step - _PLOTTED * 3 // 4)
    steps = np.arange(first, min(len(values), first + _PLOTTED))
    steps = steps[~np.isnan(values[steps])]
    step_s = grid.step_ns / SECOND_NS
    low, high = one.interval or (one.step, one.step)
    return Plot(
        [(float(step - one.step) * step_s, float(values[step])) for step in steps],
        ((low - one.step) * step_s, (high - one.step) * step_s),
    )


@click.command(name="anomalies")
@click.argument("metric", required=False)
@options.SERVICE
@click.option("--history", default="1d", show_default=True, metavar="DURATION", help="What is learnt from, before.")
@click.option("--step", metavar="DURATION", help="Distance of the points, such as 1m; 288 of them at least without it.")
@click.option(
    "--false-alarms",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="Alarms that a series may have in a day by chance; one in 1000 points without it.",
)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="Most anomalies to list.")
@options.STORE
@options.report("table", "json", "html")
@options.window
def anomalies_command(
    *,
    metric: str | None,
    service: str | None,
    history: str,
    step: str | None,
    false_alarms: float | None,
    limit: int,
    store: Path,
    form: str,
    output: Path | None,
    window: Window,
) -> int:
    """What is unusual, in every metric and in the requests, errors and durations of every route, and since when.

    Each point of a series is judged by those before it: spikes, levels, silence, and what is unlike the same time of
    earlier days where days are alike. Changes of a level are found looking back, with the interval in which they lie.
    METRIC is the name of a metric, or `requests` for the series that are made of spans.

    Exit code 3 when no series has enough points to judge any.

    \b
    infersight anomalies --last 1h
    infersight anomalies queue.size --service sentiment --last 1d --history 7d
    infersight anomalies requests --false-alarms 0.1 --output anomalies.html
    """  # noqa: D301 - click's mark for lines that stay lines
    history_ns = parse_duration(history)
    start_ns = None if window.start_ns is None else window.start_ns - history_ns
    with opened(store, start_ns=start_ns, end_ns=window.end_ns) as connection:
        watched = anomalies(
            connection,
            metric,
            service=service,
            window=window,
            history_ns=history_ns,
            step_ns=None if step is None else parse_duration(step),
            false_alarms=false_alarms,
            limit=limit,
        )
    publish(form, output, lambda: print_anomalies(watched.found), lambda: _text(watched, form))
    return 0 if watched.found.points or watched.found.found else NEED_MORE_DATA


def _text(watched: Watched, form: str) -> str:
    if form == "json":
        return to_json(watched.found)
    from infersight_analysis.report.html.anomalies import anomalies_page  # noqa: PLC0415 - loads what draws

    return anomalies_page(watched.found, [(plot.points, plot.interval_s) for plot in watched.plots])
