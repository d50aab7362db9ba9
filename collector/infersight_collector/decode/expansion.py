"""How large a request becomes as rows, told before it is acknowledged and without decoding it.

A small request can become very many rows, and what records share, their resource, scope and metric, is copied to each:
one megabyte of resource attributes and a hundred thousand empty spans would be a hundred gigabytes.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from infersight_collector.decode import wire
from infersight_collector.decode.kernels import BYTES, ROWS, Bytes, Ints, borrowed, inline, int64, kernel, nb
from infersight_collector.decode.layout import MAX_FIELD, layout_of
from infersight_collector.signals import Request, Signal

ROW_BYTES: Final = 200
"""What an empty record takes as a row: a span or log record 180 bytes, a data point 190."""

ENTITY_BYTES: Final = 300
"""What an entity reference takes on its way to JSON."""

_DEPTH: Final = 6
"""Levels of messages that hold rows: a request is the first, a data point the last."""

# What a field of a message at some level holds.
_OPEN: Final = 1  # a message with rows below it
_ROW: Final = 2  # a row
_ROW_OPEN: Final = 3  # a row with rows of another table below it

_RECORDS: Final[list[dict[int, int]]] = [{1: _OPEN}, {2: _OPEN}, {2: _ROW}]  # resources, scopes, records
_LEVELS: Final[dict[Signal, list[dict[int, int]]]] = {
    Signal.TRACES: _RECORDS,
    Signal.LOGS: _RECORDS,
    Signal.METRICS: [
        *_RECORDS[:2],
        {2: _OPEN},  # metrics
        {5: _OPEN, 7: _OPEN, 9: _OPEN, 10: _OPEN, 11: _OPEN},  # gauge, sum, histogram, exponential histogram, summary
        {1: _ROW_OPEN},  # data points
        {5: _ROW, 8: _ROW, 11: _ROW},  # exemplars (field 8 of an exponential histogram, which is none, counts too)
    ],
}


def _table(signal: Signal) -> Ints:
    table = np.zeros((_DEPTH, MAX_FIELD), np.int64)
    for level, fields in enumerate(_LEVELS[signal]):
        for number, what in fields.items():
            table[level, number] = what
    return table


_TABLES: Final = {signal: _table(signal) for signal in Signal}


def rows_bytes(signal: Signal, request: Request) -> int:
    """About the memory that the rows of a request take, in bytes.

    Args:
        signal: what the request carries.
        request: one that `walk.count` accepts.
    """
    rows, copied = _copies(np.frombuffer(request, np.uint8), _TABLES[signal])
    return len(request) + ROW_BYTES * rows + copied


def walk_bytes(signal: Signal, counts: Mapping[str, int]) -> int:
    """About the memory that decoding a request takes beside its rows, in bytes.

    Args:
        signal: what the request carries.
        counts: the rows of each table of its walk, as `walk.count` has counted them.
    """
    widths: list[int] = layout_of(signal).widths.tolist()
    slots = sum(width * count for width, count in zip(widths, counts.values(), strict=True))
    return 8 * slots + ENTITY_BYTES * counts["entity_refs"]


@inline
def _read_field(data: Bytes, pos: int, end: int, levels: Ints, level: int, groups: int) -> tuple[int, int, int, int]:
    """Read a field; returns what it holds, where its content starts and ends (-1: corrupt), and the open groups."""
    nothing = int64(0)
    tag, start = wire.read_tag(data, pos, end)
    number, wire_type = tag >> 3, tag & 7
    if start < 0:
        return nothing, start, start, groups
    if wire_type == wire.START_GROUP:
        return nothing, start, start, groups + 1
    if wire_type == wire.END_GROUP:
        return nothing, start, start, groups - 1
    after = wire.skip_value(data, start, end, wire_type)
    if after < 0 or wire_type != wire.LENGTH or groups > 0 or number >= MAX_FIELD:
        return nothing, start, after, groups
    return levels[level, number], wire.read_length(data, start, end)[1], after, groups


@kernel(nb.types.UniTuple(nb.int64, 2)(BYTES, ROWS))
def _copies(data: Bytes, levels: Ints) -> tuple[int, int]:
    """Count the rows of a request, and the bytes that are copied to them from the messages around.

    Args:
        data: a request that the walk accepts.
        levels: what a field holds, int64 `[level, field number]`.
    """
    data, levels = borrowed(data), borrowed(levels)
    # Of each open message: where it ends, the bytes that its rows share, the rows before it, and its open groups.
    messages = np.zeros((_DEPTH, 4), np.int64)
    messages[0, 0] = len(data)
    rows = copied = pos = level = int64(0)
    while True:
        if pos == messages[level, 0]:
            copied += messages[level, 1] * (rows - messages[level, 2])
            if level == 0:
                return rows, copied
            level -= 1
            continue
        what, start, after, groups = _read_field(data, pos, messages[level, 0], levels, level, messages[level, 3])
        messages[level, 3] = groups
        if after < 0:
            return rows, copied
        if what >= _ROW:
            rows += 1
        if what in (_OPEN, _ROW_OPEN):
            level += 1
            messages[level, 0], messages[level, 1], messages[level, 2], messages[level, 3] = after, 0, rows, 0
            pos = start
            continue
        if what == 0 and level > 0:
            messages[level, 1] += after - pos
        pos = after
