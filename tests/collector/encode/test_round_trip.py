"""Requests to tables and back: whatever the decoder keeps comes out again, readable for google.protobuf."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import json
import random
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue

from infersight_collector.decode import decode
from infersight_collector.decode.layout import REQUESTS
from infersight_collector.encode import encode
from infersight_collector.signals import TABLES, Signal

Row = dict[str, Any]
Rows = dict[str, list[Row]]

CONTENTS = {
    "ResourceSpans": "scope_spans",
    "ResourceLogs": "scope_logs",
    "ResourceMetrics": "scope_metrics",
    "ScopeSpans": "spans",
    "ScopeLogs": "log_records",
    "ScopeMetrics": "metrics",
}

generated = settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def round_trip(signal: Signal, tables: dict[str, pa.Table], max_bytes: int = 2**22) -> dict[str, pa.Table]:
    """The tables encoded and decoded again; what is between is parsed by google.protobuf."""
    requests = list(encode(signal, tables, max_bytes))
    for request in requests:
        REQUESTS[signal].FromString(request)
    return decode(signal, b"".join(requests))


def in_any_order(rows: Rows) -> Rows:
    return {name: sorted(found, key=repr) for name, found in rows.items()}


def without_repeated_keys(message: Any, *, only_texts: bool = False) -> Any:
    """The message as OTLP wants it, each key of attributes once; and no resource or scope without records."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is None:
            continue
        inner = getattr(message, field.name)
        if not field.is_repeated:
            if message.HasField(field.name):
                without_repeated_keys(inner, only_texts=only_texts)
            continue
        kept = {pair.key: pair for pair in reversed(inner)}.values() if is_attributes(field) else list(inner)
        if only_texts and is_attributes(field):
            kept = [pair for pair in kept if pair.key and pair.value.HasField("string_value")]
        copies = [
            type(each).FromString(without_repeated_keys(each, only_texts=only_texts).SerializeToString())
            for each in kept
        ]
        del inner[:]
        inner.extend(copy for copy in copies if not is_without_records(copy))
    return message


def is_attributes(field: Any) -> bool:
    return bool(field.message_type.name == "KeyValue" and field.containing_type.name != "KeyValueList")


def is_without_records(message: Any) -> bool:
    """Whether it is a resource, scope or metric with nothing in it, of which the tables keep nothing."""
    name = message.DESCRIPTOR.name
    if name == "Metric":
        kind = message.WhichOneof("data")
        return not (kind and getattr(message, kind).data_points)
    inner = CONTENTS.get(name)
    return inner is not None and not getattr(message, inner)


@pytest.mark.parametrize("signal", list(Signal))
@generated
@given(rng=st.randoms(use_true_random=False))
def test_every_value_comes_back(
    signal: Signal,
    rng: random.Random,
    random_request: Callable[[Signal, random.Random], bytes],
    rows_of: Callable[[dict[str, pa.Table]], Rows],
) -> None:
    message = without_repeated_keys(REQUESTS[signal].FromString(random_request(signal, rng)))
    tables = decode(signal, message.SerializeToString())
    again = round_trip(signal, tables)
    assert in_any_order(rows_of(again)) == in_any_order(rows_of(tables))


@pytest.mark.parametrize(
    ("values", "struct", "other"),
    [
        ([1, 2], 1, {"k": 2}),
        ([1, 2, 3], 1, {"k": [2, 3]}),
        ([1, "x", 2], 1, {"k": ["x", 2]}),
        ([1, [True, None]], 1, {"k": [True, None]}),
    ],
)
def test_a_repeated_key_comes_back_as_one_value_and_the_others(values: list[Any], struct: Any, other: Row) -> None:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.attributes.extend(KeyValue(key="k", value=any_value(value)) for value in values)
    tables = decode(Signal.TRACES, request.SerializeToString())
    for found in (tables, round_trip(Signal.TRACES, tables)):
        row = found["spans"].to_pylist()[0]
        assert row["attributes"] == {"k": struct}
        assert json.loads(row["attributes_other"]) == other


def any_value(value: Any) -> AnyValue:
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case str():
            return AnyValue(string_value=value)
        case _:
            return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in value]))


@pytest.mark.parametrize("signal", list(Signal))
def test_requests_are_no_larger_than_asked_for_and_lose_nothing(
    signal: Signal,
    random_request: Callable[[Signal, random.Random], bytes],
    rows_of: Callable[[dict[str, pa.Table]], Rows],
) -> None:
    rng = random.Random(11)
    many = REQUESTS[signal].FromString(b"".join(random_request(signal, rng) for _ in range(60)))
    # Which type a key has depends on how often its resource stands in a request; so there is only one.
    tables = decode(signal, without_repeated_keys(many, only_texts=True).SerializeToString())
    whole = round_trip(signal, tables)
    for max_bytes in (1, 700, 5_000, 40_000):
        assert in_any_order(rows_of(round_trip(signal, tables, max_bytes))) == in_any_order(rows_of(whole))
        sizes = [
            (len(request), next(iter(decode(signal, request).values())).num_rows)
            for request in encode(signal, tables, max_bytes)
        ]
        assert all(rows == 1 or size <= max_bytes for size, rows in sizes), sizes
        assert all(size > max_bytes / 2 for size, _ in sizes[:-1] if max_bytes == 40_000), sizes


@pytest.mark.parametrize("signal", list(Signal))
def test_slices_and_chunks_of_tables_are_encoded_like_tables_of_their_own(
    signal: Signal, random_request: Callable[[Signal, random.Random], bytes]
) -> None:
    rng = random.Random(5)
    tables = decode(signal, b"".join(random_request(signal, rng) for _ in range(30)))
    name = TABLES[signal][0]
    rows = tables[name]
    sliced = rows.slice(3, rows.num_rows - 6)
    fresh = pa.Table.from_pylist(sliced.to_pylist(), schema=sliced.schema)
    chunked = pa.concat_tables([sliced.slice(0, 4), sliced.slice(4)])
    expected = list(encode(signal, {**tables, name: fresh}))
    assert list(encode(signal, {**tables, name: sliced})) == expected
    assert list(encode(signal, {**tables, name: chunked})) == expected


@pytest.mark.parametrize("signal", list(Signal))
def test_no_rows_are_no_request(signal: Signal) -> None:
    assert list(encode(signal, decode(signal, b""))) == []
