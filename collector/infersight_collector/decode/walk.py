"""One walk over the bytes of a request, run twice: to validate and count, then to fill tables of the exact size.

The walk follows the instructions of `layout` and knows nothing of OTLP itself. It accepts exactly what
google.protobuf accepts: every length is checked against the message around it, text has to be UTF-8, depth is
bounded, unknown fields (groups too) are skipped, and so is a known field of another wire type.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from infersight_collector.decode import layout as lo
from infersight_collector.decode import wire
from infersight_collector.decode.kernels import BYTES, INTS, Bytes, Ints, inline, int32, int64, kernel, nb, uint64
from infersight_collector.decode.layout import Layout, layout_of
from infersight_collector.errors import MalformedRequest
from infersight_collector.signals import Signal

MAX_DEPTH: Final = 100
"""Messages and groups that may be open below the request; google.protobuf's limit."""

MAX_REQUEST: Final = 2**31 - 1
"""Protobuf's own limit of a message, in bytes; Arrow's text columns have the same."""

_OK: Final = 0
_CORRUPT: Final = 1
_NOT_UTF8: Final = 2
_TOO_DEEP: Final = 3
_TRUNCATED: Final = 4

_REASONS: Final = {
    _CORRUPT: "protobuf wire format is corrupt",
    _NOT_UTF8: "a string field is not UTF-8",
    _TOO_DEEP: f"messages are nested deeper than {MAX_DEPTH}",
    _TRUNCATED: "a field ends after the message around it",
}

_GROUP: Final = -1
"""In place of a node: an unknown group, in which no field is known."""

_RECORDS: Final = {Signal.TRACES: "spans", Signal.LOGS: "log_records", Signal.METRICS: "data_points"}


@dataclass(frozen=True)
class Tables:
    """A walked request: `data`, its bytes, and for each table of `layout` its rows."""

    layout: Layout
    data: Bytes
    rows: dict[str, Any]

    def column(self, table: str, name: str) -> Ints:
        """One column of a table, a strided view of int64 slots."""
        column: Ints = self.rows[table][:, self.slot(table, name)]
        return column

    def text(self, start: int, length: int) -> str:
        """One string of the request."""
        return bytes(self.data[start : start + length]).decode()

    def slot(self, table: str, name: str) -> int:
        """Where a column of a table is."""
        return self.layout.slots[self.layout.tables[table]][name]


def count(signal: Signal, request: bytes) -> dict[str, int]:
    """Validate a request and count the rows of each of its tables.

    A message that a later case of its oneof replaces is counted too.

    Raises:
        MalformedRequest: google.protobuf would refuse these bytes.
    """
    layout = layout_of(signal)
    counts = np.zeros(len(layout.tables), np.int64)
    _run(layout, np.frombuffer(request, np.uint8), counts, counts, np.zeros(1, np.int64), fill=False)
    return dict(zip(layout.tables, counts.tolist(), strict=True))


def count_records(signal: Signal, request: bytes) -> int:
    """Validate a request and count its spans, log records or data points; raises `MalformedRequest`."""
    return count(signal, request)[_RECORDS[signal]]


def walk(signal: Signal, request: bytes) -> Tables:
    """Validate a request and lay its fields out in tables.

    Raises:
        MalformedRequest: google.protobuf would refuse these bytes.
    """
    layout = layout_of(signal)
    capacity = np.array(list(count(signal, request).values()), np.int64)
    capacity[0] = 1
    starts = np.zeros(len(capacity) + 1, np.int64)
    np.cumsum(capacity * layout.widths, out=starts[1:])
    slots = np.zeros(starts[-1], np.int64)
    counts = np.zeros(len(capacity), np.int64)
    data = np.frombuffer(request, np.uint8)
    _run(layout, data, counts, starts, slots, fill=True)
    sizes = zip(layout.tables, layout.widths.tolist(), starts.tolist(), counts.tolist(), strict=False)
    rows = {name: slots[start : start + width * size].reshape(size, width) for name, width, start, size in sizes}
    return Tables(layout, data, rows)


def _run(layout: Layout, data: Bytes, counts: Ints, starts: Ints, slots: Ints, *, fill: bool) -> None:
    if len(data) > MAX_REQUEST:
        raise MalformedRequest(f"the request is larger than {MAX_REQUEST} bytes", MAX_REQUEST)
    error, offset = _walk(data, layout.fields, layout.table_of, layout.widths, starts, counts, slots, fill)
    if error != _OK:
        raise MalformedRequest(_REASONS[error], offset)


