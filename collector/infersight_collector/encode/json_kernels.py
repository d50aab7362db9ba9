"""JSON to the bytes of OTLP values, in three passes: parse into nodes, sizes from the inside out, then bytes.

A node is a value, in the order of the text, which is the order of the bytes as well: a container stands before what is
in it. Strings are unescaped into one buffer, to which nodes point.
"""

from typing import Final

import numpy as np

from infersight_collector.decode import layout as lo
from infersight_collector.decode.kernels import (
    BUFFER,
    BYTES,
    INTS,
    ROWS,
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
from infersight_collector.encode.kernels import FLAGS, OFFSETS, put_varint, varint_size

# Columns of a node.
PARENT: Final = 0  # the node around it, -1 at the top
CASE: Final = 1  # the case of an AnyValue, 0 for null
VALUE: Final = 2  # the number, or where the text starts; of a double, where its digits start in the JSON
LENGTH: Final = 3  # of the text
KEY: Final = 4
KEY_LENGTH: Final = 5  # -1 in an array and at the top
NODE_COLUMNS: Final = 6

_VALUES_TAG: Final = 0x0A  # of the elements of an array and the members of a map
_KEY_TAG: Final = 0x0A
_VALUE_TAG: Final = 0x12

_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
_COMMA: Final = ord(",")
_COLON: Final = ord(":")
_MINUS: Final = ord("-")
_OPEN_ARRAY: Final = ord("[")
_CLOSE_ARRAY: Final = ord("]")
_OPEN_MAP: Final = ord("{")
_CLOSE_MAP: Final = ord("}")
_LETTER_U: Final = ord("u")
_QUESTION: Final = ord("?")
_EQUALS: Final = ord("=")

_ESCAPED: Final = np.zeros(256, np.uint8)
"""What the letter behind a backslash stands for; 0 where it stands for nothing."""
for _letter, _byte in zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True):
    _ESCAPED[_letter] = _byte

_HEX: Final = np.full(256, 255, np.uint8)
"""The value of a hex digit, 255 where it is none."""
for _value in range(16):
    for _digit in f"{_value:x}{_value:X}".encode():
        _HEX[_digit] = _value

_SIXTETS: Final = np.full(256, 255, np.uint8)
"""The value of a digit of base64, 255 where it is none."""
for _value, _digit in enumerate(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):
    _SIXTETS[_digit] = _value

_NUMBER: Final = np.zeros(256, np.bool_)
"""Whether a number may have this byte."""
_NUMBER[np.frombuffer(b"+-.0123456789Ee", np.uint8)] = True

_BYTES_KEY: Final = np.frombuffer(b"bytesValue", np.uint8)
_DOUBLE_KEY: Final = np.frombuffer(b"doubleValue", np.uint8)
_NAN: Final = np.frombuffer(b"NaN", np.uint8)
_INFINITY: Final = np.frombuffer(b"Infinity", np.uint8)
_MINUS_INFINITY: Final = np.frombuffer(b"-Infinity", np.uint8)
_TRUE: Final = np.frombuffer(b"true", np.uint8)
_FALSE: Final = np.frombuffer(b"false", np.uint8)
_NULL: Final = np.frombuffer(b"null", np.uint8)

_NOT_FINITE: Final = np.array([np.nan, np.inf, -np.inf]).view(np.int64)


@inline
def _is(data: Bytes, start: int, length: int, word: Bytes) -> bool:
    if length != len(word):
        return False
    for i in range(length):  # noqa: SIM110 - a generator does not compile
        if data[start + i] != word[i]:
            return False
    return True


@inline
def _skip_space(data: Bytes, pos: int, end: int) -> int:
    while pos < end and data[pos] in (0x20, 0x0A, 0x0D, 0x09):
        pos += 1
    return pos


@inline
def _four_digits(data: Bytes, pos: int, end: int) -> int:
    """The number of four hex digits, -1 where there are none."""
    if end - pos < 4:
        return -1
    value = 0
    for i in range(4):
        digit = _HEX[data[pos + i]]
        if digit > 15:
            return -1
        value = value << 4 | int(digit)
    return value


@inline
def _put_character(code: int, text: Bytes, at: int) -> int:
    """Write a character as UTF-8; half a surrogate pair, which UTF-8 cannot say, is a question mark."""
    if code < 0x80 or 0xD800 <= code <= 0xDFFF:
        text[at] = code if code < 0x80 else _QUESTION
        return at + 1
    if code < 0x800:
        text[at] = 0xC0 | code >> 6
        text[at + 1] = 0x80 | code & 63
        return at + 2
    if code < 0x10000:
        text[at] = 0xE0 | code >> 12
        text[at + 1] = 0x80 | code >> 6 & 63
        text[at + 2] = 0x80 | code & 63
        return at + 3
    text[at] = 0xF0 | code >> 18
    text[at + 1] = 0x80 | code >> 12 & 63
    text[at + 2] = 0x80 | code >> 6 & 63
    text[at + 3] = 0x80 | code & 63
    return at + 4


