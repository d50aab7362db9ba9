"""OTLP/JSON: what the specification changes in protobuf's JSON mapping, and what senders get wrong."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import json
from typing import Any

import pytest

from infersight_collector.decode import MalformedRequest, decode, request_from_json
from infersight_collector.signals import Signal


def span_json(**fields: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [fields]}]}]}).encode()


def span_row(text: bytes) -> dict[str, Any]:
    rows: list[dict[str, Any]] = decode(Signal.TRACES, request_from_json(Signal.TRACES, text))["spans"].to_pylist()
    assert len(rows) == 1
    return rows[0]


def test_ids_are_hex_of_either_case() -> None:
    row = span_row(span_json(traceId="5B8EFFF798038103D269B633813FC60C", spanId="eee19b7ec3c1b174", parentSpanId=""))
    assert row["trace_id"] == "5b8efff798038103d269b633813fc60c"
    assert row["span_id"] == "eee19b7ec3c1b174"
    assert row["parent_span_id"] is None


def test_ids_of_links_are_hex() -> None:
    row = span_row(span_json(links=[{"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "2"}]))
    assert [link["trace_id"] for link in row["links"]] == ["0" * 31 + "1"]


@pytest.mark.parametrize("kind", [2, "SPAN_KIND_SERVER"])
def test_enumerations_are_numbers_or_names(kind: int | str) -> None:
    assert span_row(span_json(kind=kind))["kind"] == "SERVER"


@pytest.mark.parametrize("time", [1544712660000000001, "1544712660000000001"])
def test_64_bit_integers_are_numbers_or_text(time: int | str) -> None:
    assert span_row(span_json(startTimeUnixNano=time))["start_time_ns"] == 1544712660000000001


def test_bytes_values_are_base64_and_arrays_are_kept() -> None:
    attributes = [
        {"key": "b", "value": {"bytesValue": "AAE="}},
        {"key": "a", "value": {"arrayValue": {"values": [{"intValue": "1"}, {"stringValue": "é"}]}}},
    ]
    assert span_row(span_json(attributes=attributes))["attributes"] == {"b": b"\0\1", "a": '[1,"é"]'}


def test_unknown_fields_and_names_are_ignored() -> None:
    row = span_row(span_json(name="n", kind="SPAN_KIND_NEW", colour={"traceId": "00"}))
    assert (row["name"], row["kind"]) == ("n", "UNSPECIFIED")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "not JSON"),
        (b'{"a": tru}', "not JSON.* at byte 6"),
        (b'"\xff"', "not UTF-8"),
        (b"[]", "a request is a JSON object"),
        (span_json(traceId="xyz"), "traceId is not hex: 'xyz'"),
        (span_json(startTimeUnixNano="soon"), "not OTLP/JSON"),
        (span_json(startTimeUnixNano=-1), "not OTLP/JSON"),
        (span_json(name=5), "not OTLP/JSON"),
        (span_json(name="\ud800"), "not OTLP/JSON"),
        (b'{"resourceSpans": 5}', "not OTLP/JSON"),
        (b'{"resourceSpans": [5]}', "not OTLP/JSON"),
        (b'{"a":' * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_otlp_json_is_refused_with_a_reason(text: bytes, reason: str) -> None:
    with pytest.raises(MalformedRequest, match=reason):
        request_from_json(Signal.TRACES, text)
