"""The order of rows in files that are made to last."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Sequence
from typing import Any, Final

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


def in_order(rows: pa.Table, table: str) -> pa.Table:
    """The rows in the order of their table's `SORT_KEYS`, nulls last."""
    return sort(rows, SORT_KEYS[table])


def sort(rows: pa.Table, keys: Sequence[str]) -> pa.Table:
    """The rows in the order of the keys, nulls last, equal ones in their order."""
    order = [(name, "ascending") for name in keys]
    index = pc.sort_indices(rows, sort_keys=order)
    return pa.Table.from_arrays([_taken(column, index) for column in rows.columns], schema=rows.schema)


def _taken(column: Any, index: Any) -> Any:
    """The rows of a column in another order.

    One column after the other, and one attribute after the other, so that no more than one is in memory a third time:
    taking rows from several chunks is many times slower, and they are joined before.
    """
    if not pa.types.is_struct(column.type) or not column.type.num_fields:
        return column.combine_chunks().take(index)
    fields = [_taken(field, index) for field in column.flatten()]
    return pa.StructArray.from_arrays(fields, fields=list(column.type), mask=_taken(column.is_null(), index))