@inline
def _read_escape(data: Bytes, pos: int, end: int, text: Bytes, at: int) -> tuple[int, int]:
    """Unescape what follows a backslash; returns the next position, -1 where it is no escape, and that in `text`."""
    if pos >= end:
        return -1, at
    if data[pos] != _LETTER_U:
        text[at] = _ESCAPED[data[pos]]
        return pos + 1 if text[at] != 0 else -1, at + 1
    code = _four_digits(data, pos + 1, end)
    if code < 0:
        return -1, at
    pos += 5
    if 0xD800 <= code < 0xDC00 and end - pos >= 6 and data[pos] == _BACKSLASH and data[pos + 1] == _LETTER_U:
        low = _four_digits(data, pos + 2, end)
        if 0xDC00 <= low <= 0xDFFF:
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
            pos += 6
    return pos, _put_character(code, text, at)


@inline
def _read_string(data: Bytes, pos: int, end: int, text: Bytes, at: int) -> tuple[int, int]:
    """Unescape a string from behind its quote; returns the next position, -1 without an end, and that in `text`."""
    while pos < end:
        byte = data[pos]
        pos += 1
        if byte == _QUOTE:
            return pos, at
        if byte == _BACKSLASH:
            pos, at = _read_escape(data, pos, end, text, at)
            if pos < 0:
                return -1, at
        else:
            text[at] = byte
            at += 1
    return -1, at


@inline
def _read_number(data: Bytes, pos: int, end: int, nodes: Ints, node: int) -> int:
    """Read a number into a node, one that is no int64 as its digits; returns the position behind it, or -1."""
    start = pos
    is_whole = True
    while pos < end and _NUMBER[data[pos]]:
        is_whole &= (data[pos] >= 0x30 and data[pos] <= 0x39) or (pos == start and data[pos] == _MINUS)
        pos += 1
    digits = start + 1 if data[start] == _MINUS else start
    if pos == digits:
        return -1
    value = uint64(0)
    if is_whole and pos - digits <= 19:  # nineteen digits fit into 64 bits without a sign
        for i in range(digits, pos):
            value = value * uint64(10) + uint64(data[i] - 0x30)
    else:
        is_whole = False
    negative = digits > start
    limit = uint64(0x8000000000000000) if negative else uint64(0x7FFFFFFFFFFFFFFF)
    if is_whole and value <= limit:
        nodes[node, CASE] = lo.INT_CASE
        nodes[node, VALUE] = -int64(value) if negative else int64(value)
        return pos
    nodes[node, CASE] = lo.DOUBLE_CASE
    nodes[node, VALUE] = start
    nodes[node, LENGTH] = pos - start
    return pos


@inline
def _read_word(data: Bytes, pos: int, end: int, nodes: Ints, node: int) -> int:
    """Read true, false or null; returns the position behind it, or -1."""
    if end - pos >= 4 and _is(data, pos, 4, _TRUE):
        nodes[node, CASE] = lo.BOOL_CASE
        nodes[node, VALUE] = 1
        return pos + 4
    if end - pos >= 5 and _is(data, pos, 5, _FALSE):
        nodes[node, CASE] = lo.BOOL_CASE
        return pos + 5
    if end - pos >= 4 and _is(data, pos, 4, _NULL):
        return pos + 4
    return -1


@inline
def _decode_base64(text: Bytes, start: int, length: int) -> int:
    """Decode in place; returns the length of the bytes, -1 where it is no base64."""
    if length % 4 != 0:
        return -1
    at = start
    for i in range(start, start + length, 4):
        a, b, c, d = text[i], text[i + 1], text[i + 2], text[i + 3]
        is_last = i + 4 == start + length
        size = 1 if is_last and c == _EQUALS and d == _EQUALS else 2 if is_last and d == _EQUALS else 3
        bits = int64(_SIXTETS[a]) << 18 | int64(_SIXTETS[b]) << 12
        bad = _SIXTETS[a] > 63 or _SIXTETS[b] > 63
        if size > 1:
            bits |= int64(_SIXTETS[c]) << 6
            bad |= _SIXTETS[c] > 63
        if size > 2:
            bits |= int64(_SIXTETS[d])
            bad |= _SIXTETS[d] > 63
        if bad:
            return -1
        for shift in range(size):
            text[at] = bits >> (16 - 8 * shift) & 255
            at += 1
    return at - start


