"""The processors `attributes` and `resource`: every action, on values of every type, wherever they are kept."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.attribute_rows import attributes_of, logs_batch, metrics_batch, spans_batch

from infersight_collector.component import Batch
from infersight_collector.config import ConfigError, load
from infersight_collector.pipeline import KINDS, build
from infersight_collector.processors.actions import Action
from infersight_collector.processors.attributes import AttributesProcessor, ResourceProcessor


def spans_after(batch: Batch, *actions: Action) -> list[dict[str, Any]]:
    return attributes_of(AttributesProcessor(list(actions)).process(batch).tables["spans"])


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_insert_leaves_what_is_there_and_update_what_is_not() -> None:
    batch = spans_batch({"env": "dev"}, {"n": 1})
    assert spans_after(batch, Action("env", "insert", "prod")) == [{"env": "dev"}, {"n": 1, "env": "prod"}]
    assert spans_after(batch, Action("env", "update", "prod")) == [{"env": "prod"}, {"n": 1}]
    assert spans_after(batch, Action("env", "upsert", "prod")) == [{"env": "prod"}, {"n": 1, "env": "prod"}]


@pytest.mark.parametrize("value", ["text", 7, 0.5, True])
def test_a_value_keeps_its_type(value: str | float | bool) -> None:
    (found,) = spans_after(spans_batch({"old": "x"}), Action("old", "upsert", value))
    assert (type(found["old"]), found["old"]) == (type(value), value)


def test_a_value_of_another_type_than_the_others_is_kept_beside_them() -> None:
    batch = spans_batch({"k": "text"}, {"n": 1}, {"k": "more"})
    rows = AttributesProcessor([Action("k", "insert", 5)]).process(batch).tables["spans"]
    assert attributes_of(rows) == [{"k": "text"}, {"n": 1, "k": 5}, {"k": "more"}]
    assert rows.column("attributes_other").to_pylist() == [None, '{"k":5}', None]


def test_actions_are_made_in_order() -> None:
    steps = [Action("copy", "upsert", from_attribute="user"), Action("user", "delete"), Action("copy", "hash")]
    assert spans_after(spans_batch({"user": "jane"}), *steps) == [{"copy": sha256(b"jane")}]


def test_nothing_is_copied_from_an_attribute_that_is_absent() -> None:
    batch = spans_batch({"a": 1}, {"b": 2})
    assert spans_after(batch, Action("b", "upsert", from_attribute="a")) == [{"a": 1, "b": 1}, {"b": 2}]


def test_a_deleted_or_hashed_key_is_gone_from_both_places() -> None:
    batch = spans_batch({"user": "jane"}, {"user": "joe"}, {"user": 7, "n": 1})
    assert batch.tables["spans"].column("attributes_other").to_pylist() == [None, None, '{"user":7}']
    assert spans_after(batch, Action("user", "delete")) == [{}, {}, {"n": 1}]
    hashed = spans_after(batch, Action("user", "hash"))
    assert [row["user"] for row in hashed] == [sha256(b"jane"), sha256(b"joe"), sha256(b"\x07" + b"\0" * 7)]
    rows = AttributesProcessor([Action("user", "hash")]).process(batch).tables["spans"]
    assert rows.column("attributes_other").null_count == 3


@pytest.mark.parametrize(
    ("value", "hashed"),
    [
        ("jane", b"jane"),
        (True, b"\1"),
        (258, b"\2\1" + b"\0" * 6),
        (1.0, b"\0" * 6 + b"\xf0\x3f"),
        (b"\0raw", b"\0raw"),
        (["a", 1], b'["a",1]'),
    ],
)
def test_a_hash_is_of_the_bytes_that_the_opentelemetry_collector_hashes(value: Any, hashed: bytes) -> None:
    assert spans_after(spans_batch({"k": value}), Action("k", "hash")) == [{"k": sha256(hashed)}]


def test_the_named_groups_of_a_pattern_become_attributes() -> None:
    batch = spans_batch({"url.path": "/users/7/orders/9"}, {"url.path": "/health", "user": "kept"}, {"url.path": 5})
    pattern = "^/users/(?P<user>[0-9]+)(?P<rest>/.*)?"
    assert spans_after(batch, Action("url.path", "extract", pattern=pattern)) == [
        {"url.path": "/users/7/orders/9", "user": "7", "rest": "/orders/9"},
        {"url.path": "/health", "user": "kept"},
        {"url.path": 5},
    ]


def test_a_batch_that_no_action_concerns_is_the_same_object() -> None:
    batch = spans_batch({"a": 1})
    assert AttributesProcessor([Action("b", "delete"), Action("c", "update", 1)]).process(batch) is batch
    assert AttributesProcessor([Action("a", "update", 1)]).process(batch) is not batch


def test_log_records_and_data_points_are_changed_and_exemplars_follow_their_series() -> None:
    change = AttributesProcessor([Action("user", "delete"), Action("env", "upsert", "prod")])
    logs = change.process(logs_batch("x", attributes=[{"user": "jane"}])).tables["logs"]
    assert attributes_of(logs) == [{"env": "prod"}]
    tables = change.process(metrics_batch(("requests", 1, {"user": "jane"}))).tables
    assert attributes_of(tables["metrics"]) == [{"env": "prod"}]
    assert attributes_of(tables["exemplars"], "point_attributes") == [{"env": "prod"}]
    assert attributes_of(tables["exemplars"]) == [{}]


def test_resource_columns_follow_the_resource_attributes() -> None:
    batch = spans_batch({}, {}, resource={"service.name": "fraud", "service.version": 3, "host": "h"})
    change = ResourceProcessor(
        [
            Action("service.version", "upsert", "4"),
            Action("service.instance.id", "insert", from_attribute="host"),
            Action("service.name", "hash"),
            Action("host", "delete"),
        ]
    )
    rows = change.process(batch).tables["spans"]
    name = sha256(b"fraud")
    expected = {"service.name": name, "service.version": "4", "service.instance.id": "h"}
    assert attributes_of(rows, "resource_attributes") == [expected, expected]
    assert attributes_of(rows) == [{}, {}]
    columns = [rows.column(f"service_{part}").to_pylist() for part in ("name", "version", "instance_id")]
    assert columns == [[name, name], ["4", "4"], ["h", "h"]]


def test_a_service_attribute_that_is_no_text_is_a_column_as_json() -> None:
    rows = ResourceProcessor([Action("service.version", "upsert", 5)]).process(spans_batch({})).tables["spans"]
    assert rows.column("service_version").to_pylist() == ["5"]
    rows = ResourceProcessor([Action("service.name", "delete")]).process(
        spans_batch({}, resource={"service.name": "a"})
    )
    assert rows.tables["spans"].column("service_name").to_pylist() == [None]


def test_resources_of_metrics_and_exemplars_are_changed_alike() -> None:
    change = ResourceProcessor([Action("service.name", "upsert", "fraud")])
    for rows in change.process(metrics_batch(("requests", 1, {}))).tables.values():
        assert rows.column("service_name").to_pylist() == ["fraud"]
        assert attributes_of(rows, "resource_attributes") == [{"service.name": "fraud"}]


CONFIGURATION = """\
receivers: {otlp: }
processors:
  attributes:
    actions:
      - PLACE
