"""Arrow columns made at once for many rows."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.store.schema import COLUMNS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_JSON: Final = {b"infersight.type": b"json"}
_HEX: Final = np.frombuffer(b"".join(b"%02x" % byte for byte in range(256)), dtype="<u2")


def hexadecimal(ids: npt.NDArray[np.uint8]) -> pa.Array:
    """Rows of bytes as lower-case hex text."""
    rows, width = ids.shape
    text = _HEX[ids].tobytes()
    offsets = np.arange(rows + 1, dtype=np.int32) * (2 * width)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(text))


def picked(values: Sequence[object] | pa.Array, codes: Ints, present: Flags | None = None) -> pa.Array:
    """The value of each code; null where `present` is false."""
    pool: Any = values if isinstance(values, pa.Array) else pa.array(values)
    return pool.take(pa.array(codes, mask=None if present is None else ~present))


def numbers(values: npt.NDArray[Any], present: Flags | None = None) -> pa.Array:
    """Numbers, null where `present` is false."""
    return pa.array(values, mask=None if present is None else ~present)


def text(*pieces: str | pa.Array) -> pa.Array:
    """Texts joined of constants and columns; numbers as they print."""
    parts = [piece if isinstance(piece, str) else piece.cast(pa.string()) for piece in pieces]
    return pc.binary_join_element_wise(*parts, "")


def struct(columns: Mapping[str, pa.Array], json: Collection[str] = ()) -> pa.Array:
    """A STRUCT of those columns that have a value at all; `json` names the ones that are JSON text."""
    kept = {name: column for name, column in columns.items() if column.null_count < len(column)}
    fields = [pa.field(name, column.type, metadata=_JSON if name in json else None) for name, column in kept.items()]
    return pa.StructArray.from_arrays(list(kept.values()), fields=fields)


def table(name: str, columns: Mapping[str, pa.Array]) -> pa.Table:
    """Rows of a stored table: its fixed columns, null where not given, then the attribute columns."""
    rows = len(next(iter(columns.values())))
    every = {field.name: pa.nulls(rows, field.type) for field in COLUMNS[name]} | dict(columns)
    return pa.table(every)
