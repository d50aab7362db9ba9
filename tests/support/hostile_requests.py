"""Requests that are small and valid, and are made to take as much memory or time as they can."""

from collections.abc import Callable
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue, KeyValueList
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

MIB: Final = 2**20


def field(number: int, content: bytes) -> bytes:
    """One length-delimited field of protobuf; numbers below 16."""
    length, encoded = len(content), bytearray()
    while length > 0x7F:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | 2, *encoded, length]) + content


def spans(*contents: bytes, resource: Resource | None = None) -> bytes:
    """A traces request of one resource with these spans, each the bytes of a Span."""
    own = field(1, resource.SerializeToString()) if resource is not None else b""
    return field(1, own + field(2, b"".join(field(2, content) for content in contents)))


def span(*attributes: KeyValue) -> bytes:
    return bytes(Span(attributes=attributes).SerializeToString())


def number(key: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(int_value=1))


def text(size: int, character: str = "x") -> AnyValue:
    return AnyValue(string_value=character * size)


def deep_span(depth: int) -> bytes:
    """A span with arrays within arrays, each of which takes two messages of depth; protobuf would not make it."""
    value = bytes(AnyValue(int_value=1).SerializeToString())
    for _ in range(depth):
        value = field(5, field(1, value))
    return field(9, field(1, b"deep") + field(2, value))


def _resource_of_1000_keys_beside_many_spans() -> bytes:
    resource = Resource(attributes=[number(f"k{i}") for i in range(1000)])
    return spans(b"", resource=resource) + spans(*[b""] * 300_000)


REFUSED: Final[dict[str, Callable[[], bytes]]] = {
    "1 MiB of resource and 1000 spans": lambda: spans(
        *[b""] * 1000, resource=Resource(attributes=[KeyValue(key="k", value=text(MIB))])
    ),
    "8 million empty spans": lambda: field(1, field(2, field(2, b"") * 8_000_000)),
    "8 million empty events": lambda: spans(field(11, b"") * 8_000_000),
    "8 million empty attributes": lambda: spans(field(9, b"") * 8_000_000),
    "8 million empty resources": lambda: field(1, b"") * 8_000_000,
    "8 million entities": lambda: field(1, field(1, field(3, b"") * 8_000_000) + field(2, field(2, b""))),
}
"""Names and makers of traces requests that are too large once decoded."""

ACCEPTED: Final[dict[str, tuple[Callable[[], bytes], int]]] = {
    "700 000 empty spans": (lambda: spans(*[b""] * 700_000), 700_000),
    "1000 keys in another resource than 300 000 spans": (_resource_of_1000_keys_beside_many_spans, 300_001),
    "100 000 keys in one span": (lambda: spans(span(*[number(f"k{i}") for i in range(100_000)])), 1),
    "a million attributes in one span": (lambda: spans(span(*[number(f"{i:x}") for i in range(1_000_000)])), 1),
    "a key of its own in each of 100 000 spans": (
        lambda: spans(*[span(number(f"k{i}")) for i in range(100_000)]),
        100_000,
    ),
    "another 1000 keys in each of 200 spans": (
        lambda: spans(*[span(*[number(f"{i}.{j}") for j in range(1000)]) for i in range(200)]),
        200,
    ),
    "a value of 15 MiB": (lambda: spans(span(KeyValue(key="k", value=text(15 * MIB)))), 1),
    "a value of 15 MiB that JSON makes six times as long": (
        lambda: spans(
            span(
                KeyValue(
                    key="m",
                    value=AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="k", value=text(15 * MIB, "\x01"))])),
                )
            )
        ),
        1,
    ),
    "arrays 40 deep": (lambda: spans(deep_span(40)), 1),
}
"""Names and makers of traces requests that are taken, and the number of their spans."""
