"""Rates, errors and durations of spans, exactly, by series and interval."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.traces import MS, START_NS, Span, batch_of, exemplars_request, spans_batch, trace_id

from infersight_collector.component import Batch
from infersight_collector.config.values import Duration
from infersight_collector.processors.span_metrics import Exemplars, SpanMetrics
from infersight_collector.processors.span_metrics.histograms import (
    ExplicitHistogram,
    ExponentialHistogram,
    Histogram,
)
from infersight_collector.processors.span_metrics.series import Dimension
from infersight_collector.signals import Signal
from infersight_collector.store.schema import COLUMNS

CALLS, DURATION = "traces.span.metrics.calls", "traces.span.metrics.duration"


def points(batch: Batch, name: str) -> list[dict[str, Any]]:
    """The data points of one metric; dimensions that are null are left out."""
    rows = [row for row in batch.tables["metrics"].to_pylist() if row["name"] == name]
    for row in rows:
        row["attributes"] = {key: value for key, value in row["attributes"].items() if value is not None}
    return rows


def exemplars(batch: Batch) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = batch.tables["exemplars"].to_pylist()
    return found


def test_a_point_has_the_calls_of_one_series_with_the_connectors_names() -> None:
    resource = {"service.name": "fraud", "service.version": "2"}
    route = {"http.route": "/predict", "infersight.model.name": "m", "infersight.model.version": "7"}
    span = Span(1, 30, name="POST /predict", kind="SERVER", attributes=route, resource=resource)
    failed = Span(2, 70, name="POST /predict", kind="SERVER", error=True, attributes=route, resource=resource)
    batch = SpanMetrics().process(spans_batch(span, span, failed))
    ok, error = sorted(points(batch, CALLS), key=lambda row: row["value"], reverse=True)
    assert ok["attributes"] == {
        "service.name": "fraud",
        "service.version": "2",
        "span.name": "POST /predict",
        "span.kind": "SPAN_KIND_SERVER",
        "status.code": "STATUS_CODE_UNSET",
        **route,
    }
    assert error["attributes"] == {**ok["attributes"], "status.code": "STATUS_CODE_ERROR"}
    assert [row["value"] for row in (ok, error)] == [2.0, 1.0]
    assert [row["value_int"] for row in (ok, error)] == [2, 1]
    assert {row["type"] for row in (ok, error)} == {"sum"}
    assert {row["temporality"] for row in (ok, error)} == {"DELTA"}
    assert ok["is_monotonic"] is True
    assert (ok["service_name"], ok["service_version"]) == ("fraud", "2")
    assert ok["resource_attributes"] == resource
    assert ok["scope_name"] == "infersight.spanmetrics"


def test_points_are_of_aligned_intervals_of_the_spans_ends() -> None:
    spans = [Span(1, start_ms=start, duration_ms=2000) for start in (0, 7_000, 7_999, 8_000, 19_000)]
    rows = points(SpanMetrics(interval=Duration(10)).process(spans_batch(*spans)), CALLS)
    starts = [(row["start_time_ns"] - START_NS) // MS for row in rows]
    assert dict(zip(starts, [row["value"] for row in rows], strict=True)) == {0: 3.0, 10_000: 1.0, 20_000: 1.0}
    assert {row["time_ns"] - row["start_time_ns"] for row in rows} == {10_000 * MS}


def test_durations_are_counted_in_buckets_whose_upper_bounds_belong_to_them() -> None:
    metrics = SpanMetrics(histogram=Histogram(explicit=ExplicitHistogram([Duration(0.01), Duration(0.1)])))
    spans = [Span(1, duration) for duration in (5, 10, 10.5, 100, 250)]
    [row] = points(metrics.process(spans_batch(*spans)), DURATION)
    assert (row["type"], row["unit"], row["temporality"]) == ("histogram", "ms", "DELTA")
    assert (row["bounds"], row["bucket_counts"]) == ([10.0, 100.0], [2, 2, 1])
    assert (row["count"], row["sum"], row["min"], row["max"]) == (5, 375.5, 5.0, 250.0)


def test_the_default_buckets_are_those_of_the_connector() -> None:
    [row] = points(SpanMetrics(histogram=Histogram(unit="s")).process(spans_batch(Span(1, 1000))), DURATION)
    milliseconds = [2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10000, 15000]
    assert row["bounds"] == [bound / 1000 for bound in milliseconds]
    assert (row["unit"], row["sum"], row["bucket_counts"].index(1)) == ("s", 1.0, 10)


def test_a_clock_that_stepped_back_is_a_duration_of_zero() -> None:
    [row] = points(SpanMetrics().process(spans_batch(Span(1, -5, start_ms=50), Span(2, 0))), DURATION)
    assert (row["count"], row["sum"], row["bucket_counts"][0]) == (2, 0.0, 2)


@given(
    durations=st.lists(st.floats(0, 1e7), min_size=1, max_size=40),
    max_size=st.integers(2, 30),
)
def test_exponential_buckets_hold_their_values_and_are_as_fine_as_allowed(
    durations: list[float], max_size: int
) -> None:
    metrics = SpanMetrics(histogram=Histogram(exponential=ExponentialHistogram(max_size)))
    batch = spans_batch(*[Span(1, duration) for duration in durations])
    values = np.array(batch.tables["spans"]["duration_ns"].to_pylist()) / 1e6
    rows = points(metrics.process(batch), DURATION)
    counted = 0
    for row in rows:
        base = 2.0**2.0 ** -row["scale"]
        counts = row["positive_bucket_counts"]
        assert len(counts) <= max_size
        assert not counts or (counts[0] and counts[-1])
        assert row["zero_count"] + sum(counts) == row["count"]
        inside = values[(values >= row["min"]) & (values <= row["max"])]
        lowest, highest = base ** row["positive_offset"], base ** (row["positive_offset"] + len(counts))
        positive = inside[inside > 0]
        assert (positive >= lowest * (1 - 1e-9)).all()
        assert (positive <= highest * (1 + 1e-9)).all()
        if row["scale"] < 20 and len(positive):
            finer = np.ceil(np.log2([positive.min(), positive.max()]) * 2.0 ** (row["scale"] + 1)) - 1
            assert finer[1] - finer[0] >= max_size
        counted += row["count"]
        assert (row["negative_bucket_counts"], row["negative_offset"], row["zero_threshold"]) == ([], 0, 0.0)
    assert counted == len(durations)


def test_exact_powers_of_two_are_the_upper_ends_of_their_buckets() -> None:
    metrics = SpanMetrics(histogram=Histogram(exponential=ExponentialHistogram(4)))
    [row] = points(metrics.process(spans_batch(Span(1, 1), Span(1, 2), Span(1, 4), Span(1, 8))), DURATION)
    assert (row["scale"], row["positive_offset"], row["positive_bucket_counts"]) == (0, -1, [1, 1, 1, 1])


def test_a_span_counts_as_often_as_its_weight_says() -> None:
    [calls] = points(SpanMetrics().process(batch := spans_batch(Span(1, 2, weight=10), Span(2, 5))), CALLS)
    [duration] = points(SpanMetrics().process(batch), DURATION)
    assert calls["value_int"] == duration["count"] == sum(duration["bucket_counts"]) == 11
    assert duration["sum"] == 25.0


def test_fractions_of_weights_are_right_on_average_and_the_same_for_all_spans_of_a_trace() -> None:
    spans = [Span(trace, weight=1.3, name=name) for trace in range(4000) for name in ("a", "b")]
    rows = points(SpanMetrics().process(spans_batch(*spans)), CALLS)
    first, second = (row["value_int"] for row in rows)
    assert first == second
    # 4 standard deviations of a binomial with p = 0.3.
    assert abs(first - 4000 * 1.3) < 4 * (4000 * 0.3 * 0.7) ** 0.5
    parts = [SpanMetrics().process(spans_batch(*spans[start : start + 1000])) for start in range(0, 8000, 1000)]
    assert sum(row["value_int"] for part in parts for row in points(part, CALLS)) == first + second


def test_spans_that_stand_for_no_other_are_not_counted() -> None:
    detail = spans_batch(Span(1, weight=0))
    assert SpanMetrics().process(detail) is detail
    [row] = points(SpanMetrics().process(spans_batch(Span(1, 5), Span(1, 900, weight=0))), DURATION)
    assert (row["count"], row["max"]) == (1, 5.0)


def test_absurd_weights_do_not_overflow() -> None:
    [row] = points(SpanMetrics().process(spans_batch(*[Span(1, weight=1e300)] * 100)), CALLS)
    assert row["value_int"] == 100 * 10**12


@given(
    st.lists(
        st.builds(
            Span,
            trace=st.integers(0, 5),
            duration_ms=st.floats(-10, 1e5),
            start_ms=st.floats(0, 1e5),
            name=st.sampled_from("ab"),
            error=st.booleans(),
            weight=st.none() | st.integers(0, 5).map(float),
            attributes=st.dictionaries(st.sampled_from(["http.route", "extra"]), st.sampled_from("xy")),
            resource=st.dictionaries(st.sampled_from(["service.name", "extra"]), st.sampled_from("xy")),
        ),
        max_size=30,
    )
)
def test_every_span_is_counted_once_in_its_series(spans: list[Span]) -> None:
    expected: defaultdict[tuple[Any, ...], int] = defaultdict(int)
    for span in spans:
        attributes = {**span.resource, **span.attributes}
        count = 1 if span.weight is None else int(span.weight)
        service, route = span.resource.get("service.name"), span.attributes.get("http.route")
        end = START_NS + round(span.start_ms * MS) + round(span.duration_ms * MS)
        key = (service, span.name, span.error, route, attributes.get("extra"), end // 10**10)
        expected[key] += count
    metrics = SpanMetrics(dimensions=[Dimension("extra")])
    batch = metrics.process(spans_batch(*spans))
    found: defaultdict[tuple[Any, ...], int] = defaultdict(int)
    for row in points(batch, CALLS) if "metrics" in batch.tables else []:
        of = row["attributes"].get
        error = of("status.code") == "STATUS_CODE_ERROR"
        bucket = row["start_time_ns"] // 10**10
        found[of("service.name"), of("span.name"), error, of("http.route"), of("extra"), bucket] += row["value_int"]
    assert found == {key: count for key, count in expected.items() if count}


def test_further_dimensions_come_from_the_span_before_its_resource_or_have_a_default() -> None:
    metrics = SpanMetrics(dimensions=[Dimension("tier"), Dimension("region", "nowhere"), Dimension("absent")])
    spans = [
        Span(1, attributes={"tier": "gold"}, resource={"tier": "any", "region": "eu"}),
        Span(2, resource={"tier": "any"}),
    ]
    rows = points(metrics.process(spans_batch(*spans)), CALLS)
    found = [{key: row["attributes"].get(key) for key in ("tier", "region", "absent")} for row in rows]
    assert found == [
        {"tier": "gold", "region": "eu", "absent": None},
        {"tier": "any", "region": "nowhere", "absent": None},
    ]


def test_a_dimension_keeps_its_type_and_is_text_where_types_differ() -> None:
    spans = spans_batch(Span(1, attributes={"code": 200, "mixed": 1}, resource={"mixed": "one"}), Span(2))
    metrics = SpanMetrics(dimensions=[Dimension("code"), Dimension("mixed")]).process(spans).tables["metrics"]
    attributes = metrics.schema.field("attributes").type
    assert attributes.field("code").type == pa.int64()
    assert attributes.field("mixed").type == pa.string()
    with_default = SpanMetrics(dimensions=[Dimension("code", "none")]).process(spans)
    assert {row["attributes"]["code"] for row in points(with_default, CALLS)} == {"200", "none"}


def test_beyond_the_limit_the_smallest_series_share_one() -> None:
    names = ["a"] * 3 + ["b"] * 2 + ["c", "d", "e", "f"]
    spans = spans_batch(*[Span(number, name=name) for number, name in enumerate(names)])
    rows = points(SpanMetrics(aggregation_cardinality_limit=2).process(spans), CALLS)
    assert [(row["attributes"].get("span.name"), row["value_int"]) for row in rows] == [("a", 3), ("b", 2), (None, 4)]
    assert rows[2]["attributes"] == {"otel.metric.overflow": True}
    assert "otel.metric.overflow" not in rows[0]["attributes"]
    assert len(points(SpanMetrics(aggregation_cardinality_limit=0).process(spans), CALLS)) == 6


def test_exemplars_are_the_slowest_span_and_others_of_the_same_traces_everywhere() -> None:
    traces = range(100)
    spans = [Span(trace, 1 + trace % 50, name=name) for trace in traces for name in ("a", "b")]
    batch = SpanMetrics(exemplars=Exemplars(max_per_data_point=3)).process(spans_batch(*spans))
    by_point: defaultdict[str, list[tuple[str, float]]] = defaultdict(list)
    for row in exemplars(batch):
        assert (row["metric_name"], row["metric_type"]) == (DURATION, "histogram")
        assert row["point_time_ns"] == START_NS + 10_000 * MS
        assert row["time_ns"] == START_NS + int(row["value"]) * MS
        by_point[row["point_attributes"]["span.name"]].append((row["trace_id"], row["value"]))
    assert set(by_point) == {"a", "b"}
    assert by_point["a"] == by_point["b"]
    assert len(by_point["a"]) == 3
    assert max(value for _, value in by_point["a"]) == 50.0
    spans_of = {trace_id(trace): 1 + trace % 50 for trace in traces}
    assert all(spans_of[trace] == value for trace, value in by_point["a"])


def test_one_exemplar_is_the_slowest_and_there_may_be_fewer_spans_than_exemplars() -> None:
    spans = spans_batch(Span(1, 5), Span(2, 9))
    [one] = exemplars(SpanMetrics(exemplars=Exemplars(max_per_data_point=1)).process(spans))
    assert one["trace_id"] == trace_id(2)
    assert len(exemplars(SpanMetrics(exemplars=Exemplars(max_per_data_point=5)).process(spans))) == 2


def test_exemplars_can_be_switched_off() -> None:
    assert "exemplars" not in SpanMetrics(exemplars=Exemplars(enabled=False)).process(spans_batch(Span(1))).tables


def test_the_tables_have_the_layout_of_the_store() -> None:
    tables = SpanMetrics().process(spans_batch(Span(1))).tables
    for name in ("metrics", "exemplars"):
        assert tables[name].schema.names[: len(COLUMNS[name])] == COLUMNS[name].names
        assert [tables[name].schema.field(field.name).type for field in COLUMNS[name]] == [
            f.type for f in COLUMNS[name]
        ]


def test_spans_stay_as_they_are_and_other_signals_pass() -> None:
    spans = spans_batch(Span(1))
    assert SpanMetrics().process(spans).tables["spans"] is spans.tables["spans"]
    metrics = batch_of(Signal.METRICS, exemplars_request(1))
    assert SpanMetrics().process(metrics) is metrics
    empty = spans_batch()
    assert SpanMetrics().process(empty) is empty


def test_two_of_them_add_up_in_one_batch_although_their_types_differ() -> None:
    spans = spans_batch(Span(1, attributes={"code": 200}))
    first = SpanMetrics(namespace="a", dimensions=[Dimension("code")]).process(spans)
    second = SpanMetrics(namespace="b", dimensions=[Dimension("code", "none")]).process(first)
    assert second.tables["metrics"]["name"].to_pylist() == ["a.calls", "a.duration", "b.calls", "b.duration"]
    assert second.tables["metrics"]["attributes_other"].to_pylist() == [None, None, '{"code":"200"}', '{"code":"200"}']
    assert second.tables["exemplars"].num_rows == 2


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dimensions": [Dimension("span.name")]}, "'span.name' is there already"),
        ({"dimensions": [Dimension("a"), Dimension("a")]}, "'a' is there already"),
        ({"interval": Duration(0.5)}, "whole seconds"),
        ({"aggregation_cardinality_limit": -1}, "at least 1"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SpanMetrics(**settings)


def test_parts_of_the_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="ascending"):
        ExplicitHistogram([Duration(2), Duration(1)])
    with pytest.raises(ValueError, match="at least 2"):
        ExponentialHistogram(1)
    with pytest.raises(ValueError, match="either 'explicit' or 'exponential'"):
        Histogram(explicit=ExplicitHistogram(), exponential=ExponentialHistogram())
    with pytest.raises(ValueError, match="'max_per_data_point' must be at least 1"):
        Exemplars(max_per_data_point=0)
