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

ELEMENT_BYTES: Final = {
    "events": 24,
    "links": 56,
    "quantile_values": 10,
    "data_points.positive.bucket_counts": 8,
    "data_points.negative.bucket_counts": 8,
}
"""What an element of a list takes in its row beyond its bytes in the request, by its table of the walk: an event's
times and offsets, ids in hex, a bucket's count in 64 bits that was one byte."""

ENTITY_BYTES: Final = 300
"""What an entity reference takes on its way to JSON."""

_DEPTH: Final = 6
"""Levels of messages that hold rows: a request is the first, a data point the last."""

# What a field of a message holds; all other fields are copied to the rows below the message.
_OWN: Final = -1  # something that is not copied
_ROW: Final = 0  # a row
_OPEN: Final = 10  # plus the kind of a message with rows below it
_ROW_OPEN: Final = 20  # plus the kind of a row with rows of another table below it

_RECORDS: Final = [{1: _OPEN + 1}, {2: _OPEN + 2}, {2: _ROW}]  # requests, resources, scopes
_KINDS: Final[dict[Signal, list[dict[int, int]]]] = {
    Signal.TRACES: _RECORDS,
    Signal.LOGS: _RECORDS,
    Signal.METRICS: [
        *_RECORDS[:2],
        {2: _OPEN + 3},
        {5: _OPEN + 4, 7: _OPEN + 4, 9: _OPEN + 5, 10: _OPEN + 6, 11: _OPEN + 4},  # metrics, which hold ...
        {1: _ROW_OPEN + 7},  # ... gauges, sums, summaries
        {1: _ROW_OPEN + 8},  # histograms
        {1: _ROW_OPEN + 9},  # exponential histograms
        {5: _ROW, 6: _OWN},  # their points: exemplars, quantiles
        {8: _ROW, 6: _OWN, 7: _OWN},  # exemplars, buckets, bounds
        {11: _ROW, 8: _OWN, 9: _OWN},  # exemplars, buckets of both signs
    ],
}
"""The kinds of messages that hold rows, the request first: what is in which of their fields."""

_SHARED: Final = -2


def _table(signal: Signal) -> Ints:
    kinds = _KINDS[signal]
    table = np.full((len(kinds), MAX_FIELD), _SHARED, np.int64)
    for kind, fields in enumerate(kinds):
        for number, what in fields.items():
            table[kind, number] = what
    return table


_TABLES: Final = {signal: _table(signal) for signal in Signal}


def rows_bytes(signal: Signal, request: Request, counts: Mapping[str, int]) -> int:
    """About the memory that the rows of a request take, in bytes.

    What sparse keys take beside it is bounded by `attributes.MAX_CELLS`.

    Args:
        signal: what the request carries.
        request: one that `walk.count` accepts.
        counts: the rows of each table of its walk, as `walk.count` has counted them.
    """
    rows, copied = _copies(np.frombuffer(request, np.uint8), _TABLES[signal])
    elements = sum(size * counts.get(table, 0) for table, size in ELEMENT_BYTES.items())
    return len(request) + ROW_BYTES * rows + copied + elements


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
def _read_field(data: Bytes, pos: int, end: int, kinds: Ints, kind: int, groups: int) -> tuple[int, int, int, int]:
    """Read a field; returns what it holds, where its content starts and ends (-1: corrupt), and the open groups."""
    nothing = int64(_SHARED)
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
    return kinds[kind, number], wire.read_length(data, start, end)[1], after, groups


@kernel(nb.types.UniTuple(nb.int64, 2)(BYTES, ROWS))
def _copies(data: Bytes, kinds: Ints) -> tuple[int, int]:
    """Count the rows of a request, and the bytes that are copied to them from the messages around.

    Args:
        data: a request that the walk accepts.
        kinds: what a field holds, int64 `[kind of message, field number]`.
    """
    data, kinds = borrowed(data), borrowed(kinds)
    # Of each open message: where it ends, the bytes that its rows share, the rows before it, its open groups, its kind.
    messages = np.zeros((_DEPTH, 5), np.int64)
    messages[0, 0] = len(data)
    rows = copied = pos = level = int64(0)
    while True:
        if pos == messages[level, 0]:
            copied += messages[level, 1] * (rows - messages[level, 2])
            if level == 0:
                return rows, copied
            level -= 1
            continue
        end, kind = messages[level, 0], messages[level, 4]
        what, start, after, groups = _read_field(data, pos, end, kinds, kind, messages[level, 3])
        messages[level, 3] = groups
        if after < 0:
            return rows, copied
        if what == _ROW or what >= _ROW_OPEN:
            rows += 1
        if what >= _OPEN:
            level += 1
            messages[level, 0], messages[level, 1], messages[level, 2], messages[level, 3] = after, 0, rows, 0
            messages[level, 4] = what % _OPEN
            pos = start
            continue
        if what == _SHARED and level > 0:
            messages[level, 1] += after - pos
        pos = after
