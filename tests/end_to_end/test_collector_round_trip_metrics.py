"""Every field of the five kinds of metric and their exemplars, through a real collector to the files of its store."""

import gzip
import json
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Exemplar,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
    Summary,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from tests.support.collectors import RunningCollector
from tests.support.otlp_senders import post

START, NOW = 1_760_000_000_000_000_000, 1_760_000_060_000_000_001
TRACE, SPAN = bytes(range(1, 17)), bytes(range(1, 9))
MAX = 2**63 - 1


def attribute(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


POINT = [attribute("point", "p")]
TIMES: dict[str, Any] = {"start_time_unix_nano": START, "time_unix_nano": NOW, "attributes": POINT}
EXEMPLARS = [
    Exemplar(
        filtered_attributes=[attribute("kept", "k")],
        time_unix_nano=NOW - 1,
        as_double=0.25,
        span_id=SPAN,
        trace_id=TRACE,
    ),
    Exemplar(time_unix_nano=NOW - 2, as_int=MAX),
]
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA

METRICS = [
    Metric(
        name="gauge",
        description="a gauge",
        unit="{item}",
        metadata=[attribute("m", "n")],
        gauge=Gauge(
            data_points=[
                NumberDataPoint(**TIMES, as_int=MAX, flags=1),
                NumberDataPoint(**TIMES, as_double=-0.5, exemplars=EXEMPLARS),
            ]
        ),
    ),
    Metric(
        name="sum",
        sum=Sum(
            aggregation_temporality=CUMULATIVE,
            is_monotonic=True,
            data_points=[NumberDataPoint(**TIMES, as_int=3)],
        ),
    ),
    Metric(
        name="histogram",
        unit="s",
        histogram=Histogram(
            aggregation_temporality=DELTA,
            data_points=[
                HistogramDataPoint(
                    **TIMES,
                    count=6,
                    sum=1.5,
                    min=0.0,
                    max=0.9,
                    bucket_counts=[1, 2, 3],
                    explicit_bounds=[0.1, 0.5],
                    exemplars=EXEMPLARS[:1],
                ),
                HistogramDataPoint(**TIMES, count=0),
            ],
        ),
    ),
    Metric(
        name="exponential",
        exponential_histogram=ExponentialHistogram(
            aggregation_temporality=CUMULATIVE,
            data_points=[
                ExponentialHistogramDataPoint(
                    **TIMES,
                    count=9,
                    sum=-2.5,
                    min=-4.0,
                    max=8.0,
                    scale=-3,
                    zero_count=2,
                    zero_threshold=0.001,
                    positive=ExponentialHistogramDataPoint.Buckets(offset=-7, bucket_counts=[1, 0, 4]),
                    negative=ExponentialHistogramDataPoint.Buckets(offset=5, bucket_counts=[2]),
                )
            ],
        ),
    ),
    Metric(
        name="summary",
        summary=Summary(
            data_points=[
                SummaryDataPoint(
                    **TIMES,
                    count=2,
                    sum=3.0,
                    quantile_values=[
                        SummaryDataPoint.ValueAtQuantile(quantile=0.5, value=1.0),
                        SummaryDataPoint.ValueAtQuantile(quantile=1.0, value=2.0),
                    ],
                )
            ]
        ),
    ),
]


@pytest.fixture(scope="module")
def stored(collector: RunningCollector) -> RunningCollector:
    """A collector that has all of the metrics, sent as gzipped protobuf over HTTP."""
    scope = ScopeMetrics(scope=InstrumentationScope(name="scope"), metrics=METRICS, schema_url="https://scope")
    resource = Resource(attributes=[attribute("service.name", "meter")])
    request = ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=resource, scope_metrics=[scope], schema_url="https://resource")]
    )
    answer = post(collector.http, "/v1/metrics", gzip.compress(request.SerializeToString()), content_encoding="gzip")
    assert answer.status == 200
    collector.wait_for("select count(*) from metrics", 7)
    return collector


