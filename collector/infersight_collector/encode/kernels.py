"""The encoder's loops: sizes of fields, and the bytes of fields at the positions where their rows have come to.

A kernel that writes takes `target`, and `at`, for each row the position to write at, which it moves behind what it
wrote. A row whose length is 0 has no field, and is left alone.
"""

from typing import Any, Final

import numpy as np

from infersight_collector.decode.kernels import (
    BUFFER,
    BYTES,
    INTS,
    Bytes,
    Ints,
    borrowed,
    copy_bytes,
    inline,
    int64,
    kernel,
    nb,
    uint64,
)

OFFSETS: Final[Any] = nb.types.Array(nb.int32, 1, "C", readonly=True)
"""Signature of Arrow's offsets of text and lists."""

FLAGS: Final[Any] = nb.types.Array(nb.boolean, 1, "C", readonly=True)
"""Signature of which rows have a value."""

WORDS: Final[Any] = nb.types.Array(nb.int64, 1, "C", readonly=True)
"""Signature of values that are not written to."""

TAGS: Final[Any] = nb.types.Array(nb.int64, 1, "A", readonly=True)
"""Signature of tags by row, which may be one tag for all of them."""

_HEX_DIGITS: Final = np.zeros(256, np.uint8)
"""The value of each hex digit."""
for _value, _digit in enumerate(b"0123456789abcdef"):
    _HEX_DIGITS[_digit] = _value


@inline
def varint_size(value: int) -> int:
    """Bytes of a varint; a negative number takes ten."""
    rest = uint64(value)
    size = 1
    while rest >= uint64(0x80):
        rest >>= uint64(7)
        size += 1
    return size


@inline
def put_varint(value: int, target: Bytes, at: int) -> int:
    """Write a varint; returns the position behind it."""
    rest = uint64(value)
    while rest >= uint64(0x80):
        target[uint64(at)] = (rest & uint64(0x7F)) | uint64(0x80)
        rest >>= uint64(7)
        at += 1
    target[uint64(at)] = rest
    return at + 1


@kernel(INTS(OFFSETS, FLAGS, nb.int64))
def text_sizes(offsets: Ints, present: Ints, tag_size: int) -> Ints:
    """Lengths of text fields: tag, length and text."""
    lengths = np.zeros(len(present), np.int64)
    for row in range(len(present)):
        if present[row]:
            size = int64(offsets[row + 1]) - int64(offsets[row])
            lengths[row] = tag_size + varint_size(size) + size
    return lengths


@kernel(nb.void(nb.int64, OFFSETS, BYTES, INTS, BUFFER, INTS))
def write_text(tag: int, offsets: Ints, data: Bytes, lengths: Ints, target: Bytes, at: Ints) -> None:
    """Write text fields."""
    data, target = borrowed(data), borrowed(target)
    for row in range(len(lengths)):
        if lengths[row] > 0:
            start = int64(offsets[row])
            size = int64(offsets[row + 1]) - start
            pos = put_varint(size, target, put_varint(tag, target, at[row]))
            at[row] = copy_bytes(data, start, size, target, pos)


@kernel(nb.void(nb.int64, OFFSETS, BYTES, INTS, BUFFER, INTS))
def write_hex(tag: int, offsets: Ints, data: Bytes, lengths: Ints, target: Bytes, at: Ints) -> None:
    """Write bytes fields from their hex digits."""
    data, target = borrowed(data), borrowed(target)
    for row in range(len(lengths)):
        if lengths[row] > 0:
            start = int64(offsets[row])
            size = (int64(offsets[row + 1]) - start) // 2
            pos = put_varint(size, target, put_varint(tag, target, at[row]))
            for i in range(size):
                high, low = data[uint64(start + 2 * i)], data[uint64(start + 2 * i + 1)]
                target[uint64(pos + i)] = _HEX_DIGITS[high] << 4 | _HEX_DIGITS[low]
            at[row] = pos + size


@kernel(INTS(WORDS, FLAGS, nb.int64))
def varint_sizes(values: Ints, present: Ints, tag_size: int) -> Ints:
    """Lengths of varint fields: tag and value."""
    lengths = np.zeros(len(present), np.int64)
    for row in range(len(present)):
        if present[row]:
            lengths[row] = tag_size + varint_size(values[row])
    return lengths


@kernel(nb.void(nb.int64, WORDS, INTS, BUFFER, INTS))
def write_varints(tag: int, values: Ints, lengths: Ints, target: Bytes, at: Ints) -> None:
    """Write varint fields; without tags, packed ones, where the tag is 0."""
    target = borrowed(target)
    for row in range(len(lengths)):
        if lengths[row] > 0:
            pos = put_varint(tag, target, at[row]) if tag > 0 else at[row]
            at[row] = put_varint(values[row], target, pos)


