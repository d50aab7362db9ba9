"""The metric around the moment, and the other series that became unusual with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np

from infersight_analysis.anomalies.series import Grid, Numbers, Series, read_series
from infersight_analysis.anomalies.watching import Settings, Unusual, watch
from infersight_analysis.around.moment import Moment
from infersight_analysis.findings import MetricAround, MovedSeries
from infersight_analysis.reading import present, query
from infersight_analysis.stats.order import robust_deviation
from infersight_analysis.times import SECOND_NS, iso_time

_STEPS: Final = 20
"""Steps of the window, where points are close enough for so many."""

_LEAST_POINTS: Final = 8
"""Of the baseline, for it to say what is usual."""

_DAY_NS: Final = 86_400 * SECOND_NS


@dataclass(frozen=True)
class Around:
    """All series around the moment.

    Args:
        grid: the steps of baseline and window.
        first: the first step of the window.
        series: what each row is of.
        numbers: series x steps.
        unusual: what is unusual within the window.
        chosen: the rows of the metric that was asked for.
    """

    grid: Grid
    first: int
    series: Sequence[Series]
    numbers: Numbers
    unusual: Sequence[Unusual]
    chosen: Sequence[int]

    @property
    def began(self) -> int | None:
        """The step at which the metric became unusual; the most surprising series of it tells."""
        rows = set(self.chosen)
        return next((each.step for each in self.unusual if each.series in rows), None)


def series_around(connection: duckdb.DuckDBPyConnection, moment: Moment, metric: str, service: str | None) -> Around:
    """Read every series of baseline and window.

    Args:
        connection: from `connect`.
        moment: what to look at.
        metric: the metric that was asked for.
        service: only its series of this service are that metric; other series are of all services.
    """
    row = connection.execute(query("anomalies/recorded"), {"metric": None, "service": None}).fetchone()
    apart_ns = row[2] if row else 0
    step_ns = max(SECOND_NS, (moment.end_ns - moment.start_ns) // _STEPS, round(0.9 * apart_ns))
    grid = Grid.over(moment.baseline_ns, moment.end_ns, step_ns)
    series, numbers = read_series(connection, grid, metric=None, service=None, least=1)
    first = min(grid.steps, max(0, -(-(moment.start_ns - grid.start_ns) // step_ns)))
    settings = Settings(first, max(1, round(_DAY_NS / step_ns)))
    unusual = watch(numbers, settings)[0] if len(series) else []
    chosen = [place for place, each in enumerate(series) if each.name == metric and service in (None, each.service)]
    return Around(grid, first, series, numbers, unusual, chosen)


def metric_around(around: Around) -> list[MetricAround]:
    """The series of the metric, the most unusual first."""
    found = [_metric(around, place) for place in around.chosen]
    return sorted(found, key=lambda each: -abs(each.deviations or 0))


def _metric(around: Around, place: int) -> MetricAround:
    series, line = around.series[place], around.numbers[place]
    before = line[: around.first][~np.isnan(line[: around.first])]
    steps = np.flatnonzero(~np.isnan(line))
    now = [(int(step), float(line[step])) for step in steps if step >= around.first]
    known = len(before) >= _LEAST_POINTS
    median = float(np.median(before)) if known else None
    extreme = max((value for _, value in now), key=lambda value: abs(value - (median or 0)), default=None)
    return MetricAround(
        name=series.name,
        reading=series.reading,
        service=series.service,
        instance=series.instance,
        attributes=present(series.attributes),
        unit=series.unit,
        values=[(iso_time(around.grid.time_ns(step)), value) for step, value in now],
        median=median,
        usual=(float(np.quantile(before, 0.05)), float(np.quantile(before, 0.95))) if known else None,
        extreme=extreme,
        deviations=robust_deviation(extreme, before.tolist()) if known and extreme is not None else None,
    )


def moved(around: Around, at_ns: int) -> Iterator[MovedSeries]:
    """The other series that became unusual in the window, in the order of time.

    Args:
        around: all series.
        at_ns: when the metric did; the moment that was asked for, where it did not.
    """
    chosen, seen = set(around.chosen), set[int]()
    for each in sorted(around.unusual, key=lambda one: (one.step, -one.surprise)):
        if each.series in chosen or each.series in seen:
            continue
        seen.add(each.series)
        series = around.series[each.series]
        attributes: dict[str, Any] = present(series.attributes)
        offset = around.grid.time_ns(each.step) - at_ns
        step = around.grid.step_ns
        yield MovedSeries(
            name=series.name,
            reading=series.reading,
            service=series.service,
            instance=series.instance,
            attributes=attributes,
            when="together" if abs(offset) <= step else "before" if offset < 0 else "after",
            offset_ns=offset,
            time=iso_time(around.grid.time_ns(each.step)),
            kind=each.kind,
            value=each.value,
            usual=each.usual,
            surprise=each.surprise,
        )
