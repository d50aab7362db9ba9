"""The corners of the wire format, each with google.protobuf's verdict beside ours."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import pytest
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infersight_collector.decode import MalformedRequest, check, decode
from infersight_collector.signals import Signal


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field of less than 16 KiB."""
    length = len(content)
    return bytes([number << 3 | 2, length & 0x7F | 0x80, length >> 7]) + content


def span_with(content: bytes) -> bytes:
    return field(1, field(2, field(2, content)))


def attribute_with(value: bytes) -> bytes:
    return span_with(field(9, field(1, b"k") + field(2, value)))


def nested_arrays(depth: int) -> bytes:
    value = b"\x10\x01"
    for _ in range(depth):
        value = field(5, field(1, value))
    return attribute_with(value)


def groups(depth: int) -> bytes:
    return b"\x7b" * depth + b"\x7c" * depth


CASES = {
    "an empty request": b"",
    "a tag of five bytes": attribute_with(b"\x98\x80\x80\x80\x00\x01"),
    "a tag of six bytes": attribute_with(b"\x98\x80\x80\x80\x80\x00\x01"),
    "the greatest field number": attribute_with(b"\xf8\xff\xff\xff\x0f\x01"),
    "a tag beyond 32 bits": attribute_with(b"\xf8\xff\xff\xff\x1f\x01"),
    "field number 0": attribute_with(b"\x02\x00"),
    "field number 0 in an unknown group": attribute_with(b"\x7b\x00\x01\x7c"),
    "wire type 6": attribute_with(b"\x7e\x01"),
    "wire type 7": attribute_with(b"\x7f\x01"),
    "a varint of ten bytes": attribute_with(b"\x18" + b"\xff" * 9 + b"\x01"),
    "a varint of ten bytes with excess bits": attribute_with(b"\x18" + b"\x80" * 9 + b"\x7e"),
    "a varint of eleven bytes": attribute_with(b"\x18" + b"\x80" * 10 + b"\x00"),
    "a bool beyond 32 bits": attribute_with(b"\x10\x80\x80\x80\x80\x80\x01"),
    "a length of five bytes": attribute_with(b"\x0a\x81\x80\x80\x80\x00A"),
    "a length of six bytes": attribute_with(b"\x0a\x81\x80\x80\x80\x80\x00A"),
    "a length beyond the message": span_with(b"\x2a\x05abc"),
    "a length of 4 GiB": span_with(b"\x2a\xff\xff\xff\xff\x0f"),
    "a double cut off": attribute_with(b"\x21\x00\x00"),
    "an end of group without a start": span_with(b"\x7c"),
    "a group without an end": span_with(b"\x7b"),
    "a group with the end of another": span_with(b"\x7b\x74"),
    "a group in place of a known field": span_with(b"\x2b\x2c"),
    "a varint in place of a string": span_with(b"\x28\x05"),
    "a surrogate": span_with(b"\x2a\x03\xed\xa0\x80"),
    "an overlong zero": span_with(b"\x2a\x02\xc0\x80"),
    "a character past U+10FFFF": span_with(b"\x2a\x04\xf4\x90\x80\x80"),
    "a character cut off": span_with(b"\x2a\x02\xe2\x82"),
    "invalid UTF-8 in a string that is replaced": span_with(b"\x2a\x01\xff\x2a\x01a"),
    "invalid UTF-8 in a bytes field": span_with(b"\x0a\x01\xff"),
    "invalid UTF-8 in a key": span_with(field(9, b"\x0a\x01\xff")),
    "arrays 47 deep": nested_arrays(47),
    "arrays 48 deep": nested_arrays(48),
    "100 groups": groups(100),
    "101 groups": groups(101),
    "97 groups in a span": span_with(groups(97)),
    "98 groups in a span": span_with(groups(98)),
}


@pytest.mark.parametrize("request_bytes", CASES.values(), ids=CASES.keys())
def test_corner_of_the_wire_format_is_taken_as_google_protobuf_takes_it(request_bytes: bytes) -> None:
    try:
        ExportTraceServiceRequest.FromString(request_bytes)
    except DecodeError:
        with pytest.raises(MalformedRequest):
            check(Signal.TRACES, request_bytes)
    else:
        assert check(Signal.TRACES, request_bytes) == decode(Signal.TRACES, request_bytes)["spans"].num_rows


def test_the_corners_are_of_both_kinds() -> None:
    """Guards the test above: its cases would be worthless if all were accepted or all refused."""
    accepted = 0
    for case in CASES.values():
        try:
            check(Signal.TRACES, case)
            accepted += 1
        except MalformedRequest:
            continue
    assert 10 < accepted < len(CASES) - 10


def test_refusal_says_what_is_wrong_and_where() -> None:
    with pytest.raises(MalformedRequest, match="a string field is not UTF-8 at byte 9") as refusal:
        check(Signal.TRACES, span_with(b"\x2a\x01\xff"))
    assert refusal.value.offset == 9
