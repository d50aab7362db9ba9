"""The metric series of services, and which of them stray from their baseline."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt

from infersight_analysis.rootcause.question import Question
from infersight_analysis.rootcause.reading import Texts, instance_of, read
from infersight_analysis.stats.surprise import LEAST_BASELINE, Numbers, Sample, smallest, surprises

_REQUESTS: Final = re.compile(r"requests?\b|calls?\b|invocations?\b|throughput|workload|hits\b", re.IGNORECASE)
_LATENCY: Final = re.compile(r"latency|duration|response.?time|elapsed", re.IGNORECASE)
SUCCESS: Final = re.compile(r"availability|success", re.IGNORECASE)
_FAILURE: Final = re.compile(r"error|fault|fail", re.IGNORECASE)
_TRAFFIC: Final = re.compile(r"network|bytes|packets", re.IGNORECASE)

REQUESTS: Final = "requests"
LATENCY: Final = "latency"
FAILURES: Final = "failures"

_KEYS: Final = ("service", "instance", "name", "unit", "labels", "reading")


@dataclass(frozen=True)
class Series:
    """A metric series.

    Args:
        service: whose it is.
        instance: of which instance; empty where that is not known.
        name: the metric's name.
        unit: its unit.
        labels: its attributes, as JSON text.
        reading: `value`, `rate`, `mean` or `count`: what its points were made into.
        time_ns: when it was read, ascending.
        readings: the readings.
        in_window: whether each of them is of the incident, else of the baseline.
    """

    service: str
    instance: str
    name: str
    unit: str
    labels: str
    reading: str
    time_ns: npt.NDArray[np.int64]
    readings: Numbers
    in_window: npt.NDArray[np.bool_]

    @property
    def kind(self) -> tuple[str, str, str, str]:
        """What the same series of another service has in common with it."""
        return self.name, self.unit, self.labels, self.reading

    @property
    def sample(self) -> Sample:
        """Its readings in both times."""
        return Sample(self.readings[self.in_window], self.readings[~self.in_window])


@dataclass(frozen=True)
class Stray:
    """How far a series strays; see `stats.surprise`."""

    series: Series
    deviation: float
    p_value: float

    @property
    def travels(self) -> str | None:
        """`up` from the called to the caller, as latencies and failures do; `down`, as demand does; else None."""
        kind = classified(self.series)
        if kind in {LATENCY, FAILURES}:
            return "up"
        return "down" if kind == REQUESTS or _TRAFFIC.search(self.series.name) else None


@dataclass(frozen=True)
class Straying:
    """What strays of a service's series.

    Args:
        strays: the most surprising first.
    """

    strays: list[Stray]

    def p_value(self, travels: str | None) -> float:
        """Of the most surprising one that travels so, however many series the service has; 1 where it has none."""
        some = [stray.p_value for stray in self.strays if stray.travels == travels]
        return smallest([min(some), *[1.0] * (len(self.strays) - 1)]) if some else 1.0


def classified(series: Series) -> str | None:
    """What a series is of its service's requests: their number, their latency, their failures; None if none of it."""
    if _LATENCY.search(series.name):
        return {"count": REQUESTS, "rate": None}.get(series.reading, LATENCY)
    if SUCCESS.search(series.name) or _FAILURE.search(series.name):
        return FAILURES
    return REQUESTS if _REQUESTS.search(series.name) and series.reading in {"value", "rate"} else None


def read_series(connection: duckdb.DuckDBPyConnection, question: Question) -> list[Series]:
    """The metric series of an incident and its baseline."""
    columns = read(connection, "series", question, instance=instance_of(connection, "metrics"))
    texts: dict[str, Texts] = {key: columns[key] for key in _KEYS}
    time_ns, readings = columns["time_ns"], columns["number"].astype(np.float64)
    in_window = (time_ns >= question.start_ns) & (time_ns < question.end_ns)
    if not len(time_ns):
        return []
    order = np.lexsort((time_ns, *(text.codes for text in texts.values())))
    codes = np.stack([text.codes[order] for text in texts.values()])
    starts = np.flatnonzero(np.append(True, (codes[:, 1:] != codes[:, :-1]).any(axis=0)))
    return [
        Series(
            **{key: text.values[int(text.codes[rows[0]])] for key, text in texts.items()},
            time_ns=time_ns[rows],
            readings=readings[rows],
            in_window=in_window[rows],
        )
        for rows in np.split(order, starts[1:])
    ]


def straying(series: Iterable[Series]) -> dict[str, Straying]:
    """Which series of each service stray.

    Equal series of several services are none of theirs but of what they share, such as a node, and tell none of them
    from the others. Constant series say nothing.
    """
    kinds: defaultdict[tuple[str, str, str, str], list[Series]] = defaultdict(list)
    sharing: defaultdict[tuple[str, bytes], set[str]] = defaultdict(set)
    for each in series:
        sample = each.sample
        if len(sample.incident) and len(sample.baseline) >= LEAST_BASELINE:
            kinds[each.kind].append(each)
            sharing[each.name, each.readings.tobytes()].add(each.service)
    found: defaultdict[str, list[Stray]] = defaultdict(list)
    for members in kinds.values():
        for each, surprise in zip(members, surprises([one.sample for one in members]), strict=True):
            is_shared = len(sharing[each.name, each.readings.tobytes()]) > 1
            if each.readings.min() < each.readings.max() and not is_shared:
                found[each.service].append(Stray(each, surprise.deviation, surprise.p_value))
    return {service: Straying(sorted(strays, key=lambda stray: stray.p_value)) for service, strays in found.items()}
