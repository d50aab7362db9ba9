"""Which attributes become fields of the STRUCT, and what is kept beside it."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false

import json
from typing import Any

import pyarrow as pa
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from infersight_collector.decode import decode
from infersight_collector.decode.attributes import MAX_KEYS
from infersight_collector.signals import Signal
from infersight_collector.store.schema import COLUMNS, JSON_FIELD


def spans_with(*records: list[tuple[str, Any]]) -> pa.Table:
    """A request with one span for each list of attributes."""
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for record in records:
        span = spans.add()
        for key, value in record:
            pair = span.attributes.add(key=key)
            match value:
                case None:
                    pass
                case bool():
                    pair.value.bool_value = value
                case int():
                    pair.value.int_value = value
                case str():
                    pair.value.string_value = value
                case _:
                    pair.value.array_value.values.extend(AnyValue(int_value=each) for each in value)
    return decode(Signal.TRACES, request.SerializeToString())["spans"]


def test_most_frequent_type_gets_the_field_and_other_values_are_kept_as_json() -> None:
    table = spans_with([("k", "a")], [("k", 5)], [("k", "b")])
    assert table["attributes"].to_pylist() == [{"k": "a"}, {"k": None}, {"k": "b"}]
    assert table["attributes_other"].to_pylist() == [None, '{"k":5}', None]


def test_first_of_a_repeated_key_gets_the_field() -> None:
    table = spans_with([("k", "a"), ("k", "b")], [("k", "a"), ("k", "b"), ("k", 3)])
    assert table["attributes"].to_pylist() == [{"k": "a"}, {"k": "a"}]
    assert table["attributes_other"].to_pylist() == ['{"k":"b"}', '{"k":["b",3]}']


def test_what_has_no_field_is_valid_json_whatever_its_key() -> None:
    """Values of repeated keys come together, in the place of the first; rows without any have null."""
    keys = ['"', "\\", "\n", "\x01", "ü", "\U0001d566"]
    values: list[Any] = ["in the field", "y", 1]
    table = spans_with([], [(key, value) for value in values for key in keys], [("k", 1)], [("k", 2), ("k", True)])
    assert [json.loads(text) if text else None for text in table["attributes_other"].to_pylist()] == [
        None,
        {key: ["y", 1] for key in keys},
        None,
        {"k": True},
    ]


def test_empty_values_and_empty_keys_have_no_field() -> None:
    table = spans_with([("k", None), ("", "v")])
    assert "attributes" not in table.column_names
    assert table["attributes_other"].to_pylist() == ['{"k":null,"":"v"}']


def test_empty_text_is_a_value() -> None:
    assert spans_with([("k", "")])["attributes"].to_pylist() == [{"k": ""}]


def test_arrays_are_marked_as_json() -> None:
    table = spans_with([("shape", [1, 3, 224, 224])])
    field = table.schema.field("attributes").type.field("shape")
    assert (field.type, field.metadata) == (pa.string(), JSON_FIELD)
    assert table["attributes"].to_pylist() == [{"shape": "[1,3,224,224]"}]


def test_keys_beyond_the_cap_are_kept_as_json() -> None:
    """The most frequent keys have fields; here `often` is one although it comes last."""
    many = [(f"key{i}", i) for i in range(MAX_KEYS + 10)]
    table = spans_with([*many, ("often", 1)], [("often", 2)])
    assert table.schema.field("attributes").type.num_fields == MAX_KEYS
    assert [row["often"] for row in table["attributes"].to_pylist()] == [1, 2]
    assert table["attributes_other"].to_pylist()[0].count("key") == 11


def test_request_without_anything_has_the_columns_of_the_schema() -> None:
    for signal, names in (
        (Signal.TRACES, ["spans"]),
        (Signal.LOGS, ["logs"]),
        (Signal.METRICS, ["metrics", "exemplars"]),
    ):
        tables = decode(signal, b"")
        assert list(tables) == names
        for name, table in tables.items():
            assert table.schema == COLUMNS[name]
            assert table.num_rows == 0


@pytest.mark.parametrize("size", [7, 8, 9, 16, 17, 126, 127, 128, 129, 20_000])
def test_keys_that_differ_in_their_last_byte_are_different(size: int) -> None:
    one, two = "k" * (size - 1) + "1", "k" * (size - 1) + "2"
    assert spans_with([(one, 1), (two, 2)])["attributes"].to_pylist() == [{one: 1, two: 2}]
