"""The processor `filter`: what matches is dropped, what cannot be asked is kept, and mistakes are told at start."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.attribute_rows import attributes_of, logs_batch, metrics_batch, spans_batch

from infersight_collector.component import Batch, Surroundings
from infersight_collector.config import ConfigError, load
from infersight_collector.pipeline import KINDS, build
from infersight_collector.processors.filter import FilterProcessor
from infersight_collector.telemetry import Telemetry

HEALTH = "attributes['http.route'] = '/health'"


def names(batch: Batch) -> list[str]:
    return [str(name) for name in batch.tables["spans"].column("name").to_pylist()]


def test_rows_for_which_the_predicate_is_true_are_dropped_and_the_others_keep_their_order() -> None:
    batch = spans_batch({"http.route": "/health"}, {"http.route": "/a"}, {"n": 1}, {"http.route": "/health"}, {})
    assert names(FilterProcessor(spans=HEALTH).process(batch)) == ["span 2", "span 3", "span 5"]


def test_a_batch_of_which_nothing_is_dropped_is_the_same_object() -> None:
    batch = spans_batch({"http.route": "/a"}, {"n": 1})
    assert FilterProcessor(spans=HEALTH, logs="true").process(batch) is batch


def test_all_rows_may_be_dropped() -> None:
    assert FilterProcessor(spans="true").process(spans_batch({}, {})).tables["spans"].num_rows == 0


def test_a_key_that_no_row_has_is_null() -> None:
    batch = spans_batch({"n": 1})
    for predicate in (HEALTH, "attributes['n'] > 5 and attributes['absent'] + 1 > 2", "lower(attributes['a']) = 'x'"):
        assert FilterProcessor(spans=predicate).process(batch) is batch
    assert names(FilterProcessor(spans="attributes['absent'] is null").process(batch)) == []
    assert names(FilterProcessor(spans="attributes['a'] is null").process(spans_batch({}))) == []


@pytest.mark.parametrize(
    "predicate",
    [
        "attributes.\"http.route\" = '/a'",
        "spans.attributes['http.route'] = '/a'",
        "resource_attributes['service.name'] = 'fraud' and name = 'span 2'",
        "service_name = 'fraud' and duration_ns = 2000",
        "end_time = start_time + interval 2 microsecond",
        "start_time >= '2025-01-01' and end_time_ns % 10000 = 2000",
        "len(list_filter(events, lambda e: e.name = 'exception')) > 0",
        "events[1].name = 'exception' -- the first one",
    ],
)
def test_a_predicate_speaks_of_the_columns_of_the_public_view(predicate: str) -> None:
    records: list[dict[str, Any]] = [{}, {"http.route": "/a", "events": [("exception", {})]}, {"http.route": "/b"}]
    batch = spans_batch(*records, resource={"service.name": "fraud"})
    assert names(FilterProcessor(spans=predicate).process(batch)) == ["span 1", "span 3"]


def test_log_records_are_filtered_by_their_severity() -> None:
    rows = FilterProcessor(logs="severity_number < 3 or body like '%noise%'").process(
        logs_batch("a", "b", "c", "some noise", {"k": 1})
    )
    assert rows.tables["logs"].column("body").to_pylist() == ["c", '{"k":1}']


def test_exemplars_go_with_their_points_where_the_predicate_asks_for_what_they_know() -> None:
    batch = metrics_batch(("requests", 1, {"k": "a"}), ("requests", 2, {"k": "b"}), ("other", 3, {"k": "a"}))
    kept = FilterProcessor(metrics="name = 'requests' and attributes['k'] = 'a'").process(batch).tables
    assert kept["metrics"].column("value").to_pylist() == [2, 3]
    assert kept["exemplars"].column("value").to_pylist() == [2, 3]
    kept = FilterProcessor(metrics="value = 1").process(batch).tables
    assert (kept["metrics"].num_rows, kept["exemplars"].num_rows) == (2, 3)
    kept = FilterProcessor(exemplars="metric_name = 'other'").process(batch).tables
    assert (kept["metrics"].num_rows, kept["exemplars"].num_rows) == (3, 2)


def test_rows_that_the_predicate_fails_for_are_kept_and_counted_without_their_values_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    telemetry = Telemetry()
    dropping = FilterProcessor(spans="cast(attributes['n'] as integer) > 5")
    dropping.start(Surroundings(tmp_path / "filter", telemetry))
    batch = spans_batch({"n": "7"}, {"n": "sesame"}, {"n": "3"})
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert names(dropping.process(batch)) == ["span 2", "span 3"]
    assert [record.getMessage() for record in caplog.records] == [
        "filter: spans cannot be computed for some rows (Conversion error), which are kept"
    ]
    assert 'processor_failures_total{processor="filter"} 2' in telemetry.render()


def test_a_batch_whose_types_do_not_fit_the_predicate_is_kept() -> None:
    dropping = FilterProcessor(spans="attributes['n'] > 5")
    texts = spans_batch({"n": "7"}, {"n": "9"})
    assert dropping.process(texts) is texts
    assert names(dropping.process(spans_batch({"n": 7}, {"n": 3}))) == ["span 2"]
    both = FilterProcessor(spans="try_cast(attributes['n'] as bigint) > 5")
    assert names(both.process(texts)) == []
    assert names(both.process(spans_batch({"n": 7}, {"n": 3}))) == ["span 2"]


CONFIGURATION = """\
receivers: {otlp: }
processors:
  filter: {PLACE}
