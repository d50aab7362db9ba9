"""`histogram_quantile` against Prometheus' own answers, and against plain Python on thousands of random histograms."""

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    AGGREGATION_TEMPORALITY_DELTA,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Histogram,
    HistogramDataPoint,
    Metric,
)
from tests.analysis.macros.reference_quantile import (
    Explicit,
    Exponential,
    bucket_quantile,
    explicit_quantile,
    exponential_quantile,
    native_quantile,
)
from tests.analysis.recording import SECOND, T0, Recording, key_values

from infersight_analysis import connect

CASES = 1500
"""Random services of each type of histogram; all are asked by one query."""

SINCE = 100
UNTIL = 400
LAYOUTS = ((0.1, 0.5, 1.0, 5.0), (0.1, 1.0, 5.0, 10.0), (-1.0, 0.0, 1.0), (0.25,))


def record(recording: Recording, service: str, points: list[Explicit] | list[Exponential]) -> None:
    """The points as metrics named `m` of the service; the series is an attribute."""
    for point in points:
        temporality = AGGREGATION_TEMPORALITY_DELTA if point.is_delta else AGGREGATION_TEMPORALITY_CUMULATIVE
        common: Any = {
            "time_unix_nano": T0 + point.time_ns,
            "start_time_unix_nano": 0 if point.start_ns is None else T0 + point.start_ns,
            "attributes": key_values({"series": point.series}),
            "count": point.count,
            "sum": float(point.count),
        }
        if isinstance(point, Explicit):
            data = HistogramDataPoint(**common, explicit_bounds=point.bounds, bucket_counts=point.counts)
            metric = Metric(name="m", histogram=Histogram(data_points=[data], aggregation_temporality=temporality))
        else:
            data_point = ExponentialHistogramDataPoint(
                **common,
                scale=point.scale,
                zero_count=point.zero_count,
                zero_threshold=point.zero_threshold,
                positive=packed(point.positive),
                negative=packed(point.negative),
            )
            histogram = ExponentialHistogram(data_points=[data_point], aggregation_temporality=temporality)
            metric = Metric(name="m", exponential_histogram=histogram)
        recording.metric(metric, (service, "1", None))


def packed(buckets: dict[int, int]) -> ExponentialHistogramDataPoint.Buckets:
    if not buckets:
        return ExponentialHistogramDataPoint.Buckets()
    first = min(buckets)
    counts = [buckets.get(index, 0) for index in range(first, max(buckets) + 1)]
    return ExponentialHistogramDataPoint.Buckets(offset=first, bucket_counts=counts)


def times(random_: random.Random) -> list[int]:
    """When a series is exported; some of it before the window of the test, some after."""
    step = random_.choice([20, 60])
    first = random_.choice([0, 40, 80, 110, 200])
    return [first + step * number for number in range(random_.randint(1, 8))]


def explicit_series(random_: random.Random, name: str) -> Iterator[Explicit]:
    bounds = random_.choice(LAYOUTS)
    is_delta = random_.random() < 0.3
    tells_start = random_.random() < 0.7
    counts, start = [0] * (len(bounds) + 1), random_.choice([0, 90])
    for at in times(random_):
        if random_.random() < 0.2:  # a restart, which may change the bounds
            bounds = random_.choice(LAYOUTS) if random_.random() < 0.3 else bounds
            counts, start = [0] * (len(bounds) + 1), at
        if is_delta:
            counts = [0] * len(counts)
        for _ in range(random_.choice([0, 1, 5, 30])):
            counts[random_.randrange(len(counts))] += 1
        yield Explicit(
            name, at * SECOND, start * SECOND if tells_start and start else None, is_delta, bounds, tuple(counts)
        )


def exponential_series(random_: random.Random, name: str) -> Iterator[Exponential]:
    scale, threshold = random_.randint(-1, 4), random_.choice([0.0, 0.0, 0.01])
    is_delta = random_.random() < 0.3
    tells_start = random_.random() < 0.7
    signs = random_.choice([(1,), (1,), (-1,), (1, -1), (0,), (0, 1), (0, -1), (-1, 0, 1)])
    zero, start = 0, random_.choice([0, 90])
    sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
    for at in times(random_):
        if is_delta or random_.random() < 0.2:
            zero, start = 0, at
            sides = {1: {}, -1: {}}
        coarser = random_.choice([0, 0, 0, 1, 2]) if scale > 0 else 0  # values spread: the SDK halves its resolution
        scale -= coarser
        for sign, side in sides.items():
            merged: dict[int, int] = {}
            for index, count in side.items():
                merged[index >> coarser] = merged.get(index >> coarser, 0) + count
            sides[sign] = merged
        for _ in range(random_.choice([0, 1, 5, 30])):
            sign = random_.choice(signs)
            index = random_.randint(-6, 12) >> max(0, 2 - scale)
            if sign:
                sides[sign][index] = sides[sign].get(index, 0) + 1
            else:
                zero += 1
        told = start * SECOND if tells_start and start else None
        yield Exponential(name, at * SECOND, told, is_delta, scale, zero, threshold, dict(sides[1]), dict(sides[-1]))