@inline
def _new_row(
    table: int, parent: int, widths: Ints, starts: Ints, counts: Ints, slots: Ints, fill: bool
) -> tuple[int, int]:
    row = counts[table]
    counts[table] = row + 1
    at = int64(0)
    if fill:
        at = starts[table] + row * widths[table]
        slots[at] = parent
    return row, at


@inline
def _read_scalar(data: Bytes, pos: int, end: int, kind: int) -> tuple[int, int]:
    if kind == lo.DOUBLE:
        return wire.read_fixed(data, pos, end, 8)
    if kind == lo.WORD:
        return wire.read_fixed(data, pos, end, 4)
    value, pos = wire.read_varint(data, pos, end)
    if kind == lo.INT32:
        value = int64(int32(value))
    elif kind == lo.UINT32:
        value = value & 0xFFFFFFFF
    elif kind == lo.SINT32:
        word = value & 0xFFFFFFFF
        value = int64(int32((word >> 1) ^ -(word & 1)))
    elif kind == lo.BOOL:
        value = int64(value != 0)
    return value, pos


@inline
def _read_plain_attribute(data: Bytes, pos: int, end: int) -> tuple[int, int, int, int, int]:
    """Read a KeyValue in the form that encoders write it: a short key, then a short scalar, and nothing else.

    Returns:
        The length of the key, which starts at `pos + 2`; the value's case, or 0 for any other form; the value, or
        where it starts; its length; and the end.
    """
    other = (int64(0), int64(0), int64(0), int64(0), int64(0))
    if end - pos < 6 or data[uint64(pos)] != 0x0A:
        return other
    key_length = int64(data[uint64(pos + 1)])
    value = pos + 2 + key_length
    if key_length >= 0x80 or end - value < 4 or data[uint64(value)] != 0x12:
        return other
    if data[uint64(value + 1)] >= 0x80 or value + 2 + int64(data[uint64(value + 1)]) != end:
        return other
    tag = data[uint64(value + 2)]
    pos = value + 3
    if tag == 0x0A:
        length = int64(data[uint64(pos)])
        case = int64(lo.STRING_CASE) if length < 0x80 and pos + 1 + length == end else int64(0)
        return key_length, case, pos + 1, length, end
    if tag == 0x21:
        bits, pos = wire.read_fixed(data, pos, end, 8)
        return key_length, int64(lo.DOUBLE_CASE) if pos == end else int64(0), bits, int64(0), end
    if tag in (0x10, 0x18):
        number, pos = wire.read_varint(data, pos, end)
        case = int64(lo.INT_CASE) if tag == 0x18 else int64(lo.BOOL_CASE)
        number = number if tag == 0x18 else int64(number != 0)
        return key_length, case if pos == end else int64(0), number, int64(0), end
    return other


@inline
def _wire_type(kind: int) -> int:
    if kind <= lo.BOOL:
        return wire.VARINT
    if kind == lo.DOUBLE:
        return wire.FIXED64
    if kind == lo.WORD:
        return wire.FIXED32
    return wire.LENGTH


