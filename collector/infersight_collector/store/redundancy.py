"""Leaves out of the tables what other columns tell: 7 bytes a span, 4 to 7 a log record.

    spans   end_time_ns       null where it is start_time_ns + duration_ns
    traces  end_time_ns       the same
    logs    observed_time_ns  null where it is time_ns + observed_delay_ns

What cannot be told that way, as the end of a span without a start, stays in its column, and so does all that version 1
of the layout wrote: readers take the column where it is there, and the sum elsewhere.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def leave_out(rows: pa.Table, table: str) -> pa.Table:
    """The rows as they are stored, see above.

    Args:
        rows: rows in the layout of `schema.COLUMNS`.
        table: name of the table they go to.
    """
    if table == "logs" and {"time_ns", "observed_time_ns"} <= set(rows.column_names):
        delay = pc.subtract(rows["observed_time_ns"], rows["time_ns"])
        rows = rows.append_column("observed_delay_ns", delay)
        return _without_sums(rows, "observed_time_ns", "time_ns", "observed_delay_ns")
    if {"start_time_ns", "end_time_ns", "duration_ns"} <= set(rows.column_names):
        return _without_sums(rows, "end_time_ns", "start_time_ns", "duration_ns")
    return rows


def end_times(rows: pa.Table) -> Any:
    """When the spans or traces of these rows, stored or not, ended: int64 `[rows]`, null where they have not."""
    return pc.coalesce(rows["end_time_ns"], pc.add(rows["start_time_ns"], rows["duration_ns"]))


def _without_sums(rows: pa.Table, column: str, first: str, second: str) -> pa.Table:
    """The rows, with nulls in a column where it is the sum of two others."""
    # Arrow's sums of 64 bits wrap where those of SQL fail: only times from the epoch on are left to SQL.
    values, base = rows[column], rows[first]
    is_sum = pc.and_(pc.equal(pc.add(base, rows[second]), values), pc.greater_equal(pc.bit_wise_or(base, values), 0))
    kept = pc.if_else(pc.fill_null(is_sum, False), pa.scalar(None, pa.int64()), values)
    return rows.set_column(rows.schema.get_field_index(column), column, kept)
