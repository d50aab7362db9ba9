"""When a service failed more often than its own base rate explains."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis.failures.failures import Failure
from infersight_analysis.failures.groups import Grouped
from infersight_analysis.reading import query
from infersight_analysis.stats.scan import bursts
from infersight_analysis.times import SECOND_NS

FALSE_ALARMS: Final = 0.01
"""In how many services without a burst there may be one."""

_STEPS: Final = 480
_LEAST_STEPS: Final = 40
_FLOOR: Final = 0.05
"""Part of the mean exposure that every step has: what fails beside requests does so without any."""


@dataclass(frozen=True)
class Steps:
    """Equal steps of time: nanoseconds since the epoch of the first one, of the end, and their length."""

    start_ns: int
    end_ns: int
    step_ns: int

    @classmethod
    def of(cls, bounds: tuple[int, int]) -> "Steps":
        """At most some 500 steps, none shorter than a second."""
        step = max(SECOND_NS, -(-(bounds[1] - bounds[0]) // _STEPS))
        return cls(*bounds, step)

    @property
    def count(self) -> int:
        """How many there are."""
        return max(1, -(-(self.end_ns - self.start_ns) // self.step_ns))

    def at(self, time_ns: int) -> int:
        """The step of a time."""
        return min(self.count - 1, max(0, (time_ns - self.start_ns) // self.step_ns))


@dataclass(frozen=True)
class ServiceBurst:
    """A burst of one service.

    Args:
        service: the service.
        failures: its failures in that time, in order of time, each with the time at which it reached this service.
        expected: how many the base rate explains.
        per: what the base rate is by.
        p_value: corrected for all windows of the service.
    """

    service: str | None
    failures: Sequence[tuple[int, Failure]]
    expected: float
    per: str
    p_value: float

    @property
    def start_ns(self) -> int:
        """The time of the first one."""
        return self.failures[0][0]

    @property
    def end_ns(self) -> int:
        """The time of the last one."""
        return self.failures[-1][0]


def failures_by_service(found: Grouped) -> dict[str | None, list[tuple[int, Failure]]]:
    """The failures that each service recorded, with the time of its first record of each.

    One failure counts once in each service that it passed.
    """
    services: defaultdict[str | None, list[tuple[int, Failure]]] = defaultdict(list)
    for group in found.groups:
        for failure in (*group.began, *group.followed):
            first: dict[str | None, int] = {}
            for record in failure.records:
                first[record.service] = min(record.time_ns, first.get(record.service, record.time_ns))
            for service, time_ns in first.items():
                services[service].append((time_ns, failure))
    return {service: sorted(members, key=lambda each: each[0]) for service, members in services.items()}


def detected(
    connection: duckdb.DuckDBPyConnection, steps: Steps, services: Mapping[str | None, Sequence[tuple[int, Failure]]]
) -> list[ServiceBurst]:
    """The bursts of each service, in the order of time; none where there are too few steps to know a base rate.

    Args:
        connection: from `connect`.
        steps: of the time that is looked at.
        services: the failures of each service, in the order of time.
    """
    if steps.count < _LEAST_STEPS:
        return []
    requests = _requests(connection, steps)
    found: list[ServiceBurst] = []
    for service, members in services.items():
        exposure, per = _exposure(requests.get(service), steps)
        weights = Counter[int]()
        for time_ns, failure in members:
            weights[steps.at(time_ns)] += failure.weight  # type: ignore[assignment] # weights need not be whole
        scale = _scale([failure.weight for _, failure in members])
        counts = np.array([round(weights[step] / scale) for step in range(steps.count)], np.int64)
        for burst in bursts(counts, exposure, false_alarms=FALSE_ALARMS):
            inside = [each for each in members if burst.start <= steps.at(each[0]) < burst.stop]
            found.append(ServiceBurst(service, inside, burst.expected * scale, per, burst.p_value))
    return sorted(found, key=lambda burst: burst.start_ns)


def _scale(weights: Sequence[float]) -> float:
    """The weight of failures of equal weight whose sum would vary as much."""
    total = sum(weights)
    return sum(weight**2 for weight in weights) / total if total > 0 else 1.0


def _requests(connection: duckdb.DuckDBPyConnection, steps: Steps) -> dict[str | None, npt.NDArray[np.float64]]:
    values: dict[str, Any] = {
        "from_ns": steps.start_ns,
        "until_ns": steps.end_ns,
        "step_ns": steps.step_ns,
        "service": None,
    }
    found: defaultdict[str | None, npt.NDArray[np.float64]] = defaultdict(lambda: np.zeros(steps.count))
    for service, step, requests in connection.execute(query("requests_by_step"), values).fetchall():
        found[service][step] = requests
    return dict(found)


def _exposure(requests: npt.NDArray[np.float64] | None, steps: Steps) -> tuple[npt.NDArray[np.float64], str]:
    if requests is None or requests.sum() <= 0:
        return np.ones(steps.count), "time"
    return requests + _FLOOR * requests.mean(), "requests"
