"""A series records what the instrument itself would: the same points, exemplars, views and temporality."""

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, ExemplarFilter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import DropAggregation, ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from infersight._series import Series

BOUNDS = (0.1, 1.0, 10.0)
ATTRIBUTES = {"model": "m", "version": "1"}
VALUES = (0.05, 0.5, 0.7, 5.0, 50.0)

VIEWS = {
    "no view": (),
    "an attribute less": (View(instrument_name="*", attribute_keys={"model"}),),
    "two streams": (View(instrument_name="h", name="one"), View(instrument_name="h", name="two", attribute_keys=set())),
    "exponential": (View(instrument_name="h", aggregation=ExponentialBucketHistogramAggregation()),),
    "dropped": (View(instrument_name="h", aggregation=DropAggregation()),),
}


class Recorded:
    """A provider with a reader of each temporality, and what they read."""

    def __init__(self, views: Sequence[View] = (), exemplars: ExemplarFilter | None = None) -> None:
        self.readers = [
            InMemoryMetricReader(preferred_temporality={Histogram: temporality})
            for temporality in (AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA)
        ]
        self.provider = MeterProvider(self.readers, exemplar_filter=exemplars, shutdown_on_exit=False, views=views)
        self.histogram = self.provider.get_meter("m").create_histogram("h", explicit_bucket_boundaries_advisory=BOUNDS)

    def points(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        for reader in self.readers:
            data = reader.get_metrics_data()
            for of_resource in data.resource_metrics if data else ():
                for metric in of_resource.scope_metrics[0].metrics:
                    for point in metric.data.data_points:
                        timeless: Any = replace(
                            point,
                            start_time_unix_nano=0,
                            time_unix_nano=0,
                            exemplars=[replace(exemplar, time_unix_nano=0) for exemplar in point.exemplars],
                        )
                        found.append((metric.name, timeless))
        return found


@pytest.mark.parametrize("exemplars", [None, AlwaysOnExemplarFilter()])
@pytest.mark.parametrize("sampler", [ALWAYS_ON, ALWAYS_OFF])
@pytest.mark.parametrize("views", VIEWS.values(), ids=list(VIEWS))
def test_a_series_gives_the_points_and_exemplars_of_its_instrument(
    views: Sequence[View], sampler: Sampler, exemplars: ExemplarFilter | None
) -> None:
    by_series, by_instrument = Recorded(views, exemplars), Recorded(views, exemplars)
    series = Series(by_series.histogram, ATTRIBUTES)
    tracer = TracerProvider(sampler=sampler, shutdown_on_exit=False).get_tracer("t")
    for _ in range(2):
        for value in VALUES:
            with tracer.start_as_current_span("s") as span:
                series.record(value, span.get_span_context().trace_flags.sampled)
                by_instrument.histogram.record(value, ATTRIBUTES)
        expected = by_instrument.points()
        assert by_series.points() == expected
        assert bool(expected) == (views is not VIEWS["dropped"])


def test_a_reader_that_is_added_later_is_served() -> None:
    recorded = Recorded()
    series = Series(recorded.histogram, ATTRIBUTES)
    series.record(1.0, sampled=False)
    late = InMemoryMetricReader()
    recorded.provider.add_metric_reader(late)
    series.record(2.0, sampled=False)
    data = late.get_metrics_data()
    assert data is not None
    (point,) = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
    assert (point.count, point.sum) == (1, 2.0)  # type: ignore[union-attr]  # pyright: ignore


def test_two_series_of_one_histogram_are_apart() -> None:
    recorded = Recorded()
    one, other = Series(recorded.histogram, {"model": "a"}), Series(recorded.histogram, {"model": "b"})
    for value in VALUES:
        one.record(value, sampled=False)
    other.record(1.0, sampled=False)
    counts = {point.attributes["model"]: point.count for _, point in recorded.points()}
    assert counts == {"a": 5, "b": 1}


def test_an_instrument_that_is_not_the_sdks_takes_the_public_way() -> None:
    recorded: list[tuple[float, Any]] = []

    class Instrument:
        def record(self, amount: float, attributes: Any = None) -> None:
            recorded.append((amount, attributes))

    series = Series(Instrument(), ATTRIBUTES)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - all that is used
    series.record(1.0, sampled=True)
    series.record(2.0, sampled=False)
    assert recorded == [(1.0, ATTRIBUTES), (2.0, ATTRIBUTES)]
    Series(NoOpMeterProvider().get_meter("m").create_histogram("h"), {}).record(1.0, sampled=True)


def test_an_sdk_whose_inside_has_changed_takes_the_public_way() -> None:
    recorded = Recorded()

    class Consumer:
        def __init__(self, consumer: Any) -> None:
            self.consume_measurement = consumer.consume_measurement

    histogram: Any = recorded.histogram
    histogram._measurement_consumer = Consumer(histogram._measurement_consumer)
    series = Series(histogram, ATTRIBUTES)
    for value in VALUES:
        series.record(value, sampled=False)
    assert [point.count for _, point in recorded.points()] == [5, 5]


def test_a_forked_child_counts_from_zero() -> None:
    from infersight._fork import begin_metrics_anew

    recorded = Recorded()
    series = Series(recorded.histogram, ATTRIBUTES)
    for value in VALUES:
        series.record(value, sampled=False)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        begin_metrics_anew(recorded.provider)
        series.record(1.0, sampled=False)
        os.write(writing, b" ".join(b"%d" % point.count for _, point in recorded.points()))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"1 1"
    os.close(reading)
    os.close(writing)
    assert [point.count for _, point in recorded.points()] == [5, 5]
