"""What both versions took of their machines, and how much they served: CPU, memory, device memory, throughput."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final

import duckdb
import numpy as np

from infersight_analysis.anomalies.series import Grid, read_series
from infersight_analysis.releases.estimates import Bounds, mean, of_error
from infersight_analysis.releases.measures import Figure
from infersight_analysis.releases.requests import Numbers, Requests
from infersight_analysis.releases.times import Side
from infersight_analysis.times import SECOND_NS

_PARTS: Final = 20
"""Into so many equal parts a time is cut: readings that follow each other closely are alike, their means less so."""

_LEAST_PARTS: Final = 5

_CPU: Final = "process.cpu.time"
_MEMORY: Final = {
    "memory": ("process memory", "process.memory.usage"),
    "device-memory": ("GPU memory in use", "hw.gpu.memory.usage"),
}
_INSTANCES: Final = (
    "select distinct service_instance_id from metrics where service_name = $service and service_version = $version "
    "and time_ns >= $from_ns and time_ns < $until_ns and service_instance_id is not null"
)


@dataclass(frozen=True)
class Usage:
    """What one version used in each part of its time, NaN where nothing was recorded.

    Args:
        cores: CPU time by the second, of all of its processes together.
        per_second: requests by the second.
        memory: the readings of `_MEMORY`, mean of its processes or devices.
    """

    cores: Numbers
    per_second: Numbers
    memory: Mapping[str, Numbers]


def read_usage(connection: duckdb.DuckDBPyConnection, service: str, side: Side, requests: Requests) -> Usage:
    """What a version used.

    Args:
        connection: from `connect`.
        service: its name.
        side: which version, and when.
        requests: what it served in that time.
    """
    start_ns, end_ns = side.between_ns
    grid = Grid(start_ns, max(1, -(-(end_ns - start_ns) // _PARTS)), _PARTS)
    instances = {instance for (instance,) in connection.execute(_INSTANCES, side.parameters(service)).fetchall()}

    def of(metric: str, reading: str) -> Numbers:
        series, numbers = read_series(connection, grid, metric=metric, service=service, least=1)
        kept = [place for place, each in enumerate(series) if each.instance in instances and each.reading == reading]
        return numbers[kept] if kept else np.full((0, grid.steps), np.nan)

    parts = (requests.times_ns - grid.start_ns) // grid.step_ns
    served = np.bincount(np.clip(parts, 0, _PARTS - 1), requests.weights, _PARTS) * SECOND_NS / grid.step_ns
    return Usage(
        cores=_together(of(_CPU, "rate")),
        per_second=served,
        memory={name: _mean(of(metric, "value")) for name, (_, metric) in _MEMORY.items()},
    )


def figures(
    baseline: Usage, candidate: Usage, sizes: tuple[int, int], confidence: float
) -> Iterator[tuple[str, Figure]]:
    """The figures of resources, each with the name of its limit; none of what was not recorded.

    Args:
        baseline: what it used.
        candidate: what it used.
        sizes: how many requests of each were recorded.
        confidence: of the intervals.
    """
    sides = baseline, candidate
    a, b = (mean(side.per_second, confidence) for side in sides)
    yield "throughput", Figure("throughput", "1/s", a, b, sizes)
    if all(_parts(side.cores) >= _LEAST_PARTS for side in sides):
        a, b = (_a_request(side, confidence) for side in sides)
        yield "cpu", Figure("CPU a request", "s", a, b, (_parts(baseline.cores), _parts(candidate.cores)))
    for name, (about, _) in _MEMORY.items():
        readings = [side.memory[name] for side in sides]
        if all(_parts(each) >= _LEAST_PARTS for each in readings):
            a, b = (mean(each[~np.isnan(each)], confidence) for each in readings)
            yield name, Figure(about, "By", a, b, (_parts(readings[0]), _parts(readings[1])))


def _a_request(usage: Usage, confidence: float) -> Bounds:
    """CPU time a request: a ratio of means over the parts, its error that of the residuals (delta method)."""
    known = ~np.isnan(usage.cores)
    cores, served = usage.cores[known], usage.per_second[known]
    if not served.sum():
        return Bounds(float("nan"), -np.inf, np.inf)
    ratio = float(cores.sum() / served.sum())
    error = float((cores - ratio * served).std(ddof=1)) / sqrt(len(cores)) / float(served.mean())
    return of_error(ratio, error, len(cores), confidence)


def _together(lines: Numbers) -> Numbers:
    """The sum of series, NaN where none of them was recorded."""
    nothing = np.isnan(lines).all(axis=0)
    return np.where(nothing, np.nan, np.nansum(lines, axis=0))


def _mean(lines: Numbers) -> Numbers:
    """The mean of series, NaN where none of them was recorded."""
    known = (~np.isnan(lines)).sum(axis=0)
    return np.where(known, np.nansum(lines, axis=0) / np.maximum(known, 1), np.nan)


def _parts(numbers: Numbers) -> int:
    return int((~np.isnan(numbers)).sum())