exporters: {store: }
service: {pipelines: {traces: {receivers: [otlp], processors: [attributes], exporters: [store]}}}
"""


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("{key: '', action: delete}", "file.yaml:5: the key is empty"),
        ("{key: a, action: upsert}", "file.yaml:5: 'upsert' of 'a' takes either value or from_attribute"),
        ("{key: a, action: insert, value: 1, from_attribute: b}", "takes either value or from_attribute"),
        ("{key: a, action: hash, value: 1}", "file.yaml:5: 'hash' of 'a' takes neither value nor from_attribute"),
        ("{key: a, action: delete, pattern: x}", "file.yaml:5: pattern is for 'extract'"),
        ("{key: a, action: extract}", "file.yaml:5: pattern is for 'extract', which needs one"),
        ("{key: a, action: extract, pattern: '(?P<a>['}", "file.yaml:5: '(?P<a>[' is no pattern"),
        ("{key: a, action: extract, pattern: '(?P<a>x)(y)'}", "file.yaml:5: '(?P<a>x)(y)' is no pattern"),
        ("{key: a, action: extract, pattern: 'x'}", "file.yaml:5: 'x' has no named group"),
        ("{key: a, action: convert}", "file.yaml:5: unknown value 'convert'"),
        ("{key: a, action: upsert, value: [1]}", "file.yaml:5: expected a single value"),
    ],
)
def test_an_action_that_cannot_work_is_refused_with_its_line(action: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        build(load(CONFIGURATION.replace("PLACE", action), "file.yaml", KINDS, {}))


KEYS = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(st.sampled_from(["x", "y", '"}{', "é\n"]), st.integers(0, 2), st.booleans(), st.just(0.5))
VALUES = st.one_of(SCALARS, st.just(b"\0"), st.just([1, "x"]), st.just({"a": "x"}))
RECORDS = st.lists(st.dictionaries(KEYS, VALUES), min_size=1, max_size=6)
SETTING: st.SearchStrategy[Literal["insert", "update", "upsert"]] = st.sampled_from(["insert", "update", "upsert"])
ENDING: st.SearchStrategy[Literal["delete", "hash"]] = st.sampled_from(["delete", "hash"])
ACTIONS = st.one_of(
    st.builds(Action, KEYS, SETTING, SCALARS),
    st.builds(Action, KEYS, SETTING, from_attribute=KEYS),
    st.builds(Action, KEYS, ENDING),
    st.builds(Action, KEYS, st.just("extract"), pattern=st.just("(?P<c>[xy])")),
)


def model(record: Mapping[str, Any], action: Action) -> dict[str, Any]:
    """What the documentation says about one record."""
    made = dict(record)
    value = record.get(action.from_attribute) if action.from_attribute else action.value
    match action.action:
        case "delete":
            made.pop(action.key, None)
        case "hash" if action.key in record:
            (hashed,) = spans_after(spans_batch({"k": record[action.key]}), Action("k", "hash"))
            made[action.key] = hashed["k"]
        case "extract":
            text = record.get(action.key)
            if isinstance(text, str) and (found := re.search("[xy]", text)):
                made["c"] = found[0]
        case "insert" | "update" | "upsert" if value is not None:
            wanted = {"insert": action.key not in record, "update": action.key in record, "upsert": True}
            if wanted[action.action]:
                made[action.key] = value
        case _:
            pass
    return made


def typed(record: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """Python's True equals 1; an attribute's does not."""
    return {key: (type(value).__name__, value) for key, value in record.items()}


@given(RECORDS, st.lists(ACTIONS, min_size=1, max_size=4))
def test_rows_become_what_each_record_alone_would_become(records: list[dict[str, Any]], actions: list[Action]) -> None:
    expected = records
    for action in actions:
        expected = [model(record, action) for record in expected]
    assert [typed(row) for row in spans_after(spans_batch(*records), *actions)] == [typed(row) for row in expected]