def points(stored: RunningCollector, name: str) -> list[dict[str, Any]]:
    """The rows of a metric without empty columns; what all points share is checked here and left out."""
    rows = stored.rows(f"from metrics where name = '{name}' order by coalesce(value, count) desc")
    for row in rows:
        assert (row.pop("name"), row.pop("start_time_ns"), row.pop("time_ns")) == (name, START, NOW)
        assert row.pop("attributes") == {"point": "p"}
        assert row.pop("resource_attributes") == {"service.name": "meter"}
        assert (row.pop("service_name"), row.pop("scope_name")) == ("meter", "scope")
        assert (row.pop("resource_schema_url"), row.pop("scope_schema_url")) == ("https://resource", "https://scope")
    return [
        {column: value for column, value in row.items() if value is not None and column not in {"date", "hour"}}
        for row in rows
    ]


def test_gauges_keep_integers_exactly_and_their_description(stored: RunningCollector) -> None:
    shared = {"description": "a gauge", "unit": "{item}", "metadata": '{"m": "n"}', "type": "gauge"}
    largest, negative = points(stored, "gauge")
    assert json.loads(str(largest["metadata"])) == {"m": "n"}
    for point in (largest, negative):
        point["metadata"] = shared["metadata"]
    assert largest == {**shared, "value": float(MAX), "value_int": MAX, "flags": 1}
    assert negative == {**shared, "value": -0.5}


def test_sums_keep_temporality_and_monotonicity(stored: RunningCollector) -> None:
    expected = {"type": "sum", "temporality": "CUMULATIVE", "is_monotonic": True, "value": 3.0, "value_int": 3}
    assert points(stored, "sum") == [expected]


def test_histograms_keep_buckets_and_tell_an_absent_sum_from_zero(stored: RunningCollector) -> None:
    full, empty = points(stored, "histogram")
    shared = {"unit": "s", "type": "histogram", "temporality": "DELTA"}
    buckets = {"bounds": [0.1, 0.5], "bucket_counts": [1, 2, 3]}
    assert full == {**shared, **buckets, "count": 6, "sum": 1.5, "min": 0.0, "max": 0.9}
    assert empty == {**shared, "count": 0, "bounds": [], "bucket_counts": []}


def test_exponential_histograms_keep_both_sides(stored: RunningCollector) -> None:
    assert points(stored, "exponential") == [
        {
            "type": "exponential_histogram",
            "temporality": "CUMULATIVE",
            "count": 9,
            "sum": -2.5,
            "min": -4.0,
            "max": 8.0,
            "scale": -3,
            "zero_count": 2,
            "zero_threshold": 0.001,
            "positive_offset": -7,
            "positive_bucket_counts": [1, 0, 4],
            "negative_offset": 5,
            "negative_bucket_counts": [2],
        }
    ]


def test_summaries_keep_their_quantiles(stored: RunningCollector) -> None:
    quantiles = [{"quantile": 0.5, "value": 1.0}, {"quantile": 1.0, "value": 2.0}]
    expected = {"type": "summary", "count": 2, "sum": 3.0, "quantiles": quantiles}
    assert points(stored, "summary") == [expected]


def test_exemplars_keep_their_trace_and_the_series_that_they_belong_to(stored: RunningCollector) -> None:
    columns = "metric_name, metric_type, time_ns, value, value_int, trace_id, span_id, attributes, point_time_ns"
    columns += ", point_attributes, service_name, scope_name"
    rows = stored.rows(f"select {columns} from exemplars order by metric_name, time_ns desc")
    shared = {"point_time_ns": NOW, "point_attributes": {"point": "p"}, "service_name": "meter", "scope_name": "scope"}
    traced = {
        "time_ns": NOW - 1,
        "value": 0.25,
        "value_int": None,
        "trace_id": TRACE.hex(),
        "span_id": SPAN.hex(),
        "attributes": {"kept": "k"},
    }
    untraced: dict[str, object] = {
        "time_ns": NOW - 2,
        "value": float(MAX),
        "value_int": MAX,
        "trace_id": None,
        "span_id": None,
        "attributes": {},
    }
    gauge = {"metric_name": "gauge", "metric_type": "gauge"}
    assert rows == [
        {**gauge, **traced, **shared},
        {**gauge, **untraced, **shared},
        {"metric_name": "histogram", "metric_type": "histogram", **traced, **shared},
    ]
