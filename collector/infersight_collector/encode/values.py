"""JSON of stored values back to OTLP values: the inverse of `decode.values`, by the conventions of `store.layout`."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import json
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.common.v1.common_pb2 import EntityRef

from infersight_collector.decode import layout as lo
from infersight_collector.decode.buffers import text_array
from infersight_collector.decode.kernels import Bytes, Ints
from infersight_collector.decode.wire import LENGTH
from infersight_collector.encode import json_kernels
from infersight_collector.encode.fields import Column, Ragged, nothing, present_of, text_buffers, varint_bytes


def value_fields(array: Any, *, keep_maps: bool = True) -> Column:
    """The fields of AnyValues from JSON, absent where the array is null.

    Args:
        array: Arrow array of JSON text.
        keep_maps: whether an object at the top is a map even where it has the form of bytes or of a number that is
            not finite; inside of arrays and maps these forms are what they stand for.

    Raises:
        ValueError: a text is no JSON.
    """
    return _fields(array, 0, keep_maps=keep_maps)


def member_fields(number: int, array: Any) -> Column:
    """Repeated KeyValue fields from the members of JSON objects, absent where the array is null.

    Args:
        number: of the field, below 16.
        array: Arrow array of JSON text.

    Raises:
        ValueError: a text is no JSON.
    """
    return _fields(array, number << 3 | LENGTH, keep_maps=True)


def entity_fields(number: int, array: Any) -> Column:
    """Repeated EntityRef fields from JSON arrays of them in OTLP's form, absent where the array is null."""

    def encoded(text: str) -> bytes:
        refs = [ParseDict(ref, EntityRef()).SerializeToString() for ref in json.loads(text)]
        return b"".join(bytes([number << 3 | LENGTH]) + varint_bytes(len(ref)) + ref for ref in refs)

    if array.null_count == len(array):
        return nothing(len(array))
    offsets, data = text_buffers(pa.array([b"" if each is None else encoded(each) for each in array.to_pylist()]))
    return Ragged(data, offsets[:-1].astype(np.int64), np.diff(offsets).astype(np.int64)).column()


def _fields(array: Any, tag: int, *, keep_maps: bool) -> Column:
    if array.null_count == len(array):
        return nothing(len(array))
    offsets, data = text_buffers(array)
    present = present_of(array)
    nodes, firsts, unescaped, bad = json_kernels.parse(offsets, data, present, keep_maps)
    if bad >= 0:
        raise ValueError(f"'{array[bad].as_py()[:100]}' is no JSON, which this column has to hold")
    if tag and np.any(nodes[firsts[:-1][present], json_kernels.CASE] != lo.MAP_CASE):
        raise ValueError("a column of further attributes has to hold JSON objects, and has other JSON")
    _read_doubles(nodes, data)
    sizes, lengths = json_kernels.measure(nodes, firsts, tag > 0)
    unescaped.flags.writeable = False
    return Column(lengths, partial(json_kernels.write, nodes, firsts, unescaped, tag, sizes))


def _read_doubles(nodes: Ints, data: Bytes) -> None:
    """Puts the bits of doubles in place of where their digits are; Arrow reads these exactly."""
    rows = np.flatnonzero((nodes[:, json_kernels.CASE] == lo.DOUBLE_CASE) & (nodes[:, json_kernels.LENGTH] >= 0))
    if len(rows):
        starts, lengths = nodes[rows, json_kernels.VALUE], nodes[rows, json_kernels.LENGTH]
        numbers = text_array(data, starts, lengths).cast(pa.float64())
        nodes[rows, json_kernels.VALUE] = numbers.to_numpy(zero_copy_only=False).view(np.int64)