exporters: {store: }
service: {pipelines: {traces: {receivers: [otlp], processors: [filter], exporters: [store]}}}
"""


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        ("", "file.yaml:3: nothing is filtered: write a predicate"),
        ("span: 'true'", "file.yaml:3: unknown key 'span': did you mean 'spans'?"),
        ('spans: "nmae = 1"', 'spans: Binder Error: Referenced column "nmae" not found in FROM clause! Candidate'),
        ('spans: "name = "', "spans: syntax error at or near"),
        ('spans: "name"', "spans: a predicate is true or false, and this gives VARCHAR: name"),
        ('spans: "count(*) > 1"', "spans: Binder Error: WHERE clause cannot contain aggregates!"),
        ('spans: "row_number() over () > 1"', "spans: Binder Error: WHERE clause cannot contain window"),
        ('spans: "name in (select 1)"', "spans: a subquery or * is no expression over one row"),
        ('spans: "true) from (select 1"', "spans: write one SQL expression"),
        ("spans: \"regexp_matches(name, '[')\"", "spans: Invalid Input Error: missing ]"),
        ("logs: \"read_text('/etc/passwd') = ''\"", "logs: Binder Error"),
        ('metrics: "trace_id is null"', 'metrics: Binder Error: Referenced column "trace_id" not found'),
    ],
)
def test_a_predicate_that_cannot_work_is_refused_in_one_line(configured: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as refused:
        build(load(CONFIGURATION.replace("PLACE", configured), "file.yaml", KINDS, {}))
    assert str(refused.value).startswith("file.yaml:3: ")
    assert "\n" not in str(refused.value)


VALUES = st.one_of(st.sampled_from(["/health", "/a", "'"]), st.integers(0, 3), st.booleans())


DROPPING = FilterProcessor(spans=HEALTH)


@settings(max_examples=50)
@given(st.lists(st.dictionaries(st.sampled_from(["http.route", "b"]), VALUES), min_size=1, max_size=8))
def test_no_row_is_dropped_that_does_not_match_and_none_is_changed(records: list[dict[str, Any]]) -> None:
    batch = spans_batch(*records)
    kept = attributes_of(DROPPING.process(batch).tables["spans"])
    # Where most routes of a batch are no texts, nothing can be compared with one.
    struct = batch.tables["spans"].schema
    is_text = "attributes" in struct.names and any(
        field.name == "http.route" and str(field.type) == "string" for field in struct.field("attributes").type
    )
    expected = [row for row in records if not (is_text and row.get("http.route") == "/health")]
    assert kept == expected
