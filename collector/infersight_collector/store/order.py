"""The order of rows in files that are made to last."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

SORT_KEYS: Final = {
    "spans": ("trace_id", "start_time_ns"),
    "traces": ("trace_id", "start_time_ns"),
    "logs": ("trace_id", "time_ns"),
    "exemplars": ("trace_id", "time_ns"),
    "metrics": ("name", "time_ns"),
}
"""Order of a table's rows in sorted files: a trace, or a metric's series of points, is in one place."""


_MAX_ROWS: Final = 1 << 20
_TIME_BITS: Final = 42
"""Bits of a time within a write; those of a trace's number are left beside it: 2**42 ns are 73 minutes."""

_DIGITS: Final = 32
_HIGHEST: Final = 15
_VALUES: Final = np.full(256, 255, np.uint8)
_VALUES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


def in_order(rows: pa.Table, table: str) -> pa.Table:
    """The rows in the order of their table's `SORT_KEYS`, nulls last."""
    return sort(rows, SORT_KEYS[table])


def sort(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The rows in the order of the keys, nulls last, equal ones in their order."""
    index = _index_by_trace(rows, *keys)
    if index is None:
        index = pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in keys])
    return pa.Table.from_arrays([_taken(column, index) for column in rows.columns], schema=rows.schema)


def _index_by_trace(rows: pa.Table, ids: str, times: str) -> pa.Array | None:
    """What Arrow's `sort_indices` gives, in a third to three quarters of its time, for what rows of traces mostly are.

    Args:
        rows: the rows.
        ids: name of the first key.
        times: name of the second one, numbers.

    Returns:
        the index, or None unless every id is one of 32 lower-case hex digits that its first half tells from the others,
        and all times are within an hour or so.
    """
    if rows[ids].null_count or rows[times].null_count or rows.num_rows >= _MAX_ROWS:
        return None
    halves = _halves(rows[ids].combine_chunks())
    if halves is None:
        return None
    first = halves[:, 0]
    order = np.argsort(first)
    changes = first[order[1:]] != first[order[:-1]]
    if changes.all():
        return pa.array(order)
    second = halves[order, 1]
    spread = rows[times].to_numpy() - pc.min(rows[times]).as_py()  # negative where that is too much
    if (second[1:][~changes] != second[:-1][~changes]).any() or spread.min() < 0 or spread.max() >> _TIME_BITS:
        return None
    numbers = np.zeros(len(order), np.int64)
    np.cumsum(changes, out=numbers[1:])
    spread[order] |= numbers << _TIME_BITS
    return pa.array(np.argsort(spread, kind="stable"))


def _halves(ids: pa.Array) -> npt.NDArray[np.uint64] | None:
    """The numbers that ids of 32 lower-case hex digits are, `[ids, 2]`; None where one is something else."""
    if not pa.types.is_string(ids.type) or not len(ids):
        return None
    offsets = np.frombuffer(ids.buffers()[1], np.int32)[ids.offset : ids.offset + len(ids) + 1]
    if (np.diff(offsets) != _DIGITS).any():
        return None
    values = _VALUES[np.frombuffer(ids.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]]
    if values.max() > _HIGHEST:
        return None
    return (values[::2] << 4 | values[1::2]).view(">u8").astype(np.uint64).reshape(-1, 2)


def _taken(column: Any, index: Any) -> Any:
    """The rows of a column in another order.

    One column after the other, and one attribute after the other, so that no more than one is in memory a third time:
    taking rows from several chunks is many times slower, and they are joined before.
    """
    if not pa.types.is_struct(column.type) or not column.type.num_fields:
        return column.combine_chunks().take(index)
    fields = [_taken(field, index) for field in column.flatten()]
    return pa.StructArray.from_arrays(fields, fields=list(column.type), mask=_taken(column.is_null(), index))
