"""The text of OTLP values: strings as they are, everything else as JSON in the form that `store.layout` describes.

The JSON is compact, as `json.dumps` writes it. A map's repeated key is written as often as it occurs.
"""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import math
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from infersight_collector.decode import layout as lo
from infersight_collector.decode.buffers import text_array
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
)
from infersight_collector.decode.walk import MAX_DEPTH, Tables

NAMES: Final = ("", "string", "bool", "int", "double", "array", "map", "bytes")
"""Names of an AnyValue's cases by their field number."""

_TRUE: Final = np.frombuffer(b"true", np.uint8)
_FALSE: Final = np.frombuffer(b"false", np.uint8)
_NULL: Final = np.frombuffer(b"null", np.uint8)
_BYTES_OPEN: Final = np.frombuffer(b'{"bytesValue":"', np.uint8)
_BYTES_CLOSE: Final = np.frombuffer(b'"}', np.uint8)
_ESCAPE: Final = np.frombuffer(b"\\u00", np.uint8)
_SHORT_ESCAPES: Final = np.zeros(32, np.uint8)
"""The letter of a control character's short escape, 0 where it has none."""
for _control, _letter in zip(b"\b\t\n\f\r", b"btnfr", strict=True):
    _SHORT_ESCAPES[_control] = _letter
_HEX: Final = np.frombuffer(b"0123456789abcdef", np.uint8)
_BASE64: Final = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)
_LOWEST: Final = np.frombuffer(b"-9223372036854775808", np.uint8)

_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
_EQUALS: Final = ord("=")
_MINUS: Final = ord("-")
_ZERO: Final = ord("0")
_COMMA: Final = ord(",")
_COLON: Final = ord(":")
_OPEN_ARRAY: Final = ord("[")
_CLOSE_ARRAY: Final = ord("]")
_OPEN_MAP: Final = ord("{")
_CLOSE_MAP: Final = ord("}")


def render_json(tables: Tables, rows: Ints) -> tuple[Bytes, Ints, Ints]:
    """Write values as JSON.

    Args:
        tables: the walked request.
        rows: rows of attributes, int64 `[rows, slots of an attribute]`.

    Returns:
        The text, and where the JSON of each row starts in it and its length.
    """
    inner = tables.rows["value.values"]
    every = np.concatenate([inner, rows])
    children = np.argsort(inner[:, 0], kind="stable")
    containers = len(tables.rows["value"])
    bounds = np.zeros(containers + 1, np.int64)
    np.cumsum(np.bincount(inner[:, 0], minlength=containers), out=bounds[1:])
    numbers = _write_numbers(every)
    text, ends = _render(tables.data, numbers, every, len(inner), children, bounds)
    text.flags.writeable = False
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if len(ends) else ends
    return text, starts, ends - starts


def value_text(tables: Tables, rows: Ints) -> Any:
    """The text of values in Arrow: strings as they are, others as JSON; null where there is no value.

    Args:
        tables: the walked request.
        rows: rows of attributes, int64 `[rows, slots of an attribute]`.
    """
    cases = rows[:, lo.CASE]
    is_text = cases == lo.STRING_CASE
    text = text_array(tables.data, rows[:, lo.VALUE], np.where(is_text, rows[:, lo.VALUE_LENGTH], -1))
    others = np.flatnonzero((cases > lo.STRING_CASE) & (cases <= lo.BYTES_CASE))
    if not len(others):
        return text
    buffer, other_starts, other_lengths = render_json(tables, rows[others])
    starts = np.zeros(len(rows), np.int64)
    lengths = np.full(len(rows), -1, np.int64)
    starts[others], lengths[others] = other_starts, other_lengths
    return pc.call_function("coalesce", [text, text_array(buffer, starts, lengths)])


def _write_numbers(rows: Ints) -> Bytes:
    """Write the doubles among the rows, shortest that reads back exactly, and point the rows to the text."""
    doubles = rows[:, lo.CASE] == lo.DOUBLE_CASE
    numbers = [_json_number(value) for value in rows[doubles, lo.VALUE].view(np.float64).tolist()]
    lengths = np.array([len(number) for number in numbers], np.int64)
    rows[doubles, lo.VALUE] = np.cumsum(lengths) - lengths
    rows[doubles, lo.VALUE_LENGTH] = lengths
    return np.frombuffer("".join(numbers).encode(), np.uint8)


