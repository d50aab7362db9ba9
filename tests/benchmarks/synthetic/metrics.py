"""Metrics of every process, read each 15 seconds: gauges, sums, histograms of both kinds."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from tests.benchmarks.synthetic.columns import Ints, numbers, picked, struct, table
from tests.benchmarks.synthetic.population import INTERVAL_NS
from tests.benchmarks.synthetic.services import ENTRANCES, MODELS, OPERATIONS
from tests.benchmarks.synthetic.trees import World

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
HOUR_NS: Final = 3_600 * 10**9
_READINGS: Final = HOUR_NS // INTERVAL_NS
_SCALE: Final = 3
_BUCKETS: Final = 40


@dataclass
class Series:
    """One series of points and its totals so far."""

    name: str
    kind: str
    unit: str
    instance: int
    attributes: dict[str, str | int]
    rate: float = 1.0
    total: float = 0.0
    sum: float = 0.0
    buckets: Ints = field(default_factory=lambda: np.zeros(len(BOUNDS) + 1, dtype=np.int64))


def series(world: World) -> list[Series]:
    """All series of the day."""
    found: list[Series] = []
    for instance, service in enumerate(world.people.service_of.tolist()):
        name = world.people.services[service]
        for metric, unit in (
            ("process.memory.usage", "By"),
            ("process.cpu.utilization", "1"),
            ("infersight.event_loop.lag", "s"),
        ):
            found.append(Series(metric, "gauge", unit, instance, {}))
        for operation in (operation for operation in OPERATIONS if operation.split(" ")[0] == name):
            _, method, route = operation.split(" ")
            rate = 60 * ENTRANCES.get(operation, 0.2)
            attributes: dict[str, str | int] = {"http.request.method": method, "http.route": route}
            for status, share in ((200, 1.0), (500, 0.01)):
                found.append(
                    Series(
                        "http.server.request.duration",
                        "histogram",
                        "s",
                        instance,
                        attributes | {"http.response.status_code": status},
                        rate * share,
                    )
                )
            found.append(Series("http.server.requests", "sum", "{request}", instance, attributes, rate))
        if name in MODELS:
            model: dict[str, str | int] = {"infersight.model.name": MODELS[name][0], "infersight.device": "cuda:0"}
            found.append(Series("infersight.inference.duration", "exponential_histogram", "s", instance, model, 40))
            found.append(Series("hw.gpu.utilization", "gauge", "1", instance, {"hw.id": f"gpu-{instance % 4}"}))
    return found


def hours(world: World, day_ns: int, count: int, seed: int) -> Iterator[pa.Table]:
    """The points of one hour after the other, all series of an interval together."""
    every = series(world)
    chance = np.random.default_rng(seed)
    for hour in range(count):
        begin = day_ns + hour * HOUR_NS
        parts = [_POINTS[one.kind](one, chance) for one in every]
        order = np.arange(len(every) * _READINGS).reshape(len(every), _READINGS).T.ravel()
        rows = pa.concat_tables([pa.table(part) for part in parts], promote_options="permissive")
        yield _stored(world, every, rows.take(pa.array(order)), begin, day_ns)


def _stored(world: World, every: list[Series], rows: pa.Table, begin: int, day_ns: int) -> pa.Table:
    which = np.tile(np.arange(len(every)), _READINGS)
    instance = np.array([one.instance for one in every])[which]
    time_ns = begin + np.repeat(np.arange(_READINGS), len(every)) * INTERVAL_NS + world.people.beats[instance]
    resource, service = world.people.resources(instance, time_ns)
    kinds = np.array([one.kind for one in every])[which]
    keys = dict.fromkeys(key for one in every for key in one.attributes)
    columns = {
        "time_ns": numbers(time_ns),
        "start_time_ns": numbers(
            np.where(kinds == "exponential_histogram", time_ns - INTERVAL_NS, day_ns), kinds != "gauge"
        ),
        "name": picked([one.name for one in every], which),
        "unit": picked([one.unit for one in every], which),
        "description": picked([f"{one.name} of the process" for one in every], which),
        "type": pa.array(kinds),
        "temporality": picked([_TEMPORALITY[one.kind] for one in every], which),
        "is_monotonic": numbers(np.ones(which.size, dtype=bool), kinds == "sum"),
        "scope_name": picked(["infersight"], np.zeros(which.size, np.int64)),
        **service,
        "resource_attributes": resource,
        "attributes": struct({key: picked([one.attributes.get(key) for one in every], which) for key in keys}),
    }
    values: dict[str, Any] = {name: rows[name].combine_chunks() for name in rows.column_names}
    return table("metrics", columns | values)


_TEMPORALITY: Final = {
    "gauge": None,
    "sum": "CUMULATIVE",
    "histogram": "CUMULATIVE",
    "exponential_histogram": "DELTA",
}

_Points = dict[str, pa.Array]


def _gauge(one: Series, chance: np.random.Generator) -> _Points:
    if one.unit == "By":
        steps = np.cumsum(chance.normal(0, 2e6, _READINGS)) + one.total
        one.total = float(steps[-1])
        return {"value_int": numbers((2.1e9 + steps).astype(np.int64) // 4096 * 4096)}
    return {"value": numbers(chance.gamma(2, 0.15 if one.unit == "1" else 0.0004, _READINGS))}


def _sum(one: Series, chance: np.random.Generator) -> _Points:
    totals = int(one.total) + np.cumsum(chance.poisson(one.rate, _READINGS))
    one.total = float(totals[-1])
    return {"value_int": numbers(totals)}


def _histogram(one: Series, chance: np.random.Generator) -> _Points:
    shares = np.exp(-0.5 * ((np.arange(len(BOUNDS) + 1) - 4) / 2.2) ** 2)
    counts = chance.poisson(one.rate * shares / shares.sum(), (_READINGS, shares.size))
    totals = one.buckets + np.cumsum(counts, axis=0)
    middle = np.array([0, *BOUNDS]) * 1.3
    sums = one.sum + np.cumsum(counts @ middle * chance.normal(1, 0.05, _READINGS))
    one.buckets, one.sum = totals[-1], float(sums[-1])
    return {
        "count": numbers(totals.sum(axis=1)),
        "sum": numbers(sums),
        "bounds": _lists(np.tile(BOUNDS, (_READINGS, 1))),
        "bucket_counts": _lists(totals),
    }


def _exponential(one: Series, chance: np.random.Generator) -> _Points:
    shares = np.exp(-0.5 * ((np.arange(_BUCKETS) - 18) / 5) ** 2)
    counts = chance.poisson(one.rate * shares / shares.sum(), (_READINGS, _BUCKETS))
    middle = 2.0 ** ((np.arange(_BUCKETS) - 60) / 2**_SCALE)
    return {
        "count": numbers(counts.sum(axis=1)),
        "sum": numbers(counts @ middle * chance.normal(1, 0.02, _READINGS)),
        "min": numbers(chance.lognormal(-4.5, 0.2, _READINGS)),
        "max": numbers(chance.lognormal(-2.5, 0.3, _READINGS)),
        "scale": pa.array(np.full(_READINGS, _SCALE, dtype=np.int32)),
        "zero_count": numbers(np.zeros(_READINGS, dtype=np.int64)),
        "positive_offset": pa.array(np.full(_READINGS, -60, dtype=np.int32)),
        "positive_bucket_counts": _lists(counts),
    }


_POINTS: Final[dict[str, Callable[[Series, np.random.Generator], _Points]]] = {
    "gauge": _gauge,
    "sum": _sum,
    "histogram": _histogram,
    "exponential_histogram": _exponential,
}


def _lists(values: npt.NDArray[Any]) -> pa.Array:
    rows, width = values.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * width
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.ravel()))
