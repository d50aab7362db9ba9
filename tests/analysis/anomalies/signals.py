"""A service of five hours whose metrics and requests go wrong at known minutes."""

import math
import random
from itertools import pairwise
from pathlib import Path
from typing import Final

from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
)
from tests.analysis.recording import MS, SECOND, T0, Recording, key_values

MINUTES: Final = 300
MINUTE: Final = 60 * SECOND
CUMULATIVE: Final = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA: Final = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA

QUEUE_GROWS: Final = 250
JOBS_RESTART: Final = 150
JOBS_STOP: Final = 270
SLOW: Final = 260, 275
REQUESTS_SLOW: Final = 280
REQUESTS_FAIL: Final = 285

_BOUNDS: Final = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0]


def minute(number: float) -> str:
    """The time of a minute as findings say it."""
    seconds = 8 * 3600 + 53 * 60 + 20 + round(number * 60)
    return f"2025-10-09T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.000000000Z"


def record(path: Path) -> Path:
    """Write the store."""
    recording = Recording()
    choose = random.Random(1)
    for metric in (_queue(choose), _constant(), _jobs(choose), _deltas(choose), *_durations(choose)):
        recording.metric(metric)
    _requests(recording, choose)
    return recording.write(path)


def _queue(choose: random.Random) -> Metric:
    """A gauge whose level rises; half an hour of it is missing."""
    metric = Metric(name="queue.size", unit="1")
    for number in range(MINUTES):
        if not 100 <= number < 130:
            value = choose.gauss(20, 1) + (10 if number >= QUEUE_GROWS else 0)
            metric.gauge.data_points.append(_point(number, value))
    return metric


def _constant() -> Metric:
    metric = Metric(name="threads", unit="1")
    metric.gauge.data_points.extend(_point(number, 8.0) for number in range(MINUTES))
    return metric


def _jobs(choose: random.Random) -> Metric:
    """A counter whose process restarts, and which stands still in the end."""
    metric = Metric(name="jobs.done", unit="1")
    total, start = 0, T0 - MINUTE
    for number in range(MINUTES):
        if number == JOBS_RESTART:
            total, start = 0, T0 + (number - 1) * MINUTE
        total += 0 if number >= JOBS_STOP else round(choose.gauss(600, 20))
        metric.sum.data_points.append(
            NumberDataPoint(time_unix_nano=T0 + number * MINUTE, start_time_unix_nano=start, as_int=total)
        )
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = CUMULATIVE
    return metric


def _deltas(choose: random.Random) -> Metric:
    metric = Metric(name="cache.misses", unit="1")
    for number in range(MINUTES):
        time = T0 + number * MINUTE
        count = round(choose.gauss(120, 5))
        metric.sum.data_points.append(
            NumberDataPoint(time_unix_nano=time, start_time_unix_nano=time - MINUTE, as_int=count)
        )
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = DELTA
    return metric


def _durations(choose: random.Random) -> tuple[Metric, Metric]:
    """The same durations as an explicit and as an exponential histogram; they are four times as long for a while."""
    explicit, exponential = Metric(name="model.duration", unit="s"), Metric(name="model.latency", unit="s")
    scale = 3
    for number in range(MINUTES):
        factor = 4 if SLOW[0] <= number < SLOW[1] else 1
        values = [choose.lognormvariate(-3, 0.5) * factor for _ in range(200)]
        edges = [0.0, *_BOUNDS, math.inf]
        about = {
            "time_unix_nano": T0 + number * MINUTE,
            "start_time_unix_nano": T0 + (number - 1) * MINUTE,
            "count": len(values),
            "sum": sum(values),
            "attributes": key_values({"app.model": "ranker"}),
        }
        counts = [sum(low < value <= high for value in values) for low, high in pairwise(edges)]
        explicit.histogram.data_points.append(
            HistogramDataPoint(explicit_bounds=_BOUNDS, bucket_counts=counts, **about)  # type: ignore[arg-type]
        )
        places = [math.ceil(math.log2(value) * 2**scale) - 1 for value in values]
        buckets = ExponentialHistogramDataPoint.Buckets(
            offset=min(places), bucket_counts=[places.count(place) for place in range(min(places), max(places) + 1)]
        )
        exponential.exponential_histogram.data_points.append(
            ExponentialHistogramDataPoint(scale=scale, positive=buckets, **about)  # type: ignore[arg-type]
        )
    explicit.histogram.aggregation_temporality = DELTA
    exponential.exponential_histogram.aggregation_temporality = DELTA
    return explicit, exponential


def _requests(recording: Recording, choose: random.Random) -> None:
    """Six requests a minute; they become slow, and then half of them fail."""
    for number in range(MINUTES * 6):
        at = number // 6
        duration = round(choose.lognormvariate(2.5, 0.4) * (5 if at >= REQUESTS_SLOW else 1) * MS)
        recording.span(
            number + 1, 1, "POST /predict", at * MINUTE + number % 6 * 9 * SECOND, duration, kind="SERVER",
            attributes={"http.route": "/predict"},
            error="no" if at >= REQUESTS_FAIL and number % 2 else None,
        )  # fmt: skip


def _point(number: int, value: float) -> NumberDataPoint:
    attributes = key_values({"app.queue": "a"})
    return NumberDataPoint(time_unix_nano=T0 + number * MINUTE, as_double=value, attributes=attributes)
