"""What processors may have made of tables: values that no request said so."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from typing import Any

import pyarrow as pa
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.support.otlp_requests import request_of, spans_request

from infersight_collector.decode import decode
from infersight_collector.encode import encode
from infersight_collector.signals import Signal


def round_trip(signal: Signal, tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    return decode(signal, b"".join(encode(signal, tables)))


def with_column(rows: pa.Table, name: str, values: Any) -> pa.Table:
    array = values if isinstance(values, pa.Array) else pa.array(values, rows.schema.field(name).type)
    index = rows.schema.get_field_index(name)
    return rows.append_column(name, array) if index < 0 else rows.set_column(index, name, array)


def spans_with(*spans: Span) -> pa.Table:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.extend(spans)
    return decode(Signal.TRACES, request.SerializeToString())["spans"]


def weight(value: Any) -> list[KeyValue]:
    pair = KeyValue(key="infersight.sample.weight")
    setattr(pair.value, "double_value" if isinstance(value, float) else "int_value", value)
    return [pair]


@pytest.mark.parametrize(
    "span",
    [Span(name="none"), Span(trace_state="ot=th:c"), Span(attributes=weight(10.0)), Span(attributes=weight(10))],
    ids=["nothing", "a threshold", "a weight", "a whole weight"],
)
def test_a_weight_that_a_processor_sets_goes_on(span: Span) -> None:
    rows = with_column(spans_with(span, Span(name="other")), "sample_weight", [2.5, 1.0])
    again = round_trip(Signal.TRACES, {"spans": rows})["spans"]
    assert again.column("sample_weight").to_pylist() == [2.5, 1.0]
    assert again.column("trace_state").to_pylist() == rows.column("trace_state").to_pylist()


def test_a_weight_that_the_sender_has_said_is_not_said_again() -> None:
    rows = spans_with(Span(trace_state="ot=th:c"), Span(name="plain"))
    assert rows.column("sample_weight").to_pylist() == [4.0, 1.0]
    assert round_trip(Signal.TRACES, {"spans": rows})["spans"].equals(rows)


def test_the_weights_of_the_other_records_stay_when_one_is_changed() -> None:
    rows = spans_with(Span(attributes=weight(10)), Span(attributes=weight(20)), Span(name="plain"))
    changed = with_column(rows, "sample_weight", [10.0, 7.5, 0.0])
    again = round_trip(Signal.TRACES, {"spans": changed})["spans"]
    assert again.column("sample_weight").to_pylist() == [10.0, 7.5, 0.0]


def test_a_service_that_only_columns_name_becomes_attributes_of_the_resource() -> None:
    rows = decode(Signal.METRICS, request_of(Signal.METRICS, "made.here"))["metrics"]
    named = with_column(with_column(rows, "service_name", ["fraud"]), "service_version", ["2"])
    again = round_trip(Signal.METRICS, {"metrics": named})["metrics"]
    assert again.column("service_name").to_pylist() == ["fraud"]
    assert again.column("resource_attributes").to_pylist() == [{"service.name": "fraud", "service.version": "2"}]


def test_rows_of_equal_resource_and_scope_share_them_wherever_they_stand() -> None:
    rows = decode(Signal.TRACES, b"".join([spans_request("a"), spans_request("b"), spans_request("c")]))["spans"]
    alternating = with_column(rows, "scope_name", ["x", "y", "x"])
    (request,) = encode(Signal.TRACES, {"spans": alternating})
    message = ExportTraceServiceRequest.FromString(request)
    (resource,) = message.resource_spans
    found = [(scope.scope.name, [span.name for span in scope.spans]) for scope in resource.scope_spans]
    assert found == [("x", ["a", "c"]), ("y", ["b"])]


def test_an_attribute_that_is_null_in_every_row_leaves_nothing() -> None:
    rows = spans_with(Span(name="a"))
    struct = pa.array([{"k": None}], pa.struct([("k", pa.string())]))
    again = round_trip(Signal.TRACES, {"spans": with_column(rows, "attributes", struct)})["spans"]
    assert again.equals(rows)


def test_a_type_that_otlp_does_not_know_is_named_with_its_key() -> None:
    struct = pa.array([{"k": 1}], pa.struct([("k", pa.int16())]))
    rows = with_column(spans_with(Span(name="a")), "attributes", struct)
    with pytest.raises(ValueError, match="the attribute 'k' has the type int16"):
        list(encode(Signal.TRACES, {"spans": rows}))


def test_half_a_surrogate_pair_in_json_is_replaced() -> None:
    rows = with_column(spans_with(Span(name="a")), "attributes_other", ['{"k":"\\ud800"}'])
    again = round_trip(Signal.TRACES, {"spans": rows})["spans"]
    assert again.column("attributes").to_pylist() == [{"k": "?"}]


def test_an_exemplar_whose_data_point_is_gone_is_left_out() -> None:
    rows = decode(Signal.METRICS, request_of(Signal.METRICS, "kept"))
    exemplars = pa.Table.from_pylist(
        [{"metric_name": "gone", "metric_type": "gauge", "value": 1.0}], schema=rows["exemplars"].schema
    )
    again = round_trip(Signal.METRICS, {**rows, "exemplars": exemplars})
    assert again["metrics"].equals(rows["metrics"])
    assert again["exemplars"].num_rows == 0