@kernel(nb.types.UniTuple(nb.int64, 2)(BYTES, nb.int64[:, :, ::1], INTS, INTS, INTS, INTS, INTS, nb.boolean))
def _walk(  # noqa: C901, PLR0912 - the loop over fields is one state machine; every part that can be named is
    data: Bytes, fields: Any, table_of: Ints, widths: Ints, starts: Ints, counts: Ints, slots: Ints, fill: bool
) -> tuple[int, int]:
    """Walk a request; returns an error or 0, and the offset of the field where it is.

    Args:
        data: the request, uint8 `[bytes]`.
        fields: `Layout.fields`, int64 `[node, field number, 4]`.
        table_of: `Layout.table_of`, int64 `[node]`.
        widths: slots of a row, int64 `[table]`.
        starts: first slot of each table in `slots`, int64 `[table]`.
        counts: rows of each table; counted here, int64 `[table]`.
        slots: the rows of all tables; written here when `fill`, zeros before, int64 `[slots]`.
        fill: whether to write rows; text is then taken to be UTF-8, as the counting walk has found.
    """
    stack = np.empty((MAX_DEPTH + 1, 4), np.int64)  # of the messages around: node, end, row, slot of the row
    depth = 0
    node, end, row, at = 0, int64(len(data)), int64(0), int64(0)
    pos = int64(0)
    while True:
        if pos == end:
            if node == _GROUP:
                return _TRUNCATED, pos
            if depth == 0:
                return _OK, pos
            depth -= 1
            node, end, row, at = stack[depth, 0], stack[depth, 1], stack[depth, 2], stack[depth, 3]
            continue
        begin = pos
        tag, pos = wire.read_tag(data, pos, end)
        if pos < 0:
            return _CORRUPT, begin
        number, wire_type = tag >> 3, tag & 7

        if wire_type == wire.END_GROUP:  # in a group, `row` is its field number
            if node != _GROUP or row != number:
                return _CORRUPT, begin
            depth -= 1
            node, end, row, at = stack[depth, 0], stack[depth, 1], stack[depth, 2], stack[depth, 3]
            continue
        if number == 0 and node != _GROUP:
            return _CORRUPT, begin
        if wire_type == wire.START_GROUP:
            if depth == MAX_DEPTH:
                return _TOO_DEEP, begin
            stack[depth, 0], stack[depth, 1], stack[depth, 2], stack[depth, 3] = node, end, row, at
            depth += 1
            node, row = _GROUP, number
            continue

        kind = lo.UNKNOWN
        if node != _GROUP and number < lo.MAX_FIELD:
            kind = fields[node, number, 0]
        many = kind >= lo.MANY
        if many:
            kind -= lo.MANY
        if kind == lo.UNKNOWN or (wire_type != _wire_type(kind) and not (many and wire_type == wire.LENGTH)):
            pos = wire.skip_value(data, pos, end, wire_type)
            if pos < 0:
                return _CORRUPT, begin
            continue
        slot, case, child = fields[node, number, 1], fields[node, number, 2], fields[node, number, 3]

        length = int64(0)
        if wire_type == wire.LENGTH:
            length, pos = wire.read_length(data, pos, end)
            if pos < 0:
                return _TRUNCATED, begin
        if kind <= lo.WORD:  # one scalar, or as many as are packed
            packed = wire_type == wire.LENGTH
            stop = pos + length if packed else end
            while pos < stop or not packed:
                value, pos = _read_scalar(data, pos, stop, kind)
                if pos < 0:
                    return _CORRUPT, begin
                target = at
                if many:
                    target = _new_row(table_of[child], row, widths, starts, counts, slots, fill)[1]
                if fill:
                    slots[target + slot] = value
                    if case != 0:
                        slots[target + slot - 1] = case
                if not packed:
                    break
            continue
        if kind <= lo.OPAQUE:
            if not fill and kind == lo.TEXT and not wire.is_utf8(data, pos, length):
                return _NOT_UTF8, begin
            if fill and slot != 0:
                slots[at + slot] = pos
                slots[at + slot + 1] = length
                if case != 0:
                    slots[at + slot - 1] = case
            pos += length
            continue

        if kind == lo.ATTRIBUTE and depth + 2 <= MAX_DEPTH:
            key_length, case, value, value_length, _ = _read_plain_attribute(data, pos, pos + length)
            if case != 0 and (
                fill
                or (
                    wire.is_utf8(data, pos + 2, key_length)
                    and (case != lo.STRING_CASE or wire.is_utf8(data, value, value_length))
                )
            ):
                target = _new_row(table_of[child], row, widths, starts, counts, slots, fill)[1]
                if fill:
                    slots[target + lo.KEY] = pos + 2
                    slots[target + lo.KEY_LENGTH] = key_length
                    slots[target + lo.CASE] = case
                    slots[target + lo.VALUE] = value
                    slots[target + lo.VALUE_LENGTH] = value_length
                pos += length
                continue

        if depth == MAX_DEPTH:
            return _TOO_DEEP, begin
        stack[depth, 0], stack[depth, 1], stack[depth, 2], stack[depth, 3] = node, end, row, at
        depth += 1
        node, end = child, pos + length
        if kind not in (lo.INLINE, lo.CHOICE):
            row, at = _new_row(table_of[child], row, widths, starts, counts, slots, fill)
            if fill and slot != 0:
                slots[at + slot] = pos
                slots[at + slot + 1] = length
        elif kind == lo.CHOICE:
            if fill and slots[at + slot - 1] == case:
                row = slots[at + slot]
                at = starts[table_of[child]] + row * widths[table_of[child]]
            else:
                around = at + slot
                row, at = _new_row(table_of[child], row, widths, starts, counts, slots, fill)
                if fill:
                    slots[around - 1] = case
                    slots[around] = row
