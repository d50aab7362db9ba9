"""An algebra of protobuf fields over Arrow columns: each row's bytes, known by their lengths before they exist.

A message is `message(number, concatenate([text(1, names), fixed64(7, times), ...]))`, for all rows at once. Lengths are
computed from the inside out, then `written` makes room for everything and each byte goes straight to its final place.
See https://protobuf.dev/programming-guides/encoding/.
"""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa

from infersight_collector.decode.kernels import Bytes, Ints
from infersight_collector.decode.wire import FIXED32, FIXED64, LENGTH, VARINT
from infersight_collector.encode import kernels

_NOTHING: Final = np.zeros(0, np.uint8)


@dataclass(frozen=True, slots=True)
class Column:
    """The bytes of each row, not written yet.

    Attributes:
        lengths: bytes of each row, int64 `[rows]`.
        write: writes each row into the buffer that is its first argument, at the position in its second, int64
            `[rows]`, which it moves behind the row.
    """

    lengths: Ints
    write: Callable[[Bytes, Ints], None]


@dataclass(frozen=True, slots=True)
class Ragged:
    """The bytes of each row, written.

    Attributes:
        data: bytes, uint8.
        starts: where each row begins, int64 `[rows]`.
        lengths: bytes of each row, int64 `[rows]`.
    """

    data: Bytes
    starts: Ints
    lengths: Ints

    def take(self, rows: Ints) -> "Ragged":
        """Other rows of the same bytes."""
        return Ragged(self.data, self.starts[rows], self.lengths[rows])

    def column(self) -> Column:
        """The bytes as a part of others."""
        return Column(self.lengths, partial(kernels.write_copies, self.data, self.starts, self.lengths))

    def arrow(self) -> Any:
        """The rows as an Arrow array of binary values; they have to lie one behind the other."""
        offsets = np.concatenate([self.starts, [len(self.data)]]).astype(np.int64)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(self.data)]
        return pa.Array.from_buffers(pa.large_binary(), len(self.starts), buffers)


def written(column: Column) -> Ragged:
    """The bytes of a column, row behind row."""
    ends = np.cumsum(column.lengths)
    starts = ends - column.lengths
    data = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    column.write(data, starts.copy())
    data.flags.writeable = False
    return Ragged(data, starts, column.lengths)


def nothing(rows: int) -> Column:
    """No bytes in any row."""
    return Column(np.zeros(rows, np.int64), lambda _target, _at: None)


def text(number: int, array: Any) -> Column:
    """A string or bytes field, absent where the array is null.

    Args:
        number: of the field.
        array: Arrow array of string or binary.
    """
    offsets, data = text_buffers(array)
    return _delimited(number, offsets, data, present_of(array))


