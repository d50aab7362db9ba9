"""Conforming attributes to the catalogue: one type for a key, nothing lost."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import json
import math
from typing import Any

import pyarrow as pa
import pytest

from infersight_collector.store.attributes import MAX_KEY_LENGTH, conform, is_json, unify
from infersight_collector.store.schema import COLUMNS, JSON_FIELD


def spans(attributes: list[dict[str, Any] | None], **columns: pa.Array) -> pa.Table:
    return pa.table({"attributes": pa.array(attributes), **columns})


def known(**types: pa.DataType) -> pa.Schema:
    fields = [pa.field(key, value) for key, value in types.items()]
    return COLUMNS["spans"].append(pa.field("attributes", pa.struct(fields)))


def others(rows: pa.Table, column: str = "attributes_other") -> list[Any]:
    return [json.loads(text) if text else None for text in rows[column].to_pylist()]


def test_known_and_new_keys_stay_fields() -> None:
    rows = spans([{"a": 1, "b": "x"}, {"a": None, "b": None}, None])
    conformed = conform(rows, "spans", known(a=pa.int64()))
    assert conformed["attributes"].to_pylist() == rows["attributes"].to_pylist()
    assert "attributes_other" not in conformed.column_names


@pytest.mark.parametrize(
    ("value", "moved"),
    [
        ('text "quoted" é', 'text "quoted" é'),
        (True, True),
        (-(2**63), -(2**63)),
        (1.0, 1.0),
        (math.inf, {"doubleValue": "Infinity"}),
        (-math.inf, {"doubleValue": "-Infinity"}),
        (math.nan, {"doubleValue": "NaN"}),
        (b"\x00\xff", {"bytesValue": "AP8="}),
    ],
)
def test_a_value_of_another_type_than_its_key_moves_to_the_text(value: Any, moved: Any) -> None:
    catalogue = known(a=pa.int32(), b=pa.string())
    conformed = conform(spans([{"a": value, "b": "stays"}, {"a": None, "b": "too"}]), "spans", catalogue)
    assert conformed["attributes"].to_pylist() == [{"b": "stays"}, {"b": "too"}]
    assert others(conformed) == [{"a": moved}, None]
    assert type(others(conformed)[0]["a"]) is type(moved)


def test_a_column_whose_values_all_moved_is_left_out() -> None:
    conformed = conform(spans([{"a": "x"}]), "spans", known(a=pa.int64()))
    assert conformed.column_names == ["attributes_other"]


def test_moved_values_come_before_what_the_text_holds() -> None:
    rows = spans([{"a": "x"}, {"a": "y"}], attributes_other=pa.array(['{"a": 2, "c": [1]}', None]))
    conformed = conform(rows, "spans", known(a=pa.int64()))
    assert conformed["attributes_other"].to_pylist() == ['{"a":"x","a": 2, "c": [1]}', '{"a":"y"}']


def test_text_and_json_of_one_key_are_different_types() -> None:
    marked = pa.field("a", pa.string(), metadata=JSON_FIELD)
    structs = pa.StructArray.from_arrays([pa.array(["[1, 2]"])], fields=[marked])
    conformed = conform(pa.table({"attributes": structs}), "spans", known(a=pa.string()))
    assert others(conformed) == [{"a": [1, 2]}]
    as_json = COLUMNS["spans"].append(pa.field("attributes", pa.struct([marked])))
    kept = conform(pa.table({"attributes": structs}), "spans", as_json)
    assert is_json(kept.schema.field("attributes").type.field("a"))
    assert others(conform(spans([{"a": "[1"}]), "spans", as_json)) == [{"a": "[1"}]


def test_keys_beyond_the_cap_move() -> None:
    rows = spans([{"a": 1, "b": 2, "c": 3}, {"a": 4, "b": None, "c": 6}])
    conformed = conform(rows, "spans", known(z=pa.int64()), cap=2)
    assert conformed["attributes"].to_pylist() == [{"a": 1}, {"a": 4}]
    assert others(conformed) == [{"b": 2, "c": 3}, {"c": 6}]


def test_a_key_without_a_value_is_not_registered() -> None:
    conformed = conform(spans([{"a": None, "b": 1}]), "spans", known(z=pa.int64()), cap=2)
    assert conformed["attributes"].to_pylist() == [{"b": 1}]


@pytest.mark.parametrize("key", ["", "USER", "with\0nul", "line\nbreak", "k" * (MAX_KEY_LENGTH + 1)])
def test_keys_that_readers_cannot_tell_apart_or_name_move(key: str) -> None:
    conformed = conform(spans([{key: 1, "ok": 2}]), "spans", known(user=pa.int64()))
    assert conformed["attributes"].to_pylist() == [{"ok": 2}]
    assert others(conformed) == [{key: 1}]


def test_keys_of_new_rows_that_differ_only_in_case_keep_the_first() -> None:
    conformed = conform(spans([{"Model": 1, "model": 2}]), "spans", COLUMNS["spans"])
    assert conformed["attributes"].to_pylist() == [{"Model": 1}]
    assert others(conformed) == [{"model": 2}]


def test_every_attribute_column_has_its_own_catalogue() -> None:
    rows = pa.table(
        {
            "attributes": pa.array([{"a": 1}]),
            "resource_attributes": pa.array([{"a": "x"}]),
        }
    )
    conformed = conform(rows, "spans", known(a=pa.int64()))
    assert conformed.to_pylist() == rows.to_pylist()


def test_attributes_of_events_conform_within_their_lists() -> None:
    first = pa.array([[{"name": "x", "attributes": {"k": 1}}]])
    catalogue = COLUMNS["spans"].append(pa.field("events", first.type))
    lists = pa.array(
        [
            None,
            [{"name": "e", "attributes": {"k": "text", "new": 1.5}}, {"name": "f", "attributes": None}],
            [],
            [{"name": "g", "attributes": {"k": "more", "new": None}}],
        ]
    )
    for offset in (0, 1):  # a slice shares its buffers with the rows before it
        rows = pa.table({"events": lists}).slice(offset)
        events = conform(rows, "spans", catalogue)["events"].to_pylist()
        assert (
            events
            == [
                None,
                [
                    {"name": "e", "attributes": {"new": 1.5}, "attributes_other": '{"k":"text"}'},
                    {"name": "f", "attributes": None, "attributes_other": None},
                ],
                [],
                [{"name": "g", "attributes": {"new": None}, "attributes_other": '{"k":"more"}'}],
            ][offset:]
        )


def test_tables_in_several_chunks_conform_as_one() -> None:
    rows = pa.concat_tables([spans([{"a": 1}]), spans([{"a": 2}])])
    assert conform(rows, "spans", COLUMNS["spans"])["attributes"].to_pylist() == [{"a": 1}, {"a": 2}]


def test_parts_that_disagree_about_a_type_become_one_table_with_the_first_type() -> None:
    first = spans([{"a": 1, "b": "x"}], attributes_other=pa.nulls(1, pa.string()))
    second = spans([{"a": "text", "c": 0.5}], attributes_other=pa.nulls(1, pa.string()))
    third = spans([{"c": 1}, None], attributes_other=pa.array(['{"d":2}', None]))
    rows = unify([first, second, third], "spans", 2**20)
    assert rows["attributes"].to_pylist() == [
        {"a": 1, "b": "x", "c": None},
        {"a": None, "b": None, "c": 0.5},
        None,  # everything that it had has moved
        None,
    ]
    assert others(rows) == [None, {"a": "text"}, {"c": 1, "d": 2}, None]


def test_parts_with_more_keys_than_there_is_room_for_keep_the_most_frequent_ones() -> None:
    first = spans([{"a": 1, "rare": 1}, {"a": 2, "rare": None}, {"a": 3, "rare": None}])
    second = spans([{"b": "x", "seldom": 0.5}, {"b": "y", "seldom": None}])
    rows = unify([first, second], "spans", 5 * 2)
    of_first = [{"a": number, "b": None} for number in (1, 2, 3)]
    assert rows["attributes"].to_pylist() == [*of_first, {"a": None, "b": "x"}, {"a": None, "b": "y"}]
    assert others(rows) == [{"rare": 1}, None, None, {"seldom": 0.5}, None]


def test_keys_of_events_stay_where_rows_have_more_keys_than_there_is_room_for() -> None:
    parts = [spans([{key: 1}], events=pa.array([[{"attributes": {key: 1}}]])) for key in ("a", "b")]
    rows = unify(parts, "spans", 2)
    assert rows["attributes"].to_pylist() == [{"a": 1}, None]
    assert others(rows) == [None, {"b": 1}]
    assert rows["events"].to_pylist() == [[{"attributes": {"a": 1, "b": None}}], [{"attributes": {"a": None, "b": 1}}]]


def test_parts_for_which_there_is_room_keep_all_their_keys() -> None:
    rows = unify([spans([{"a": 1}]), spans([{"b": 2}])], "spans", 4)
    assert rows["attributes"].to_pylist() == [{"a": 1, "b": None}, {"a": None, "b": 2}]
