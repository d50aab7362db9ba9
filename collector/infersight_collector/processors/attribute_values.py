"""Attributes of rows by their key."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

_COLUMNS: Final = ("attributes", "resource_attributes")


def values_of(rows: pa.Table, key: str) -> Iterator[Any]:
    """The values of a key, first among the attributes of the rows themselves, then of their resource.

    Args:
        rows: rows in the layout of `store.layout`, in one chunk.
        key: an attribute's key.

    Yields:
        one Arrow array `[rows]` for each of the two that knows the key, null where a row has no value.
    """
    for name in _COLUMNS:
        if name in rows.column_names and rows.num_rows:
            column = rows.column(name).chunk(0)
            index = column.type.get_field_index(key)
            if index >= 0:
                # Unlike StructArray.field, `struct_field` also nulls the rows that have no attributes at all.
                yield pc.struct_field(column, [index])
