"""Series of numbers at equal steps, out of the views: metrics, quantiles of histograms, and requests by route."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis.reading import query
from infersight_analysis.times import SECOND_NS, iso_time

Numbers = npt.NDArray[np.float64]

REQUESTS: Final = "requests"
"""The name of the series that are made of spans."""


@dataclass(frozen=True)
class Grid:
    """Equal steps of time.

    Args:
        start_ns: begin of the first step, nanoseconds since the epoch, a multiple of the step.
        step_ns: its length.
        steps: how many.
    """

    start_ns: int
    step_ns: int
    steps: int

    @classmethod
    def over(cls, start_ns: int, end_ns: int, step_ns: int) -> "Grid":
        """The whole steps between two times."""
        first = -(-start_ns // step_ns)
        return cls(first * step_ns, step_ns, max(0, end_ns // step_ns - first))

    @property
    def end_ns(self) -> int:
        """End of the last step."""
        return self.time_ns(self.steps)

    def time_ns(self, step: int) -> int:
        """Begin of a step."""
        return self.start_ns + step * self.step_ns


@dataclass(frozen=True)
class Series:
    """What a series is of.

    Args:
        service: the service.
        instance: its process, None where all are together.
        name: of the metric, or `REQUESTS`.
        unit: in UCUM.
        reading: `value`, `rate`, `mean`, `p50`, `p95`, `p99` or `error_share`.
        attributes: JSON of those of the series.
    """

    service: str | None
    instance: str | None
    name: str
    unit: str | None
    reading: str
    attributes: str


def read_series(
    connection: duckdb.DuckDBPyConnection, grid: Grid, *, metric: str | None, service: str | None, least: int
) -> tuple[list[Series], Numbers]:
    """The series and their numbers, series x steps, NaN where nothing was recorded.

    Args:
        connection: from `connect`.
        grid: the steps.
        metric: only this metric, or `REQUESTS`; all without it.
        service: only this service.
        least: steps that a series has at least.
    """
    found: list[Series] = []
    numbers: list[Numbers] = []
    for row in _rows(connection, grid, metric, service, least):
        *identity, steps, values = row
        series = Series(*identity)
        line = np.full(grid.steps, 0.0 if _is_nothing_zero(series) else np.nan)
        within = steps < grid.steps
        line[steps[within]] = values[within]
        line[: steps[0]] = np.nan  # before it began
        found.append(series)
        numbers.append(line)
    return found, np.array(numbers) if numbers else np.zeros((0, grid.steps))


def _is_nothing_zero(series: Series) -> bool:
    """Whether a step without a row says that nothing happened, and not that nothing is known."""
    return series.name == REQUESTS and series.reading == "rate"


def _rows(
    connection: duckdb.DuckDBPyConnection, grid: Grid, metric: str | None, service: str | None, least: int
) -> Iterator[tuple[Any, ...]]:
    bounds: dict[str, Any] = {"from_ns": grid.start_ns, "until_ns": grid.end_ns, "service": service}
    window: dict[str, Any] = {
        "from_ns": grid.start_ns,
        "step_ns": grid.step_ns,
        "service": service,
        "least": least,
        "last": f"{grid.steps * grid.step_ns / SECOND_NS} seconds",
        "until": iso_time(grid.end_ns),
        "step": f"{grid.step_ns / SECOND_NS} seconds",
    }
    if metric is None or metric == REQUESTS:
        yield from _fetched(connection, "request_series", window)
    if metric == REQUESTS:
        return
    steps = {"step_ns": grid.step_ns, "least": least, "metric": metric}
    yield from _fetched(connection, "metric_series", bounds | steps)
    for (name,) in connection.execute(query("anomalies/histograms"), bounds | {"metric": metric}).fetchall():
        yield from _fetched(connection, "histogram_series", window | {"metric": name})


def _fetched(connection: duckdb.DuckDBPyConnection, name: str, values: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, with lists as arrays."""
    connection.execute(query(f"anomalies/{name}"), values)
    while rows := connection.fetchmany(1_000):
        for *identity, steps, numbers in rows:
            yield (*identity, np.array(steps, np.int64), np.array(numbers, np.float64))
