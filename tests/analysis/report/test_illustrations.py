"""What a report draws: durations of requests like one, and the series of its process as people read them."""

from pathlib import Path

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    AGGREGATION_TEMPORALITY_DELTA,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from tests.analysis.recording import MS, SECOND, T0, Recording, trace_id

from infersight_analysis import connect
from infersight_analysis.illustrations import Illustrations, illustrations_of
from infersight_analysis.verbs.investigate import investigate

SLOW = 50
TIMES = range(0, 100, 5)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Illustrations:
    recording = Recording()
    for number in range(1, 81):
        took = 900 if number == SLOW else number
        recording.span(number, 1, "GET /", number * SECOND, took * MS, kind="SERVER")
        recording.span(number + 100, 1, "GET /other", number * SECOND, MS, kind="SERVER")
    recording.span(500, 1, "GET /", 9_000 * SECOND, MS, kind="SERVER")  # hours later
    numbers = [(time, T0 + time * SECOND) for time in TIMES]
    gauge = [NumberDataPoint(time_unix_nano=at, as_double=time) for time, at in numbers]
    recording.metric(Metric(name="gauge", gauge=Gauge(data_points=gauge)))
    # The process begins anew at 60 s: the counter starts from 0 there.
    counter = [
        NumberDataPoint(
            time_unix_nano=at,
            start_time_unix_nano=T0 if time < 60 else T0 + 60 * SECOND,
            as_double=3.0 * (time if time < 60 else time - 60),
        )
        for time, at in numbers
    ]
    cumulative = AGGREGATION_TEMPORALITY_CUMULATIVE
    summed = Sum(data_points=counter, is_monotonic=True, aggregation_temporality=cumulative)
    recording.metric(Metric(name="counter", sum=summed))
    histogram = [
        HistogramDataPoint(time_unix_nano=at, start_time_unix_nano=at - 5 * SECOND, count=2, sum=2.0 * time)
        for time, at in numbers
    ]
    delta = AGGREGATION_TEMPORALITY_DELTA
    recording.metric(
        Metric(name="histogram", histogram=Histogram(data_points=histogram, aggregation_temporality=delta))
    )
    store = recording.write(tmp_path_factory.mktemp("drawn") / "store")
    with connect(store) as connection:
        return illustrations_of(connection, investigate(connection, trace_id(SLOW)))


def test_durations_are_those_of_the_same_operation_in_the_hours_around(drawn: Illustrations) -> None:
    assert sorted(drawn.durations_ns) == [number * MS for number in range(1, 81) if number != SLOW]


def series(drawn: Illustrations, name: str) -> list[tuple[float, float]]:
    return next(points for metric, points in drawn.series if metric.name == name)


def test_a_gauge_is_drawn_as_it_is(drawn: Illustrations) -> None:
    assert series(drawn, "gauge") == [(float(time - SLOW), float(time)) for time in TIMES]


def test_a_counter_is_drawn_as_its_rate_without_a_point_where_the_process_began_anew(drawn: Illustrations) -> None:
    assert series(drawn, "counter") == [(float(time - SLOW), 3.0) for time in TIMES if time not in {0, 60}]


def test_a_histogram_is_drawn_as_its_mean(drawn: Illustrations) -> None:
    assert series(drawn, "histogram") == [(float(time - SLOW), float(time)) for time in TIMES]


def test_there_is_nothing_to_draw_of_a_process_without_metrics(tmp_path: Path) -> None:
    recording = Recording()
    recording.span(1, 1, "GET /", 0, MS, kind="SERVER")
    with connect(recording.write(tmp_path / "store")) as connection:
        drawn = illustrations_of(connection, investigate(connection, trace_id(1)))
    assert drawn == Illustrations([], [])
