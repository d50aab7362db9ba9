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
from infersight_collector.decode.kernels import (
    BYTES,
    INTS,
    ROWS,
    Bytes,
    Ints,
    borrowed,
    inline,
    int32,
    int64,
    kernel,
    nb,
    uint64,
)
from infersight_collector.decode.layout import Layout, layout_of
from infersight_collector.errors import MalformedRequest
from infersight_collector.signals import Request, Signal

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

# Columns of the walk's list of tables.
_WIDTH: Final = 0
_START: Final = 1
_COUNT: Final = 2

RECORDS: Final = {Signal.TRACES: "spans", Signal.LOGS: "log_records", Signal.METRICS: "data_points"}
"""The table of each signal's records."""


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


def count(signal: Signal, request: Request) -> dict[str, int]:
    """Validate a request and count the rows of each of its tables.

    A message that a later case of its oneof replaces is counted too.

    Raises:
        MalformedRequest: google.protobuf would refuse these bytes.
    """
    layout = layout_of(signal)
    tables = _empty_tables(layout)
    _run(layout, np.frombuffer(request, np.uint8), tables, np.zeros(1, np.int64), fill=False)
    return dict(zip(layout.tables, tables[:, _COUNT].tolist(), strict=True))


def count_records(signal: Signal, request: Request) -> int:
    """Validate a request and count its spans, log records or data points; raises `MalformedRequest`."""
    return count(signal, request)[RECORDS[signal]]


def walk(signal: Signal, request: Request) -> Tables:
    """Validate a request and lay its fields out in tables.

    Raises:
        MalformedRequest: google.protobuf would refuse these bytes.
    """
    layout = layout_of(signal)
    capacity = np.array(list(count(signal, request).values()), np.int64)
    capacity[0] = 1  # the root
    tables = _empty_tables(layout)
    ends = np.cumsum(capacity * layout.widths)
    tables[1:, _START] = ends[:-1]
    slots = np.zeros(ends[-1], np.int64)
    data = np.frombuffer(request, np.uint8)
    _run(layout, data, tables, slots, fill=True)
    rows = {
        name: slots[start : start + width * size].reshape(size, width)
        for name, (width, start, size) in zip(layout.tables, tables.tolist(), strict=True)
    }
    return Tables(layout, data, rows)


def _empty_tables(layout: Layout) -> Ints:
    tables = np.zeros((len(layout.tables), 3), np.int64)
    tables[:, _WIDTH] = layout.widths
    return tables


def _run(layout: Layout, data: Bytes, tables: Ints, slots: Ints, *, fill: bool) -> None:
    if len(data) > MAX_REQUEST:
        raise MalformedRequest(f"the request is larger than {MAX_REQUEST} bytes", MAX_REQUEST)
    error, offset = _walk(data, layout.fields, tables, slots, fill)
    if error != _OK:
        raise MalformedRequest(_REASONS[error], offset)


@inline
def _new_row(tables: Ints, slots: Ints, fill: bool, table: int, parent: int) -> tuple[int, int]:
    """Count a row and begin it; returns its number and its first slot."""
    row = tables[table, _COUNT]
    tables[table, _COUNT] = row + 1
    at = int64(0)
    if fill:
        at = tables[table, _START] + row * tables[table, _WIDTH]
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
def _read_plain_attribute(data: Bytes, pos: int, end: int) -> tuple[int, int, int, int]:
    """Read a KeyValue in the form that encoders write it: a short key, then a short scalar, and nothing else.

    Returns:
        The length of the key, which starts at `pos + 2`; the value's case, or 0 for any other form; the value, or
        where it starts; and its length.
    """
    other = (int64(0), int64(0), int64(0), int64(0))
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
        return key_length, case, pos + 1, length
    if tag == 0x21:
        bits, pos = wire.read_fixed(data, pos, end, 8)
        return key_length, int64(lo.DOUBLE_CASE) if pos == end else int64(0), bits, int64(0)
    if tag in (0x10, 0x18):
        number, pos = wire.read_varint(data, pos, end)
        case = int64(lo.INT_CASE) if tag == 0x18 else int64(lo.BOOL_CASE)
        number = number if tag == 0x18 else int64(number != 0)
        return key_length, case if pos == end else int64(0), number, int64(0)
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


@inline
def _put_scalars(
    data: Bytes,
    pos: int,
    end: int,
    packed: bool,
    kind: int,
    tables: Ints,
    slots: Ints,
    fill: bool,
    at: int,
    case: int,
    table: int,
    row: int,
) -> int:
    """Put a scalar into slot `at`, or each of repeated ones into a row of `table`; returns the next position or -1.

    Args:
        data: the request.
        pos: where the scalar starts.
        end: where it has to end; packed ones fill all up to there.
        packed: whether there may be any number of scalars.
        kind: the kind of the field, `MANY` added where it is repeated.
        tables: as the walk's.
        slots: as the walk's.
        fill: as the walk's.
        at: the slot; of repeated scalars, in their own row.
        case: the case of the oneof that the scalar is in, or 0.
        table: the table of repeated scalars.
        row: their parent.
    """
    many = kind >= lo.MANY
    target = at
    while pos < end or not packed:
        value, pos = _read_scalar(data, pos, end, kind & ~lo.MANY)
        if pos < 0:
            return -1
        if many:
            target = at + _new_row(tables, slots, fill, table, row)[1]
        if fill:
            slots[target] = value
            if case != 0:
                slots[target - 1] = case
        if not packed:
            break
    return pos


@inline
def _put_range(slots: Ints, fill: bool, at: int, case: int, pos: int, length: int) -> None:
    """Put where a text, bytes or a message is into slot `at` and the next."""
    if fill:
        slots[at] = pos
        slots[at + 1] = length
        if case != 0:
            slots[at - 1] = case


