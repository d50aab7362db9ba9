"""JSON objects of attributes that do not fit the STRUCT of their column, one for each parent."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from typing import Any, Final

import numpy as np
import pyarrow as pa

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
    int64,
    kernel,
    nb,
)
from infersight_collector.decode.values import render_json, write_json_string
from infersight_collector.decode.walk import Tables

_COMMA: Final = ord(",")
_COLON: Final = ord(":")
_OPEN_ARRAY: Final = ord("[")
_CLOSE_ARRAY: Final = ord("]")
_OPEN_OBJECT: Final = ord("{")
_CLOSE_OBJECT: Final = ord("}")


def json_objects(tables: Tables, rows: Ints, keys: Ints, parents: int) -> Any:
    """JSON objects of attributes, a text column; a key that occurs several times has an array of its values.

    Args:
        tables: the walked request.
        rows: rows of attributes, their parents ascending, int64 `[rows, slots of an attribute]`.
        keys: a number for each row, the same for the same key, int64 `[rows]`.
        parents: length of the column; null where a parent has no row.
    """
    if not len(rows):
        return pa.nulls(parents, pa.string())
    text, starts, lengths = render_json(tables, rows)
    order, first, counts = _members(rows, keys, keys.max() + 1)
    buffer, starts, lengths = _write_objects(tables.data, rows, text, starts, lengths, order, first, counts, parents)
    buffer.flags.writeable = False
    return text_array(buffer, starts, lengths)


@kernel(nb.types.UniTuple(INTS, 3)(ROWS, INTS, nb.int64))
def _members(rows: Ints, keys: Ints, distinct: int) -> tuple[Ints, Ints, Ints]:
    """Group rows of one parent and key, the values of one member of an object, with a counting sort.

    Args:
        rows: rows of attributes, their parents ascending, int64 `[rows, slots]`.
        keys: the number of each one's key.
        distinct: greater than every such number.

    Returns:
        The rows by member, members by their first row; the first row of each row's member; and the rows of the member
        that begins with each row, 0 where none does.
    """
    parents = np.full(distinct, -1, np.int64)  # the parent in which each key was last, and the first row there
    firsts = np.empty(distinct, np.int64)
    first = np.empty(len(rows), np.int64)
    counts = np.zeros(len(rows), np.int64)
    for row in range(len(rows)):
        key = keys[row]
        if parents[key] != rows[row, 0]:
            parents[key] = rows[row, 0]
            firsts[key] = row
        first[row] = firsts[key]
        counts[first[row]] += 1
    places = np.empty(len(rows), np.int64)  # of the next row of each member
    total = 0
    for row in range(len(rows)):
        places[row] = total
        total += counts[row]
    order = np.empty(len(rows), np.int64)
    for row in range(len(rows)):
        order[places[first[row]]] = row
        places[first[row]] += 1
    return order, first, counts


@kernel(nb.types.Tuple((BUFFER, INTS, INTS))(BYTES, ROWS, BYTES, INTS, INTS, INTS, INTS, INTS, nb.int64))
def _write_objects(
    data: Bytes,
    rows: Ints,
    text: Bytes,
    starts: Ints,
    lengths: Ints,
    order: Ints,
    first: Ints,
    counts: Ints,
    parents: int,
) -> tuple[Bytes, Ints, Ints]:
    """Write JSON objects; returns their text, and where the one of each parent starts and its length, -1 for none.

    Args:
        data: the request.
        rows: rows of attributes, int64 `[rows, slots]`.
        text: the JSON of their values.
        starts: where that of each row starts.
        lengths: its length.
        order: the rows by member, those of a parent together.
        first: the first row of each row's member.
        counts: the number of rows of the member that begins with a row.
        parents: how many there are.
    """
    data, rows, text = borrowed(data), borrowed(rows), borrowed(text)
    room = int64(0)
    for row in range(len(rows)):
        room += lengths[row] + 6 * rows[row, lo.KEY_LENGTH] + 8
    objects = np.empty(room, np.uint8)
    begins = np.zeros(parents, np.int64)
    sizes = np.full(parents, -1, np.int64)
    at = int64(0)
    for i in range(len(order)):
        row = order[i]
        parent = rows[row, 0]
        if i == 0 or rows[order[i - 1], 0] != parent:
            begins[parent] = at
            objects[at] = _OPEN_OBJECT
        else:
            objects[at] = _COMMA
        at += 1
        if first[row] == row:
            at = write_json_string(data, rows[row, lo.KEY], rows[row, lo.KEY_LENGTH], objects, at)
            objects[at] = _COLON
            at += 1
            if counts[first[row]] > 1:
                objects[at] = _OPEN_ARRAY
                at += 1
        at = copy_bytes(text, starts[row], lengths[row], objects, at)
        last = i + 1 == len(order)
        if counts[first[row]] > 1 and (last or first[order[i + 1]] != first[row]):
            objects[at] = _CLOSE_ARRAY
            at += 1
        if last or rows[order[i + 1], 0] != parent:
            objects[at] = _CLOSE_OBJECT
            at += 1
            sizes[parent] = at - begins[parent]
    return objects[:at], begins, sizes
