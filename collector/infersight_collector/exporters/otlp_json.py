"""OTLP protobuf to OTLP/JSON: the inverse of `decode.json`.

The form is that of protobuf's JSON mapping, but for ids, which are hex, and enumerations, which are numbers.
See https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import base64
import json
import math
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from infersight_collector.decode.layout import REQUESTS
from infersight_collector.signals import Signal

_IDS: Final = ("trace_id", "span_id", "parent_span_id")

_WIDE: Final = (
    FieldDescriptor.TYPE_INT64,
    FieldDescriptor.TYPE_UINT64,
    FieldDescriptor.TYPE_FIXED64,
    FieldDescriptor.TYPE_SFIXED64,
)
"""Integers that a JSON number, which is a double to many readers, cannot say."""


def json_line(signal: Signal, request: bytes) -> bytes:
    """A request as one line of JSON, line end included.

    Args:
        signal: what the request carries.
        request: an Export*ServiceRequest, protobuf.
    """
    document = _object(REQUESTS[signal].FromString(request))
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _object(message: Message) -> dict[str, Any]:
    """The fields of a message that are set; twice as fast as google.protobuf's own mapping."""
    members: dict[str, Any] = {}
    for field, value in message.ListFields():
        name, convert = _mapping(field)
        members[name] = value if convert is None else convert(value)
    return members


@cache
def _mapping(field: FieldDescriptor) -> tuple[str, Callable[[Any], Any] | None]:
    """The name of a field in JSON and what makes its value, None where that is as it is."""
    convert = _conversion(field)
    if not field.is_repeated:
        return field.json_name, convert
    if convert is None:
        return field.json_name, list
    one: Callable[[Any], Any] = convert
    return field.json_name, lambda values: [one(value) for value in values]


def _conversion(field: FieldDescriptor) -> Callable[[Any], Any] | None:
    if field.message_type is not None:
        return _object
    if field.type in _WIDE:
        return str
    if field.type == FieldDescriptor.TYPE_BYTES:
        return bytes.hex if field.name in _IDS else _base64
    return _double if field.type == FieldDescriptor.TYPE_DOUBLE else None


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _double(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
