"""JSON of stored values back to OTLP values: the inverse of `decode.values`, by the conventions of `store.schema`.

Different texts are few beside the rows that have them, so each one is parsed once.
"""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, EntityRef, KeyValue

from infersight_collector.decode.wire import LENGTH
from infersight_collector.encode.fields import Column, Ragged, nothing, text_buffers, varint_bytes

_NOT_FINITE: Final = {"NaN", "Infinity", "-Infinity"}
_INT64: Final = range(-(2**63), 2**63)


def value_fields(array: Any) -> Column:
    """The fields of AnyValues from JSON, absent where the array is null.

    Args:
        array: Arrow array of JSON text; an object at the top is a map, whatever its keys are.
    """
    return per_text(array, lambda text: _container(_parse(text)).SerializeToString())


def typed_value_fields(array: Any, kind: str) -> Column:
    """The fields of AnyValues from JSON of one type, absent where the array is null.

    Args:
        array: Arrow array of JSON text.
        kind: `bool`, `int`, `double`, `bytes`, `array` or `map`.
    """
    return (
        value_fields(array)
        if kind in ("array", "map")
        else per_text(array, lambda text: _value(_parse(text)).SerializeToString())
    )


def member_fields(number: int, array: Any) -> Column:
    """Repeated KeyValue fields from the members of JSON objects, absent where the array is null.

    Args:
        number: of the field.
        array: Arrow array of JSON text.
    """
    return per_text(array, lambda text: b"".join(_delimited(number, pair) for pair in _members(_parse(text))))


def entity_fields(number: int, array: Any) -> Column:
    """Repeated EntityRef fields from JSON arrays of them in OTLP's form, absent where the array is null."""
    return per_text(
        array, lambda text: b"".join(_delimited(number, ParseDict(each, EntityRef())) for each in json.loads(text))
    )


def per_text(array: Any, encode: Callable[[str], bytes]) -> Column:
    """What a function makes of each text, nothing where the array is null."""
    if array.null_count == len(array):
        return nothing(len(array))
    different = array.dictionary_encode()
    encoded = pa.array([encode(text) for text in different.dictionary.to_pylist()], pa.binary())
    offsets, data = text_buffers(encoded)
    # One more row, empty, for the nulls.
    starts, lengths = np.append(offsets[:-1], 0).astype(np.int64), np.append(np.diff(offsets), 0).astype(np.int64)
    rows = different.indices.fill_null(len(encoded)).to_numpy(zero_copy_only=False)
    return Ragged(data, starts, lengths).take(rows).column()


def _parse(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_Object)


class _Object(list[tuple[str, Any]]):
    """A JSON object: its members in order, repeated keys too."""


def _container(parsed: Any) -> AnyValue:
    """An array or map; an object is a map although it may have the form of bytes or of a number that is not finite."""
    message = AnyValue()
    if isinstance(parsed, _Object):
        message.kvlist_value.SetInParent()
        message.kvlist_value.values.extend(_members(parsed))
        return message
    return _value(parsed)


def _value(parsed: Any) -> AnyValue:  # noqa: PLR0911 - one for each kind of value
    match parsed:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=parsed)
        case int() if parsed in _INT64:
            return AnyValue(int_value=parsed)
        case int() | float():
            return AnyValue(double_value=parsed)
        case str():
            return AnyValue(string_value=_valid(parsed))
        case _Object():
            scalar = _scalar_of(parsed)
            return _container(parsed) if scalar is None else scalar
        case _:
            message = AnyValue()
            message.array_value.SetInParent()
            message.array_value.values.extend(_value(item) for item in cast("list[Any]", parsed))
            return message


def _scalar_of(parsed: _Object) -> AnyValue | None:
    """What JSON cannot say, from OTLP/JSON's own form: bytes and numbers that are not finite."""
    match parsed:
        case [("bytesValue", str(text))]:
            try:
                return AnyValue(bytes_value=base64.b64decode(text, validate=True))
            except binascii.Error:
                return None
        case [("doubleValue", str(text))] if text in _NOT_FINITE:
            return AnyValue(double_value=float(text))
        case _:
            return None


def _members(parsed: Any) -> Iterator[KeyValue]:
    return (KeyValue(key=_valid(key), value=_value(value)) for key, value in parsed)


def _valid(text: str) -> str:
    """JSON can escape half a surrogate pair, which no UTF-8 says."""
    return text.encode("utf-8", "replace").decode()


def _delimited(number: int, message: Any) -> bytes:
    content: bytes = message.SerializeToString()
    return bytes([number << 3 | LENGTH]) + varint_bytes(len(content)) + content
