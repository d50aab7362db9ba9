"""The processor `transform`: assigns columns and attributes, and nothing is lost when an expression fails."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

import re
from pathlib import Path
from typing import Any

import pytest
from tests.support.attribute_rows import attributes_of, logs_batch, metrics_batch, spans_batch

from infersight_collector.component import Batch, Surroundings
from infersight_collector.config import ConfigError, load
from infersight_collector.pipeline import KINDS, build
from infersight_collector.processors.transform import TransformProcessor
from infersight_collector.telemetry import Telemetry


def column(batch: Batch, name: str, table: str = "spans") -> list[Any]:
    return list(batch.tables[table].column(name).to_pylist())


def spans_after(batch: Batch, **assigned: str) -> list[dict[str, Any]]:
    return attributes_of(TransformProcessor(spans=assigned).process(batch).tables["spans"])


def attribute_after(batch: Batch, key: str, text: str) -> list[Any]:
    made = TransformProcessor(spans={f"attributes['{key}']": text}).process(batch)
    return [row.get(key) for row in attributes_of(made.tables["spans"])]


def test_columns_and_attributes_are_assigned() -> None:
    batch = spans_batch({"tenant": "ACME", "debug": True}, {"n": 1}, name="GET /users/17")
    made = TransformProcessor(
        spans={
            "name": "regexp_replace(name, '[0-9]+', 'N')",
            "attributes['tenant']": "lower(attributes['tenant'])",
            "attributes['debug']": "NULL",
            "attributes['slow']": "duration_ns > 1500",
        }
    ).process(batch)
    assert column(made, "name") == ["GET /users/N", "GET /users/N"]
    assert attributes_of(made.tables["spans"]) == [{"tenant": "acme", "slow": False}, {"n": 1, "slow": True}]


def test_expressions_see_the_rows_as_they_came() -> None:
    made = TransformProcessor(
        spans={"attributes['a']": "attributes['b']", "attributes['b']": "attributes['a']"}
    ).process(spans_batch({"a": "1", "b": "2"}))
    assert attributes_of(made.tables["spans"]) == [{"a": "2", "b": "1"}]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'text'", "text"),
        ("7", 7),
        ("7::utinyint", 7),
        ("1.5", 1.5),
        ("0.5::float", 0.5),
        ("true", True),
        ("'x'::blob", b"x"),
        ("18446744073709551615::hugeint", 1.8446744073709552e19),
        ("attributes['old']", "o"),
    ],
)
def test_an_attribute_has_the_type_of_its_expression(expression: str, value: Any) -> None:
    (found,) = attribute_after(spans_batch({"old": "o"}), "new", expression)
    assert (type(found), found) == (type(value), value)


def test_a_new_value_may_be_of_another_type() -> None:
    assert attribute_after(spans_batch({"n": "7"}, {"n": "8"}), "n", "cast(attributes['n'] as bigint)") == [7, 8]


def test_a_value_that_an_expression_cannot_see_stays_unless_it_is_replaced() -> None:
    batch = spans_batch({"k": "A"}, {"k": "B"}, {"k": 5}, {})
    assert attribute_after(batch, "k", "lower(attributes['k'])") == ["a", "b", 5, None]
    assert attribute_after(batch, "k", "name") == ["span 1", "span 2", "span 3", "span 4"]
    assert attribute_after(batch, "k", "NULL") == [None, None, None, None]


def test_a_row_for_which_an_expression_fails_keeps_what_it_has(tmp_path: Path) -> None:
    telemetry = Telemetry()
    casting = TransformProcessor(
        spans={"attributes['n']": "cast(attributes['n'] as integer)", "name": "upper(name)", "kind": "'NONE'"}
    )
    casting.start(Surroundings(tmp_path / "transform", telemetry))
    made = casting.process(spans_batch({"n": "7"}, {"n": "x"}, {}, kind=2))
    assert [row.get("n") for row in attributes_of(made.tables["spans"])] == [7, "x", None]
    assert column(made, "name") == ["SPAN 1", "SPAN 2", "SPAN 3"]
    assert column(made, "kind") == ["SERVER", "SERVER", "SERVER"]
    assert 'processor_failures_total{processor="transform"} 2' in telemetry.render()


def test_a_batch_whose_types_do_not_fit_keeps_what_it_has() -> None:
    batch = spans_batch({"n": "7"})
    assert TransformProcessor(spans={"attributes['n']": "attributes['n'] + 1"}).process(batch) is batch


def test_ids_and_enumerations_are_only_assigned_what_they_may_be() -> None:
    batch = logs_batch("a", "b", attributes=[{"trace": "0af7651916cd43dd8448eb211c80319c"}, {"trace": "none"}])
    made = TransformProcessor(logs={"trace_id": "attributes['trace']", "severity_number": "17"}).process(batch)
    assert column(made, "trace_id", "logs") == ["0af7651916cd43dd8448eb211c80319c", None]
    assert column(made, "severity_number", "logs") == [17, 17]
    made = TransformProcessor(spans={"status_code": "'ERROR'", "kind": "'CLIENT'"}).process(spans_batch({}))
    assert (column(made, "status_code"), column(made, "kind")) == (["ERROR"], ["CLIENT"])


def test_a_body_that_is_no_longer_what_its_type_says_is_a_text() -> None:
    batch = logs_batch("user 7", {"user": 7}, {"user": 8}, 7, ["user"])
    change = "case when body like '%8%' then 'user N' else regexp_replace(body, '7', '9') end"
    made = TransformProcessor(logs={"body": change}).process(batch)
    assert column(made, "body", "logs") == ["user 9", '{"user":9}', "user N", "9", '["user"]']
    assert column(made, "body_type", "logs") == ["string", "map", "string", "string", "array"]


def test_resource_columns_follow_their_attributes() -> None:
    batch = spans_batch({"svc": "fraud"}, {}, resource={"service.name": "proxy"})
    text = "coalesce(attributes['svc'], resource_attributes['service.name'])"
    made = TransformProcessor(spans={"resource_attributes['service.name']": text}).process(batch)
    assert column(made, "service_name") == ["fraud", "proxy"]


def test_exemplars_follow_their_points_where_the_expression_asks_for_what_they_know() -> None:
    batch = metrics_batch(("a.b", 1, {"k": "X"}))
    made = TransformProcessor(
        metrics={"name": "replace(name, '.', '_')", "attributes['k']": "lower(attributes['k'])", "unit": "'s'"}
    ).process(batch)
    assert (column(made, "name", "metrics"), column(made, "unit", "metrics")) == (["a_b"], ["s"])
    assert column(made, "metric_name", "exemplars") == ["a_b"]
    assert attributes_of(made.tables["exemplars"], "point_attributes") == [{"k": "x"}]
    assert column(made, "value", "exemplars") == [1]


CONFIGURATION = """\
receivers: {otlp: }
processors:
  transform: {PLACE}
