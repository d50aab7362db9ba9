"""What is unusual in the series of a store, with its evidence."""

from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis.anomalies.detector import FALSE_ALARMS
from infersight_analysis.anomalies.evidence import evidence_of, metrics_read
from infersight_analysis.anomalies.series import Grid, Series, read_series
from infersight_analysis.anomalies.watching import Settings, Unusual, watch
from infersight_analysis.findings import Anomalies, Anomaly
from infersight_analysis.options import Window
from infersight_analysis.reading import present, query
from infersight_analysis.times import SECOND_NS, iso_time

DAY_NS: Final = 86_400 * SECOND_NS
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
    history_ns: int = DAY_NS,
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
        duckdb.Error: a query failed.
    """
    grid, first = _settings(connection, {"metric": metric, "service": service}, window, history_ns, step_ns)
    probability = FALSE_ALARMS if false_alarms is None else min(0.5, false_alarms * grid.step_ns / DAY_NS)
    settings = Settings(first, max(1, round(DAY_NS / grid.step_ns)), probability)
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