@inline
def _put_attribute(
    data: Bytes, pos: int, end: int, tables: Ints, slots: Ints, fill: bool, table: int, row: int
) -> bool:
    """Put an attribute of the usual form into a row; returns whether it has that form."""
    key_length, case, value, value_length = _read_plain_attribute(data, pos, end)
    if case == 0:
        return False
    if not fill:
        if not wire.is_utf8(data, pos + 2, key_length):
            return False
        if case == lo.STRING_CASE and not wire.is_utf8(data, value, value_length):
            return False
    at = _new_row(tables, slots, fill, table, row)[1]
    _put_range(slots, fill, at + lo.KEY, 0, pos + 2, key_length)
    _put_range(slots, fill, at + lo.VALUE, case, value, value_length)
    return True


@inline
def _open_row(
    tables: Ints, slots: Ints, fill: bool, table: int, row: int, kind: int, at: int, case: int
) -> tuple[int, int]:
    """The row of a message that has one of its own; returns its number and its first slot."""
    if kind != lo.CHOICE:
        return _new_row(tables, slots, fill, table, row)
    if fill and slots[at - 1] == case:  # the oneof has this case already: the messages merge
        row = slots[at]
        return row, tables[table, _START] + row * tables[table, _WIDTH]
    row, first = _new_row(tables, slots, fill, table, row)
    if fill:
        slots[at - 1] = case
        slots[at] = row
    return row, first


@kernel(nb.types.UniTuple(nb.int64, 2)(BYTES, nb.int64[:, :, ::1], ROWS, INTS, nb.boolean))
def _walk(  # noqa: C901, PLR0912, PLR0915 - one loop of one state machine; its steps are the functions above
    data: Bytes, fields: Ints, tables: Ints, slots: Ints, fill: bool
) -> tuple[int, int]:
    """Walk a request; returns an error or 0, and the offset of the field where it is.

    Args:
        data: the request, uint8 `[bytes]`.
        fields: `Layout.fields`, int64 `[node, field number, 5]`.
        tables: of each table the slots of a row, its first slot in `slots`, and its rows, which are counted here;
            int64 `[table, 3]`.
        slots: the rows of all tables, zeros before, int64 `[slots]`.
        fill: whether to write rows; text is then taken to be UTF-8, as the counting walk has found.
    """
    data, tables, slots = borrowed(data), borrowed(tables), borrowed(slots)
    stack = np.empty((MAX_DEPTH + 1, 4), np.int64)  # of the messages around: node, end, row, first slot of the row
    depth = 0
    node, end, row, at = int64(0), int64(len(data)), int64(0), int64(0)
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
        number, wire_type = tag >> 3, tag & 7
        if pos < 0 or (number == 0 and node != _GROUP):
            return _CORRUPT, begin
        if wire_type == wire.END_GROUP:  # in a group, `row` is its field number
            if node != _GROUP or row != number:
                return _CORRUPT, begin
            depth -= 1
            node, end, row, at = stack[depth, 0], stack[depth, 1], stack[depth, 2], stack[depth, 3]
            continue

        kind = slot = case = table = child = int64(0)
        if node != _GROUP and number < lo.MAX_FIELD:
            kind, slot, case, child = (
                fields[node, number, 0],
                fields[node, number, 1],
                fields[node, number, 2],
                fields[node, number, 3],
            )
            table = fields[node, number, 4]
        packed = kind >= lo.MANY and wire_type == wire.LENGTH
        if wire_type != _wire_type(kind & ~lo.MANY) and not packed:
            kind = int64(lo.UNKNOWN)
        is_message = kind >= lo.MESSAGE and kind < lo.MANY
        if (is_message or wire_type == wire.START_GROUP) and depth == MAX_DEPTH:
            return _TOO_DEEP, begin

        if wire_type == wire.START_GROUP:
            stack[depth, 0], stack[depth, 1], stack[depth, 2], stack[depth, 3] = node, end, row, at
            depth += 1
            node, row = int64(_GROUP), number
            continue
        if kind == lo.UNKNOWN:
            pos = wire.skip_value(data, pos, end, wire_type)
            if pos < 0:
                return _CORRUPT, begin
            continue
        stop = end
        if wire_type == wire.LENGTH:
            length, pos = wire.read_length(data, pos, end)
            if pos < 0:
                return _TRUNCATED, begin
            stop = pos + length

        if is_message:
            if (
                kind == lo.ATTRIBUTE
                and depth + 2 <= MAX_DEPTH
                and _put_attribute(data, pos, stop, tables, slots, fill, table, row)
            ):
                pos = stop
                continue
            stack[depth, 0], stack[depth, 1], stack[depth, 2], stack[depth, 3] = node, end, row, at
            depth += 1
            node, end = child, stop
            if kind != lo.INLINE:
                row, at = _open_row(tables, slots, fill, table, row, kind, at + slot, case)
            if kind == lo.MESSAGE and slot != 0:
                _put_range(slots, fill, at + slot, 0, pos, stop - pos)
        elif kind in (lo.TEXT, lo.OPAQUE):
            if kind == lo.TEXT and not fill and not wire.is_utf8(data, pos, stop - pos):
                return _NOT_UTF8, begin
            if slot != 0:
                _put_range(slots, fill, at + slot, case, pos, stop - pos)
            pos = stop
        else:
            first = slot if kind >= lo.MANY else at + slot
            pos = _put_scalars(data, pos, stop, packed, kind, tables, slots, fill, first, case, table, row)
            if pos < 0:
                return _CORRUPT, begin