@inline
def _unwrap(nodes: Ints, node: int, last: int, text: Bytes) -> bool:
    """Turn a map that is the form of bytes or of a number that is not finite into these; returns whether it was one."""
    if last != node + 1 or nodes[last, CASE] != lo.STRING_CASE:
        return False
    key, key_length = nodes[last, KEY], nodes[last, KEY_LENGTH]
    start, length = nodes[last, VALUE], nodes[last, LENGTH]
    if _is(text, key, key_length, _BYTES_KEY):
        size = _decode_base64(text, start, length)
        if size < 0:
            return False
        nodes[node, CASE], nodes[node, VALUE], nodes[node, LENGTH] = lo.BYTES_CASE, start, size
        return True
    if not _is(text, key, key_length, _DOUBLE_KEY):
        return False
    for which, name in enumerate((_NAN, _INFINITY, _MINUS_INFINITY)):
        if _is(text, start, length, name):
            nodes[node, CASE], nodes[node, VALUE], nodes[node, LENGTH] = lo.DOUBLE_CASE, _NOT_FINITE[which], -1
            return True
    return False


@kernel(nb.types.Tuple((ROWS, INTS, BUFFER, nb.int64))(OFFSETS, BYTES, FLAGS, nb.boolean))
def parse(  # noqa: C901, PLR0911, PLR0912, PLR0915 - one loop of one state machine; its steps are the functions above
    offsets: Ints, data: Bytes, present: Ints, keep_maps: bool
) -> tuple[Ints, Ints, Bytes, int]:
    """Parse the JSON of each row that is present.

    Args:
        offsets: of the texts, int32 `[rows + 1]`.
        data: their bytes.
        present: which rows have a text, bool `[rows]`.
        keep_maps: whether an object at the top is a map, whatever its keys are.

    Returns:
        The nodes, int64 `[nodes, NODE_COLUMNS]`; the first node of each row, int64 `[rows + 1]`; the buffer that text
        nodes point to; and the row whose text is no JSON, or -1.
    """
    data = borrowed(data)
    begin, limit = int64(offsets[0]), int64(offsets[len(present)])
    most = len(present)
    for i in range(begin, limit):
        if data[i] in (_COMMA, _OPEN_ARRAY, _OPEN_MAP):
            most += 1
    nodes = np.zeros((most, NODE_COLUMNS), np.int64)
    firsts = np.zeros(len(present) + 1, np.int64)
    text = np.empty(limit - begin, np.uint8)
    count = int64(0)
    at = int64(0)
    for row in range(len(present)):
        firsts[row] = count
        if not present[row]:
            continue
        pos, end = int64(offsets[row]), int64(offsets[row + 1])
        top = count
        around = int64(-1)  # the container that is open
        while True:
            pos = _skip_space(data, pos, end)
            key, key_length = int64(0), int64(-1)
            if around >= 0 and nodes[around, CASE] == lo.MAP_CASE and pos < end and data[pos] != _CLOSE_MAP:
                if data[pos] != _QUOTE:
                    return nodes, firsts, text, row
                key = at
                pos, at = _read_string(data, pos + 1, end, text, at)
                if pos < 0:
                    return nodes, firsts, text, row
                key_length = at - key
                pos = _skip_space(data, pos, end)
                if pos >= end or data[pos] != _COLON:
                    return nodes, firsts, text, row
                pos = _skip_space(data, pos + 1, end)
            if pos >= end:
                return nodes, firsts, text, row
            byte = data[pos]
            is_closing = around >= 0 and byte in (_CLOSE_ARRAY, _CLOSE_MAP) and key_length < 0
            opened = False
            if not is_closing:
                node = count
                count += 1
                nodes[node] = 0  # the value of bytes may have stood here
                nodes[node, PARENT], nodes[node, KEY], nodes[node, KEY_LENGTH] = around, key, key_length
                if byte == _QUOTE:
                    nodes[node, CASE], nodes[node, VALUE] = lo.STRING_CASE, at
                    pos, at = _read_string(data, pos + 1, end, text, at)
                    nodes[node, LENGTH] = at - nodes[node, VALUE]
                elif byte in (_OPEN_ARRAY, _OPEN_MAP):
                    nodes[node, CASE] = lo.ARRAY_CASE if byte == _OPEN_ARRAY else lo.MAP_CASE
                    around = node
                    opened = True
                    pos += 1
                elif byte == _MINUS or (byte >= 0x30 and byte <= 0x39):
                    pos = _read_number(data, pos, end, nodes, node)
                else:
                    pos = _read_word(data, pos, end, nodes, node)
                if pos < 0:
                    return nodes, firsts, text, row
            if opened:
                continue
            # Behind a value: what is open may close, once or more.
            comma = False
            while around >= 0:
                pos = _skip_space(data, pos, end)
                if pos >= end:
                    return nodes, firsts, text, row
                if data[pos] == _COMMA and not is_closing:
                    comma = True
                    pos += 1
                    break
                closing = _CLOSE_MAP if nodes[around, CASE] == lo.MAP_CASE else _CLOSE_ARRAY
                if data[pos] != closing or (is_closing and count - 1 != around):
                    return nodes, firsts, text, row
                is_closing = False
                pos += 1
                if (
                    nodes[around, CASE] == lo.MAP_CASE
                    and not (keep_maps and around == top)
                    and _unwrap(nodes, around, count - 1, text)
                ):
                    count -= 1
                around = nodes[around, PARENT]
            if not comma:
                break
        if _skip_space(data, pos, end) != end:
            return nodes, firsts, text, row
    firsts[len(present)] = count
    return nodes[:count], firsts, text[:at], -1


