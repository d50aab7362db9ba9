"""Arrow arrays from the slots of a walk: each string is copied once, from the request into an Arrow buffer."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

from typing import Any, Final

import numpy as np
import pyarrow as pa

from infersight_collector.decode.kernels import (
    BUFFER,
    BYTES,
    COLUMN,
    Bytes,
    Ints,
    borrowed,
    copy_bytes,
    kernel,
    nb,
)

MAX_TIME: Final = 2**63 - 1
"""Times and counts of 64 unsigned bits saturate here."""

_HEX_PAIRS: Final = np.frombuffer(bytes(range(256)).hex().encode(), np.uint16)
"""The two characters of each byte."""


def text_array(data: Bytes, starts: Ints, lengths: Ints, kind: Any = None) -> Any:
    """Text or bytes from where they are in `data`.

    Args:
        data: uint8 `[bytes]`, read-only; UTF-8 where `kind` is text.
        starts: where each value starts, int64 `[rows]`.
        lengths: bytes of each value, int64 `[rows]`; negative for null.
        kind: `pa.string()`, the default, or `pa.binary()`.
    """
    offsets, values = _copy_text(data, starts, lengths)
    return _array(kind or pa.string(), lengths >= 0, pa.py_buffer(offsets), pa.py_buffer(values))


def optional_text(data: Bytes, starts: Ints, lengths: Ints) -> Any:
    """Text as `text_array`, where the empty one is null: protobuf does not tell it from an absent one."""
    return text_array(data, starts, np.where(lengths > 0, lengths, -1))


def hex_array(data: Bytes, starts: Ints, lengths: Ints) -> Any:
    """Ids in lower-case hex; null where the id is empty or all zeros, which OTLP says is no id."""
    offsets, pairs, present = _copy_hex(data, starts, lengths)
    return _array(pa.string(), present.view(np.bool_), pa.py_buffer(offsets), pa.py_buffer(pairs))


def int_array(values: Ints, present: Any) -> Any:
    """int64 values, null where not present."""
    return _array(pa.int64(), present, pa.py_buffer(_detached(values)))


def double_array(bits: Ints, present: Any) -> Any:
    """Doubles from their bits, null where not present."""
    return _array(pa.float64(), present, pa.py_buffer(_detached(bits)))


def bool_array(values: Ints, present: Any) -> Any:
    """Booleans, null where not present."""
    return _array(pa.bool_(), present, pa.py_buffer(np.packbits(values != 0, bitorder="little")))


def optional_int(values: Ints) -> Any:
    """int64 values; zero is null: protobuf does not tell it from an absent number."""
    return int_array(values, values != 0)


def time_array(bits: Ints) -> Any:
    """Times from 64 unsigned bits, saturated; zero, which OTLP says is unknown, is null."""
    return int_array(saturate(bits), bits != 0)


def saturate(bits: Ints) -> Ints:
    """The nearest int64 of 64 unsigned bits."""
    return np.where(bits < 0, MAX_TIME, bits)


def enum_array(values: Ints, names: tuple[str, ...], present: Any = None) -> Any:
    """The names of enumeration values, a number without a name as decimal text; null where not present."""
    if len(values) and (values.min() < 0 or values.max() >= len(names)):
        known, values = np.unique(values, return_inverse=True)
        names = tuple(names[value] if 0 <= value < len(names) else str(value) for value in known.tolist())
    index = pa.array(values, mask=None if present is None else ~present)
    return pa.array(names, pa.string()).take(index)


def list_array(parents: Ints, rows: int, elements: Any, present: Any) -> Any:
    """Lists of the elements of each row.

    Args:
        parents: the row of each element, ascending, int64 `[elements]`.
        rows: number of rows.
        elements: an Arrow array.
        present: bool `[rows]`, false for null; such a row has no elements.
    """
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(np.bincount(parents, minlength=rows), out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), elements, mask=pa.array(~present))


def _detached(values: Ints) -> Ints:
    """Contiguous values that keep no others alive: to numpy one of a column is contiguous as it is, in its table."""
    return np.ascontiguousarray(values) if len(values) > 1 else values.copy()


def _array(kind: Any, present: Any, *buffers: Any) -> Any:
    nulls = len(present) - int(np.count_nonzero(present))
    bitmap = pa.py_buffer(np.packbits(present, bitorder="little")) if nulls else None
    return pa.Array.from_buffers(kind, len(present), [bitmap, *buffers], nulls)


@kernel(nb.types.Tuple((nb.int32[::1], BUFFER))(BYTES, COLUMN, COLUMN))
def _copy_text(data: Bytes, starts: Ints, lengths: Ints) -> tuple[Ints, Bytes]:
    rows = len(lengths)
    offsets = np.empty(rows + 1, np.int32)
    total = 0
    for row in range(rows):
        offsets[row] = total
        total += max(lengths[row], 0)
    offsets[rows] = total
    values = np.empty(total, np.uint8)
    source, target = borrowed(data), borrowed(values)
    at = 0
    for row in range(rows):
        if lengths[row] > 0:
            at = copy_bytes(source, starts[row], lengths[row], target, at)
    return offsets, values


@kernel(nb.types.Tuple((nb.int32[::1], nb.uint16[::1], BUFFER))(BYTES, COLUMN, COLUMN))
def _copy_hex(data: Bytes, starts: Ints, lengths: Ints) -> tuple[Ints, Ints, Bytes]:
    """Offsets in characters, the characters in pairs, and which rows have an id."""
    rows = len(lengths)
    offsets = np.empty(rows + 1, np.int32)
    present = np.zeros(rows, np.uint8)
    total = 0
    for row in range(rows):
        total += lengths[row]
    pairs = np.empty(total, np.uint16)
    at = 0
    for row in range(rows):
        offsets[row] = 2 * at
        seen = 0
        for i in range(lengths[row]):
            byte = data[starts[row] + i]
            pairs[at + i] = _HEX_PAIRS[byte]
            seen |= byte
        if seen != 0:
            present[row] = 1
            at += lengths[row]
    offsets[rows] = 2 * at
    return offsets, pairs[:at], present
