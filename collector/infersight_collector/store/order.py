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

Ints = npt.NDArray[np.int64]

_TIME_BITS: Final = 42
"""Bits of a time within a partition's hour, 2**42 ns are 73 minutes; those above are for ranks."""

_MAX_ROWS: Final = 1 << (62 - _TIME_BITS)

_REPEATED: Final = 4
"""How often texts must occur on average to be worth numbering."""

_DIGITS: Final = 32
_HIGHEST: Final = 15
_VALUES: Final = np.full(256, 255, np.uint8)
_VALUES[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


def in_order(rows: pa.Table, table: str) -> pa.Table:
    """The rows in the order of their table's `SORT_KEYS`, nulls last."""
    return sort(rows, SORT_KEYS[table])


def sort(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The rows in the order of the keys, nulls last, equal ones in their order."""
    index = _index(rows, *keys)
    if index is None:
        index = pc.sort_indices(rows, sort_keys=[(name, "ascending") for name in keys])
    return pa.Table.from_arrays([_taken(column, index) for column in rows.columns], schema=rows.schema)


def _index(rows: pa.Table, text: str, number: str) -> pa.Array | None:
    """What Arrow's `sort_indices` gives, in a third to three quarters of its time, for what rows mostly are.

    Args:
        rows: the rows.
        text: name of the first key.
        number: name of the second one, int64.

    Returns:
        the index, or None where the texts are neither ids nor few, and where the numbers are times that are far apart
        or absent.
    """
    if rows[number].null_count or not 0 < rows.num_rows < _MAX_ROWS:
        return None
    keys = rows[number].to_numpy() - pc.min(rows[number]).as_py()  # negative where that is too much
    if keys.min() < 0 or keys.max() >> _TIME_BITS:
        return None
    ranks = _ranks(rows[text].combine_chunks())
    if ranks is None:
        return None
    keys |= ranks << _TIME_BITS
    order = np.argsort(keys)
    ordered = keys[order]
    if (ordered[1:] == ordered[:-1]).any():
        order = np.argsort(keys, kind="stable")
    return pa.array(order)


def _ranks(texts: pa.Array) -> Ints | None:
    """Numbers in the order of the texts, nulls last; None where telling them would take too long."""
    if not pa.types.is_string(texts.type):
        return None
    if texts.null_count:
        present = texts.is_valid().to_numpy(zero_copy_only=False)
        found = _ranks(texts.drop_null())
        if found is None:
            return None
        ranks = np.full(len(texts), len(found), np.int64)
        ranks[present] = found
        return ranks
    halves = _halves(texts)
    return _ranks_of_few(texts) if halves is None else _ranks_of_ids(halves)


def _ranks_of_few(texts: pa.Array) -> Ints | None:
    encoded = texts.dictionary_encode()
    if len(encoded.dictionary) > len(texts) // _REPEATED:
        return None
    ranks = np.empty(len(encoded.dictionary), np.int64)
    ranks[pc.sort_indices(encoded.dictionary).to_numpy()] = np.arange(len(ranks))
    numbers: Ints = ranks[encoded.indices.to_numpy()]
    return numbers


def _ranks_of_ids(halves: npt.NDArray[np.uint64]) -> Ints | None:
    """The ranks of ids that their first halves tell from each other, as random ones do; None of others."""
    order = np.argsort(halves[:, 0])
    first, second = halves[order, 0], halves[order, 1]
    changes = first[1:] != first[:-1]
    if (second[1:][~changes] != second[:-1][~changes]).any():
        return None
    ranks = np.zeros(len(order), np.int64)
    ranks[order[1:]] = np.cumsum(changes)
    return ranks


def _halves(ids: pa.Array) -> npt.NDArray[np.uint64] | None:
    """The numbers that ids of 32 lower-case hex digits are, `[ids, 2]`; None where one is something else."""
    offsets = np.frombuffer(ids.buffers()[1] or b"\0\0\0\0", np.int32)[ids.offset : ids.offset + len(ids) + 1]
    if not len(ids) or (np.diff(offsets) != _DIGITS).any():
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
    if column.null_count == len(column):
        return column.combine_chunks()
    if not pa.types.is_struct(column.type) or not column.type.num_fields:
        return column.combine_chunks().take(index)
    fields = [_taken(field, index) for field in column.flatten()]
    return pa.StructArray.from_arrays(fields, fields=list(column.type), mask=_taken(column.is_null(), index))