@kernel(nb.void(nb.int64, nb.int64, BYTES, INTS, BUFFER, INTS))
def write_fixed(tag: int, size: int, values: Bytes, lengths: Ints, target: Bytes, at: Ints) -> None:
    """Write fields of 8 or 4 bytes, from the low bytes of 64-bit values."""
    values, target = borrowed(values), borrowed(target)
    for row in range(len(lengths)):
        if lengths[row] > 0:
            pos = put_varint(tag, target, at[row])
            if size == 8:  # so the compiler knows the size, and makes it one store
                at[row] = copy_bytes(values, 8 * row, 8, target, pos)
            else:
                at[row] = copy_bytes(values, 8 * row, 4, target, pos)


@kernel(INTS(INTS, nb.int64, nb.boolean))
def message_sizes(inner: Ints, tag_size: int, keep_empty: bool) -> Ints:
    """Lengths of message fields: tag, length and what is inside."""
    lengths = np.zeros(len(inner), np.int64)
    for row in range(len(inner)):
        if keep_empty or inner[row] > 0:
            lengths[row] = tag_size + varint_size(inner[row]) + inner[row]
    return lengths


@kernel(nb.void(TAGS, INTS, INTS, BUFFER, INTS))
def write_message_heads(tags: Ints, inner: Ints, lengths: Ints, target: Bytes, at: Ints) -> None:
    """Write tag and length of message fields."""
    target = borrowed(target)
    for row in range(len(lengths)):
        if lengths[row] > 0:
            at[row] = put_varint(inner[row], target, put_varint(tags[row], target, at[row]))


@inline
def _attribute_size(key_size: int, value_size: int) -> int:
    return key_size + 1 + varint_size(value_size) + value_size


@kernel(INTS(INTS, nb.int64))
def attribute_sizes(values: Ints, key_size: int) -> Ints:
    """Lengths of attributes, from those of their values (the fields of an AnyValue) and of the field of the key."""
    lengths = np.zeros(len(values), np.int64)
    for row in range(len(values)):
        if values[row] > 0:
            size = _attribute_size(key_size, values[row])
            lengths[row] = 1 + varint_size(size) + size
    return lengths


@kernel(nb.void(nb.int64, BYTES, INTS, BUFFER, INTS))
def write_attribute_heads(tag: int, key: Bytes, values: Ints, target: Bytes, at: Ints) -> None:
    """Write attributes up to their values: tag and length of the KeyValue, its key, tag and length of its value.

    This is the form that the decoder has a shorter way for.
    """
    key, target = borrowed(key), borrowed(target)
    for row in range(len(values)):
        if values[row] > 0:
            pos = put_varint(_attribute_size(len(key), values[row]), target, put_varint(tag, target, at[row]))
            pos = copy_bytes(key, 0, len(key), target, pos)
            at[row] = put_varint(values[row], target, put_varint(0x12, target, pos))


@kernel(INTS(INTS, INTS, INTS))
def place_elements(bounds: Ints, lengths: Ints, at: Ints) -> Ints:
    """The position of each element, those of a row one after the other; moves the rows' positions behind them.

    Args:
        bounds: the elements of row `r` are those from `bounds[r]` up to `bounds[r + 1]`.
        lengths: of the elements.
        at: positions of the rows.
    """
    positions = np.empty(len(lengths), np.int64)
    for row in range(len(bounds) - 1):
        pos = at[row]
        for element in range(bounds[row], bounds[row + 1]):
            positions[element] = pos
            pos += lengths[element]
        at[row] = pos
    return positions


@kernel(nb.void(BYTES, INTS, INTS, BUFFER, INTS))
def write_copies(data: Bytes, starts: Ints, lengths: Ints, target: Bytes, at: Ints) -> None:
    """Write bytes that are encoded already."""
    data, target = borrowed(data), borrowed(target)
    for row in range(len(lengths)):
        at[row] = copy_bytes(data, starts[row], lengths[row], target, at[row])


@kernel(nb.void(OFFSETS, BYTES, FLAGS, nb.boolean[::1]))
def mark_text_changes(offsets: Ints, data: Bytes, present: Ints, changed: Ints) -> None:
    """Mark the rows whose text is not that of the row before."""
    data = borrowed(data)
    for row in range(1, len(present)):
        if changed[row] or present[row] != present[row - 1]:
            changed[row] = True
        elif present[row]:
            before, start = int64(offsets[row - 1]), int64(offsets[row])
            size = int64(offsets[row + 1]) - start
            if start - before != size:
                changed[row] = True
                continue
            for i in range(size):
                if data[uint64(start + i)] != data[uint64(before + i)]:
                    changed[row] = True
                    break