@pytest.fixture(scope="module")
def cases() -> dict[str, list[Explicit] | list[Exponential]]:
    random_ = random.Random(20260301)
    made: dict[str, list[Explicit] | list[Exponential]] = {}
    for number in range(CASES):
        names = [f"s{series}" for series in range(random_.randint(1, 3))]
        made[f"explicit-{number}"] = [point for name in names for point in explicit_series(random_, name)]
        made[f"exponential-{number}"] = [point for name in names for point in exponential_series(random_, name)]
    return made


@pytest.fixture(scope="module")
def store(cases: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    recording = Recording()
    for service, points in cases.items():
        record(recording, service, points)
    return recording.write(tmp_path_factory.mktemp("quantiles") / "store")


@pytest.mark.parametrize("q", [0, 0.05, 0.5, 0.9, 0.99, 1])
@pytest.mark.parametrize("is_windowed", [False, True], ids=["everything", "a window"])
def test_random_histograms_have_the_quantile_of_the_reference(
    q: float, is_windowed: bool, cases: dict[str, Any], store: Path
) -> None:
    window = f", last := interval {UNTIL - SINCE} seconds, until := make_timestamp_ns({T0 + UNTIL * SECOND})"
    query = f"select service_name, count, value from histogram_quantile('m', {q}{window if is_windowed else ''})"
    with connect(store) as connection:
        found = {service: (count, value) for service, count, value in connection.execute(query).fetchall()}
    answered = 0
    for service, points in cases.items():
        since, until = (SINCE * SECOND, UNTIL * SECOND) if is_windowed else (None, 10**18)
        # Cumulative series begin 5 minutes before the window at most, which is before T0 here.
        known = [point for point in points if point.time_ns < until]
        reference: Any = explicit_quantile if service.startswith("explicit") else exponential_quantile
        count, value = reference(known, q, since)
        got_count, got_value = found.get(service, (0, None))
        assert got_count == count, service
        assert got_value == (None if value is None else pytest.approx(value, rel=1e-9, abs=1e-12)), service
        answered += value is not None
    assert answered > CASES


def one(points: list[Explicit] | list[Exponential], arguments: str, tmp_path: Path) -> list[tuple[Any, ...]]:
    recording = Recording()
    record(recording, "api", points)
    with connect(recording.write(tmp_path / "store")) as connection:
        query = f"select count, value from histogram_quantile('m', {arguments})"
        return connection.execute(query).fetchall()


def test_answers_of_prometheus_for_one_series(tmp_path: Path) -> None:
    """The series of Prometheus' own test data, `promql/promqltest/testdata/histograms.test`, at 50 minutes."""
    series: list[tuple[tuple[float, ...], tuple[int, ...], dict[str, float]]] = [
        ((0.1, 0.2, 1.0), (50, 20, 40, 10), {"0": 0, "0.2": 0.048, "0.5": 0.15, "0.8": 0.72, "1": 1}),
        ((-0.2, -0.1, 0.3), (10, 10, 0, 10), {"0": -0.2, "0.2": -0.2, "0.5": -0.15, "0.8": 0.3, "1": 0.3}),
        ((0.0, 2.0, 4.0, 6.0), (0, 10, 10, 10, 0), {"1 / 6": 1, "0.5": 3, "5 / 6": 5}),
    ]
    for number, (bounds, counts, answers) in enumerate(series):
        points = [Explicit("a", SECOND, None, True, bounds, counts)]
        for q, expected in answers.items():
            found = one(points, q, tmp_path / f"{number}{q.replace('/', '-')}")
            assert found == [(sum(counts), pytest.approx(expected))], (bounds, q)


def test_series_are_merged_as_prometheus_merges_them(tmp_path: Path) -> None:
    """`histogram_quantile(q, sum(rate(request_duration_seconds[10m])))` of the same data: 0.075 and 0.1277..."""
    points: list[Explicit] = []
    for name, steps in {"1": (1, 2, 1), "2": (2, 3, 1), "3": (3, 1, 2), "4": (4, 3, 2)}.items():
        for number in range(11):
            counts = tuple(number * step for step in steps)
            points.append(Explicit(name, number * 300 * SECOND + SECOND, SECOND, False, (0.1, 0.2), counts))
    assert one(points, "0.3", tmp_path / "1") == [(250, pytest.approx(0.075))]
    assert one(points, "0.5", tmp_path / "2") == [(250, pytest.approx(0.1277777778))]


def test_an_exponential_histogram_is_interpolated_on_the_logarithm_of_its_values(tmp_path: Path) -> None:
    """`single_histogram` of Prometheus' native_histograms.test, whose bucket 0 is OTLP's bucket -1: the root of two."""
    points = [Exponential("a", SECOND, None, True, 0, 0, 0.0, {-1: 1, 0: 2, 1: 1}, {})]
    assert one(points, "0.5", tmp_path) == [(4, pytest.approx(2**0.5))]


def test_a_restart_is_seen_by_its_start_time_or_by_a_count_that_fell(tmp_path: Path) -> None:
    bounds = (1.0, 2.0)
    told = [(10, 0, (5, 0, 0)), (20, 0, (6, 0, 0)), (30, 25, (6, 3, 0)), (40, 25, (6, 4, 0))]
    by_start = [Explicit("a", at * SECOND, start * SECOND, False, bounds, counts) for at, start, counts in told]
    untold = [(10, (5, 0, 0)), (20, (6, 0, 0)), (30, (2, 8, 0)), (40, (3, 9, 0))]
    by_count = [Explicit("a", at * SECOND, None, False, bounds, counts) for at, counts in untold]
    assert one(by_start, "0.5", tmp_path / "1")[0][0] == 6 + 10
    assert one(by_count, "0.5", tmp_path / "2")[0][0] == 6 + 12


def test_a_window_counts_only_what_was_measured_in_it(tmp_path: Path) -> None:
    points = [
        Explicit("old", at * SECOND, SECOND, False, (1.0,), (count, 0))
        for at, count in ((60, 100), (120, 103), (180, 107))
    ]
    new = [Explicit("new", at * SECOND, 100 * SECOND, False, (1.0,), (0, count)) for at, count in ((120, 2), (180, 5))]
    window = f"0.5, last := '90s', until := make_timestamp_ns({T0 + 181 * SECOND})"
    # The old process: 107 - 100, whose last point before the window is known. The new one began within it: all of 5.
    assert one([*points, *new], window, tmp_path) == [(7 + 5, pytest.approx(6 / 7))]


def test_the_first_point_known_of_an_old_process_is_only_where_it_begins(tmp_path: Path) -> None:
    points = [Explicit("a", at * SECOND, SECOND, False, (1.0,), (count, 0)) for at, count in ((120, 100), (180, 104))]
    window = f"0.5, last := '90s', until := make_timestamp_ns({T0 + 181 * SECOND})"
    assert one(points, window, tmp_path)[0][0] == 4


def test_steps_and_parts_are_told_apart(tmp_path: Path) -> None:
    recording = Recording()
    for series in ("a", "b"):
        for minute in range(4):
            counts = (minute, 0) if series == "a" else (0, 2 * minute)
            record(recording, "api", [Explicit(series, minute * 60 * SECOND, SECOND, False, (1.0, 2.0), (*counts, 0))])
    with connect(recording.write(tmp_path / "store")) as connection:
        query = (
            "select epoch_ns(time), part, count, value from histogram_quantile("
            "'m', 0.5, step := '2 minutes', split := attributes['series'])"
        )
        rows = connection.execute(query).fetchall()
    # 08:53:20 is the first time, so the second step begins at 08:54:00.
    first = T0 - 80 * SECOND
    found = [((time - first) // (120 * SECOND), part, count) for time, part, count, _ in rows]
    assert found == [(0, "a", 0), (0, "b", 0), (1, "a", 2), (1, "b", 4), (2, "a", 1), (2, "b", 2)]
    assert [value for *_, value in rows] == [None, None, 0.5, 1.5, 0.5, 1.5]


def test_a_quantile_in_percent_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(duckdb.Error, match="q is from 0 to 1"):
        one([Explicit("a", SECOND, None, True, (1.0,), (1, 0))], "99", tmp_path)


def test_nothing_is_known_beyond_the_highest_bound_and_without_measurements(tmp_path: Path) -> None:
    assert one([Explicit("a", SECOND, None, True, (1.0, 2.0), (1, 0, 9))], "0.99", tmp_path / "1") == [(10, 2.0)]
    assert one([Explicit("a", SECOND, None, True, (1.0, 2.0), (0, 0, 0))], "0.99", tmp_path / "2") == [(0, None)]
    assert one([Explicit("a", SECOND, None, True, (), (3,))], "0.99", tmp_path / "3") == [(3, None)]


def test_the_reference_agrees_with_itself_on_uniform_values() -> None:
    """The interpolations the others are held against: linear and logarithmic, by values that are known."""
    assert bucket_quantile(0.25, [(1.0, 10), (2.0, 20), (math.inf, 20)]) == pytest.approx(0.5)
    count, middle = native_quantile(0.5, 0, (0.0, 0), {0: 4}, {})
    assert count == 4
    assert middle == pytest.approx(2**0.5)