def hex_id(number: int, array: Any) -> Column:
    """A bytes field from its hex digits, absent where the array is null."""
    offsets, data = text_buffers(array)
    tag = _tag(number, LENGTH)
    halves = np.concatenate([np.zeros(1, np.int32), np.cumsum(np.diff(offsets) // 2, dtype=np.int32)])
    lengths = kernels.text_sizes(halves, present_of(array), _size(tag))
    return Column(lengths, partial(kernels.write_hex, tag, offsets, data, lengths))


def varint(number: int, array: Any) -> Column:
    """A field of any varint type but `sint`, absent where the array is null.

    Args:
        number: of the field.
        array: Arrow array of integers or booleans.
    """
    return _varints(_tag(number, VARINT), words_of(array), present_of(array))


def sint(number: int, array: Any) -> Column:
    """A `sint32` or `sint64` field, absent where the array is null."""
    values = words_of(array)
    return _varints(_tag(number, VARINT), (values << 1) ^ (values >> 63), present_of(array))


def fixed64(number: int, array: Any) -> Column:
    """A double or 64-bit integer field of fixed size, absent where the array is null."""
    return _fixed(_tag(number, FIXED64), 8, words_of(array), present_of(array))


def fixed32(number: int, array: Any) -> Column:
    """A 32-bit integer field of fixed size, absent where the array is null."""
    return _fixed(_tag(number, FIXED32), 4, words_of(array), present_of(array))


def packed_fixed64(number: int, lists: Any) -> Column:
    """A packed repeated field of doubles or 64-bit integers of fixed size.

    Args:
        number: of the field.
        lists: Arrow array of lists of them, without nulls in the lists.
    """
    bounds, values = list_parts(lists)
    words = words_of(values)
    return _delimited(number, (8 * bounds).astype(np.int32), words.view(np.uint8), np.diff(bounds) > 0)


def packed_varint(number: int, lists: Any) -> Column:
    """A packed repeated field of varints."""
    bounds, values = list_parts(lists)
    elements = _varints(0, words_of(values), present_of(values))
    return message(number, group(elements, bounds), keep_empty=False)


def concatenate(columns: Sequence[Column]) -> Column:
    """Row by row what the columns have, one behind the other."""

    def write(target: Bytes, at: Ints) -> None:
        for column in columns:
            column.write(target, at)

    return Column(np.add.reduce([column.lengths for column in columns]), write)


def message(number: int | Ints, inner: Column, *, keep_empty: bool = True) -> Column:
    """A message field.

    Args:
        number: of the field; or of each row, int64 `[rows]`, below 16.
        inner: the fields in the message.
        keep_empty: whether a row without any field has the message all the same.
    """
    tags = np.broadcast_to(np.asarray(number, np.int64) << 3 | LENGTH, inner.lengths.shape)
    size = _size(_tag(number, LENGTH)) if isinstance(number, int) else 1
    lengths = kernels.message_sizes(inner.lengths, size, keep_empty)

    def write(target: Bytes, at: Ints) -> None:
        kernels.write_message_heads(tags, inner.lengths, lengths, target, at)
        inner.write(target, at)

    return Column(lengths, write)


def attribute(number: int, key: str, value: Column) -> Column:
    """A KeyValue field, absent where its value is.

    Args:
        number: of the field, below 16.
        key: of the attribute.
        value: the field that is set of an AnyValue.
    """
    tag, encoded = _tag(number, LENGTH), key.encode()
    field_of_key = np.frombuffer(b"\x0a" + varint_bytes(len(encoded)) + encoded, np.uint8)
    lengths = kernels.attribute_sizes(value.lengths, len(field_of_key))

    def write(target: Bytes, at: Ints) -> None:
        kernels.write_attribute_heads(tag, field_of_key, value.lengths, target, at)
        value.write(target, at)

    return Column(lengths, write)


def group(elements: Column, bounds: Ints) -> Column:
    """Row by row the bytes of its elements.

    Args:
        elements: a column.
        bounds: row `r` has the elements from `bounds[r]` up to `bounds[r + 1]`; int64 `[rows + 1]`.
    """
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(elements.lengths)])

    def write(target: Bytes, at: Ints) -> None:
        elements.write(target, kernels.place_elements(bounds, elements.lengths, at))

    return Column(ends[bounds[1:]] - ends[bounds[:-1]], write)


def present_of(array: Any) -> Any:
    """Which rows of an Arrow array are not null, bool `[rows]`."""
    return array.is_valid().to_numpy(zero_copy_only=False) if array.null_count else np.ones(len(array), np.bool_)


def words_of(array: Any) -> Ints:
    """The values of an Arrow array of numbers or booleans, doubles as their bits, int64 `[rows]`; null is any."""
    if pa.types.is_float64(array.type):
        array = array.view(pa.int64())
    elif not pa.types.is_int64(array.type):
        array = array.cast(pa.int64())
    buffer = array.buffers()[1]
    if buffer is None:
        return np.zeros(len(array), np.int64)
    return np.frombuffer(buffer, np.int64)[array.offset : array.offset + len(array)]


def text_buffers(array: Any) -> tuple[Ints, Bytes]:
    """Offsets, int32 `[rows + 1]`, and bytes of an Arrow array of string or binary."""
    _, offsets, data = array.buffers()
    if offsets is None or not len(array):
        return np.zeros(len(array) + 1, np.int32), _NOTHING
    window = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    return window, _NOTHING if data is None else np.frombuffer(data, np.uint8)


def list_parts(lists: Any) -> tuple[Ints, Any]:
    """Bounds of the elements of each row, int64 `[rows + 1]`, and the elements, of an Arrow array of lists."""
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    # Unlike `values`, `flatten` leaves out what null lists hold and what is outside of a slice.
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)]), lists.flatten()


def _delimited(number: int, offsets: Ints, data: Bytes, present: Any) -> Column:
    tag = _tag(number, LENGTH)
    lengths = kernels.text_sizes(offsets, present, _size(tag))
    return Column(lengths, partial(kernels.write_text, tag, offsets, data, lengths))


def _varints(tag: int, values: Ints, present: Any) -> Column:
    lengths = kernels.varint_sizes(values, present, _size(tag) if tag else 0)
    return Column(lengths, partial(kernels.write_varints, tag, values, lengths))


def _fixed(tag: int, size: int, values: Ints, present: Any) -> Column:
    lengths = np.where(present, _size(tag) + size, 0)
    return Column(lengths, partial(kernels.write_fixed, tag, size, values.view(np.uint8), lengths))


def _tag(number: int, wire_type: int) -> int:
    return number << 3 | wire_type


def _size(tag: int) -> int:
    return 1 if tag < 0x80 else 2


def varint_bytes(value: int) -> bytes:
    """A number that is not negative as a varint."""
    groups: list[int] = []
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