exporters: {store: }
service: {pipelines: {traces: {receivers: [otlp], processors: [transform], exporters: [store]}}}
"""


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        ("", "nothing is assigned: write an expression"),
        (
            "spans: {name: '5'}",
            "spans: name: the column takes VARCHAR, and this gives INTEGER: write CAST(... AS VARCHAR)",
        ),
        ("logs: {severity_number: \"'a'\"}", "logs: severity_number: the column takes INTEGER, and this gives VARCHAR"),
        ("spans: {nmae: name}", "spans: nmae: this cannot be assigned; did you mean 'name'?"),
        ("spans: {service_name: name}", "spans: service_name: this cannot be assigned"),
        ("spans: {\"other['x']\": name}", "spans: other['x']: this cannot be assigned"),
        ("spans: {\"attributes['x']\": '[1, 2]'}", "an attribute is text, number, boolean or bytes"),
        ("spans: {\"attributes['x']\": 'now()'}", "and this gives TIMESTAMP WITH TIME ZONE: cast it"),
        ("spans: {name: 'lower(name'}", "spans: name: syntax error"),
        ("spans: {name: 'lower(nam)'}", 'spans: name: Binder Error: Referenced column "nam" not found'),
        ("spans: {name: 'max(name)'}", "spans: name: Binder Error: WHERE clause cannot contain aggregates!"),
    ],
)
def test_an_assignment_that_cannot_work_is_refused_in_one_line(configured: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as refused:
        build(load(CONFIGURATION.replace("PLACE", configured), "file.yaml", KINDS, {}))
    assert str(refused.value).startswith("file.yaml:3: ")
    assert "\n" not in str(refused.value)