@inline
def _value_size(case: int, value: int, length: int) -> int:
    """Bytes of the fields of an AnyValue; of a container, from those of what is in it, in `length`."""
    if case == lo.INT_CASE:
        return 1 + varint_size(value)
    if case == lo.DOUBLE_CASE:
        return 9
    if case == lo.BOOL_CASE:
        return 2
    return 0 if case == 0 else 1 + varint_size(length) + length


@inline
def _pair_size(key_length: int, size: int) -> int:
    return 1 + varint_size(key_length) + key_length + 1 + varint_size(size) + size


@kernel(nb.types.UniTuple(INTS, 2)(ROWS, INTS, nb.boolean))
def measure(nodes: Ints, firsts: Ints, members: bool) -> tuple[Ints, Ints]:
    """The size of the AnyValue of each node, and of the bytes of each row.

    Args:
        nodes: of `parse`; of containers, LENGTH is set to the size of what is in them.
        firsts: of `parse`.
        members: whether a row's bytes are fields of the pairs of its object, else the AnyValue itself.
    """
    nodes = borrowed(nodes)
    sizes = np.zeros(len(nodes), np.int64)
    lengths = np.zeros(len(firsts) - 1, np.int64)
    for row in range(len(lengths)):
        for node in range(firsts[row + 1] - 1, firsts[row] - 1, -1):
            size = _value_size(nodes[node, CASE], nodes[node, VALUE], nodes[node, LENGTH])
            sizes[node] = size
            around = nodes[node, PARENT]
            if around >= 0:
                inner = size if nodes[node, KEY_LENGTH] < 0 else _pair_size(nodes[node, KEY_LENGTH], size)
                nodes[around, LENGTH] += 1 + varint_size(inner) + inner
        if firsts[row + 1] > firsts[row]:
            lengths[row] = nodes[firsts[row], LENGTH] if members else sizes[firsts[row]]
    return sizes, lengths


@kernel(nb.void(ROWS, INTS, BYTES, nb.int64, INTS, BUFFER, INTS))
def write(nodes: Ints, firsts: Ints, text: Bytes, tag: int, sizes: Ints, target: Bytes, at: Ints) -> None:
    """Write the rows.

    Args:
        nodes: of `measure`, the VALUE of doubles their bits.
        firsts: of `parse`.
        text: of `parse`.
        tag: of the pairs at the top, where they are the row's fields, else 0.
        sizes: of `measure`.
        target: see `kernels`.
        at: see `kernels`.
    """
    nodes, text, target = borrowed(nodes), borrowed(text), borrowed(target)
    for row in range(len(firsts) - 1):
        pos = at[row]
        top = firsts[row]
        for node in range(top + 1 if tag > 0 else top, firsts[row + 1]):
            case, value, length = nodes[node, CASE], nodes[node, VALUE], nodes[node, LENGTH]
            key_length = nodes[node, KEY_LENGTH]
            if node > top:
                outer = tag if tag > 0 and nodes[node, PARENT] == top else _VALUES_TAG
                inner = sizes[node] if key_length < 0 else _pair_size(key_length, sizes[node])
                pos = put_varint(inner, target, put_varint(outer, target, pos))
            if key_length >= 0:
                pos = put_varint(key_length, target, put_varint(_KEY_TAG, target, pos))
                pos = copy_bytes(text, nodes[node, KEY], key_length, target, pos)
                pos = put_varint(sizes[node], target, put_varint(_VALUE_TAG, target, pos))
            if case == lo.DOUBLE_CASE:
                pos = put_varint(case << 3 | 1, target, pos)
                for i in range(8):
                    target[pos + i] = uint64(value) >> uint64(8 * i) & uint64(255)
                pos += 8
            elif case in (lo.INT_CASE, lo.BOOL_CASE):
                pos = put_varint(value, target, put_varint(case << 3, target, pos))
            elif case != 0:
                pos = put_varint(length, target, put_varint(case << 3 | 2, target, pos))
                if case not in (lo.ARRAY_CASE, lo.MAP_CASE):
                    pos = copy_bytes(text, value, length, target, pos)
        at[row] = pos
