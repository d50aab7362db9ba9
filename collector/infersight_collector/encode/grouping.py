"""Records into requests: rows of equal resource and scope together, cut where a request is large enough."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from infersight_collector.decode.kernels import Ints
from infersight_collector.encode import kernels
from infersight_collector.encode.attributes import struct_fields
from infersight_collector.encode.fields import (
    Column,
    Ragged,
    concatenate,
    group,
    message,
    present_of,
    text_buffers,
    words_of,
    written,
)

_FRAMES: Final = 16
"""Most bytes of tags and lengths that a level adds to a request."""

Columns = dict[str, Any]
"""Arrow arrays by the names of the columns, all of one length."""


@dataclass(frozen=True, slots=True)
class Level:
    """Messages that records stand in: a resource, a scope or a metric. Those that are equal become one.

    Attributes:
        number: of the field that they are.
        heads: the encoded fields of each different one.
        ids: for each record the one that it is in, int64 `[records]`.
        wrap: makes what stands behind the heads of the messages with the given ids, from the records in each.
    """

    number: int
    heads: Ragged
    ids: Ints
    wrap: Callable[[Column, Ints], Column] = lambda inner, _ids: inner

    def around(self, inner: Column, rows: Ints) -> Column:
        """The messages that the records at these rows are the first ones of, with what is in them."""
        ids = self.ids[rows]
        return message(self.number, concatenate([self.heads.take(ids).column(), self.wrap(inner, ids)]))

    def ordered(self, rows: Ints) -> "Level":
        """The level for the records in another order."""
        return Level(self.number, self.heads, self.ids[rows], self.wrap)


def distinct(columns: Columns, names: Sequence[str], encode: Callable[[Columns], Column]) -> tuple[Ints, Columns]:
    """Numbers rows by what some of their columns say.

    Args:
        columns: of the rows.
        names: the columns that count; those that are not there are left out.
        encode: makes bytes of these columns, equal ones where rows are equal.

    Returns:
        The number of each row, int64 `[rows]`, in the order of first occurrence; and the columns of the different ones.
    """
    own = {name: columns[name] for name in names if name in columns}
    starts = np.flatnonzero(_changes(own))
    runs = take(own, starts)
    different = written(encode(runs)).arrow().dictionary_encode()
    of_runs = different.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    firsts = np.unique(of_runs, return_index=True)[1]
    return np.repeat(of_runs, np.diff(np.append(starts, rows_of(columns)))), take(runs, firsts)


def take(columns: Columns, rows: Ints) -> Columns:
    """Some rows of columns."""
    index = pa.array(rows, pa.int64())
    return {name: array.take(index) for name, array in columns.items()}


def rows_of(columns: Columns) -> int:
    """The number of rows."""
    return len(next(iter(columns.values())))


def requests(records: Ragged, levels: Sequence[Level], max_bytes: int) -> Iterator[bytes]:
    """The requests that hold all records, each of at most `max_bytes` where it has more than one record.

    Args:
        records: the record messages, tags included, in the order of the rows.
        levels: from the innermost messages around them to the outermost.
        max_bytes: size of a request.
    """
    if not len(records.lengths):
        return
    order = np.lexsort([level.ids for level in levels])
    records = records.take(order)
    levels = [level.ordered(order) for level in levels]
    cuts = _cuts(records, levels, max_bytes)
    starts = np.zeros(len(order), np.bool_)
    starts[cuts] = True
    column, bounds = records.column(), np.arange(len(order) + 1)
    for depth, level in enumerate(levels):
        begins = _begins(levels[depth:]) | starts
        firsts = np.flatnonzero(begins)
        inner = group(column, np.searchsorted(bounds, np.append(firsts, len(order))))
        column, bounds = level.around(inner, firsts), np.append(firsts, len(order))
    whole = written(group(column, np.searchsorted(bounds, np.append(cuts, len(order)))))
    for start, length in zip(whole.starts.tolist(), whole.lengths.tolist(), strict=True):
        yield whole.data[start : start + length].tobytes()


def _begins(levels: Sequence[Level]) -> Any:
    """Which records begin a message of the first of these levels: all around it begin it too."""
    begins = np.zeros(len(levels[0].ids), np.bool_)
    begins[0] = True
    for level in levels:
        begins[1:] |= np.diff(level.ids) != 0
    return begins


def _cuts(records: Ragged, levels: Sequence[Level], max_bytes: int) -> Ints:
    """The records that requests begin with."""
    heads = [level.heads.lengths[level.ids] + _FRAMES for level in levels]
    begun = np.add.reduce([np.where(_begins(levels[depth:]), size, 0) for depth, size in enumerate(heads)])
    # A record costs its bytes, and the messages that begin with it; a request's first one begins all of them.
    ends: Ints = np.cumsum(records.lengths + begun)
    extra = np.add.reduce(heads) - begun
    cuts = [0]
    while True:
        first = cuts[-1]
        base = int(ends[first] - records.lengths[first] - begun[first] - extra[first])
        following = max(int(np.searchsorted(ends, base + max_bytes, side="right")), first + 1)
        if following >= len(ends):
            return np.array(cuts, np.int64)
        cuts.append(following)


def _changes(columns: Columns) -> Any:
    """Which rows differ from the row before in any of the columns; the first one does."""
    rows = rows_of(columns)
    changed = np.zeros(rows, np.bool_)
    changed[:1] = True
    for array in columns.values():
        parts = [values for _, values in struct_fields(array)] if pa.types.is_struct(array.type) else [array]
        for part in parts:
            present = present_of(part)
            if pa.types.is_string(part.type) or pa.types.is_binary(part.type):
                kernels.mark_text_changes(*text_buffers(part), present, changed)
            else:
                values = words_of(part)
                changed[1:] |= (present[1:] != present[:-1]) | (present[1:] & (values[1:] != values[:-1]))
    return changed
