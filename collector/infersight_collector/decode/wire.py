"""Checked reads of the protobuf wire format, compiled into the kernels.

Each reader takes the position to read at and the end of the enclosing message, and returns the position after what
it read, or -1 where google.protobuf finds the wire format corrupt. The limits are those of upb, google.protobuf's
decoder: tags and lengths take at most five bytes, other varints ten, whose excess bits are dropped.
See https://protobuf.dev/programming-guides/encoding/.
"""

from typing import Final

import numpy as np

from infersight_collector.decode.kernels import BYTES, ROWS, Bytes, Ints, inline, int64, kernel, uint64

VARINT: Final = 0
FIXED64: Final = 1
LENGTH: Final = 2
START_GROUP: Final = 3
END_GROUP: Final = 4
FIXED32: Final = 5


@inline
def read_varint(data: Bytes, pos: int, end: int) -> tuple[int, int]:
    """Read a varint of up to ten bytes; returns its 64 bits as a signed integer, and the next position."""
    if pos < end and data[uint64(pos)] < 0x80:
        return int64(data[uint64(pos)]), pos + 1
    value = int64(0)
    shift = int64(0)
    last = min(end, pos + 10)
    while pos < last:
        byte = int64(data[uint64(pos)])
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos
        shift += 7
    return value, -1


@inline
def read_short_varint(data: Bytes, pos: int, end: int, limit: int) -> tuple[int, int]:
    """Read a varint of up to five bytes and at most `limit`: a tag or a length."""
    if pos < end and data[uint64(pos)] < 0x80:
        return int64(data[uint64(pos)]), pos + 1
    value = int64(0)
    shift = int64(0)
    last = min(end, pos + 5)
    while pos < last:
        byte = int64(data[uint64(pos)])
        pos += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, pos if value <= limit else -1
        shift += 7
    return value, -1


@inline
def read_tag(data: Bytes, pos: int, end: int) -> tuple[int, int]:
    """Read a field's tag: its number times eight plus its wire type."""
    return read_short_varint(data, pos, end, 0xFFFFFFFF)


@inline
def read_length(data: Bytes, pos: int, end: int) -> tuple[int, int]:
    """Read the length of a field that follows, which has to end within its message."""
    length, pos = read_short_varint(data, pos, end, 0x7FFFFFFF)
    if pos >= 0 and length > end - pos:
        pos = -1
    return length, pos


@inline
def read_fixed(data: Bytes, pos: int, end: int, size: int) -> tuple[int, int]:
    """Read `size` (4 or 8) bytes, little-endian; 8 bytes come as the bits of a signed integer."""
    if end - pos < size:
        return int64(0), -1
    value = int64(0)
    for i in range(size):
        value |= int64(data[uint64(pos + i)]) << (8 * i)
    return value, pos + size


@inline
def skip_value(data: Bytes, pos: int, end: int, wire_type: int) -> int:
    """Skip the value of a field, groups excepted; returns the next position, or -1."""
    if wire_type == VARINT:
        return read_varint(data, pos, end)[1]
    if wire_type == LENGTH:
        length, pos = read_length(data, pos, end)
        return pos + length if pos >= 0 else -1
    size = 8 if wire_type == FIXED64 else 4
    if wire_type in (FIXED64, FIXED32) and end - pos >= size:
        return pos + size
    return -1


@inline
def read_word(data: Bytes, pos: int) -> int:
    """Read eight bytes that are known to be there, little-endian; the compiler makes it one load."""
    at = uint64(pos)
    word: int = (
        uint64(data[at])
        | uint64(data[at + uint64(1)]) << uint64(8)
        | uint64(data[at + uint64(2)]) << uint64(16)
        | uint64(data[at + uint64(3)]) << uint64(24)
        | uint64(data[at + uint64(4)]) << uint64(32)
        | uint64(data[at + uint64(5)]) << uint64(40)
        | uint64(data[at + uint64(6)]) << uint64(48)
        | uint64(data[at + uint64(7)]) << uint64(56)
    )
    return word


@inline
def is_ascii(data: Bytes, start: int, length: int) -> bool:
    """Whether no byte has its high bit set; most text is so."""
    seen = uint64(0)
    i = start
    last = start + length - 8
    if last >= start:
        while i < last:
            seen |= uint64(read_word(data, i))
            i += 8
        seen |= uint64(read_word(data, last))  # overlaps the word before
    else:
        while i < start + length:
            seen |= uint64(data[uint64(i)])
            i += 1
    return bool(seen & uint64(0x8080808080808080) == 0)


@inline
def is_utf8(data: Bytes, start: int, length: int) -> bool:
    """Whether the bytes are UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing past U+10FFFF."""
    if is_ascii(data, start, length):
        return True
    i = start
    end = start + length
    while i < end:
        lead = data[i]
        i += 1
        if lead < 0x80:
            continue
        # the range of the second byte excludes overlong forms, surrogates and what is past U+10FFFF
        low, high = 0x80, 0xBF
        if 0xC2 <= lead <= 0xDF:
            more = 1
        elif 0xE0 <= lead <= 0xEF:
            more = 2
            low = 0xA0 if lead == 0xE0 else 0x80
            high = 0x9F if lead == 0xED else 0xBF
        elif 0xF0 <= lead <= 0xF4:
            more = 3
            low = 0x90 if lead == 0xF0 else 0x80
            high = 0x8F if lead == 0xF4 else 0xBF
        else:
            return False
        if end - i < more or not low <= data[i] <= high:
            return False
        for j in range(i + 1, i + more):
            if data[j] & 0xC0 != 0x80:
                return False
        i += more
    return True


@kernel(ROWS(BYTES))
def fields_of(data: Bytes) -> Ints:
    """List the fields of a message, groups excepted, up to where it is corrupt.

    Returns:
        Number, wire type, start and end of each field's value (its content where it is length-delimited),
        int64 `[fields, 4]`.
    """
    fields = np.empty((len(data) // 2 + 1, 4), np.int64)  # a field takes two bytes or more
    count = 0
    pos, end = int64(0), int64(len(data))
    while pos < end:
        tag, pos = read_tag(data, pos, end)
        if pos < 0:
            break
        after = skip_value(data, pos, end, tag & 7)
        if after < 0:
            break
        start = read_length(data, pos, end)[1]
        fields[count, 0], fields[count, 1] = tag >> 3, tag & 7
        fields[count, 2], fields[count, 3] = start if tag & 7 == LENGTH else pos, after
        count += 1
        pos = after
    return fields[:count]
