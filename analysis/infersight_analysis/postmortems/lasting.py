"""From when to when requests were otherwise, by the change points of their error share and their p95."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis.anomalies.changes import Change, changes
from infersight_analysis.anomalies.series import Grid
from infersight_analysis.findings.postmortem import Lasting
from infersight_analysis.incidents.requests import over_requests
from infersight_analysis.times import SECOND_NS, iso_time, long_duration, readable_time, short_duration

_STEPS: Final = 240
"""Points of a series: as many as show an incident that is a fortieth of the time that is looked at."""

_LEVEL: Final = 0.05
"""How probable a false change of a series is: more than usual, for that something happened is known."""

_READINGS: Final = {"error_share": "the share of requests that fail", "p95": "p95 of the requests"}


@dataclass(frozen=True)
class Stretch:
    """A time in which a reading was higher, in steps of a grid; `end` is None where it goes on."""

    reading: str
    begin: Change
    end: Change | None


def series_sql(grid: Grid, service: str | None = None) -> str:
    """The SQL of the series, as `infersight sql` takes it: a row a step, `step`, `error_share`, `p95_ns`."""
    return over_requests(
        "postmortem/series", grid.start_ns, grid.end_ns, service, from_ns=str(grid.start_ns), step_ns=str(grid.step_ns)
    )


def grid_of(start_ns: int, end_ns: int) -> Grid:
    """The steps of a time."""
    return Grid.over(start_ns, end_ns, max(SECOND_NS, (end_ns - start_ns) // _STEPS))


def lasting(
    connection: duckdb.DuckDBPyConnection, grid: Grid, incident: tuple[int, int], service: str | None = None
) -> Lasting:
    """How long requests failed or waited more than before.

    The incident is looked for where it was said to be: the first rise in that time, or as long before it as it took,
    up to the first fall after it to where it came from. Of the two readings the one that has both counts, or else the
    one that rose first.

    Args:
        connection: from `connect`.
        grid: the steps, from the baseline's begin until after the incident.
        incident: when it was, nanoseconds since the epoch, as it was said.
        service: only requests of this service.
    """
    rows = connection.execute(series_sql(grid, service)).fetchall()
    found = list(_stretches(rows, grid, incident))
    if not found:
        said = "no change point: the readings of the requests show no begin, the times are those that were given"
        return Lasting(None, None, None, None, None, None, said)
    first = min(found, key=lambda stretch: (stretch.end is None, stretch.begin.at))
    began = _time(first.begin, grid)
    what = _READINGS[first.reading]
    if first.end is None:
        said = f"{what} rose at {readable_time(began)} and did not fall again in what was recorded"
        return Lasting(began, _interval(first.begin, grid), None, None, None, first.reading, said)
    length_ns = (first.end.at - first.begin.at) * grid.step_ns
    ended = _time(first.end, grid)
    said = f"{what} was higher from {readable_time(began)} to {readable_time(ended)}, {long_duration(length_ns)}"
    return Lasting(
        began=began,
        began_interval=_interval(first.begin, grid),
        ended=ended,
        ended_interval=_interval(first.end, grid),
        duration_ns=length_ns,
        by=first.reading,
        statement=f"{said}, to {short_duration(grid.step_ns)}",
    )


def _stretches(
    rows: list[tuple[int, float | None, float | None]], grid: Grid, incident: tuple[int, int]
) -> Iterator[Stretch]:
    length_ns = incident[1] - incident[0]
    earliest = (incident[0] - length_ns - grid.start_ns) / grid.step_ns
    latest = (incident[1] - grid.start_ns) / grid.step_ns
    for column, reading in enumerate(_READINGS, 1):
        values = _filled(rows, column, grid.steps)
        found = changes(values, level=_LEVEL)
        rises = [change for change in found if change.after > change.before and earliest <= change.at < latest]
        if rises:
            begin = rises[0]
            falls = [change for change in found if change.at > begin.at and change.after < change.before]
            yield Stretch(reading, begin, next((fall for fall in falls if _is_back(begin, fall)), None))


def _is_back(begin: Change, fall: Change) -> bool:
    """Whether a fall leads back to where the level came from, or more than half the way."""
    return fall.after - begin.before < (begin.after - begin.before) / 2


def _filled(rows: list[tuple[int, float | None, float | None]], column: int, steps: int) -> npt.NDArray[np.float64]:
    line = np.full(steps, np.nan)
    for row in rows:
        value = row[column]
        if 0 <= row[0] < steps and value is not None:
            line[row[0]] = value
    return line


def _time(change: Change, grid: Grid) -> str:
    return iso_time(grid.time_ns(change.at))


def _interval(change: Change, grid: Grid) -> tuple[str, str]:
    low, high = change.interval
    return iso_time(grid.time_ns(low)), iso_time(grid.time_ns(high))