def _json_number(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    name = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return f'{{"doubleValue":"{name}"}}'


@inline
def _room(text: Bytes, used: int, more: int) -> Bytes:
    """The buffer, or a larger copy of it where it has no room for `more` bytes."""
    if used + more <= len(text):
        return text
    larger = np.empty(2 * (used + more), np.uint8)
    copy_bytes(text, 0, used, larger, 0)
    return larger


@inline
def write_json_string(data: Bytes, start: int, length: int, text: Bytes, at: int) -> int:
    """Write a JSON string; `text` has room for six bytes a byte and the quotes."""
    text[at] = _QUOTE
    at += 1
    for i in range(start, start + length):
        byte = data[i]
        escape = _SHORT_ESCAPES[byte] if byte < 0x20 else byte if byte in (_QUOTE, _BACKSLASH) else 0
        if byte < 0x20 and escape == 0:
            at = copy_bytes(_ESCAPE, 0, 4, text, at)
            text[at] = _HEX[byte >> 4]
            text[at + 1] = _HEX[byte & 15]
            at += 2
            continue
        if escape != 0:
            text[at] = _BACKSLASH
            at += 1
            byte = escape
        text[at] = byte
        at += 1
    text[at] = _QUOTE
    return at + 1


@inline
def _write_int(value: int, text: Bytes, at: int) -> int:
    if value == -(2**63):  # has no positive counterpart
        return copy_bytes(_LOWEST, 0, len(_LOWEST), text, at)
    if value < 0:
        text[at] = _MINUS
        at += 1
        value = -value
    end = at + 1
    rest = value
    while rest >= 10:
        rest //= 10
        end += 1
    for i in range(end - 1, at - 1, -1):
        text[i] = _ZERO + value % 10
        value //= 10
    return end


@inline
def _write_base64(data: Bytes, start: int, length: int, text: Bytes, at: int) -> int:
    at = copy_bytes(_BYTES_OPEN, 0, len(_BYTES_OPEN), text, at)
    for i in range(start, start + length, 3):
        left = start + length - i
        bits = int64(data[i]) << 16
        if left > 1:
            bits |= int64(data[i + 1]) << 8
        if left > 2:
            bits |= int64(data[i + 2])
        text[at] = _BASE64[bits >> 18]
        text[at + 1] = _BASE64[(bits >> 12) & 63]
        text[at + 2] = _BASE64[(bits >> 6) & 63] if left > 1 else _EQUALS
        text[at + 3] = _BASE64[bits & 63] if left > 2 else _EQUALS
        at += 4
    return copy_bytes(_BYTES_CLOSE, 0, len(_BYTES_CLOSE), text, at)


@inline
def _write_scalar(data: Bytes, numbers: Bytes, case: int, value: int, length: int, text: Bytes, at: int) -> int:
    if case == lo.STRING_CASE:
        return write_json_string(data, value, length, text, at)
    if case == lo.INT_CASE:
        return _write_int(value, text, at)
    if case == lo.DOUBLE_CASE:
        return copy_bytes(numbers, value, length, text, at)
    if case == lo.BOOL_CASE:
        return copy_bytes(_TRUE, 0, 4, text, at) if value != 0 else copy_bytes(_FALSE, 0, 5, text, at)
    if case == lo.BYTES_CASE:
        return _write_base64(data, value, length, text, at)
    return copy_bytes(_NULL, 0, 4, text, at)


@kernel(nb.types.Tuple((BUFFER, INTS))(BYTES, BYTES, ROWS, nb.int64, INTS, INTS))
def _render(data: Bytes, numbers: Bytes, rows: Ints, inner: int, children: Ints, bounds: Ints) -> tuple[Bytes, Ints]:
    """Write rows `inner` and after as JSON; returns the text and the end of each in it.

    Args:
        data: the request.
        numbers: the text of doubles, to which their rows point.
        rows: first the elements of arrays and maps, then the values to write, int64 `[rows, slots]`.
        inner: how many are elements.
        children: elements by container: those of `c` are `children[bounds[c]:bounds[c + 1]]`.
        bounds: int64 `[containers + 1]`.
    """
    data, numbers = borrowed(data), borrowed(numbers)
    text = np.empty(1024, np.uint8)
    at = 0
    ends = np.empty(len(rows) - inner, np.int64)
    stack = np.empty((MAX_DEPTH, 3), np.int64)  # of open containers: next child, end of its children, is it a map
    for top in range(inner, len(rows)):
        row = top
        depth = 0
        while True:
            case, value, length = rows[row, lo.CASE], rows[row, lo.VALUE], rows[row, lo.VALUE_LENGTH]
            text = _room(text, at, 6 * (length + rows[row, lo.KEY_LENGTH]) + 64)
            if depth > 0 and stack[depth - 1, 2]:
                at = write_json_string(data, rows[row, lo.KEY], rows[row, lo.KEY_LENGTH], text, at)
                text[at] = _COLON
                at += 1
            if case in (lo.ARRAY_CASE, lo.MAP_CASE):
                text[at] = _OPEN_MAP if case == lo.MAP_CASE else _OPEN_ARRAY
                at += 1
                stack[depth, 0], stack[depth, 1], stack[depth, 2] = (
                    bounds[value],
                    bounds[value + 1],
                    case == lo.MAP_CASE,
                )
                depth += 1
            else:
                at = _write_scalar(data, numbers, case, value, length, text, at)
            while depth > 0 and stack[depth - 1, 0] == stack[depth - 1, 1]:
                depth -= 1
                text = _room(text, at, 1)
                text[at] = _CLOSE_MAP if stack[depth, 2] else _CLOSE_ARRAY
                at += 1
            if depth == 0:
                break
            if text[at - 1] != _OPEN_MAP and text[at - 1] != _OPEN_ARRAY:
                text[at] = _COMMA
                at += 1
            row = children[stack[depth - 1, 0]]
            stack[depth - 1, 0] += 1
        ends[top - inner] = at
    return text[:at], ends
